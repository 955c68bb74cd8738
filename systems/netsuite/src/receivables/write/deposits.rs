//! Deposits on their way out. One is made once and never changed: what a person books there stays as it is.

use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::document::{Deposit, DepositLine, Deposited};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Fault, RemoteId};

use super::super::deposits::Deposits;
use super::Head;
use crate::call::Client;
use crate::form::{Form, listed_names};
use crate::probe::Shape;
use crate::records::{Body, reference};

/// Deposits, as they are written.
pub(crate) struct DepositForm;

impl Form for DepositForm {
    type Document = Deposit;
    type Source = Deposits;

    const SOURCE: Deposits = Deposits;
    const RECORD: &'static str = "deposit";
    const ACTIONS: &'static [Action] = &[Action::Create];
    /// Other lines have no key: a repeated write would append them.
    const REPLACES: Option<&'static str> = Some("other");

    fn of(document: &Document) -> Option<&Deposit> {
        match document {
            Document::Deposit(found) => Some(found),
            _ => None,
        }
    }

    /// Its total follows from its payments and lines.
    fn body(client: &Client, shape: &Shape, deposit: &Deposit) -> Result<Body, Fault> {
        let head = Head {
            date: deposit.date,
            currency: deposit.currency,
            subsidiary: deposit.subsidiary.as_ref(),
            period: deposit.period.as_ref(),
            memo: &deposit.memo,
        };
        let mut body = head.body(client, shape)?;
        body.set("account", reference(&deposit.account));
        body.text("tranId", &deposit.number);
        let payments = deposit.payments.iter().map(payment);
        let payments: Vec<Body> = payments.collect::<Result<_, _>>()?;
        if !payments.is_empty() {
            body.items("payment", payments);
        }
        body.items("other", deposit.lines.iter().map(line).collect());
        Ok(body)
    }

    fn same(there: &Deposit, wanted: &Deposit) -> bool {
        there.account == wanted.account
            && there.currency == wanted.currency
            && there.date == wanted.date
            && there.total == wanted.total
            && taken(&there.payments) == taken(&wanted.payments)
            && booked(&there.lines) == booked(&wanted.lines)
    }

    fn names(deposit: &Deposit) -> Vec<String> {
        listed_names(&deposit.number, &["Deposit"])
    }
}

/// A payment is chosen by its id, here alone a whole number (README §Deposits).
fn payment(deposited: &Deposited) -> Result<Body, Fault> {
    let Ok(id) = deposited.payment.as_str().parse::<u64>() else {
        return Err(Fault::Refused {
            code: Code::new("bad-reference"),
            field: Some("payment".to_owned()),
            cause: format!("`{}` is no id of a payment", deposited.payment),
        });
    };
    let mut body = Body::default();
    body.set("id", json!(id));
    body.set("deposit", json!(true));
    Ok(body)
}

fn line(line: &DepositLine) -> Body {
    let mut body = Body::default();
    body.set("account", reference(&line.account));
    body.amount("amount", line.amount);
    body.reference("entity", line.party.as_ref());
    body.text("memo", &line.memo);
    body
}

fn taken(payments: &[Deposited]) -> Vec<&Deposited> {
    let mut payments: Vec<_> = payments.iter().collect();
    payments.sort_unstable();
    payments
}

/// What is booked where. The words of a line are nobody's money.
fn booked(lines: &[DepositLine]) -> Vec<(&RemoteId, Amount)> {
    let mut booked: Vec<_> = lines
        .iter()
        .map(|line| (&line.account, line.amount))
        .collect();
    booked.sort_unstable();
    booked
}
