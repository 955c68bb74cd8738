//! The subsidiary, the account's limit, and whether another sync is at work.

use http::Method;
use serde::Deserialize;
use tieout_domain::Fault;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;

use super::failed;
use crate::call::{Call, Client};
use crate::problem::Aim;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Governance {
    account_concurrency_limit: Option<usize>,
}

impl Client {
    /// The connection's subsidiary, against the account as it is now (scenario 202).
    pub(super) async fn check_subsidiary(&self, checks: &mut Vec<Check>) {
        let shape = match self.shape_anew().await {
            Ok(shape) => shape,
            // The missing permission has been named already.
            Err(fault) if fault.code() == Code::new("permission-missing") => return,
            Err(fault) => {
                checks.push(failed(&fault));
                return;
            }
        };
        let cause = match &self.settings.subsidiary {
            None => "the account has no subsidiaries, and none is set".to_owned(),
            Some(id) => match shape.subsidiaries.iter().find(|known| known.id == *id) {
                Some(known) => format!("subsidiary {id} is {}", known.name),
                None => {
                    let cause = format!(
                        "subsidiary {id} can't be checked: the role may not list the subsidiaries"
                    );
                    checks.push(Check::found(
                        Status::Warning,
                        Code::new("subsidiary-wrong"),
                        cause,
                    ));
                    return;
                }
            },
        };
        checks.push(Check::ok(Code::new("checked"), cause));
    }

    /// Whether we would use more calls at once than the account has. Only an administrator is told its limit.
    pub(super) async fn check_limit(&self, checks: &mut Vec<Check>) {
        let call = Call {
            method: Method::GET,
            path: "/services/rest/system/v1/governanceLimits".to_owned(),
            query: Vec::new(),
            body: None,
            aim: Aim::Read,
        };
        let Ok(reply) = self.send(&call).await else {
            return;
        };
        let limit = serde_json::from_slice::<Governance>(&reply.body)
            .ok()
            .and_then(|limits| limits.account_concurrency_limit);
        let ours = self.settings.concurrency;
        let Some(limit) = limit else { return };
        if ours < limit {
            let cause = format!("{ours} calls at once, of the account's {limit}");
            checks.push(Check::ok(Code::new("checked"), cause));
            return;
        }
        let cause = format!(
            "`concurrency` is {ours} and the account's limit, which all its integrations share, is {limit}"
        );
        let fix =
            "Set `concurrency` under the connection's `netsuite` table to less than the limit.";
        checks.push(
            Check::found(Status::Warning, Code::new("concurrency-limit"), cause).with_fix(fix),
        );
    }

    /// Whether BILL's own sync is at work on this account (scenario 249).
    pub(super) async fn check_other_sync(&self, checks: &mut Vec<Check>) {
        checks.push(match self.other_sync().await {
            Ok(None) => Check::ok(
                Code::new("checked"),
                "nothing of BILL's own sync is in the account",
            ),
            Ok(Some(evidence)) => {
                Check::found(Status::Failed, Code::new("other-sync-active"), evidence)
            }
            Err(fault) => {
                let cause = format!("whether BILL's own sync is at work can't be seen: {fault}");
                Check::found(Status::Note, Code::new("other-sync-active"), cause)
            }
        });
    }

    /// What speaks for BILL's own sync: the type of record that keeps its preferences, which its bundle installs,
    /// and documents that say they are BILL's and don't bear our keys (README §Another sync).
    pub(crate) async fn other_sync(&self) -> Result<Option<String>, Fault> {
        let types = "SELECT t.name AS name, t.scriptid AS scriptid FROM customrecordtype t \
                     WHERE LOWER(t.name) LIKE '%bill.com preferences%' FETCH FIRST 5 ROWS ONLY";
        let mut evidence: Vec<String> = self
            .query(types, &[])
            .await?
            .rows
            .iter()
            .map(|row| {
                format!(
                    "the custom record type \"{}\" ({}) is there, which BILL's bundle installs",
                    row.text("name"),
                    row.text("scriptid")
                )
            })
            .collect();
        let documents = "SELECT t.id AS id, t.type AS type FROM transaction t \
                         WHERE t.type IN ('VendPymt', 'VendBill') AND LOWER(t.memo) LIKE '%bill.com%' \
                         AND (t.externalid IS NULL OR t.externalid NOT LIKE 'bill!_%' ESCAPE '!') \
                         ORDER BY t.id DESC FETCH FIRST 5 ROWS ONLY";
        // A courtesy beside the first sign: without the memo column there is none.
        if let Ok(found) = self.query(documents, &[]).await
            && !found.rows.is_empty()
        {
            let ids: Vec<_> = found.rows.iter().map(|row| row.string("id")).collect();
            evidence.push(format!(
                "documents call themselves Bill.com's and were not made by tieout: {}",
                ids.join(", ")
            ));
        }
        Ok((!evidence.is_empty()).then(|| evidence.join("; ")))
    }
}
