//! The legs put together, and what they come to.

use std::collections::BTreeMap;

use tieout_domain::{Amount, Date, MoneyError};

use super::input::{Held, Input, Presence};
use super::platform_leg::{self, note};
use super::report::by_day;
use super::rules::{age, rules};
use super::{Aging, Category, Document, Figure, Gravity, Item, Leg, LegReport, Report, Status};
use super::{advisory, base, loose, settlements};

/// Upper ends of the aging's buckets, in days overdue, and their names.
const BUCKETS: [(i64, &str); 5] = [
    (0, "not due"),
    (30, "1 to 30 days"),
    (60, "31 to 60 days"),
    (90, "61 to 90 days"),
    (i64::MAX, "over 90 days"),
];

/// Makes the report.
///
/// # Errors
/// [`MoneyError::Overflow`] if a sum has more than 28 digits.
pub fn report(input: Input) -> Result<Report, MoneyError> {
    let platform = platform_leg::work(&input)?;
    let rules = rules(input.scope.book);
    let symbols = rules.symbols();
    let clearing = rules.clearing(&input)?;
    let settlements = settlements::work(&input)?;
    let mut items = loose::items(&input.loose, &input.scope);
    for item in &mut items {
        note(item, &input.notes);
    }
    let ledger_explained = Amount::total(items.iter().map(|item| item.amount))?;
    let platform_explained = Amount::total(platform.items.iter().map(|item| item.amount))?;
    let clearing_explained = Amount::total(
        clearing
            .items
            .iter()
            .skip(clearing.makes_up)
            .map(|item| item.amount),
    )?;
    let scope = &input.scope;
    let accounts = labels(&scope.accounts);
    let basis = if by_day(scope.method, &scope.period, scope.day) {
        "sub-ledger, by day"
    } else {
        "sub-ledger, by posting period"
    };
    let sub_ledger = figure("A", basis, platform.ledger);
    let forward = &input.roll_forward;
    let rolled = forward
        .flows
        .iter()
        .try_fold(forward.opening, |sum, flow| sum.plus(flow.ledger_amount))?;
    let mut legs = vec![
        leg(
            Leg::Ledger,
            figure("G", &format!("general ledger, {accounts}"), input.control),
            sub_ledger.clone(),
            ledger_explained,
        )?,
        leg(
            Leg::Platform,
            sub_ledger.clone(),
            figure(
                symbols.platform,
                &format!("{}, open", scope.platform.system),
                platform.platform,
            ),
            platform_explained,
        )?,
        leg(
            Leg::Clearing,
            figure(
                symbols.clearing,
                &format!("general ledger, {}", labels(&scope.clearing)),
                clearing.balance,
            ),
            figure(symbols.expected, symbols.under_way, clearing.expected),
            clearing_explained,
        )?,
        LegReport {
            flows: forward.flows.clone(),
            ..leg(
                Leg::RollForward,
                figure("A", "sub-ledger at the end", platform.ledger),
                figure(
                    "",
                    &format!(
                        "opening balance {} and what happened in the period",
                        forward.opening.of(scope.currency)
                    ),
                    rolled,
                ),
                Amount::ZERO,
            )?
        },
    ];
    if let Some(settled) = settlements {
        let explained = Amount::total(settled.items.iter().map(|item| item.amount))?;
        let arrived = format!("{}, paid out", scope.platform.system);
        legs.push(LegReport {
            flows: settled.flows,
            ..leg(
                Leg::Payouts,
                figure("P", &arrived, settled.paid_out),
                figure("D", "deposits of it in the ledger", settled.deposited),
                explained,
            )?
        });
        items.extend(settled.items);
    }
    for leg in &mut legs {
        rules.title(leg.leg).clone_into(&mut leg.title);
    }
    items.extend(platform.items);
    items.extend(clearing.items);
    items.sort_by(|a, b| order(a).cmp(&order(b)));
    let aging = aging(&input)?;
    let base = base::page(&input)?;
    let advisories = advisory::advisories(&input.payouts, &input.scope);
    let basis_difference = Amount::total(input.basis.iter().map(|line| line.amount))?;
    let residuals: BTreeMap<Leg, Amount> = legs.iter().map(|leg| (leg.leg, leg.residual)).collect();
    let mut notices = input.notices;
    if input.settlements.is_none() {
        notices.extend(rules.notice(&input.scope));
    }
    let mut report = Report {
        status: Status::Tied,
        reasons: Vec::new(),
        book: input.scope.book,
        connection: input.scope.connection,
        ledger: input.scope.ledger,
        platform: input.scope.platform,
        accounts: input.scope.accounts,
        clearing: input.scope.clearing,
        currency: input.scope.currency,
        period: input.scope.period,
        day: input.scope.day,
        method: input.scope.method,
        made_at: input.scope.made_at,
        residuals,
        legs,
        items,
        basis: input.basis,
        basis_difference,
        advisories,
        aging,
        base,
        completeness: input.completeness,
        signatures: Vec::new(),
        notices,
    };
    judge(&mut report);
    Ok(report)
}

/// Sets the status, and says why it is no better.
pub fn judge(report: &mut Report) {
    let currency = report.currency;
    let failed: Vec<String> = report
        .completeness
        .checks
        .iter()
        .filter(|check| !check.holds)
        .map(|check| {
            let (what, expected, found) = (&check.what, &check.expected, &check.found);
            format!("{what}: {expected} was expected, and {found} found")
        })
        .collect();
    if !failed.is_empty() {
        report.status = Status::Incomplete;
        report.reasons = failed;
        return;
    }
    let mut reasons: Vec<String> = report
        .legs
        .iter()
        .filter(|leg| !leg.residual.is_zero())
        .map(|leg| {
            let residual = leg.residual.of(currency);
            format!(
                "leg {}: {residual} is explained by nothing",
                leg.leg.number()
            )
        })
        .collect();
    let grave = |gravity: Gravity, owned: bool| {
        report
            .items
            .iter()
            .filter(|item| item.category.gravity() == gravity && item.is_owned() == owned)
            .count()
    };
    for (gravity, what) in [
        (Gravity::Critical, "critical item"),
        (Gravity::Error, "error item"),
    ] {
        match grave(gravity, false) {
            0 => {}
            1 => reasons.push(format!("1 {what} has no owner and comment")),
            count => reasons.push(format!("{count} {what}s have no owner and comment")),
        }
    }
    if !reasons.is_empty() {
        report.status = Status::NotTied;
        report.reasons = reasons;
        return;
    }
    let (critical, errors) = (grave(Gravity::Critical, true), grave(Gravity::Error, true));
    if critical + errors == 0 {
        report.status = Status::Tied;
        report.reasons.clear();
        return;
    }
    report.status = Status::TiedWithExceptions;
    report.reasons = [(critical, "critical"), (errors, "error")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| {
            let items = if count == 1 { "item" } else { "items" };
            format!("{count} {what} {items}, each with an owner")
        })
        .collect();
}

fn leg(leg: Leg, left: Figure, right: Figure, explained: Amount) -> Result<LegReport, MoneyError> {
    let difference = left.amount.minus(right.amount)?;
    Ok(LegReport {
        leg,
        title: leg.title().to_owned(),
        difference,
        explained,
        residual: difference.minus(explained)?,
        left,
        right,
        flows: Vec::new(),
    })
}

fn figure(symbol: &str, label: &str, amount: Amount) -> Figure {
    Figure {
        symbol: symbol.to_owned(),
        label: label.to_owned(),
        amount,
    }
}

fn labels(accounts: &[super::AccountName]) -> String {
    let labels: Vec<&str> = accounts.iter().map(|one| one.label.as_str()).collect();
    if labels.is_empty() {
        "no account".to_owned()
    } else {
        labels.join(" and ")
    }
}

/// By leg, the graver first, then by category, the larger first, then by record.
fn order(
    item: &Item,
) -> (
    Leg,
    Gravity,
    Category,
    std::cmp::Reverse<Amount>,
    Option<&Document>,
    Option<&Document>,
) {
    (
        item.category.leg(),
        item.category.gravity(),
        item.category,
        std::cmp::Reverse(item.amount.abs()),
        item.ledger.as_ref(),
        item.platform.as_ref(),
    )
}

/// What each side has open by how long it is overdue; a document without a due day is due on its own day.
fn aging(input: &Input) -> Result<Vec<Aging>, MoneyError> {
    let mut buckets: Vec<Aging> = BUCKETS
        .iter()
        .map(|(_, name)| Aging {
            bucket: (*name).to_owned(),
            ledger: Amount::ZERO,
            platform: Amount::ZERO,
        })
        .collect();
    let day = input.scope.day;
    for pair in &input.pairs {
        for (held, of_ledger) in [(&pair.ledger, true), (&pair.platform, false)] {
            let Some(held) = held
                .as_ref()
                .filter(|held| held.presence == Presence::There)
            else {
                continue;
            };
            let bucket = &mut buckets[bucket(held, day)];
            let sum = if of_ledger {
                &mut bucket.ledger
            } else {
                &mut bucket.platform
            };
            *sum = sum.plus(held.open)?;
        }
    }
    Ok(buckets)
}

fn bucket(held: &Held, day: Date) -> usize {
    let overdue = age(held.due.unwrap_or(held.date), day);
    let found = BUCKETS.iter().position(|(until, _)| overdue <= *until);
    found.unwrap_or(BUCKETS.len() - 1)
}
