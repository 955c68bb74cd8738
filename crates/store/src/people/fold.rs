//! What the facts about people do to the state: see [`crate::fold`].

use crate::facts::Fact;
use crate::fold::{Change, Keyed, Recorded};
use crate::people::users::as_column;
use crate::people::{ApprovalDecision, TokenChange, UserChange};
use crate::sql::{self, cells, to_json};

/// What a fact about people changes; nothing for any other.
pub(crate) fn fold(chain: &str, recorded: &Recorded<'_>) -> Option<Keyed> {
    let seq = recorded.seq;
    let (key, change) = match recorded.fact {
        Fact::User { user, change, .. } => (
            format!("user\n{user}"),
            fold_user(chain, recorded, *change)?,
        ),
        Fact::Token {
            token,
            change: TokenChange::Revoked,
            ..
        } => {
            let cells = cells![chain, token.as_str()];
            let cause = "a token was revoked that isn't there";
            (
                format!("token\n{token}"),
                Change::Sure(sql::TOKEN_DROP, cells, cause),
            )
        }
        Fact::Token {
            token,
            user,
            scope,
            expires,
            tenants,
            change: TokenChange::Made,
        } => {
            let cells = cells![
                chain,
                token.as_str(),
                user.as_str(),
                scope.as_str(),
                recorded.at_us,
                expires.map(|at| at.as_microsecond()),
                as_column(tenants),
                seq
            ];
            let cause = "a token was made that is there";
            (
                format!("token\n{token}"),
                Change::Sure(sql::TOKEN_ADD, cells, cause),
            )
        }
        Fact::ApprovalAsked {
            what,
            subject,
            proposal,
            user,
            reason,
        } => {
            let cells = cells![
                chain,
                seq,
                what.as_str(),
                subject.as_str(),
                to_json(proposal),
                user.as_str(),
                recorded.at_us,
                reason.as_str()
            ];
            let cause = "an approval was asked for that is asked for already";
            let key = format!("approval\n{what}\n{subject}");
            (key, Change::Sure(sql::APPROVAL_ASK, cells, cause))
        }
        Fact::ApprovalDecided {
            request,
            decision,
            user,
            reason,
        } => {
            let cells = cells![
                user.as_str(),
                recorded.at_us,
                reason.as_str(),
                seq,
                chain,
                *request
            ];
            let statement = match decision {
                ApprovalDecision::Approved => sql::APPROVAL_APPROVE,
                ApprovalDecision::Declined => sql::APPROVAL_DECLINE,
            };
            let cause = "a request was decided that is not open, or was approved by who asked";
            (
                format!("approval\n{request}"),
                Change::Sure(statement, cells, cause),
            )
        }
        _ => return None,
    };
    Some((key, change))
}

fn fold_user(chain: &str, recorded: &Recorded<'_>, change: UserChange) -> Option<Change> {
    let Fact::User {
        user,
        name,
        email,
        role,
        subject,
        disabled,
        until,
        tenants,
        ..
    } = recorded.fact
    else {
        return None;
    };
    let disabled = i64::from(*disabled);
    let until = until.map(|at| at.as_microsecond());
    let tenants = as_column(tenants);
    Some(match change {
        UserChange::Added => {
            let cells = cells![
                chain,
                user.as_str(),
                name.as_str(),
                email.as_str(),
                role.as_str(),
                subject.clone(),
                disabled,
                until,
                tenants,
                recorded.at_us,
                recorded.seq
            ];
            Change::Sure(sql::USER_ADD, cells, "a user was added who is there")
        }
        UserChange::Removed => {
            let cells = cells![chain, user.as_str()];
            Change::Sure(sql::USER_DROP, cells, "a user was removed who isn't there")
        }
        UserChange::Changed | UserChange::Password | UserChange::SignedOut => {
            let cells = cells![
                name.as_str(),
                email.as_str(),
                role.as_str(),
                subject.clone(),
                disabled,
                until,
                tenants,
                recorded.seq,
                chain,
                user.as_str()
            ];
            Change::Sure(
                sql::USER_CHANGE,
                cells,
                "a user was changed who isn't there",
            )
        }
    })
}
