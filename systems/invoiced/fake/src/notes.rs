//! Notes about customers and invoices.

use crate::account::Account;
use crate::documents::object;
use crate::json::Json;
use crate::kind::Kind;
use crate::problem::Problem;
use crate::shape::{Field, Rule, id, lay, take};

static ABOUT: &[Field] = &[("customer_id", Rule::Id), ("invoice_id", Rule::Id)];
static TEXT: &[Field] = &[("notes", Rule::Text)];

/// Makes one and gives its place.
pub(crate) fn create(account: &mut Account, body: &Json) -> Result<i64, Problem> {
    let about = object(take(ABOUT, body)?);
    let invoice = id(&about, "invoice_id");
    let named = match invoice {
        None => None,
        Some(invoice) => {
            account.reference(Kind::Invoice, "invoice_id", invoice)?;
            id(account.get(Kind::Invoice, invoice)?, "customer")
        }
    };
    let customer = id(&about, "customer_id").or(named);
    let customer = customer.ok_or_else(|| Problem::param("customer_id", "Customer is missing"))?;
    account.reference(Kind::Customer, "customer_id", customer)?;
    let mut note = Json::whole([
        ("customer", customer.into()),
        ("invoice", invoice.into()),
        ("notes", Json::Null),
        ("user", Json::Null),
    ]);
    lay(&mut note, take(TEXT, body)?);
    if note.text("notes").is_none() {
        return Err(Problem::param("notes", "Notes is missing"));
    }
    Ok(account.insert(Kind::Note, note))
}

/// Changes its text.
pub(crate) fn update(account: &mut Account, place: i64, body: &Json) -> Result<(), Problem> {
    let fields = take(TEXT, body)?;
    account.get(Kind::Note, place)?;
    account.change(Kind::Note, place, |note| lay(note, fields));
    Ok(())
}
