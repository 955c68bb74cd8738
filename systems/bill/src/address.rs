//! Where people find BILL's own pages (README §Connecting). BILL documents no address of a single record: people
//! sign in and look for its number.

use serde_json::{Map, Value};
use tieout_domain::{Kind, RemoteId};

/// The sign-in of the environment. None where `base_url` puts a stand-in in BILL's place: it has no pages.
pub(crate) fn address(settings: &Map<String, Value>, _: Kind, _: &RemoteId) -> Option<String> {
    if settings.contains_key("base_url") {
        return None;
    }
    let host = match settings.get("environment")?.as_str()? {
        "sandbox" => "https://login.stage.us.bill.com",
        "production" => "https://login.us.bill.com",
        _ => return None,
    };
    Some(format!("{host}/neo/login"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_environment_has_its_own_sign_in() {
        let found = |value: Value| {
            let table = value.as_object().cloned().unwrap_or_default();
            address(&table, Kind::Bill, &RemoteId::from("00n1"))
        };
        assert_eq!(
            found(json!({"environment": "sandbox"})).as_deref(),
            Some("https://login.stage.us.bill.com/neo/login")
        );
        assert_eq!(
            found(json!({"environment": "production"})).as_deref(),
            Some("https://login.us.bill.com/neo/login")
        );
        assert_eq!(
            found(json!({"environment": "sandbox", "base_url": "http://127.0.0.1:1"})),
            None
        );
    }
}
