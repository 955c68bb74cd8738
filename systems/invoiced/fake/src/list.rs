//! Lists: filters, sorting, pages (README §Lists).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::account::Account;
use crate::call::{Answer, Call};
use crate::json::Json;
use crate::kind::Kind;
use crate::money::amount;
use crate::pages::{self, Habits};
use crate::problem::Problem;
use crate::query::{Query, flag};
use crate::shape::id;
use crate::show::show;
use crate::table::plain;

/// A list of all objects of a kind that a call asks for.
pub(crate) fn list(account: &Account, kind: Kind, call: &Call<'_>) -> Answer {
    within(account, kind, call, |_| true)
}

/// A list of the objects that lie below another one.
pub(crate) fn within(
    account: &Account,
    kind: Kind,
    call: &Call<'_>,
    below: impl Fn(&Json) -> bool,
) -> Answer {
    let wanted = Wanted::read(account, kind, &call.query)?;
    let mut found: Vec<(i64, &Json)> = wanted
        .candidates()
        .filter(|(_, fields)| below(fields) && wanted.takes(fields))
        .collect();
    if kind.is_newest_first() {
        found.reverse();
    }
    sort(&mut found, &call.query)?;
    let habits = Habits {
        sequential: account.switches.sequential_pages,
        next_is_self: account.switches.next_is_self,
    };
    pages::page(call, &habits, found.len(), |index| {
        show(account, kind, found[index].1, call)
    })
}

/// What a call wants of a list.
struct Wanted<'a> {
    account: &'a Account,
    kind: Kind,
    filters: Vec<(&'a str, &'a str)>,
    metadata: Vec<(&'a str, &'a str)>,
    updated_after: Option<i64>,
    updated_before: Option<i64>,
    start: Option<i64>,
    end: Option<i64>,
    related: Option<(&'a str, &'a str)>,
    with_source: Option<bool>,
    with_balance: Option<bool>,
}

impl<'a> Wanted<'a> {
    fn read(account: &'a Account, kind: Kind, query: &'a Query) -> Result<Self, Problem> {
        let mut filters: Vec<(&str, &str)> = query.within("filter").collect();
        if kind == Kind::Event {
            filters.extend(query.get("type").map(|value| ("type", value)));
        }
        let switch = |name: &'static str| match query.get(name) {
            Some(text) if kind == Kind::Customer => {
                let wrong = || Problem::param(name, format!("{name} is not a boolean"));
                flag(text).map(Some).ok_or_else(wrong)
            }
            _ => Ok(None),
        };
        Ok(Self {
            account,
            kind,
            filters,
            metadata: query.within("metadata").collect(),
            updated_after: query.time("updated_after")?,
            updated_before: query.time("updated_before")?,
            start: query.time("start_date")?,
            end: query.time("end_date")?,
            related: query
                .get("related_to")
                .and_then(|text| text.split_once(',')),
            with_source: switch("payment_source")?,
            with_balance: switch("open_balance")?,
        })
    }

    /// All objects, or those that an index finds for a filter.
    fn candidates(&self) -> Box<dyn Iterator<Item = (i64, &'a Json)> + 'a> {
        let table = self.account.table(self.kind);
        let places: Option<BTreeSet<i64>> = match (self.filters.as_slice(), self.metadata.first()) {
            (_, Some((key, value))) => Some(table.having(&format!("metadata.{key}"), value)),
            (filters, None) => filters
                .iter()
                .find(|(name, _)| matches!(*name, "number" | "customer"))
                .map(|(name, value)| table.having(name, value)),
        };
        match places {
            None => Box::new(table.rows()),
            Some(places) => Box::new(
                places
                    .into_iter()
                    .filter_map(|place| Some((place, table.get(place)?))),
            ),
        }
    }

    fn takes(&self, fields: &Json) -> bool {
        let updated = id(fields, "updated_at").unwrap_or_default();
        let inclusive = self.account.switches.updated_after_inclusive;
        let dated = self.kind.dated().and_then(|name| id(fields, name));
        let metadata = fields.get("metadata");
        self.updated_after
            .is_none_or(|after| updated > after || (inclusive && updated == after))
            && self.updated_before.is_none_or(|before| updated <= before)
            && self
                .start
                .is_none_or(|start| dated.is_none_or(|day| day >= start))
            && self
                .end
                .is_none_or(|end| dated.is_none_or(|day| day <= end))
            && self
                .filters
                .iter()
                .all(|(name, value)| equals(fields.get(name), value))
            && self
                .metadata
                .iter()
                .all(|(key, value)| metadata.is_some_and(|all| equals(all.get(key), value)))
            && self
                .related
                .is_none_or(|(kind, id)| is_about(fields, kind, id))
            && self
                .with_source
                .is_none_or(|with| fields.get("payment_source").is_some() == with)
            && self
                .with_balance
                .is_none_or(|with| self.has_balance(fields) == with)
    }

    fn has_balance(&self, customer: &Json) -> bool {
        let Some(number) = customer.get("id").and_then(plain) else {
            return false;
        };
        let invoices = self.account.table(Kind::Invoice);
        let open = |fields: &Json| {
            !matches!(fields.text("status"), Some("draft" | "voided" | "paid"))
                && fields.flag("closed") != Some(true)
                && !amount(fields, "balance").is_zero()
        };
        let own = invoices.having("customer", number);
        own.into_iter()
            .filter_map(|place| invoices.get(place))
            .any(open)
    }
}

/// Whether a value is the one that a filter names: exactly, but numbers and flags in any spelling.
fn equals(value: Option<&Json>, wanted: &str) -> bool {
    match value {
        None => wanted.is_empty(),
        Some(Json::Bool(is)) => flag(wanted) == Some(*is),
        Some(Json::Text(text)) => **text == *wanted,
        Some(number @ Json::Number(_)) => wanted
            .parse()
            .is_ok_and(|wanted| number.as_decimal() == Some(wanted)),
        Some(_) => false,
    }
}

/// Whether an event is about an object: it is its own, or names it.
fn is_about(event: &Json, kind: &str, number: &str) -> bool {
    let Some(object) = event.at("data.object") else {
        return false;
    };
    let own =
        object.text("object") == Some(kind) && object.get("id").and_then(plain) == Some(number);
    let named = object.get(kind).is_some_and(|named| match named {
        Json::Object(_) => named.get("id").and_then(plain) == Some(number),
        value => plain(value) == Some(number),
    });
    own || named
}

/// `sort=updated_at asc,number desc`.
fn sort(found: &mut [(i64, &Json)], query: &Query) -> Result<(), Problem> {
    let mut columns = Vec::new();
    for word in query.words("sort") {
        let (column, way) = word.split_once(' ').unwrap_or((word, "asc"));
        let down = match way.trim().to_ascii_lowercase().as_str() {
            "asc" => false,
            "desc" => true,
            _ => return Err(Problem::param("sort", format!("sort is not valid: {word}"))),
        };
        columns.push((column.to_owned(), down));
    }
    if columns.is_empty() {
        return Ok(());
    }
    found.sort_by_cached_key(|(_, fields)| {
        let keys = columns.iter().map(|(column, down)| {
            let key = Key::of(fields.get(column));
            if *down {
                Way::Down(Reverse(key))
            } else {
                Way::Up(key)
            }
        });
        keys.collect::<Vec<_>>()
    });
    Ok(())
}

/// A value in its order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Unset,
    Flag(bool),
    Number(Decimal),
    Text(Box<str>),
}

/// Which way a column goes; one column always goes one way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Up(Key),
    Down(Reverse<Key>),
}

impl Key {
    fn of(value: Option<&Json>) -> Self {
        match value {
            Some(Json::Bool(flag)) => Self::Flag(*flag),
            Some(Json::Text(text)) => Self::Text(text.clone()),
            Some(value) => value.as_decimal().map_or(Self::Unset, Self::Number),
            None => Self::Unset,
        }
    }
}
