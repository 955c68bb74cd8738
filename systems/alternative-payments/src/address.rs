//! Where people find Alternative Payments' own pages (README §Signing in). The address of a single record isn't
//! documented: people sign in and look for it.

use serde_json::{Map, Value};
use tieout_domain::{Kind, RemoteId};

/// The dashboard of the environment that is real. The demo's isn't documented; and where `base_url` puts a stand-in in
/// the service's place, there are no pages.
pub(crate) fn address(settings: &Map<String, Value>, _: Kind, _: &RemoteId) -> Option<String> {
    if settings.contains_key("base_url") {
        return None;
    }
    match settings.get("environment")?.as_str()? {
        "production" => Some("https://app.alternativepayments.io".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_documented_is_linked_to() {
        let found = |value: Value| {
            let table = value.as_object().cloned().unwrap_or_default();
            address(&table, Kind::Invoice, &RemoteId::from("inv_1"))
        };
        assert_eq!(
            found(json!({"environment": "production"})).as_deref(),
            Some("https://app.alternativepayments.io")
        );
        assert_eq!(found(json!({"environment": "demo"})), None);
        let stand_in = json!({"environment": "production", "base_url": "http://127.0.0.1:1"});
        assert_eq!(found(stand_in), None);
    }
}
