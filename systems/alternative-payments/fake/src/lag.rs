//! Lists that lag: while it is switched on, they show the account as it was a while ago. Objects that are asked for
//! by their identifier are shown as they are.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::account::Account;

/// The account as it was after each change, as far back as lists may lag.
#[derive(Default)]
pub(crate) struct Views(VecDeque<(Timestamp, Account)>);

impl Views {
    /// Takes note of the account after a call.
    pub(crate) fn remember(&mut self, account: &Account) {
        if account.switches.lists_lag.is_zero() {
            self.0.clear();
            return;
        }
        let last = self.0.back().map(|(_, last)| last.changes);
        if last != Some(account.changes) {
            // What was there when the switch was turned has long been shown.
            let since = if last.is_none() {
                Timestamp::MIN
            } else {
                account.now()
            };
            self.0.push_back((since, account.clone()));
        }
        // The latest view that is old enough is shown, those before it never again.
        while self
            .0
            .get(1)
            .is_some_and(|(since, _)| is_shown(account, *since))
        {
            self.0.pop_front();
        }
    }

    /// What lists show now.
    pub(crate) fn shown(&mut self, account: &Account) -> Option<&mut Account> {
        let shown = |(since, _): &&mut (Timestamp, Account)| is_shown(account, *since);
        let newest = self.0.iter_mut().rev().find(shown);
        newest.map(|(_, view)| view)
    }
}

fn is_shown(account: &Account, since: Timestamp) -> bool {
    let ago = account.now().checked_sub(account.switches.lists_lag);
    ago.is_ok_and(|ago| since <= ago)
}
