//! Accounts: mapped by people, created on the platform where that is allowed (scenarios 152–162).

use tieout_domain::code::Code;
use tieout_domain::document::{Account, AccountKind};
use tieout_domain::{Document, Kind, Side};

use crate::lists::{self, Entry};
use crate::verdict::noop;
use crate::{Books, Flow, Need, Subject, Verdict};

/// The flow's name.
pub const NAME: &str = "accounts";

/// Carries accounts of the ledger to the platform.
#[derive(Debug, Clone, Copy)]
pub struct Accounts;

fn entry<'a>(account: &'a Account, books: &Books) -> Entry<'a> {
    let out = |code, cause: &str| Some((code, format!("{} {cause}", account.label())));
    let elsewhere = books
        .connection
        .subsidiary
        .as_ref()
        .is_some_and(|subsidiary| {
            !account.subsidiaries.is_empty() && !account.subsidiaries.contains(subsidiary)
        });
    let control = matches!(
        account.account_kind,
        AccountKind::AccountsPayable | AccountKind::AccountsReceivable
    );
    let rule = if elsewhere {
        out(
            Code::new("other-subsidiary"),
            "may not be used in this connection's subsidiary",
        )
    } else if control {
        out(
            Code::new("control-account"),
            "is a control account and stands on no bill's line",
        )
    } else if account.summary || account.account_kind == AccountKind::NonPosting {
        out(Code::new("heading"), "is a heading that can't be posted to")
    } else if account.inactive {
        out(Code::new("inactive"), "is inactive")
    } else {
        None
    };
    Entry {
        flow: NAME,
        kind: Kind::Account,
        unmapped: Code::new("unmapped-account"),
        parent: account.parent.as_ref(),
        out: rule,
        heading: account.summary,
    }
}

impl Flow for Accounts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::Account)]
    }

    fn maps(&self) -> &'static [Kind] {
        &[Kind::Account]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[(Side::Platform, Kind::Account)]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        match &subject.observed.document {
            Document::Account(account) => lists::needs(&entry(account, books), subject, books),
            _ => Vec::new(),
        }
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        let Document::Account(account) = &subject.observed.document else {
            return noop(Code::new("other-kind"), "not an account");
        };
        lists::decide(&entry(account, books), subject, books, |parent| {
            Document::Account(Account {
                parent,
                summary: false,
                inactive: false,
                subsidiaries: Vec::new(),
                ..account.clone()
            })
        })
    }
}
