//! Customers, and the people who see their invoices (README §Customers).

use jiff::Timestamp;

use crate::account::Account;
use crate::call::{Answer, Call, Reply};
use crate::capability::{Capabilities, Capability};
use crate::json::Json;
use crate::pages;
use crate::problem::Problem;
use crate::table::{Record as _, Stamp, record};
use crate::webhooks::{self, Topic};

/// The fields that a caller may give, beside the name.
const FIELDS: [&str; 10] = [
    "legal_name",
    "email",
    "external_id",
    "ein",
    "street_address",
    "sub_premise",
    "city",
    "state",
    "postal_code",
    "country",
];

/// A customer.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) stamp: Stamp,
    pub(crate) name: String,
    /// What was given of [`FIELDS`].
    details: Vec<(&'static str, String)>,
    archived_at: Option<Timestamp>,
}

record!(Customer, "cus", |customer| customer.archived_at.is_some());

/// Somebody of a customer's.
#[derive(Debug, Clone)]
pub(crate) struct User {
    stamp: Stamp,
    customer: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
}

record!(User, "usr");

impl Customer {
    fn detail(&self, name: &str) -> Option<&str> {
        let found = self.details.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| value.as_str())
    }

    fn take(&mut self, body: &Json) -> Result<(), Problem> {
        if let Some(name) = text(body, "name")? {
            name.clone_into(&mut self.name);
        }
        if self.name.trim().is_empty() {
            return Err(Problem::field("name", "name is required"));
        }
        for field in FIELDS {
            if let Some(value) = text(body, field)? {
                self.details.retain(|(name, _)| *name != field);
                self.details.push((field, value.to_owned()));
            }
        }
        match self.detail("email") {
            Some(email) if !email.contains('@') => {
                Err(Problem::field("email", "email is not an address"))
            }
            _ => Ok(()),
        }
    }
}

/// A text of a body; `null` is as good as absent.
pub(crate) fn text<'a>(body: &'a Json, field: &'static str) -> Result<Option<&'a str>, Problem> {
    match body.get(field) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::field(field, format!("{field} must be a text"))),
    }
}

/// Makes one and gives its identifier.
pub(crate) fn create(account: &mut Account, body: &Json) -> Result<String, Problem> {
    let mut customer = Customer {
        stamp: account.stamp::<Customer>(),
        name: String::new(),
        details: Vec::new(),
        archived_at: None,
    };
    customer.take(body)?;
    free(account, &customer)?;
    let id = customer.stamp.id.clone();
    account.customers.insert(customer);
    webhooks::tell(account, Topic::CustomerCreated, &id);
    Ok(id)
}

/// Changes one.
pub(crate) fn amend(account: &mut Account, id: &str, body: &Json) -> Result<(), Problem> {
    let mut customer = account.customer(id)?.clone();
    customer.take(body)?;
    free(account, &customer)?;
    account.change(|all| &mut all.customers, id, |there| *there = customer);
    webhooks::tell(account, Topic::CustomerUpdated, id);
    Ok(())
}

/// Archives one; again is as good as once.
pub(crate) fn archive(account: &mut Account, id: &str) -> Result<(), Problem> {
    if account.customer(id)?.is_archived() {
        return Ok(());
    }
    let now = account.now();
    account.change(
        |all| &mut all.customers,
        id,
        |customer| {
            customer.archived_at = Some(now);
        },
    );
    webhooks::tell(account, Topic::CustomerArchived, id);
    Ok(())
}

/// Refuses an external identifier that another one has, archived or not.
fn free(account: &Account, customer: &Customer) -> Result<(), Problem> {
    let Some(wanted) = customer.detail("external_id") else {
        return Ok(());
    };
    let taken = account
        .customers
        .rows()
        .any(|other| other.id() != customer.id() && other.detail("external_id") == Some(wanted));
    if taken {
        return Err(Problem::taken());
    }
    Ok(())
}

/// `GET /customers`. No filter finds an `external_id`.
pub(crate) fn list(account: &Account, call: &Call<'_>) -> Answer {
    let name = call.query.get("company_name").map(str::to_lowercase);
    let named = |customer: &&Customer| {
        let wanted = name.as_ref();
        wanted.is_none_or(|name| customer.name.to_lowercase() == *name)
    };
    let found = account.customers.rows().filter(named);
    pages::page(account, call, found, |one| {
        show(one, account.switches.capabilities)
    })
}

/// `/customers/{id}/users`.
pub(crate) fn users(account: &mut Account, call: &Call<'_>, id: &str) -> Answer {
    account.customer(id)?;
    if call.method == "GET" {
        let own = account.users.rows().filter(|user| user.customer == id);
        return pages::page(account, call, own, show_user);
    }
    let body = call.fields()?;
    let email = text(&body, "email")?.filter(|email| email.contains('@'));
    let user = User {
        email: email
            .ok_or_else(|| Problem::field("email", "email is not an address"))?
            .to_owned(),
        first_name: text(&body, "first_name")?.map(str::to_owned),
        last_name: text(&body, "last_name")?.map(str::to_owned),
        customer: id.to_owned(),
        stamp: account.stamp::<User>(),
    };
    let shown = show_user(&user);
    account.users.insert(user);
    Ok(Reply::created(shown))
}

/// `GET /customers/{id}/payment-methods/…`: there are none here.
pub(crate) fn payment_methods(account: &Account, call: &Call<'_>, id: &str) -> Answer {
    account.customer(id)?;
    pages::page(account, call, std::iter::empty::<&User>(), show_user)
}

/// One as it is answered.
pub(crate) fn show(customer: &Customer, capabilities: Capabilities) -> Json {
    let detail = |name: &str| Json::from(customer.detail(name));
    let mut shown = Json::whole([
        ("id", customer.id().into()),
        ("name", customer.name.as_str().into()),
        ("legal_name", detail("legal_name")),
        ("email", detail("email")),
        ("external_id", detail("external_id")),
        ("customer_integration_id", Json::Null),
        ("default_payment_method_id", Json::Null),
        ("ein", detail("ein")),
        ("street_address", detail("street_address")),
        ("sub_premise", detail("sub_premise")),
        ("city", detail("city")),
        ("state", detail("state")),
        ("postal_code", detail("postal_code")),
        ("country", detail("country")),
        ("created_at", pages::time(customer.stamp.created_at)),
    ]);
    if let Some(archived) = customer.archived_at {
        shown.put("archived_at", pages::time(archived));
    }
    if capabilities.has(Capability::ChangedSince) {
        shown.put("updated_at", pages::time(customer.stamp.updated_at));
    }
    shown
}

fn show_user(user: &User) -> Json {
    Json::whole([
        ("id", user.id().into()),
        ("email", user.email.as_str().into()),
        ("first_name", user.first_name.as_deref().into()),
        ("last_name", user.last_name.as_deref().into()),
        ("created_at", pages::time(user.stamp.created_at)),
    ])
}
