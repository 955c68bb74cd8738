//! Customer payments on their way out, and moving their applications.
//!
//! A payment is cash. Credit memos used with it stand in its credit list. A reversal moves the applications of a
//! payment from its invoices to a line of a journal entry, in one write, as it does for vendor payments (README
//! §Reversals); the payment itself stays.

use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::document::{Application, CreditUse, CustomerPayment, KeptIn, PaymentUse, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Fault, RemoteId};

use super::super::payments::Receipts;
use super::{Head, changed_text, fits};
use crate::call::Client;
use crate::form::{Form, listed_names};
use crate::probe::Shape;
use crate::records::{Body, reference};
use crate::vendor_payments::{apply_item, credit_items, credits_used, moved, same_applications};

/// What a payment is used for, as its apply list has it: by invoice, with the credits used on each. Cash that is
/// kept as the customer's credit stays unapplied.
fn applications(uses: &[PaymentUse]) -> Result<Vec<Application>, Fault> {
    let mut all: Vec<Application> = Vec::new();
    for PaymentUse { of, amount } in uses {
        match of {
            UseOf::Invoice(invoice) => cash(on(&mut all, invoice, None), *amount),
            UseOf::JournalEntry { entry, line } => cash(on(&mut all, entry, *line), *amount),
            UseOf::CreditMemo { credit, invoice } => {
                on(&mut all, invoice, None).credits.push(CreditUse {
                    credit: credit.clone(),
                    amount: *amount,
                });
            }
            UseOf::Credit => {}
            UseOf::KeptCredit { .. }
            | UseOf::ConvenienceFee
            | UseOf::Estimate(_)
            | UseOf::Other(_) => return Err(elsewhere(of)),
        }
    }
    Ok(all)
}

fn cash(application: &mut Application, amount: Amount) {
    application.amount = [application.amount, amount].into_iter().sum();
}

fn on<'a>(
    all: &'a mut Vec<Application>,
    document: &RemoteId,
    line: Option<u32>,
) -> &'a mut Application {
    let known = all
        .iter()
        .position(|one| one.document == *document && one.line == line);
    let at = known.unwrap_or_else(|| {
        all.push(Application {
            document: document.clone(),
            line,
            amount: Amount::ZERO,
            discount: Amount::ZERO,
            credits: Vec::new(),
        });
        all.len() - 1
    });
    &mut all[at]
}

/// A use that is no part of a customer payment over there.
fn elsewhere(of: &UseOf) -> Fault {
    let what = match of {
        UseOf::KeptCredit { .. } => {
            "credit that an earlier payment left is applied by that payment"
        }
        UseOf::ConvenienceFee => "a convenience fee is income of its own",
        UseOf::Estimate(_) => "a deposit on an estimate is a customer deposit",
        _ => "a use that this program doesn't know can't be booked",
    };
    Fault::Refused {
        code: Code::new("not-supported"),
        field: None,
        cause: format!("{what}, and no part of a customer payment in NetSuite"),
    }
}

/// Where the money lies; without a choice it waits in Undeposited Funds.
fn keep(body: &mut Body, kept_in: Option<&KeptIn>) {
    match kept_in {
        Some(KeptIn::Account(account)) => {
            body.set("undepFunds", json!({"id": "F"}));
            body.set("account", reference(account));
        }
        Some(KeptIn::UndepositedFunds) | None => body.set("undepFunds", json!({"id": "T"})),
    }
}

/// Whether the parts that move money are alike.
fn same_money(there: &CustomerPayment, other: &CustomerPayment) -> bool {
    let (Ok(one), Ok(two)) = (applications(&there.uses), applications(&other.uses)) else {
        return false;
    };
    there.customer == other.customer
        && there.currency == other.currency
        && there.total == other.total
        && there.date == other.date
        && (fits(there.kept_in.as_ref(), other.kept_in.as_ref()) || there.kept_in.is_none())
        && same_applications(&one, &two)
}

/// Customer payments, as they are written.
pub(crate) struct CustomerPaymentForm;

impl Form for CustomerPaymentForm {
    type Document = CustomerPayment;
    type Source = Receipts;

    const SOURCE: Receipts = Receipts;
    const RECORD: &'static str = "customerPayment";
    const ACTIONS: &'static [Action] = &[Action::Create, Action::Amend];

    fn of(document: &Document) -> Option<&CustomerPayment> {
        match document {
            Document::CustomerPayment(found) => Some(found),
            _ => None,
        }
    }

    fn body(client: &Client, shape: &Shape, payment: &CustomerPayment) -> Result<Body, Fault> {
        let Some(customer) = &payment.customer else {
            return Err(Fault::Refused {
                code: Code::new("field-missing"),
                field: Some("customer".to_owned()),
                cause: "a payment that nobody has identified can't be booked as a customer's"
                    .to_owned(),
            });
        };
        let head = Head {
            date: payment.date,
            currency: payment.currency,
            subsidiary: payment.subsidiary.as_ref(),
            period: payment.period.as_ref(),
            memo: &payment.memo,
        };
        let mut body = head.body(client, shape)?;
        body.set("customer", reference(customer));
        keep(&mut body, payment.kept_in.as_ref());
        body.reference("arAcct", payment.receivables_account.as_ref());
        body.amount("payment", payment.total);
        body.text("checkNumber", &payment.number);
        // Left on, it would settle the oldest invoices first (scenario 181).
        body.set("autoApply", json!(false));
        let applications = applications(&payment.uses)?;
        let applied = applications.iter().map(|one| apply_item(one, true));
        body.items("apply", applied.collect());
        let credits = credit_items(&[], &credits_used(&applications));
        if !credits.is_empty() {
            body.items("credit", credits);
        }
        Ok(body)
    }

    fn same(there: &CustomerPayment, wanted: &CustomerPayment) -> bool {
        same_money(there, wanted)
            && (wanted.memo.is_empty() || there.memo == wanted.memo)
            && (wanted.number.is_empty() || there.number == wanted.number)
    }

    fn names(payment: &CustomerPayment) -> Vec<String> {
        listed_names(&payment.number, &["Payment", "Customer Payment"])
    }

    fn unchanged(there: &CustomerPayment, expected: &CustomerPayment) -> bool {
        same_money(there, expected) && there.memo == expected.memo
    }

    fn difference(
        there: &CustomerPayment,
        expected: Option<&CustomerPayment>,
        wanted: &CustomerPayment,
    ) -> Result<Body, Fault> {
        let mut body = Body::default();
        changed_text(&mut body, "memo", &there.memo, &wanted.memo);
        if !wanted.number.is_empty() {
            changed_text(&mut body, "checkNumber", &there.number, &wanted.number);
        }
        if there.total != wanted.total {
            body.amount("payment", wanted.total);
        }
        if there.date != wanted.date {
            body.set("tranDate", json!(wanted.date.to_string()));
        }
        if !fits(there.kept_in.as_ref(), wanted.kept_in.as_ref()) {
            keep(&mut body, wanted.kept_in.as_ref());
        }
        let (old, new) = (applications(&there.uses)?, applications(&wanted.uses)?);
        if !same_applications(&old, &new) {
            body.items("apply", moved(&old, &new));
            let mut before = credits_used(&old);
            if let Some(expected) = expected {
                before.extend(credits_used(&applications(&expected.uses)?));
            }
            let credits = credit_items(&before, &credits_used(&new));
            if !credits.is_empty() {
                body.items("credit", credits);
            }
        }
        // Documented: a change of the apply list names the customer again.
        if !body.is_empty()
            && let Some(customer) = &wanted.customer
        {
            body.set("customer", reference(customer));
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(of: UseOf, amount: &str) -> PaymentUse {
        PaymentUse {
            of,
            amount: amount.parse().unwrap(),
        }
    }

    #[test]
    fn uses_become_applications_by_invoice_with_the_credits_on_each() {
        let credit = UseOf::CreditMemo {
            credit: "501".into(),
            invoice: "9001".into(),
        };
        let uses = [
            part(UseOf::Invoice("9001".into()), "60"),
            part(credit, "40"),
            part(UseOf::Invoice("9002".into()), "10"),
            part(UseOf::Invoice("9001".into()), "5"),
            part(UseOf::Credit, "7"),
        ];
        let read = applications(&uses).unwrap();
        let told: Vec<(String, String, usize)> = read
            .iter()
            .map(|one| {
                let credits = one.credits.len();
                (one.document.to_string(), one.amount.to_string(), credits)
            })
            .collect();
        let expected = [("9001", "65", 1), ("9002", "10", 0)];
        let own = expected.map(|(id, amount, credits)| (id.to_owned(), amount.to_owned(), credits));
        assert_eq!(told, own);
    }

    #[test]
    fn a_convenience_fee_is_never_applied_to_an_invoice() {
        let uses = [part(UseOf::ConvenienceFee, "3.5")];
        let fault = applications(&uses).unwrap_err();
        assert_eq!(fault.code().as_str(), "not-supported");
        assert!(fault.to_string().contains("income of its own"), "{fault}");
    }
}
