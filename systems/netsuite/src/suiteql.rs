//! Queries: SuiteQL over REST, and its rows (README §Queries).
//!
//! Rows come with lower-case names, every value as text, and empty values left out. Pages are taken by key
//! (`… AND id > last ORDER BY id FETCH FIRST 1000 ROWS ONLY`), never by offset: that reaches beyond the
//! 100,000 rows that offsets reach, and rows that change while paging shift nothing (scenario 232).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::{Amount, Date, Fault, RemoteId};

use crate::call::{Call, Client};
use crate::problem::{Aim, unknown_column};

/// Rows of a page, and the most that the service gives at once.
pub(crate) const PAGE: usize = 1000;

/// A column of a query: what stands in `SELECT`, the name of its value, and the column that it rests on if
/// an account may lack it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) expression: &'static str,
    pub(crate) alias: &'static str,
    pub(crate) optional: Option<&'static str>,
}

/// A column that every account has.
pub(crate) const fn column(expression: &'static str, alias: &'static str) -> Column {
    Column {
        expression,
        alias,
        optional: None,
    }
}

/// A column that comes with a feature or a permission: it is left out where the account says that it
/// doesn't know it.
pub(crate) const fn optional(
    expression: &'static str,
    alias: &'static str,
    name: &'static str,
) -> Column {
    Column {
        expression,
        alias,
        optional: Some(name),
    }
}

/// The columns of a query, of which an account may lack some.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    /// What the query reads: under this name it is remembered what is missing.
    pub(crate) family: &'static str,
    pub(crate) columns: &'static [Column],
}

impl Columns {
    fn select(&self, hidden: &BTreeSet<String>) -> String {
        let shown: Vec<String> = self
            .columns
            .iter()
            .filter(|column| {
                column
                    .optional
                    .is_none_or(|name| !hidden.contains(&self.remembered(name)))
            })
            .map(|column| format!("{} AS {}", column.expression, column.alias))
            .collect();
        shown.join(", ")
    }

    fn remembered(&self, name: &str) -> String {
        format!("{}.{name}", self.family)
    }

    fn has_optional(&self, name: &str) -> bool {
        self.columns
            .iter()
            .any(|column| column.optional == Some(name))
    }
}

/// A row's value that can't be what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

/// A row: names in lower case, values as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row(BTreeMap<String, String>);

impl Row {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(crate) fn string(&self, name: &str) -> String {
        self.text(name).to_owned()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), "T" | "t" | "true")
    }

    pub(crate) fn id(&self, name: &str) -> Option<RemoteId> {
        let text = self.text(name);
        (!text.is_empty()).then(|| RemoteId::new(text))
    }

    pub(crate) fn need_id(&self, name: &str) -> Result<RemoteId, Unreadable> {
        self.id(name)
            .ok_or_else(|| Unreadable(format!("`{name}` is missing")))
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    pub(crate) fn amount(&self, name: &str) -> Result<Option<Amount>, Unreadable> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let amount = text
            .parse()
            .map_err(|_| Unreadable(format!("`{name}` is `{text}`: no amount")))?;
        Ok(Some(amount))
    }

    pub(crate) fn need_amount(&self, name: &str) -> Result<Amount, Unreadable> {
        self.amount(name)?
            .ok_or_else(|| Unreadable(format!("`{name}` is missing")))
    }

    pub(crate) fn date(&self, name: &str) -> Result<Option<Date>, Unreadable> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let date = text
            .parse()
            .map_err(|_| Unreadable(format!("`{name}` is `{text}`: no date")))?;
        Ok(Some(date))
    }

    pub(crate) fn need_date(&self, name: &str) -> Result<Date, Unreadable> {
        self.date(name)?
            .ok_or_else(|| Unreadable(format!("`{name}` is missing")))
    }

    /// The ids of a list such as `1, 3, 4`.
    pub(crate) fn ids(&self, name: &str) -> Vec<RemoteId> {
        self.text(name)
            .split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(RemoteId::new)
            .collect()
    }

    #[cfg(test)]
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        // The later of two fields of one name counts.
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(
            fields
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(own)
                .collect(),
        )
    }

    fn read(raw: &BTreeMap<String, &RawValue>) -> Self {
        let value = |raw: &RawValue| -> Option<String> {
            let text = raw.get().trim();
            match text.as_bytes().first()? {
                b'"' => serde_json::from_str(text).ok(),
                b'[' | b'{' | b'n' => None,
                b't' => Some("T".to_owned()),
                b'f' => Some("F".to_owned()),
                _ => Some(text.to_owned()),
            }
        };
        Self(
            raw.iter()
                .filter_map(|(name, raw)| Some((name.to_ascii_lowercase(), value(raw)?)))
                .collect(),
        )
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    items: Vec<BTreeMap<String, &'a RawValue>>,
    #[serde(default, rename = "hasMore")]
    has_more: bool,
}

/// A page of rows.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    pub(crate) more: bool,
}

/// Ids as a list for `IN (…)`. Only whole numbers pass: the list becomes part of the query's text.
pub(crate) fn id_list<'a>(ids: impl IntoIterator<Item = &'a RemoteId>) -> String {
    let ids: Vec<&str> = ids
        .into_iter()
        .map(RemoteId::as_str)
        .filter(|id| is_whole_number(id))
        .collect();
    if ids.is_empty() {
        "NULL".to_owned()
    } else {
        ids.join(", ")
    }
}

/// An internal id: digits, for system records after a minus sign.
pub(crate) fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Placeholders for this many bound values.
pub(crate) fn placeholders(count: usize) -> String {
    if count == 0 {
        "NULL".to_owned()
    } else {
        vec!["?"; count].join(", ")
    }
}

impl Client {
    /// Runs a query. Texts from outside are bound (`?`), never written into it.
    pub(crate) async fn query(&self, sql: &str, parameters: &[String]) -> Result<Rows, Fault> {
        let mut body = json!({"q": sql});
        if !parameters.is_empty() {
            body["params"] = json!(parameters);
        }
        let call = Call {
            method: http::Method::POST,
            path: "/services/rest/query/v1/suiteql".to_owned(),
            query: vec![("limit", PAGE.to_string()), ("offset", "0".to_owned())],
            body: Some(body.to_string()),
            aim: Aim::Read,
        };
        let reply = self.send(&call).await?;
        let answer: Answer<'_> =
            serde_json::from_slice(&reply.body).map_err(|error| Fault::Drift {
                code: Code::new("drift"),
                cause: format!("a query's answer isn't as documented: {error}"),
            })?;
        let rows: Vec<Row> = answer.items.iter().map(Row::read).collect();
        let more = answer.has_more || rows.len() >= PAGE;
        Ok(Rows { rows, more })
    }

    /// Runs `SELECT columns rest`, leaving out what the account doesn't have. What is missing is found out
    /// by the refusal and remembered for a day, so that no run pays for probing (scenario 230).
    pub(crate) async fn select(
        &self,
        columns: Columns,
        rest: &str,
        parameters: &[String],
    ) -> Result<Rows, Fault> {
        loop {
            let hidden = self.profile.hidden();
            let sql = format!("SELECT {} {rest}", columns.select(&hidden));
            let fault = match self.query(&sql, parameters).await {
                Ok(rows) => return Ok(rows),
                Err(fault) => fault,
            };
            let name = match &fault {
                Fault::Refused { cause, .. } => unknown_column(cause),
                Fault::Drift { .. } | Fault::Later { .. } | Fault::Denied { .. } => None,
                Fault::Unknown { .. } => None,
            };
            let name = match name {
                Some(name) if columns.has_optional(&name) => name,
                Some(name) => return Err(columns_changed(columns.family, &name, &fault)),
                None if may_be_a_column(&fault) => {
                    match self.find_culprit(columns, rest, parameters).await? {
                        Culprit::Column(name) => name,
                        Culprit::Nothing(rows) => return Ok(rows),
                        Culprit::Another => return Err(refused_query(columns.family, fault)),
                    }
                }
                None => return Err(refused_query(columns.family, fault)),
            };
            if !self.hide(columns.remembered(&name)).await {
                return Err(columns_changed(columns.family, &name, &fault));
            }
        }
    }

    /// Some missing columns make the service fail without naming them: finds one by leaving them out. What works
    /// without a column must fail again with it, else the service was only unwell for a moment, and a column that is
    /// there would be left out for a day: all amounts would be in the base currency.
    async fn find_culprit(
        &self,
        columns: Columns,
        rest: &str,
        parameters: &[String],
    ) -> Result<Culprit, Fault> {
        let hidden = self.profile.hidden();
        // What amounts are in is given up only where it is named, or makes no difference.
        let may_go = |name: &str| name != "currency" || self.has_one_currency();
        let candidates: BTreeSet<String> = columns
            .columns
            .iter()
            .filter_map(|column| column.optional)
            .filter(|name| !hidden.contains(&columns.remembered(name)) && may_go(name))
            .map(str::to_owned)
            .collect();
        let without = async |left_out: &BTreeSet<String>| {
            let mut all = hidden.clone();
            all.extend(left_out.iter().map(|name| columns.remembered(name)));
            let sql = format!("SELECT {} {rest}", columns.select(&all));
            self.query(&sql, parameters).await
        };
        if candidates.is_empty() || without(&candidates).await.is_err() {
            return Ok(Culprit::Another);
        }
        let whole = BTreeSet::new();
        for name in &candidates {
            match without(&BTreeSet::from([name.clone()])).await {
                Ok(_) => {}
                Err(fault) if may_be_a_column(&fault) => continue,
                // A limit or a time-out says nothing of this column.
                Err(_) => return Ok(Culprit::Another),
            }
            return Ok(match without(&whole).await {
                Ok(rows) => Culprit::Nothing(rows),
                Err(fault) if may_be_a_column(&fault) => Culprit::Column(name.clone()),
                Err(_) => Culprit::Another,
            });
        }
        // More than one at once: give up the first; the loop comes back for the others.
        Ok(
            match (without(&whole).await, candidates.into_iter().next()) {
                (Ok(rows), _) => Culprit::Nothing(rows),
                (Err(fault), Some(name)) if may_be_a_column(&fault) => Culprit::Column(name),
                _ => Culprit::Another,
            },
        )
    }

    /// All rows of a query that is paged by `(key)`: `rest` is made from the last key.
    pub(crate) async fn select_all(
        &self,
        columns: Columns,
        rest: impl Fn(Option<&Row>) -> String,
    ) -> Result<Vec<Row>, Fault> {
        let mut all: Vec<Row> = Vec::new();
        let mut asked = BTreeSet::new();
        loop {
            let next = rest(all.last());
            let page = self.select(columns, &next, &[]).await?;
            let done = !page.more || page.rows.is_empty();
            all.extend(page.rows);
            if done {
                return Ok(all);
            }
            if !asked.insert(next) {
                return Err(Fault::Drift {
                    code: Code::new("drift"),
                    cause: format!(
                        "reading `{}` goes in circles: a page came twice",
                        columns.family
                    ),
                });
            }
        }
    }
}

/// Why a query failed without naming a column.
enum Culprit {
    /// This column, without which it works and with which it fails again.
    Column(String),
    /// Nothing that lasts: it works now.
    Nothing(Rows),
    /// Something else.
    Another,
}

fn columns_changed(family: &str, name: &str, fault: &Fault) -> Fault {
    Fault::Drift {
        code: Code::new("drift"),
        cause: format!(
            "reading {family} needs the column `{name}`, which this account lacks: {fault}"
        ),
    }
}

/// Whether a refusal without a name may still come of a column.
pub(crate) fn may_be_a_column(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { .. }) || fault.code() == Code::new("server-error")
}

/// A query of ours that is refused for another reason than a column is no decision about a record.
fn refused_query(family: &str, fault: Fault) -> Fault {
    match fault {
        Fault::Refused { cause, .. } => Fault::Drift {
            code: Code::new("drift"),
            cause: format!("reading `{family}` was refused: {cause}"),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Row> {
        let answer: Answer<'_> = serde_json::from_str(json).unwrap();
        answer.items.iter().map(Row::read).collect()
    }

    #[test]
    fn rows_are_read_exactly_and_leniently() {
        let rows = rows(include_str!("../fixtures/rows.json"));
        assert_eq!(
            rows[0].need_amount("foreigntotal").unwrap().to_string(),
            "-1234.5"
        );
        assert_eq!(rows[0].text("companyname"), "");
        assert_eq!(rows[0].ids("subsidiary").len(), 4);
        assert_eq!(
            rows[1].need_amount("foreigntotal").unwrap().to_string(),
            "-12000000"
        );
        assert!(rows[1].flag("isinactive"));
        assert_eq!(
            rows[1].id("id"),
            Some(RemoteId::new("-3")),
            "system records have negative ids"
        );
        assert_eq!(
            rows[2].need_amount("foreigntotal").unwrap().to_string(),
            "0.1"
        );
        assert!(
            rows[2].date("trandate").is_err(),
            "a date in the account's own format is refused"
        );
    }

    #[test]
    fn only_whole_numbers_get_into_a_query() {
        let ids = [
            RemoteId::new("12"),
            RemoteId::new("1) OR (1=1"),
            RemoteId::new("-5"),
        ];
        assert_eq!(id_list(&ids), "12, -5");
        assert_eq!(id_list(&[]), "NULL");
        assert_eq!(placeholders(3), "?, ?, ?");
    }

    #[test]
    fn hidden_columns_are_left_out() {
        const COLUMNS: Columns = Columns {
            family: "bills",
            columns: &[
                column("t.id", "id"),
                optional("t.paymenthold", "paymenthold", "paymenthold"),
            ],
        };
        let hidden = BTreeSet::from(["bills.paymenthold".to_owned()]);
        assert_eq!(COLUMNS.select(&hidden), "t.id AS id");
        assert!(
            COLUMNS
                .select(&BTreeSet::new())
                .contains("t.paymenthold AS paymenthold")
        );
    }
}
