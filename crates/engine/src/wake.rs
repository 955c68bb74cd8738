//! Waking: what no change of a record makes due.

use tieout_flows::Flow;
use tieout_store::Commit;

use crate::EngineError;
use crate::run::Run;

/// Under this name the store remembers by what rules the last run decided.
const RULES: &str = "rules";

/// Under this name the store remembers, as [`YES`], that a record has changed since what is on HOLD was looked at.
pub(crate) const CHANGED: &str = "changed";
pub(crate) const YES: &str = "yes";

impl Run<'_> {
    /// Makes due what no change of a record would: what is on HOLD for a date, a period or an approval, and
    /// everything after the rules have changed.
    ///
    /// What only a change of some record can free is left alone for as long as none has changed: a run with nothing
    /// new costs the same however much is on HOLD.
    pub(crate) async fn wake(&self, flows: &[&dyn Flow]) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let changed = store.remembered(CHANGED).await?.as_deref() == Some(YES);
        for flow in flows {
            let kept = if changed { &[] } else { flow.held_by_records() };
            store.mark_holds_due(flow.name(), kept).await?;
        }
        // What a run of some flows alone has seen of the others' records is still to come for these.
        let all = self.connection.flows.len() == flows.len();
        if changed && all {
            self.remember(CHANGED, String::new()).await?;
        }
        let rules = self.connection.rules().to_string();
        if store.remembered(RULES).await?.as_ref() == Some(&rules) {
            return Ok(());
        }
        for flow in &self.connection.flows {
            store.mark_all_due(flow.name()).await?;
            for (side, kind) in flow.population() {
                store.mark_records_due(flow.name(), *side, *kind).await?;
            }
        }
        self.remember(RULES, rules).await
    }

    async fn remember(&self, name: &str, value: String) -> Result<(), EngineError> {
        let remember = vec![(name.to_owned(), value)];
        let commit = Commit {
            remember,
            ..self.commit()
        };
        self.connection.store.commit(commit).await?;
        Ok(())
    }
}
