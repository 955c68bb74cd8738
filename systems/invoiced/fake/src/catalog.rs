//! Items, tax rates, plans and coupons: named by texts, and next to immutable (README §Items and tax rates).

use crate::account::{Account, CURRENCY};
use crate::json::Json;
use crate::kind::Kind;
use crate::problem::Problem;
use crate::shape::{Field, Rule, lay, take};

static NAME: &[Field] = &[("id", Rule::Text)];
static CHANGEABLE: &[Field] = &[
    ("name", Rule::Text),
    ("description", Rule::Text),
    ("type", Rule::Text),
    ("metadata", Rule::Metadata),
];
static ITEM: &[Field] = &[
    ("currency", Rule::Currency),
    ("unit_cost", Rule::Number),
    ("gl_account", Rule::Text),
    ("taxable", Rule::Flag),
    ("discountable", Rule::Flag),
];
static RATE: &[Field] = &[
    ("currency", Rule::Currency),
    ("value", Rule::Number),
    ("is_percent", Rule::Flag),
    ("inclusive", Rule::Flag),
];
static PLAN: &[Field] = &[
    ("catalog_item", Rule::Text),
    ("currency", Rule::Currency),
    ("amount", Rule::Number),
    ("interval", Rule::Text),
    ("interval_count", Rule::Id),
];

fn fixed(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Item => ITEM,
        Kind::Plan => PLAN,
        _ => RATE,
    }
}

/// Makes one and gives its place. Without an identifier it gets one of its own.
pub(crate) fn create(account: &mut Account, kind: Kind, body: &Json) -> Result<i64, Problem> {
    let given = crate::documents::object(take(NAME, body)?);
    let name = match given.text("id") {
        Some(name) => name.to_owned(),
        None => account.random.token(8),
    };
    if account.table(kind).find(&name).is_some() {
        return Err(Problem::param(
            "id",
            format!("The id has already been taken: {name}"),
        ));
    }
    let mut object = Json::Object(vec![("id".into(), name.into())]);
    for (name, rule) in CHANGEABLE.iter().chain(fixed(kind)) {
        let unset = match rule {
            Rule::Currency => CURRENCY.into(),
            Rule::Flag => matches!(*name, "taxable" | "discountable" | "is_percent").into(),
            Rule::Metadata => Json::Object(Vec::new()),
            _ => Json::Null,
        };
        object.put(name, unset);
    }
    lay(&mut object, take(CHANGEABLE, body)?);
    lay(&mut object, take(fixed(kind), body)?);
    if object.text("name").is_none() {
        return Err(Problem::param("name", "Name is missing"));
    }
    Ok(account.insert(kind, object))
}

/// Changes what can be changed; the rest is left as it is.
pub(crate) fn update(
    account: &mut Account,
    kind: Kind,
    place: i64,
    body: &Json,
) -> Result<(), Problem> {
    let fields = take(CHANGEABLE, body)?;
    account.get(kind, place)?;
    account.change(kind, place, |object| lay(object, fields));
    Ok(())
}
