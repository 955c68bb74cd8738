//! What a person decides about a record, who may, and what it may be linked to.

use tieout_domain::code::Code;
use tieout_domain::{RecordRef, Side};
use tieout_flows::Decided;
use tieout_store::{ConnectionStore, Item, Role};

use crate::error::DeskError;

/// What a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Leave it alone from now on: SKIPPED(ignored).
    Ignore,
    /// Look at it again, and take back what was decided about it.
    Retry,
    /// It is this record over there.
    Link(RecordRef),
    /// It has no counterpart: create it.
    Create,
    /// The warning that it has now is understood: go on. One of another code asks again.
    Accept,
}

impl Ruling {
    /// The least role that may decide so, whichever face it is done by: what overrides a warning that something may be
    /// paid twice takes an approver. The command line knows no roles: whoever has the installation's files may do
    /// everything.
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::Ignore | Self::Retry | Self::Link(_) => Role::Operator,
            Self::Create | Self::Accept => Role::Approver,
        }
    }

    /// Whether the next run sends again what was refused over there.
    pub(super) fn sends_again(&self) -> bool {
        match self {
            Self::Retry | Self::Create | Self::Accept => true,
            Self::Ignore | Self::Link(_) => false,
        }
    }

    /// What it says of the records of which something is sent again, for who approves it.
    pub(super) fn sending(&self) -> &'static str {
        match self {
            Self::Create => "what was refused is sent again, as having no counterpart",
            Self::Accept => "what was refused is sent again, its warning accepted",
            _ => "what was refused is sent again",
        }
    }

    /// As the history keeps it, about this item; `before` is what was decided about it so far. A warning that was
    /// accepted before stays accepted, so that one that comes after it isn't answered in its place.
    pub(super) fn as_text(&self, item: &Item, before: Option<Decided>) -> String {
        match self {
            Self::Ignore => Decided::Ignore.to_string(),
            Self::Retry => String::new(),
            Self::Link(target) => Decided::Link(target.clone()).to_string(),
            Self::Create => Decided::Create.to_string(),
            Self::Accept => {
                let mut codes = match before {
                    Some(Decided::Accept(codes)) => codes,
                    _ => Vec::new(),
                };
                let code = item.outcome.code.clone();
                codes.extend(code.filter(|code| !codes.contains(code)));
                Decided::Accept(codes).to_string()
            }
        }
    }
}

/// Refuses a link that can't be made. Its target must be on the other side, of the same kind, there, and nobody's
/// counterpart yet; and it is one record's, so that two are never linked to it in one go.
pub(super) async fn may_be_linked(
    store: &ConnectionStore,
    items: &[Item],
    target: &RecordRef,
) -> Result<(), DeskError> {
    let unknown = |cause: String| DeskError::usage(Code::new("unknown-record"), cause);
    let refused = |cause: String| DeskError::refused(Code::new("link-refused"), cause);
    for item in items {
        let from = &item.record;
        if target.side != from.side.other() || target.kind != from.kind {
            return Err(unknown(format!(
                "{from} can't be linked to {target}: it takes a {} of the {}",
                from.kind,
                from.side.other().as_str()
            )));
        }
    }
    let Some(first) = items.first() else {
        return Ok(());
    };
    // Several flows may look after one record.
    if let Some(second) = items.iter().find(|item| item.record != first.record) {
        return Err(refused(format!(
            "{} and {} can't both be linked to {target}: it stands for one",
            first.record, second.record
        )));
    }
    let id = std::slice::from_ref(&target.id);
    let known = store.known(target.side, target.kind, id).await?;
    if known.get(&target.id).is_none_or(|known| known.gone) {
        return Err(unknown(format!(
            "{target} is not there, or no run has seen it yet"
        )));
    }
    let target_alone = std::slice::from_ref(target);
    let taken = store.links_to(target_alone).await?;
    let mut others: Vec<RecordRef> = taken.into_iter().map(|link| link.record).collect();
    // A link leads from where a record began to its copy: the target may have begun over there, and have one here.
    for item in items {
        let own = store.links(&item.flow, target_alone).await?;
        others.extend(own.into_iter().map(|link| link.target));
    }
    if let Some(other) = others.first() {
        let place = match other.side {
            Side::Ledger => "the ledger",
            Side::Platform => "the platform",
        };
        return Err(refused(format!(
            "{} can't be linked to {target}, which stands for {other} of {place} already",
            first.record
        )));
    }
    Ok(())
}
