//! What of a connection is due, for whom, and what of it is due again after a failure.

use std::collections::BTreeSet;

use tieout_domain::Timestamp;

use super::job::{Cause, Mark};

/// What of a connection is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) since: Timestamp,
    /// Not before this, because of quiet hours. A person's wish knows none.
    pub(super) not_before: Option<Timestamp>,
    pub(super) work: Part,
    pub(super) trigger: String,
    pub(super) by: Option<String>,
    pub(super) cause: Cause,
    /// What of it is due although nobody asks for it, and what set that off: a person who joins in takes nothing away.
    unasked: Option<(Part, String)>,
}

/// How much of what there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    everything: bool,
    pub(super) whole: bool,
    flows: BTreeSet<String>,
}

impl Part {
    pub(super) fn includes(&self, flow: &str) -> bool {
        self.everything || self.flows.contains(flow)
    }

    /// The flows to be named; none where it is all of them.
    pub(super) fn flows(&self) -> Vec<String> {
        match self.everything {
            true => Vec::new(),
            false => self.flows.iter().cloned().collect(),
        }
    }

    fn and(&mut self, more: Self) {
        self.everything |= more.everything;
        self.whole |= more.whole;
        self.flows.extend(more.flows);
    }

    /// The part of it that these flows are; `None` if it includes none of them.
    fn only(&self, flows: &[String]) -> Option<Self> {
        let flows = flows.iter().filter(|flow| self.includes(flow));
        let flows: BTreeSet<String> = flows.cloned().collect();
        (!flows.is_empty()).then(|| Self {
            flows,
            ..Self::default()
        })
    }
}

impl Due {
    pub(super) fn of(
        mark: Mark,
        since: Timestamp,
        not_before: Option<Timestamp>,
        cause: Cause,
    ) -> Self {
        let work = Part {
            everything: mark.flows.is_empty(),
            whole: mark.whole,
            flows: mark.flows.into_iter().collect(),
        };
        let unasked = match mark.by {
            Some(_) => None,
            None => Some((work.clone(), mark.trigger.clone())),
        };
        Self {
            since,
            not_before,
            work,
            trigger: mark.trigger,
            by: mark.by,
            cause,
            unasked,
        }
    }

    /// Both, in one run. It keeps its place among those that wait.
    pub(super) fn and(&mut self, more: Self) {
        self.cause = self.cause.and(more.cause);
        self.work.and(more.work);
        self.not_before = self.not_before.min(more.not_before);
        if self.by.is_none() && more.by.is_some() {
            (self.trigger, self.by) = (more.trigger, more.by);
        }
        match (&mut self.unasked, more.unasked) {
            (Some((part, _)), Some((more, _))) => part.and(more),
            (none @ None, more) => *none = more,
            (Some(_), None) => {}
        }
    }

    /// The part of it that these flows are. Nothing is read as a whole for it.
    pub(super) fn only(&self, flows: Vec<String>) -> Self {
        let unasked = self.unasked.as_ref();
        let unasked =
            unasked.and_then(|(part, trigger)| Some((part.only(&flows)?, trigger.clone())));
        Self {
            work: Part {
                flows: flows.into_iter().collect(),
                ..Part::default()
            },
            unasked,
            ..self.clone()
        }
    }

    /// What of it is to be tried again although nobody asks for it.
    pub(super) fn unasked(self) -> Option<Mark> {
        let (part, trigger) = self.unasked?;
        Some(Mark {
            flows: part.flows(),
            whole: part.whole,
            trigger,
            ..Mark::default()
        })
    }
}
