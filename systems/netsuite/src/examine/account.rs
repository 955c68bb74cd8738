//! The subsidiary, the account's limit, and whether another sync is at work.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tieout_domain::Fault;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;

use super::failed;
use crate::call::{Call, Client};
use crate::problem::{Aim, not_there};
use crate::time;

/// What was made longer ago says nothing of whether another sync is at work now.
const LATELY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Both times are told in whole seconds: of two in the same second, neither is known to be the later.
const ROUNDING: SignedDuration = SignedDuration::from_secs(1);

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

    /// What speaks for BILL's own sync: preferences of its bundle that don't say that they are off, and documents that
    /// say they are BILL's and don't bear our keys (README §Another sync).
    pub(crate) async fn other_sync(
        &self,
        since: Option<Timestamp>,
    ) -> Result<Option<String>, Fault> {
        let (mut evidence, unseen) = match self.other_preferences().await {
            Ok(evidence) => (evidence, None),
            // Where the one sign isn't shown the other may be.
            Err(fault) if not_shown(&fault) => (Vec::new(), Some(fault)),
            Err(fault) => return Err(fault),
        };
        match self.other_documents(since).await {
            Ok(ids) if ids.is_empty() => {}
            Ok(ids) => evidence.push(format!(
                "documents call themselves Bill.com's and were not made by tieout: {}",
                ids.join(", ")
            )),
            // A courtesy beside the first sign: without the memo column there is none.
            Err(Fault::Refused { cause, .. }) if not_there(&cause) => {}
            // The first sign is enough.
            Err(_) if !evidence.is_empty() => {}
            Err(fault) => return Err(fault),
        }
        match unseen {
            Some(fault) if evidence.is_empty() => Err(fault),
            _ => Ok((!evidence.is_empty()).then(|| evidence.join("; "))),
        }
    }

    /// The preferences that BILL's bundle keeps for this connection's subsidiary, unless they say that it is off.
    async fn other_preferences(&self) -> Result<Vec<String>, Fault> {
        let types = self.preference_records().await?;
        let installed = |(script_id, name): &(String, String)| {
            format!(
                "the custom record type \"{name}\" ({script_id}) is there, which BILL's bundle installs"
            )
        };
        let all = match self.all_bundle_preferences(&types).await {
            // A type that was found, and can't be looked into. Whether one that is only named is there isn't known.
            Err(Fault::Refused { .. }) if self.settings.preferences_record.is_none() => {
                return Ok(types.iter().map(installed).collect());
            }
            all => all?,
        };
        if all.is_empty() && self.settings.preferences_record.is_none() {
            return Ok(types.iter().map(installed).collect());
        }
        let own = all.iter().filter(|row| self.is_for_us(row));
        Ok(own
            .filter(|row| row.may_be_active())
            .map(|row| {
                let says = match row.active {
                    Some(_) => "say that it is on",
                    None => "don't say that it is off",
                };
                format!("its preferences in {}, id {}, {says}", row.title, row.id)
            })
            .collect())
    }

    /// Documents that it surely made after `since`, and else within [`LATELY`].
    async fn other_documents(&self, since: Option<Timestamp>) -> Result<Vec<String>, Fault> {
        let sql = "SELECT t.id AS id, TO_CHAR(t.createddate, 'YYYY-MM-DD HH24:MI:SS') AS at, \
                   TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS') AS asked FROM transaction t \
                   WHERE t.type IN ('VendPymt', 'VendBill') AND LOWER(t.memo) LIKE '%bill.com%' \
                   AND (t.externalid IS NULL OR t.externalid NOT LIKE 'bill!_%' ESCAPE '!') \
                   ORDER BY t.id DESC FETCH FIRST 5 ROWS ONLY";
        let now = self.wire.kit.timer.now();
        let age = since.map_or(LATELY, |since| now.duration_since(since) - ROUNDING);
        let rows = self.query(sql, &[]).await?.rows;
        Ok(rows
            .iter()
            // One whose age isn't told may be new.
            .filter(|row| {
                time::distance(row.text("at"), row.text("asked")).is_none_or(|its| its < age)
            })
            .map(|row| row.string("id"))
            .collect())
    }
}

/// Whether the role may not see it, or the account has nothing of the kind.
fn not_shown(fault: &Fault) -> bool {
    ["permission-missing", "feature-off"].contains(&fault.code().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Stage, client, refusal};

    #[tokio::test]
    async fn s249_a_refusal_that_passes_says_nothing_of_another_sync() {
        let stage = Stage::new();
        let client = client(&stage, &json!({"account": "1234567"}));
        let declined = refusal("Declined.");
        // There are no preferences, and of the documents nothing is known.
        stage.script.rows(&json!([]));
        stage.script.answer(400, &declined);
        let fault = client.other_sync(None).await.unwrap_err();
        assert!(fault.to_string().contains("Declined"), "{fault}");
        // Nor of the preferences.
        stage.script.answer(400, &declined);
        assert!(client.other_sync(None).await.is_err());
        stage.script.answer(400, &declined);
        assert!(client.bundle_preferences().await.is_err());
        // Without the column there are no such documents.
        let lacking = "Search error occurred: Field 'memo' for record 'transaction' was not found.";
        stage.script.rows(&json!([]));
        stage.script.answer(400, &refusal(lacking));
        assert_eq!(client.other_sync(None).await, Ok(None));
        assert!(stage.script.used_up());
    }

    #[tokio::test]
    async fn s249_where_one_sign_is_not_shown_the_other_counts() {
        let stage = Stage::new();
        let client = client(&stage, &json!({"account": "1234567"}));
        let missing = refusal("Invalid search type: customrecordtype");
        stage.script.answer(400, &missing);
        stage.script.rows(&json!([{"id": "4001"}]));
        let told = client.other_sync(None).await.unwrap().unwrap();
        assert!(told.contains("4001"), "{told}");
        stage.script.answer(400, &missing);
        stage.script.rows(&json!([]));
        let fault = client.other_sync(None).await.unwrap_err();
        assert_eq!(fault.code().as_str(), "feature-off");
        stage.script.answer(400, &missing);
        assert_eq!(client.bundle_preferences().await, Ok(Vec::new()));
        // What the preferences say needs no documents.
        let named = json!([{"scriptid": "customrecord_x", "name": "Bill.com Preferences"}]);
        stage.script.rows(&named);
        stage.script.answer(200, r#"{"items": []}"#);
        stage.script.answer(400, &refusal("Declined."));
        let told = client.other_sync(None).await.unwrap().unwrap();
        assert!(told.contains("customrecord_x"), "{told}");
        assert!(stage.script.used_up());
    }

    #[tokio::test]
    async fn s249_whether_a_record_that_is_only_named_is_there_must_be_asked() {
        let stage = Stage::new();
        let table = json!({"account": "1234567", "preferences_record": "customrecord_x"});
        let client = client(&stage, &table);
        stage.script.answer(400, &refusal("Declined."));
        assert!(client.other_sync(None).await.is_err());
        stage.script.answer(404, &refusal("There is none."));
        stage.script.rows(&json!([]));
        assert_eq!(client.other_sync(None).await, Ok(None));
        assert!(stage.script.used_up());
    }
}
