//! The seven lists that lines are coded with (README §Classifications).

use crate::ids::Kind;
use crate::json::Json;
use crate::list::{Cell, Listing, Of, page};
use crate::organization::{Organization, time_text};
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply, reference};
use crate::shape::{Field, Rule, entries, may, need, pick};
use crate::table::Table;

/// How many entries a bulk call takes.
const BULK: usize = 50;

/// All seven lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists([Table<Json>; 7]);

/// What there is to say about a list.
struct About {
    kind: Kind,
    path: &'static str,
    wrapper: &'static str,
    fields: &'static [Field],
}

const TYPES: &[&str] = &[
    "UNSPECIFIED",
    "ACCOUNTS_PAYABLE",
    "ACCOUNTS_RECEIVABLE",
    "BANK",
    "COST_OF_GOODS_SOLD",
    "CREDIT_CARD",
    "EQUITY",
    "EXPENSE",
    "FIXED_ASSET",
    "INCOME",
    "LONG_TERM_LIABILITY",
    "OTHER_ASSET",
    "OTHER_CURRENT_ASSET",
    "OTHER_CURRENT_LIABILITY",
    "OTHER_EXPENSE",
    "OTHER_INCOME",
    "NON_POSTING",
];
static ACCOUNT: &[Field] = &[
    may("type", Rule::Choice(TYPES)),
    may("number", Rule::Text(40)),
];
static ACCOUNTS: &[Field] = &[
    need("name", Rule::Text(255)),
    may("description", Rule::Text(4000)),
    may("parentId", Rule::Text(20)),
    may("account", Rule::Part(ACCOUNT)),
];
static PLAIN: &[Field] = &[
    need("name", Rule::Text(255)),
    may("shortName", Rule::Text(40)),
    may("description", Rule::Text(4000)),
    may("parentId", Rule::Text(20)),
];
static EMPLOYEES: &[Field] = &[
    need("firstName", Rule::Text(100)),
    need("lastName", Rule::Text(100)),
    may("shortName", Rule::Text(40)),
    may("parentId", Rule::Text(20)),
];
static ITEMS: &[Field] = &[
    may("type", Rule::Text(40)),
    may("shortName", Rule::Text(40)),
    need("name", Rule::Text(255)),
    may("description", Rule::Text(4000)),
    may("parentId", Rule::Text(20)),
    may("price", Rule::Number),
    may("expenseChartOfAccountId", Rule::Text(20)),
    may("purchaseDescription", Rule::Text(4000)),
    may("purchaseCost", Rule::Number),
    may("chartOfAccountId", Rule::Text(20)),
    may("taxable", Rule::Flag),
    may("percentage", Rule::Number),
];

const fn about(
    kind: Kind,
    path: &'static str,
    wrapper: &'static str,
    fields: &'static [Field],
) -> About {
    About {
        kind,
        path,
        wrapper,
        fields,
    }
}

static LISTS: [About; 7] = [
    about(
        Kind::Account,
        "chart-of-accounts",
        "chartOfAccounts",
        ACCOUNTS,
    ),
    about(
        Kind::Class,
        "accounting-classes",
        "accountingClasses",
        PLAIN,
    ),
    about(Kind::Department, "departments", "departments", PLAIN),
    about(Kind::Location, "locations", "locations", PLAIN),
    about(Kind::Item, "items", "items", ITEMS),
    about(Kind::Employee, "employees", "employees", EMPLOYEES),
    about(Kind::Job, "jobs", "jobs", PLAIN),
];

impl Lists {
    /// The list of a kind.
    pub(crate) fn of(&self, kind: Kind) -> &Table<Json> {
        &self.0[index(kind)]
    }

    fn of_mut(&mut self, kind: Kind) -> &mut Table<Json> {
        &mut self.0[index(kind)]
    }

    /// How many entries each list has, archived ones included.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u32)> {
        LISTS
            .iter()
            .zip(&self.0)
            .map(|(about, table)| (about.wrapper, table.len()))
    }
}

fn index(kind: Kind) -> usize {
    LISTS
        .iter()
        .position(|about| about.kind == kind)
        .expect("only the kinds of the lists are asked")
}

/// `/v3/classifications/{list}/…`
pub(crate) fn answer(org: &mut Organization, call: &Call, list: &str, path: &[&str]) -> Answer {
    let about = LISTS
        .iter()
        .find(|about| about.path == list)
        .ok_or_else(Problem::path)?;
    let length = org.lists.of(about.kind).len();
    match (&*call.method, path) {
        ("GET", []) => all(org, call, about.kind),
        ("POST", []) => {
            let fields = draft(org, about, &call.json()?)?;
            let place = create(org, about.kind, fields);
            Ok(Reply::created(render(org, about.kind, place)))
        }
        ("POST", ["bulk"]) => {
            let body = call.json()?;
            let mut drafts = Vec::new();
            for (index, entry) in entries(&body, BULK)?.iter().enumerate() {
                drafts.push(draft(org, about, entry).map_err(|fault| fault.in_entry(index))?);
            }
            let drafts = drafts.into_iter();
            let places = drafts
                .map(|fields| create(org, about.kind, fields))
                .collect();
            Ok(Reply::created(wrap(org, about, places)))
        }
        ("PATCH", ["bulk"]) => bulk_edit(org, about, &call.json()?),
        ("POST", ["bulk", action @ ("archive" | "restore")]) => {
            let ids = call.ids();
            if ids.is_empty() || ids.len() > BULK {
                return Err(Problem::must(format!(
                    "ids: size must be between 1 and {BULK}"
                )));
            }
            let places = ids.iter().map(|id| org.place(about.kind, id, length));
            let places = places.collect::<Result<Vec<_>, _>>()?;
            for place in &places {
                archive(org, about.kind, *place, *action == "archive");
            }
            Ok(Reply::ok(wrap(org, about, places)))
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(about.kind, id, length)?;
            match (method, rest) {
                ("GET", []) => {}
                ("PATCH", []) => {
                    let change = change(org, about, &call.json()?)?;
                    apply(org, about.kind, place, &change);
                }
                ("POST", ["archive"]) => archive(org, about.kind, place, true),
                ("POST", ["restore"]) => archive(org, about.kind, place, false),
                _ => return Err(Problem::path()),
            }
            Ok(Reply::ok(render(org, about.kind, place)))
        }
        _ => Err(Problem::path()),
    }
}

fn all(org: &Organization, call: &Call, kind: Kind) -> Answer {
    let listing = Listing {
        kind,
        filters: &[
            ("name", "eq ne sw", Of::Text),
            ("shortName", "eq sw", Of::Text),
            ("firstName", "eq sw", Of::Text),
            ("lastName", "eq sw", Of::Text),
            ("description", "eq sw", Of::Text),
            ("account.type", "eq ne in nin", Of::Text),
            ("account.number", "eq sw", Of::Text),
            ("type", "eq ne in nin", Of::Text),
            ("parentId", "eq in", Of::Text),
        ],
        sorts: &["name", "shortName", "description", "firstName", "lastName"],
    };
    let table = org.lists.of(kind);
    let cell = |place: u32, field: &str| Cell::from(table.at(place).body.text(field));
    let scope = (&org.ids, &call.query, org.options.archived_in_lists);
    page(
        table,
        &listing,
        scope,
        |_| None,
        cell,
        |place| render(org, kind, place),
    )
    .map(Reply::ok)
}

fn bulk_edit(org: &mut Organization, about: &'static About, body: &Json) -> Answer {
    let mut changes = Vec::new();
    for (index, entry) in entries(body, BULK)?.iter().enumerate() {
        let id = entry
            .text("id")
            .ok_or_else(|| Problem::must(format!("[{index}].id: must not be null")))?;
        let place = org.place(about.kind, id, org.lists.of(about.kind).len())?;
        let change = change(org, about, entry).map_err(|fault| fault.in_entry(index))?;
        changes.push((place, change));
    }
    let places = changes.iter().map(|(place, _)| *place).collect();
    for (place, change) in &changes {
        apply(org, about.kind, *place, change);
    }
    Ok(Reply::ok(wrap(org, about, places)))
}

fn draft(org: &Organization, about: &'static About, body: &Json) -> Result<Json, Problem> {
    let fields = pick(about.fields, body, false)?;
    references(org, about, &fields)?;
    Ok(fields)
}

fn change(org: &Organization, about: &'static About, body: &Json) -> Result<Json, Problem> {
    let fields = pick(about.fields, body, true)?;
    references(org, about, &fields)?;
    Ok(fields)
}

fn references(org: &Organization, about: &About, fields: &Json) -> Result<(), Problem> {
    for (field, kind) in [
        ("parentId", about.kind),
        ("expenseChartOfAccountId", Kind::Account),
        ("chartOfAccountId", Kind::Account),
    ] {
        if let Some(id) = fields.text(field).filter(|id| !id.is_empty()) {
            reference(org, kind, field, id, org.lists.of(kind).len())?;
        }
    }
    Ok(())
}

/// Adds an entry whose fields have been looked at.
pub(crate) fn create(org: &mut Organization, kind: Kind, fields: Json) -> u32 {
    let stamp = org.stamp();
    org.lists.of_mut(kind).push(fields, stamp)
}

fn apply(org: &mut Organization, kind: Kind, place: u32, change: &Json) {
    let stamp = org.stamp();
    let table = org.lists.of_mut(kind);
    table.at_mut(place).body.merge(change);
    table.touch(place, stamp);
}

/// Archives or restores an entry; doing it twice changes nothing.
pub(crate) fn archive(org: &mut Organization, kind: Kind, place: u32, archived: bool) {
    if org.lists.of(kind).at(place).archived == archived {
        return;
    }
    let stamp = org.stamp();
    let table = org.lists.of_mut(kind);
    table.at_mut(place).archived = archived;
    table.touch(place, stamp);
}

fn wrap(org: &Organization, about: &About, places: Vec<u32>) -> Json {
    let entries: Vec<Json> = places
        .into_iter()
        .map(|place| render(org, about.kind, place))
        .collect();
    Json::object([(about.wrapper, entries.into())])
}

fn render(org: &Organization, kind: Kind, place: u32) -> Json {
    let row = org.lists.of(kind).at(place);
    let mut entry = row.body.clone();
    entry.set("archived", row.archived.into());
    entry.set("createdTime", time_text(row.created).into());
    entry.set("updatedTime", time_text(row.updated).into());
    if let Json::Object(fields) = &mut entry {
        fields.insert(0, ("id".into(), org.ids.text(kind, place).into()));
    }
    entry
}
