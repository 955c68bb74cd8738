//! Payments (README §Payments).

use rust_decimal::Decimal;

use crate::account::{Account, CURRENCY};
use crate::applications::{self, Share};
use crate::documents::object;
use crate::json::Json;
use crate::kind::Kind;
use crate::money::{amount, is_too_fine, number};
use crate::outbound;
use crate::problem::Problem;
use crate::shape::{Field, Rule, id, lay, take};

/// The methods there are; `other` where none is given.
pub(crate) const METHODS: [&str; 9] = [
    "ach",
    "cash",
    "check",
    "credit_card",
    "eft",
    "direct_debit",
    "other",
    "paypal",
    "wire_transfer",
];

static FIELDS: &[Field] = &[
    ("date", Rule::Time),
    ("method", Rule::Text),
    ("ach_sender_id", Rule::Text),
    ("reference", Rule::Text),
    ("source", Rule::Text),
    ("notes", Rule::Text),
    ("metadata", Rule::Metadata),
];
static MONEY: &[Field] = &[
    ("customer", Rule::Id),
    ("currency", Rule::Currency),
    ("amount", Rule::Number),
    ("applied_to", Rule::List),
];

/// A payment that is about to be made.
pub(crate) struct New {
    /// Whose it is, if that is known.
    pub(crate) customer: Option<i64>,
    /// Its currency.
    pub(crate) currency: String,
    /// The money.
    pub(crate) amount: Decimal,
    /// Where it goes.
    pub(crate) shares: Vec<Share>,
    /// Its method.
    pub(crate) method: String,
    /// Its source.
    pub(crate) source: String,
    /// The charge that brought it.
    pub(crate) charge: Json,
    /// While it is in flight: when it arrives.
    pub(crate) arrives: Option<i64>,
}

/// `POST /payments`.
pub(crate) fn create(account: &mut Account, body: &Json) -> Result<i64, Problem> {
    let new = new(account, body, &[])?;
    let fields = take(FIELDS, body)?;
    check_fields(&fields)?;
    let place = make(account, new, fields);
    outbound::mail_receipt(account, place);
    Ok(place)
}

/// What a request wants to be paid, as if the shares in `released` were taken back before.
pub(crate) fn new(account: &Account, body: &Json, released: &[Share]) -> Result<New, Problem> {
    let money = object(take(MONEY, body)?);
    let shares = applications::read(money.list("applied_to"))?;
    let customer = id(&money, "customer");
    if let Some(customer) = customer {
        account.reference(Kind::Customer, "customer", customer)?;
    }
    let customer = customer.or_else(|| applications::customer(account, &shares));
    let of = customer.and_then(|place| account.table(Kind::Customer).get(place));
    let inherited = of.and_then(|of| of.text("currency")).unwrap_or(CURRENCY);
    let currency = money.text("currency").unwrap_or(inherited).to_owned();
    let cash = applications::cash(&shares);
    let amount = match money.number("amount") {
        Some(amount) => amount,
        None if !shares.is_empty() => cash,
        None => return Err(Problem::param("amount", "Amount is missing")),
    };
    if amount < Decimal::ZERO || is_too_fine(amount, &currency) {
        return Err(Problem::param(
            "amount",
            format!("Amount is not valid: {amount}"),
        ));
    }
    if shares.is_empty() && amount.is_zero() {
        return Err(Problem::param("amount", "Amount must be greater than 0"));
    }
    if cash > amount {
        let message = "The amount applied is more than the payment's amount";
        return Err(Problem::param("applied_to", message));
    }
    applications::check(account, &shares, released, customer, &currency)?;
    Ok(New {
        customer,
        currency,
        amount,
        shares,
        method: "other".to_owned(),
        source: "keyed".to_owned(),
        charge: Json::Null,
        arrives: None,
    })
}

/// Makes a payment that was checked.
pub(crate) fn make(account: &mut Account, new: New, fields: Vec<(&'static str, Json)>) -> i64 {
    let balance = new.amount - applications::cash(&new.shares);
    let token = account.random.token(24);
    let mut payment = Json::whole([
        ("customer", new.customer.into()),
        ("date", account.now().into()),
        ("currency", new.currency.as_str().into()),
        ("amount", number(new.amount)),
        ("balance", number(balance)),
        ("matched", Json::Null),
        ("voided", false.into()),
        ("method", new.method.as_str().into()),
        ("ach_sender_id", Json::Null),
        ("reference", Json::Null),
        ("source", new.source.as_str().into()),
        ("notes", Json::Null),
        ("charge", new.charge),
        ("applied_to", applications::shown(&new.shares)),
        ("pdf_url", format!("/payments/{token}/pdf").into()),
        ("metadata", Json::Object(Vec::new())),
    ]);
    lay(&mut payment, fields);
    if payment.get("method").is_none() {
        payment.put("method", "other".into());
    }
    if let Some(arrives) = new.arrives {
        payment.put("_arrives", arrives.into());
    }
    let place = account.insert(Kind::Payment, payment);
    if new.arrives.is_some() {
        for (kind, document) in new.shares.iter().filter_map(|share| share.document) {
            account.in_flight.insert((kind, document, place));
            crate::life::refresh(account, kind, document, true);
        }
    } else {
        applications::apply(account, &new.shares, new.customer, &new.currency, false);
    }
    place
}

/// `PATCH /payments/:id`. A new `applied_to` replaces the old one.
pub(crate) fn update(account: &mut Account, place: i64, body: &Json) -> Result<(), Problem> {
    let payment = account.get(Kind::Payment, place)?.clone();
    if payment.flag("voided") == Some(true) {
        return Err(Problem::request("A voided payment can't be changed"));
    }
    let fields = take(FIELDS, body)?;
    check_fields(&fields)?;
    let money = object(take(MONEY, body)?);
    let moves = ["customer", "amount", "applied_to"]
        .iter()
        .any(|name| body.get(name).is_some());
    if !moves {
        account.change(Kind::Payment, place, |payment| lay(payment, fields));
        return Ok(());
    }
    let charged = payment.get("charge").is_some();
    if charged
        && money
            .number("amount")
            .is_some_and(|new| new != amount(&payment, "amount"))
    {
        return Err(Problem::param(
            "amount",
            "The amount of a processed payment can't be changed",
        ));
    }
    let (owner, currency, shares) = parts(&payment)?;
    if is_in_flight(&payment) {
        return Err(Problem::request("A payment in flight can't be changed"));
    }
    let mut wanted = Json::Object(Vec::new());
    for name in ["customer", "currency", "amount", "applied_to"] {
        let value = money.get(name).or_else(|| payment.get(name));
        wanted.put(name, value.cloned().unwrap_or(Json::Null));
    }
    let new = new(account, &wanted, &shares)?;
    let balance = new.amount - applications::cash(&new.shares);
    applications::apply(account, &shares, owner, &currency, true);
    applications::apply(account, &new.shares, new.customer, &new.currency, false);
    account.change(Kind::Payment, place, |payment| {
        lay(payment, fields);
        payment.put("customer", new.customer.into());
        payment.put("amount", number(new.amount));
        payment.put("balance", number(balance));
        payment.put("applied_to", applications::shown(&new.shares));
    });
    Ok(())
}

/// Voids a payment: what it was applied to is open again.
pub(crate) fn void(account: &mut Account, place: i64) -> Result<(), Problem> {
    let payment = account.get(Kind::Payment, place)?.clone();
    if payment.flag("voided") == Some(true) {
        return Err(Problem::request("This payment has already been voided"));
    }
    let (owner, currency, shares) = parts(&payment)?;
    if is_in_flight(&payment) {
        land(account, place, &shares);
    } else {
        applications::check_back(account, &shares, owner, &currency)?;
        applications::apply(account, &shares, owner, &currency, true);
    }
    let told_as_deleted = account.switches.void_is_deleted;
    let work = |payment: &mut Json| {
        payment.put("voided", true.into());
        payment.put("balance", Decimal::ZERO.into());
        payment.put("applied_to", Vec::new().into());
        payment.take("_arrives");
    };
    if told_as_deleted {
        let now = account.now();
        account.change_quietly(Kind::Payment, place, |payment| {
            work(payment);
            payment.put("updated_at", now.into());
        });
        account.tell(Kind::Payment, place, "deleted", Json::Null);
    } else {
        account.change(Kind::Payment, place, work);
    }
    Ok(())
}

/// Whether a payment is in flight.
pub(crate) fn is_in_flight(payment: &Json) -> bool {
    payment.get("_arrives").is_some()
}

/// A payment is no longer in flight.
pub(crate) fn land(account: &mut Account, place: i64, shares: &[Share]) {
    account.change_quietly(Kind::Payment, place, |payment| {
        drop(payment.take("_arrives"))
    });
    for (kind, document) in shares.iter().filter_map(|share| share.document) {
        account.in_flight.remove(&(kind, document, place));
        crate::life::refresh(account, kind, document, true);
    }
}

/// Whose a payment is, its currency and its shares.
pub(crate) fn parts(payment: &Json) -> Result<(Option<i64>, String, Vec<Share>), Problem> {
    let shares = applications::read(payment.list("applied_to"))?;
    let currency = payment.text("currency").unwrap_or(CURRENCY).to_owned();
    Ok((id(payment, "customer"), currency, shares))
}

fn check_fields(fields: &[(&'static str, Json)]) -> Result<(), Problem> {
    let method = fields.iter().find(|(name, _)| *name == "method");
    match method {
        Some((_, Json::Text(method))) if !METHODS.contains(&&**method) => Err(Problem::param(
            "method",
            format!("Method is not valid: {method}"),
        )),
        _ => Ok(()),
    }
}
