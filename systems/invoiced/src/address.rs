//! Where people find Invoiced's own pages (README §Signing in). The address of a single record isn't documented: people
//! sign in and look for its number.

use serde_json::{Map, Value};
use tieout_domain::{Kind, RemoteId};

/// The sign-in of the environment. None where `base_url` puts a stand-in in Invoiced's place: it has no pages.
pub(crate) fn address(settings: &Map<String, Value>, _: Kind, _: &RemoteId) -> Option<String> {
    if settings.contains_key("base_url") {
        return None;
    }
    let host = match settings.get("environment")?.as_str()? {
        "sandbox" => "https://sandbox.invoiced.com",
        "production" => "https://invoiced.com",
        _ => return None,
    };
    Some(format!("{host}/login"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_environment_has_its_own_sign_in() {
        let found = |value: Value| {
            let table = value.as_object().cloned().unwrap_or_default();
            address(&table, Kind::Invoice, &RemoteId::from("46225"))
        };
        assert_eq!(
            found(json!({"environment": "sandbox"})).as_deref(),
            Some("https://sandbox.invoiced.com/login")
        );
        assert_eq!(
            found(json!({"environment": "production"})).as_deref(),
            Some("https://invoiced.com/login")
        );
        assert_eq!(
            found(json!({"environment": "sandbox", "base_url": "http://127.0.0.1:1"})),
            None
        );
    }
}
