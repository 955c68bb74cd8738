//! What people decided, as the store keeps it.

use tieout_domain::code::Code;
use tieout_flows::Decided;
use tieout_store::{ConnectionStore, Decision, Fact, StoreError};

/// What was decided. A warning that was accepted before decisions named its code is the one that the history tells:
/// the record's when it was decided.
///
/// # Errors
/// What a database can answer.
pub async fn decided(store: &ConnectionStore, decision: &Decision) -> Result<Decided, StoreError> {
    let Ok(decided) = decision.decision.parse();
    if decided != Decided::Accept(Vec::new()) {
        return Ok(decided);
    }
    let answered = answered(store, decision).await?;
    Ok(Decided::Accept(answered.into_iter().collect()))
}

/// The code of the state in which the record was when a decision about it was made.
async fn answered(
    store: &ConnectionStore,
    decision: &Decision,
) -> Result<Option<Code>, StoreError> {
    let history = store.history(&decision.record).await?;
    let before = history
        .into_iter()
        .filter(|entry| entry.seq < decision.seq)
        .rev();
    let stated = before.map(|entry| entry.fact).find_map(|fact| match fact {
        Fact::Stated {
            flow,
            record,
            outcome,
            ..
        } if flow == decision.flow && record == decision.record => Some(outcome.code),
        _ => None,
    });
    Ok(stated.flatten())
}
