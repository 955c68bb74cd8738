//! What a page of a list says about the next one: cursors, flat or nested (README §Reading lists).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::wire::list;

/// Where a list goes on.
#[derive(Debug, Default, Deserialize)]
struct Cursors {
    #[serde(default)]
    end_cursor: Option<String>,
    #[serde(default)]
    has_next_page: Option<bool>,
}

/// A page as the service shows it.
#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(deserialize_with = "list")]
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    end_cursor: Option<String>,
    #[serde(default)]
    has_next_page: Option<bool>,
    #[serde(default)]
    pagination: Option<Cursors>,
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) records: Vec<Box<RawValue>>,
    /// The cursor of the next page; `None` where the list ends.
    pub(crate) next: Option<String>,
}

impl Sheet {
    /// Reads the page that was asked for after this cursor. An empty page ends the list, and so does one that leads to
    /// itself, unless it says that there is more.
    ///
    /// # Errors
    /// What of it isn't as documented. What a page promises and doesn't lead to must not look as if it weren't there.
    pub(crate) fn read(body: &[u8], after: Option<&str>) -> Result<Self, String> {
        let shown: Shown = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let nested = shown.pagination.unwrap_or_default();
        let more = shown.has_next_page.or(nested.has_next_page);
        let records = shown.data;
        let ends = more == Some(false) || records.is_empty();
        let next = shown
            .end_cursor
            .or(nested.end_cursor)
            .filter(|cursor| !cursor.is_empty() && Some(cursor.as_str()) != after)
            .filter(|_| !ends);
        if more == Some(true) && next.is_none() {
            return Err("it says that there is more, and not where".to_owned());
        }
        Ok(Self { records, next })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn next(json: &str, after: Option<&str>) -> Option<String> {
        Sheet::read(json.as_bytes(), after).unwrap().next
    }

    #[test]
    fn a_list_goes_on_by_flat_and_by_nested_cursors() {
        for json in [
            r#"{"data":[1],"end_cursor":"b","has_next_page":true,"start_cursor":"a"}"#,
            r#"{"data":[1],"pagination":{"end_cursor":"b","has_next_page":true}}"#,
            r#"{"data":[1],"end_cursor":"b"}"#,
            r#"{"data":[1],"end_cursor":null,"pagination":{"end_cursor":"b","has_next_page":true}}"#,
        ] {
            assert_eq!(next(json, Some("a")).as_deref(), Some("b"), "{json}");
        }
    }

    #[test]
    fn a_list_ends_in_each_of_the_ways_it_may() {
        for json in [
            r#"{"data":[1]}"#,
            r#"{"data":[1],"end_cursor":null}"#,
            r#"{"data":[1],"end_cursor":null,"has_next_page":false}"#,
            r#"{"data":[1],"end_cursor":"b","has_next_page":false}"#,
            r#"{"data":[1],"pagination":{"end_cursor":"b","has_next_page":false}}"#,
            r#"{"data":[1],"end_cursor":"a"}"#,
            r#"{"data":[],"end_cursor":"b"}"#,
            r#"{"data":null,"end_cursor":"b"}"#,
            r#"{"data":[1],"end_cursor":""}"#,
        ] {
            assert_eq!(next(json, Some("a")), None, "{json}");
        }
        for json in ["[]", r#"{"hello":"world"}"#, r#"{"data":7}"#] {
            assert!(Sheet::read(json.as_bytes(), None).is_err(), "{json}");
        }
    }

    #[test]
    fn a_page_that_promises_more_and_leads_nowhere_ends_no_list() {
        for json in [
            r#"{"data":[1],"has_next_page":true}"#,
            r#"{"data":[1],"end_cursor":null,"has_next_page":true}"#,
            r#"{"data":[1],"end_cursor":"","has_next_page":true}"#,
            r#"{"data":[1],"pagination":{"end_cursor":null,"has_next_page":true}}"#,
            r#"{"data":[1],"end_cursor":"a","has_next_page":true}"#,
            r#"{"data":[],"end_cursor":"b","has_next_page":true}"#,
            r#"{"data":null,"end_cursor":"b","has_next_page":true}"#,
        ] {
            let why = Sheet::read(json.as_bytes(), Some("a")).unwrap_err();
            assert!(why.contains("more"), "{json}: {why}");
        }
    }

    proptest! {
        /// Whatever comes, reading it ends with a page or a reason, a page never leads to itself, and one that promises
        /// more always leads on.
        #[test]
        fn no_page_leads_to_itself(
            records in prop::collection::vec(0_u8..9, 0..3),
            cursor in prop::option::of("[a-c]{0,2}"),
            more in prop::option::of(any::<bool>()),
            after in prop::option::of("[a-c]{0,2}"),
        ) {
            let json = serde_json::json!({"data": records, "end_cursor": cursor, "has_next_page": more});
            let Ok(sheet) = Sheet::read(json.to_string().as_bytes(), after.as_deref()) else {
                prop_assert_eq!(more, Some(true));
                return Ok(());
            };
            prop_assert_eq!(sheet.records.len(), records.len());
            match sheet.next {
                Some(next) => {
                    prop_assert!(Some(next) != after && !records.is_empty() && more != Some(false));
                }
                None => prop_assert!(more != Some(true)),
            }
        }
    }
}
