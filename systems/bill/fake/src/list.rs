//! Lists: `max`, `page`, `sort`, `filters` (README §Lists).
//!
//! Pages go by a record's place in the order (its last change, its creation), not by counting: a record
//! that changes while someone pages through `updatedTime:asc` comes once more, and none is skipped.
//! Other orders count, as nothing else is left to them.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use rust_decimal::Decimal;

use crate::ids::{Ids, Kind};
use crate::json::Json;
use crate::problem::Problem;
use crate::table::Table;

/// The parameters of a call.
#[derive(Debug, Default, Clone)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of an address behind `?`.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The parameter's first value; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let named = self
            .0
            .iter()
            .find(|(field, value)| field == name && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().filter(move |(field, _)| field == name);
        values
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// The value of a field, for filters and orders.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(crate) enum Cell {
    /// Not set.
    Unset,
    /// A reference, or the record's own identifier.
    Id(u32),
    /// Text.
    Text(String),
    /// A flag.
    Flag(bool),
    /// A date.
    Day(Date),
    /// A time, in milliseconds since 1970.
    Time(i64),
    /// A number.
    Number(Decimal),
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Unset, |text| Self::Text(text.to_owned()))
    }
}

impl From<Option<u32>> for Cell {
    fn from(place: Option<u32>) -> Self {
        place.map_or(Self::Unset, Self::Id)
    }
}

/// How a filter's value is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    /// An identifier of this kind.
    Id(Kind),
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// `yyyy-MM-dd`.
    Day,
    /// `yyyy-MM-dd` up to `yyyy-MM-dd'T'HH:mm:ss.SSSX`.
    Time,
}

/// A field that may be filtered by: its name, the operators it takes, and how values are read.
pub(crate) type Filterable = (&'static str, &'static str, Of);

/// What a list can be filtered and sorted by.
pub(crate) struct Listing {
    /// The kind of its records.
    pub(crate) kind: Kind,
    /// Filters beside the ones every list has.
    pub(crate) filters: &'static [Filterable],
    /// Orders beside `archived`, `createdTime` and `updatedTime`.
    pub(crate) sorts: &'static [&'static str],
}

const TIMES: &str = "eq ne gt gte lt lte";

#[derive(Debug, Clone)]
struct Condition {
    field: String,
    operator: String,
    values: Vec<Cell>,
}

/// The conditions of a list call, all of which must hold.
#[derive(Debug, Default)]
pub(crate) struct Conditions(Vec<Condition>);

impl Conditions {
    /// The records that a field may name, where it is asked for by `eq` or `in`.
    pub(crate) fn ids(&self, field: &str) -> Option<Vec<u32>> {
        let mut named = self.0.iter().filter(|condition| {
            condition.field == field && matches!(&*condition.operator, "eq" | "in")
        });
        let values = named.next()?.values.iter().filter_map(|value| match value {
            Cell::Id(place) => Some(*place),
            _ => None,
        });
        Some(values.collect())
    }

    /// The earliest and the latest time, in milliseconds, that a record can have.
    fn bounds(&self, field: &str) -> (i64, i64) {
        let mut bounds = (i64::MIN, i64::MAX);
        for condition in self.0.iter().filter(|condition| condition.field == field) {
            let [Cell::Time(time)] = *condition.values else {
                continue;
            };
            match &*condition.operator {
                "gt" | "gte" => bounds.0 = bounds.0.max(time),
                "lt" | "lte" => bounds.1 = bounds.1.min(time),
                "eq" => bounds = (bounds.0.max(time), bounds.1.min(time)),
                _ => {}
            }
        }
        bounds
    }

    fn hold(&self, cell: impl Fn(&str) -> Cell) -> bool {
        self.0
            .iter()
            .all(|condition| condition.holds(&cell(&condition.field)))
    }
}

impl Condition {
    fn holds(&self, cell: &Cell) -> bool {
        let is = |value: &Cell| cell == value;
        let Some(value) = self.values.first() else {
            return self.operator == "nin";
        };
        match &*self.operator {
            "eq" => is(value),
            "ne" => !is(value),
            "gt" => cell > value && *cell != Cell::Unset,
            "gte" => cell >= value && *cell != Cell::Unset,
            "lt" => cell < value && *cell != Cell::Unset,
            "lte" => cell <= value && *cell != Cell::Unset,
            "in" => self.values.iter().any(is),
            "nin" => !self.values.iter().any(is),
            _ => match (cell, value) {
                (Cell::Text(text), Cell::Text(start)) => {
                    text.to_lowercase().starts_with(&start.to_lowercase())
                }
                _ => false,
            },
        }
    }
}

/// The order of a list, and where a page starts.
struct Request {
    sort: Vec<(String, bool)>,
    sort_text: String,
    filters: String,
    max: usize,
    cursor: Option<(i64, bool)>,
}

/// Answers a list call. `narrow` may name the few records that can match at all; `cell` gives a field
/// beside the common ones; `render` prints a record.
pub(crate) fn page<T>(
    table: &Table<T>,
    listing: &Listing,
    (ids, query, show_archived): (&Ids, &Query, bool),
    narrow: impl Fn(&Conditions) -> Option<Vec<u32>>,
    cell: impl Fn(u32, &str) -> Cell,
    render: impl Fn(u32) -> Json,
) -> Result<Json, Problem> {
    let request = read(listing, query)?;
    let mut conditions = Conditions(conditions(listing, ids, &request.filters)?);
    if !show_archived
        && !conditions
            .0
            .iter()
            .any(|condition| condition.field == "archived")
    {
        let values = vec![Cell::Flag(false)];
        conditions.0.push(Condition {
            field: "archived".into(),
            operator: "eq".into(),
            values,
        });
    }
    let value = |place: u32, field: &str| match field {
        "id" => Cell::Id(place),
        "archived" => Cell::Flag(table.at(place).archived),
        "createdTime" => Cell::Time(table.at(place).created.div_euclid(1000)),
        "updatedTime" => Cell::Time(table.at(place).updated.div_euclid(1000)),
        other => cell(place, other),
    };
    let matches = |place: u32| conditions.hold(|field| value(place, field));
    let narrowed = conditions
        .ids("id")
        .or_else(|| narrow(&conditions))
        .map(|mut places| {
            places.retain(|place| *place < table.len());
            places.sort_unstable();
            places.dedup();
            places
        });
    let found = match &*request.sort {
        [] => walk(
            table,
            &request,
            false,
            false,
            narrowed,
            &conditions,
            matches,
        ),
        [(field, down)] if field == "createdTime" => walk(
            table,
            &request,
            false,
            *down,
            narrowed,
            &conditions,
            matches,
        ),
        [(field, down)] if field == "updatedTime" => {
            walk(table, &request, true, *down, narrowed, &conditions, matches)
        }
        _ => counted(table, &request, narrowed, &value, matches),
    };
    let token = |cursor: Option<(i64, bool)>| -> Json {
        cursor.map(|cursor| token(listing, &request, cursor)).into()
    };
    let results = found.places.into_iter().map(render).collect();
    Ok(Json::object([
        ("results", Json::List(results)),
        ("nextPage", token(found.next)),
        ("prevPage", token(found.previous)),
    ]))
}

struct Found {
    places: Vec<u32>,
    next: Option<(i64, bool)>,
    previous: Option<(i64, bool)>,
}

/// By creation or by last change: from the cursor on, without looking at what lies before it.
fn walk<T>(
    table: &Table<T>,
    request: &Request,
    by_update: bool,
    down: bool,
    narrowed: Option<Vec<u32>>,
    conditions: &Conditions,
    matches: impl Fn(u32) -> bool,
) -> Found {
    let back = request.cursor.is_some_and(|(_, back)| back);
    let reversed = down != back;
    let (mut low, mut high) = (Bound::Unbounded, Bound::Unbounded);
    if by_update {
        let (from, to) = conditions.bounds("updatedTime");
        low = Bound::Included(from.saturating_mul(1000));
        high = Bound::Included(to.saturating_add(1).saturating_mul(1000));
    }
    if let Some((cursor, _)) = request.cursor {
        let (edge, far) = if reversed {
            (&mut high, &low)
        } else {
            (&mut low, &high)
        };
        *edge = Bound::Excluded(cursor);
        let crossed = matches!(far, Bound::Included(far) if (reversed && *far >= cursor)
            || (!reversed && *far <= cursor));
        if crossed {
            return Found {
                places: Vec::new(),
                next: None,
                previous: None,
            };
        }
    } else if let (Bound::Included(low), Bound::Included(high)) = (low, high)
        && low > high
    {
        return Found {
            places: Vec::new(),
            next: None,
            previous: None,
        };
    }
    let key = |place: u32| {
        if by_update {
            table.at(place).updated
        } else {
            i64::from(place)
        }
    };
    let mut candidates: Box<dyn Iterator<Item = (i64, u32)>> = match narrowed {
        Some(places) => {
            let mut keyed: Vec<_> = places
                .into_iter()
                .map(|place| (key(place), place))
                .collect();
            keyed.sort_unstable();
            if reversed {
                keyed.reverse();
            }
            use std::ops::RangeBounds as _;
            Box::new(
                keyed
                    .into_iter()
                    .filter(move |(key, _)| (low, high).contains(key)),
            )
        }
        None if by_update => {
            let range = table
                .by_update()
                .range((low, high))
                .map(|(key, place)| (*key, *place));
            if reversed {
                Box::new(range.rev())
            } else {
                Box::new(range)
            }
        }
        None => {
            let from = if let Bound::Excluded(edge) = low {
                edge + 1
            } else {
                0
            };
            let to = if let Bound::Excluded(edge) = high {
                edge
            } else {
                i64::from(table.len())
            };
            let range = (from..to).map(|place| (place, u32::try_from(place).unwrap_or(u32::MAX)));
            if reversed {
                Box::new(range.rev())
            } else {
                Box::new(range)
            }
        }
    };
    let mut keyed: Vec<(i64, u32)> = candidates
        .by_ref()
        .filter(|(_, place)| matches(*place))
        .take(request.max + 1)
        .collect();
    let more = keyed.len() > request.max;
    keyed.truncate(request.max);
    if back {
        keyed.reverse();
    }
    let first = keyed.first().map(|(key, _)| *key);
    let last = keyed.last().map(|(key, _)| *key);
    let has_next = if back { true } else { more };
    let has_previous = if back { more } else { request.cursor.is_some() };
    Found {
        places: keyed.into_iter().map(|(_, place)| place).collect(),
        next: last.filter(|_| has_next).map(|key| (key, false)),
        previous: first.filter(|_| has_previous).map(|key| (key, true)),
    }
}

/// Any other order: all that match are sorted, ties by creation.
fn counted<T>(
    table: &Table<T>,
    request: &Request,
    narrowed: Option<Vec<u32>>,
    value: &impl Fn(u32, &str) -> Cell,
    matches: impl Fn(u32) -> bool,
) -> Found {
    let places = narrowed.unwrap_or_else(|| (0..table.len()).collect());
    let mut rows: Vec<(Vec<Cell>, u32)> = places
        .into_iter()
        .filter(|place| matches(*place))
        .map(|place| {
            (
                request
                    .sort
                    .iter()
                    .map(|(field, _)| value(place, field))
                    .collect(),
                place,
            )
        })
        .collect();
    rows.sort_by(|(left, left_place), (right, right_place)| {
        for ((left, right), (_, down)) in left.iter().zip(right).zip(&request.sort) {
            let order = left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal);
            if order.is_ne() {
                return if *down { order.reverse() } else { order };
            }
        }
        left_place.cmp(right_place)
    });
    let start = request
        .cursor
        .map_or(0, |(start, _)| usize::try_from(start).unwrap_or(0));
    let end = start + request.max;
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Found {
        next: (end < rows.len()).then(|| (count(end), false)),
        previous: (start > 0).then(|| (count(start.saturating_sub(request.max)), false)),
        places: rows
            .into_iter()
            .skip(start)
            .take(request.max)
            .map(|(_, place)| place)
            .collect(),
    }
}

fn read(listing: &Listing, query: &Query) -> Result<Request, Problem> {
    let max = match query.get("max") {
        None => 20,
        Some(max) => max
            .parse()
            .ok()
            .filter(|max| (1..=100).contains(max))
            .ok_or_else(|| Problem::parameter("max must be between 1 and 100"))?,
    };
    if let Some(page) = query.get("page") {
        return untoken(listing, page)
            .ok_or_else(|| Problem::parameter("page is not a page of this list"));
    }
    let sort_text = query.get("sort").unwrap_or_default().to_owned();
    let filters = query.all("filters").collect::<Vec<_>>().join(",");
    Ok(Request {
        sort: sort(listing, &sort_text)?,
        sort_text,
        filters,
        max,
        cursor: None,
    })
}

fn sort(listing: &Listing, text: &str) -> Result<Vec<(String, bool)>, Problem> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (field, direction) = part.split_once(':').unwrap_or((part, "asc"));
            let known = ["archived", "createdTime", "updatedTime"].contains(&field);
            if !known && !listing.sorts.contains(&field) {
                let message = format!("Field {field} is not sortable");
                return Err(Problem::new(400, "BDC_1130", message));
            }
            match direction {
                "asc" => Ok((field.to_owned(), false)),
                "desc" => Ok((field.to_owned(), true)),
                _ => Err(Problem::parameter(format!(
                    "sort direction {direction} is not known"
                ))),
            }
        })
        .collect()
}

/// The token of a page carries the whole call, so that sending it alone is enough.
fn token(listing: &Listing, request: &Request, (cursor, back): (i64, bool)) -> String {
    let text = format!(
        "{}|{}|{cursor}|{}|{}|{}",
        listing.kind.prefix(),
        if back { "b" } else { "f" },
        request.max,
        request.sort_text,
        request.filters
    );
    URL_SAFE_NO_PAD.encode(text)
}

fn untoken(listing: &Listing, page: &str) -> Option<Request> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(page).ok()?).ok()?;
    let mut parts = text.splitn(6, '|');
    if parts.next()? != listing.kind.prefix() {
        return None;
    }
    let back = parts.next()? == "b";
    let cursor = parts.next()?.parse().ok()?;
    let max = parts.next()?.parse().ok()?;
    let sort_text = parts.next()?.to_owned();
    let filters = parts.next()?.to_owned();
    let sort = sort(listing, &sort_text).ok()?;
    Some(Request {
        sort,
        sort_text,
        filters,
        max,
        cursor: Some((cursor, back)),
    })
}

fn conditions(listing: &Listing, ids: &Ids, text: &str) -> Result<Vec<Condition>, Problem> {
    outside_quotes(text)
        .into_iter()
        .map(|part| {
            let mut pieces = part.splitn(3, ':');
            let field = pieces.next().unwrap_or_default().trim();
            let (Some(operator), Some(value)) = (pieces.next(), pieces.next()) else {
                return Err(Problem::parameter(format!("{part} is not field:op:value")));
            };
            condition(listing, ids, field, operator.trim(), value)
        })
        .collect()
}

fn condition(
    listing: &Listing,
    ids: &Ids,
    field: &str,
    operator: &str,
    value: &str,
) -> Result<Condition, Problem> {
    let own = listing.filters.iter().find(|(name, _, _)| *name == field);
    let (operators, of) = match (own, field) {
        (Some((_, operators, of)), _) => (*operators, *of),
        (None, "id") => ("eq ne in nin", Of::Id(listing.kind)),
        (None, "archived") => ("eq ne", Of::Flag),
        (None, "createdTime" | "updatedTime") => (TIMES, Of::Time),
        _ => {
            let message = format!("Field {field} is not filterable");
            return Err(Problem::new(400, "BDC_1130", message));
        }
    };
    if !operators.split(' ').any(|known| known == operator) {
        let message = format!("Operator {operator} is not allowed for field {field}");
        return Err(Problem::new(400, "BDC_1131", message));
    }
    let value = value.trim();
    let value = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    let many = matches!(operator, "in" | "nin");
    let parts: Vec<&str> = if many {
        value.split(',').map(str::trim).collect()
    } else {
        vec![value]
    };
    let mut values = Vec::new();
    for part in parts {
        values.push(cell(ids, of, part).ok_or_else(|| {
            Problem::parameter(format!("Invalid value {part} for field {field}"))
        })?);
    }
    Ok(Condition {
        field: field.to_owned(),
        operator: operator.to_owned(),
        values,
    })
}

fn cell(ids: &Ids, of: Of, text: &str) -> Option<Cell> {
    match of {
        // An identifier that isn't one matches nothing.
        Of::Id(kind) => Some(Cell::Id(ids.place(kind, text).unwrap_or(u32::MAX))),
        Of::Text => Some(Cell::Text(text.to_owned())),
        Of::Flag => text.parse().ok().map(Cell::Flag),
        Of::Day => (text.len() == 10)
            .then(|| text.parse().ok().map(Cell::Day))
            .flatten(),
        Of::Time => time(text).map(Cell::Time),
    }
}

/// Milliseconds since 1970 of a time as precise as a date or a millisecond; UTC where none is given.
pub(crate) fn time(text: &str) -> Option<i64> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    if rest.is_empty() {
        let midnight = day
            .parse::<Date>()
            .ok()?
            .to_datetime(jiff::civil::Time::midnight());
        return midnight
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|at| at.timestamp().as_millisecond());
    }
    let rest = rest.strip_prefix('T')?;
    let cut = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(cut);
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let seconds = match (zone, digits.len()) {
        ("" | "Z", 0) => 0,
        (_, 2) => digits.parse::<i32>().ok()? * 3600,
        (_, 4) => digits[..2].parse::<i32>().ok()? * 3600 + digits[2..].parse::<i32>().ok()? * 60,
        _ => return None,
    };
    let at: DateTime = format!("{day}T{clock}").parse().ok()?;
    let zone = TimeZone::fixed(Offset::from_seconds(sign * seconds).ok()?);
    at.to_zoned(zone)
        .ok()
        .map(|at| at.timestamp().as_millisecond())
}

fn outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_documented_form() {
        let midnight = time("2026-12-30").unwrap();
        for text in [
            "2026-12-30T00:00",
            "2026-12-30T00:00:00Z",
            "2026-12-30T01:00:00.000+01:00",
        ] {
            assert_eq!(time(text), Some(midnight), "{text}");
        }
        assert_eq!(time("2026-12-30T00:00:00.123Z"), Some(midnight + 123));
        assert_eq!(time("2026-12-30 00:00:00"), None);
        assert_eq!(time("yesterday"), None);
    }

    #[test]
    fn commas_inside_quotes_do_not_split() {
        assert_eq!(
            outside_quotes(r#"a:in:"x,y",b:eq:1"#),
            vec![r#"a:in:"x,y""#, "b:eq:1"]
        );
    }
}
