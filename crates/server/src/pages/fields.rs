//! What a form brings along: names and values, some of them more than once.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequest, Request};
use tieout_domain::code::Code;
use zeroize::Zeroize as _;

use super::PageError;

/// The fields of a form, in its order. Wiped when they are dropped: some are secrets.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

impl Fields {
    /// The value of a field; empty where it is missing.
    #[must_use]
    pub(super) fn get(&self, name: &str) -> &str {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// The value of a field without the space around it; `None` where nothing is left of it.
    #[must_use]
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty())
    }

    /// All values of a field that may be there more than once: boxes that are checked.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(field, value): &'a (String, String)| (field == name).then_some(&**value);
        self.0.iter().filter_map(same)
    }

    /// All fields whose name begins so, with the rest of their names.
    pub(super) fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// Why a person does what they do.
    ///
    /// # Errors
    /// `reason-missing` where nothing is said.
    pub(super) fn reason(&self) -> Result<&str, PageError> {
        self.given("reason").ok_or_else(|| {
            let cause = "a reason is part of the history, and none was given";
            PageError::usage(Code::new("reason-missing"), cause)
        })
    }
}

impl From<Vec<(String, String)>> for Fields {
    fn from(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = FormRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let Form(fields) = Form::from_request(request, state).await?;
        Ok(Self(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Fields(vec![
            pair("record", "a"),
            pair("reason", "  "),
            pair("record", "b"),
            pair("field.name", "x"),
        ])
    }

    #[test]
    fn a_field_may_be_there_more_than_once() {
        let fields = fields();
        assert_eq!(fields.all("record").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.get("record"), "a");
        assert_eq!(fields.get("missing"), "");
        assert_eq!(
            fields.with_prefix("field.").collect::<Vec<_>>(),
            [("name", "x")]
        );
    }

    #[test]
    fn space_is_no_reason() {
        assert_eq!(fields().given("reason"), None);
        assert!(fields().reason().is_err());
    }
}
