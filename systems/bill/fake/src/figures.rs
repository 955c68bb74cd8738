//! What a bill amounts to: paid, scheduled, covered by credits, due (README §Bills).

use rust_decimal::Decimal;

use crate::bills::Bill;
use crate::organization::Organization;
use crate::payments;

/// What a bill amounts to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) amount: Decimal,
    pub(crate) paid: Decimal,
    pub(crate) scheduled: Decimal,
    pub(crate) credit: Decimal,
    pub(crate) due: Decimal,
    pub(crate) status: &'static str,
}

/// The sum of a bill's lines.
pub(crate) fn total(bill: &Bill) -> Decimal {
    bill.lines.iter().map(|line| line.amount).sum()
}

/// What is paid, scheduled, covered by credits, and due.
pub(crate) fn figures(org: &Organization, place: u32) -> Figures {
    let bill = &org.bills.at(place).body;
    let amount = total(bill);
    let (mut paid, mut scheduled) = (Decimal::ZERO, Decimal::ZERO);
    let (mut live, mut moving) = (false, false);
    let mut credit: Decimal = bill.credits.iter().map(|(_, amount)| amount).sum();
    for payment in &bill.payments {
        let stage = payments::stage(&org.payments.at(*payment).body.single_status);
        if stage == payments::Stage::Dead {
            continue;
        }
        live = true;
        for part in &org.payments.at(*payment).body.parts {
            if part.bill != place {
                continue;
            }
            credit += part
                .credits
                .iter()
                .map(|(_, amount)| amount)
                .sum::<Decimal>();
            if stage == payments::Stage::Paid {
                paid += part.amount;
            } else {
                scheduled += part.amount;
                moving |= stage == payments::Stage::Moving;
            }
        }
    }
    let due = amount - credit - scheduled - paid;
    let status = match (live, scheduled.is_zero()) {
        (true, false) if moving => "IN_PROCESS",
        (true, false) => "SCHEDULED",
        (true, true) if due <= Decimal::ZERO => "PAID",
        (true, true) if !paid.is_zero() || !credit.is_zero() => "PARTIALLY_PAID",
        _ => "UNPAID",
    };
    Figures {
        amount,
        paid,
        scheduled,
        credit,
        due,
        status,
    }
}
