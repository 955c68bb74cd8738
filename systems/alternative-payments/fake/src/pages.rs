//! Lists in pages with cursors (README §Lists).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::account::Account;
use crate::call::{Answer, Call, Reply};
use crate::capability::Capability;
use crate::json::Json;
use crate::problem::Problem;
use crate::switches::Paging;
use crate::table::Record;

/// How many objects a page has, unless told fewer.
const LIMIT: usize = 100;

/// A time as it is answered.
pub(crate) fn time(moment: Timestamp) -> Json {
    moment.to_string().into()
}

/// The page of a list that a call asks for; `all` comes in the order of their making.
pub(crate) fn page<'a, T: Record + 'a>(
    account: &Account,
    call: &Call<'_>,
    all: impl Iterator<Item = &'a T>,
    show: impl Fn(&T) -> Json,
) -> Answer {
    let wanted = Wanted::read(account, call)?;
    let mut found: Vec<&T> = all.filter(|one| wanted.takes(*one)).collect();
    if account.switches.newest_first {
        found.reverse();
    }
    let range = range(account, call, &found)?;
    let shown = &found[range.clone()];
    let cursor = |one: Option<&&T>| Json::from(one.map(|one| cursor_of(*one)));
    let place = [
        ("end_cursor", cursor(shown.last())),
        ("start_cursor", cursor(shown.first())),
        ("has_next_page", (range.end < found.len()).into()),
        ("has_previous_page", (range.start > 0).into()),
    ];
    let objects: Vec<Json> = shown.iter().map(|one| show(one)).collect();
    let mut body = Json::whole([("data", objects.into())]);
    match account.switches.paging {
        Paging::Flat => place
            .into_iter()
            .for_each(|(name, value)| body.put(name, value)),
        Paging::Nested => body.put("pagination", Json::whole(place)),
    }
    Ok(Reply::ok(body))
}

/// What every list can be asked for.
struct Wanted {
    created_from: Option<Timestamp>,
    created_to: Option<Timestamp>,
    updated_from: Option<Timestamp>,
    with_archived: bool,
}

impl Wanted {
    fn read(account: &Account, call: &Call<'_>) -> Result<Self, Problem> {
        let switches = &account.switches;
        let updated_from = if switches.has(Capability::ChangedSince) {
            call.query.time("updated_at_start")?
        } else {
            None
        };
        Ok(Self {
            created_from: call.query.time("created_at_start")?,
            created_to: call.query.time("created_at_end")?,
            updated_from,
            with_archived: !switches.archived_vanish,
        })
    }

    fn takes<T: Record>(&self, one: &T) -> bool {
        let stamp = one.stamp();
        self.created_from
            .is_none_or(|from| stamp.created_at >= from)
            && self.created_to.is_none_or(|to| stamp.created_at <= to)
            && self
                .updated_from
                .is_none_or(|from| stamp.updated_at >= from)
            && (self.with_archived || !one.is_archived())
    }
}

/// Which of the objects the page has. A cursor stands for a place, whether or not its object is still there.
fn range<T: Record>(
    account: &Account,
    call: &Call<'_>,
    found: &[&T],
) -> Result<std::ops::Range<usize>, Problem> {
    let limit = call.query.whole("limit")?.unwrap_or(LIMIT);
    if limit == 0 {
        return Err(Problem::bad("limit must be 1 or more"));
    }
    let limit = limit.min(LIMIT);
    let newest_first = account.switches.newest_first;
    // How many objects lie before a place, its own among them or not.
    let before = |place: &(Timestamp, String), inclusive: bool| {
        found.partition_point(|one| {
            let (at, id) = one.place();
            let order = (at, id).cmp(&(place.0, place.1.as_str()));
            let order = if newest_first { order.reverse() } else { order };
            order.is_lt() || (inclusive && order.is_eq())
        })
    };
    let cursor = |name| call.query.get(name).map(read_cursor).transpose();
    let (after, until) = (cursor("after")?, cursor("before")?);
    let first = after.map_or(0, |place| before(&place, true));
    let end = until.map_or(found.len(), |place| before(&place, false));
    Ok(match (call.query.get("after"), call.query.get("before")) {
        (None, Some(_)) => end.saturating_sub(limit)..end,
        _ => first.min(end)..(first + limit).min(end).max(first.min(end)),
    })
}

fn cursor_of<T: Record>(one: &T) -> String {
    let (at, id) = one.place();
    URL_SAFE_NO_PAD.encode(format!("{} {id}", at.as_millisecond()))
}

fn read_cursor(text: &str) -> Result<(Timestamp, String), Problem> {
    let read = || {
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (at, id) = decoded.split_once(' ')?;
        let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
        Some((at, id.to_owned()))
    };
    read().ok_or_else(|| Problem::bad("The cursor is not one of this list"))
}
