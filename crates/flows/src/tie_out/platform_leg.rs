//! Leg 2: what the sub-ledger has open, less what the platform has open, document by document.
//!
//! A difference is taken apart into what happened: a payment or an application that one side counts and the
//! other doesn't, and a total that differs; and where a platform doesn't tell which invoices a payment pays, what it has
//! taken off those of the payment's customer; and, of what an effect may have taken off a document, as much as nothing else
//! explains. What is left of a pair after that is explained by nothing: it goes into the residual.

use std::collections::{BTreeMap, HashMap};

use tieout_domain::subledger::PostingKind;
use tieout_domain::{Amount, MoneyError, RecordRef, RemoteId};

use super::input::{Effect, EffectKind, Held, Input, Note, Pair, Presence, Scope};
use super::rules::{age, rules};
use super::{Category, Document, Item};

/// The largest difference of a pair that is a matter of rounding, and the most of all such differences of a
/// report, in hundredths.
const ROUNDING: (i64, i64) = (1, 5);

/// What leg 2 comes to.
pub(super) struct PlatformLeg {
    pub(super) ledger: Amount,
    pub(super) platform: Amount,
    pub(super) items: Vec<Item>,
}

/// Works it out.
pub(super) fn work(input: &Input) -> Result<PlatformLeg, MoneyError> {
    let mut leg = PlatformLeg {
        ledger: Amount::ZERO,
        platform: Amount::ZERO,
        items: Vec::new(),
    };
    let rules = rules(input.scope.book);
    let mut touched = Touched::of(&input.effects);
    let mut doubles = Doubles::default();
    let mut rounding = Amount::ZERO;
    for pair in &input.pairs {
        let (a, b) = (open(pair.ledger.as_ref()), open(pair.platform.as_ref()));
        leg.ledger = leg.ledger.plus(a)?;
        leg.platform = leg.platform.plus(b)?;
        let effects = touched.on(pair);
        doubles.look(pair, &effects, &input.effects)?;
        let by_effects = Amount::total(effects.iter().map(|(_, amount)| *amount))?;
        let rest = a.minus(b)?.minus(by_effects)?;
        if rest.is_zero() {
            continue;
        }
        let mut left = rest;
        if let Some((category, amount)) = cause(pair, rest, &input.scope, &mut rounding)? {
            leg.items
                .push(pair_item(pair, category, amount, &input.scope));
            left = left.minus(amount)?;
        }
        touched.place(pair, left)?;
    }
    for (at, effect) in input.effects.iter().enumerate() {
        // A part on a document that neither side has any more is no part of the difference.
        let unseen = effect.kind.must_be_seen().then_some(Amount::ZERO);
        let Some(amount) = touched.counted[at].or(unseen) else {
            continue;
        };
        if doubles.take(at) {
            continue;
        }
        let category = rules.effect(effect, input.scope.day, input.scope.grace_days);
        leg.items
            .push(effect_item(effect, category, amount, &input.scope));
    }
    leg.items.extend(doubles.items(input, &touched)?);
    for item in &mut leg.items {
        note(item, &input.notes);
    }
    Ok(leg)
}

fn open(held: Option<&Held>) -> Amount {
    held.filter(|held| held.presence == Presence::There)
        .map_or(Amount::ZERO, |held| held.open)
}

fn total(held: Option<&Held>) -> Amount {
    held.filter(|held| held.presence == Presence::There)
        .map_or(Amount::ZERO, |held| held.total)
}

/// The category of what effects don't explain of a pair, and how much of it that category explains.
fn cause(
    pair: &Pair,
    rest: Amount,
    scope: &Scope,
    rounding: &mut Amount,
) -> Result<Option<(Category, Amount)>, MoneyError> {
    let there = |held: &Option<Held>| {
        held.as_ref()
            .is_some_and(|held| held.presence == Presence::There)
    };
    let (in_ledger, on_platform) = (there(&pair.ledger), there(&pair.platform));
    let rules = rules(scope.book);
    let alone = if in_ledger && !on_platform {
        Some((
            rules.only_in_ledger(pair, scope.day, scope.grace_days),
            open(pair.ledger.as_ref()),
        ))
    } else if on_platform && !in_ledger {
        Some((
            rules.only_on_platform(pair, scope.day, scope.grace_days),
            -open(pair.platform.as_ref()),
        ))
    } else {
        None
    };
    if let Some(cause) = alone {
        return Ok(Some(cause));
    }
    let differs = total(pair.ledger.as_ref()).minus(total(pair.platform.as_ref()))?;
    if differs.is_zero() {
        return Ok(None);
    }
    let cents = |cents: i64| Amount::new(rust_decimal::Decimal::new(cents, 2));
    let so_far = rounding.plus(differs.abs())?;
    if differs == rest && differs.abs() <= cents(ROUNDING.0) && so_far <= cents(ROUNDING.1) {
        *rounding = so_far;
        return Ok(Some((Category::Rounding, differs)));
    }
    let category = rules.differing_totals(pair, differs, scope.day, scope.grace_days);
    Ok(Some((category, differs)))
}

/// Which effects touch a document, and how much of each effect has been found on documents; `None` for one
/// that touches nothing that both sides have, and so makes no difference.
struct Touched {
    on: HashMap<RecordRef, Vec<(usize, Amount)>>,
    counted: Vec<Option<Amount>>,
    /// The effects of each customer whose invoices aren't told, and what of each has not been found on any.
    unplaced: HashMap<RemoteId, Vec<(usize, Amount)>>,
    /// What an effect may have taken off a document besides; below zero where it is the ledger that counts it.
    supposed: HashMap<RecordRef, Vec<(usize, Amount)>>,
}

impl Touched {
    fn of(effects: &[Effect]) -> Self {
        let mut on: HashMap<RecordRef, Vec<(usize, Amount)>> = HashMap::new();
        let mut supposed: HashMap<RecordRef, Vec<(usize, Amount)>> = HashMap::new();
        for (at, effect) in effects.iter().enumerate() {
            let signed = |amount: Amount| match effect.kind.is_of_platform() {
                // What the platform has paid is open in the ledger still, and the other way round.
                true => amount,
                false => -amount,
            };
            for (record, amount) in &effect.parts {
                on.entry(record.clone())
                    .or_default()
                    .push((at, signed(*amount)));
            }
            for (record, amount) in &effect.supposed {
                let of_record = supposed.entry(record.clone()).or_default();
                of_record.push((at, signed(*amount)));
            }
        }
        let mut unplaced: HashMap<RemoteId, Vec<(usize, Amount)>> = HashMap::new();
        for (at, effect) in effects.iter().enumerate() {
            if let Some((customer, amount)) = &effect.unplaced {
                let of_customer = unplaced.entry(customer.clone()).or_default();
                of_customer.push((at, *amount));
            }
        }
        Self {
            on,
            counted: vec![None; effects.len()],
            unplaced,
            supposed,
        }
    }

    /// What a pair differs by beyond all that is known is the work of what may have touched it.
    fn place(&mut self, pair: &Pair, left: Amount) -> Result<(), MoneyError> {
        let left = self.place_supposed(pair, left)?;
        self.place_unplaced(pair, left)
    }

    /// What an effect may have taken off a document of both sides, as far as that still differs; returns what then still
    /// does.
    fn place_supposed(&mut self, pair: &Pair, mut left: Amount) -> Result<Amount, MoneyError> {
        let sides = [&pair.ledger, &pair.platform].map(|held| {
            let held = held.as_ref();
            held.filter(|held| held.presence == Presence::There)
        });
        let [Some(ledger), Some(platform)] = sides else {
            return Ok(left);
        };
        for record in [&ledger.record, &platform.record] {
            for (at, supposed) in self.supposed.get(record).into_iter().flatten() {
                let placed = if supposed.is_negative() {
                    left.max(*supposed).min(Amount::ZERO)
                } else {
                    left.min(*supposed).max(Amount::ZERO)
                };
                if placed.is_zero() {
                    continue;
                }
                left = left.minus(placed)?;
                let so_far = self.counted[*at].unwrap_or(Amount::ZERO);
                self.counted[*at] = Some(so_far.plus(placed)?);
            }
        }
        Ok(left)
    }

    /// What the platform has taken off an invoice of both sides beyond all that is known is the work of payments whose
    /// invoices it doesn't tell.
    fn place_unplaced(&mut self, pair: &Pair, mut left: Amount) -> Result<(), MoneyError> {
        let there = |held: &Option<Held>| {
            held.as_ref().is_some_and(|held| {
                held.presence == Presence::There && held.kind == PostingKind::Invoice
            })
        };
        if !there(&pair.ledger) || !there(&pair.platform) {
            return Ok(());
        }
        let of_customer = pair.customer.as_ref();
        let of_customer = of_customer.and_then(|customer| self.unplaced.get_mut(customer));
        for (at, unplaced) in of_customer.into_iter().flatten() {
            let placed = left.min(*unplaced).max(Amount::ZERO);
            if placed.is_zero() {
                continue;
            }
            *unplaced = unplaced.minus(placed)?;
            left = left.minus(placed)?;
            let so_far = self.counted[*at].unwrap_or(Amount::ZERO);
            self.counted[*at] = Some(so_far.plus(placed)?);
        }
        Ok(())
    }

    /// The effects on a pair of which both documents count. What a payment has on account counts wherever it is.
    fn on(&mut self, pair: &Pair) -> Vec<(usize, Amount)> {
        let sides = [&pair.ledger, &pair.platform];
        let both = sides.map(|held| {
            held.as_ref()
                .is_some_and(|held| held.presence == Presence::There)
        });
        let is_payment = sides
            .into_iter()
            .flatten()
            .any(|held| held.kind == PostingKind::CustomerPayment);
        if both != [true, true] && !is_payment {
            return Vec::new();
        }
        let mut found = Vec::new();
        for held in [&pair.ledger, &pair.platform].into_iter().flatten() {
            found.extend(self.on.get(&held.record).into_iter().flatten().copied());
        }
        for (at, amount) in &found {
            let so_far = self.counted[*at].unwrap_or(Amount::ZERO);
            self.counted[*at] = Some([so_far, *amount].into_iter().sum());
        }
        found
    }
}

/// Bills that were paid on both sides by different payments.
#[derive(Default)]
struct Doubles {
    /// The payments of a double, by the place of either: the ledger's and the platform's.
    found: BTreeMap<usize, usize>,
    of_platform: BTreeMap<usize, usize>,
}

impl Doubles {
    fn look(
        &mut self,
        pair: &Pair,
        on_pair: &[(usize, Amount)],
        effects: &[Effect],
    ) -> Result<(), MoneyError> {
        let of = |kind: EffectKind| {
            on_pair
                .iter()
                .filter(move |(at, _)| effects[*at].kind == kind)
        };
        let there = Amount::total(of(EffectKind::PaidOnPlatform).map(|(_, amount)| *amount))?;
        // More was paid there than the ledger, which has its own payment, still owes.
        if there <= open(pair.ledger.as_ref()) {
            return Ok(());
        }
        let pairs = of(EffectKind::PaidInLedger).zip(of(EffectKind::PaidOnPlatform));
        for ((here, _), (there, _)) in pairs {
            if !self.found.contains_key(here) && !self.of_platform.contains_key(there) {
                self.found.insert(*here, *there);
                self.of_platform.insert(*there, *here);
            }
        }
        Ok(())
    }

    /// Whether this effect is part of a double, and not told by itself.
    fn take(&self, at: usize) -> bool {
        self.found.contains_key(&at) || self.of_platform.contains_key(&at)
    }

    fn items(&self, input: &Input, touched: &Touched) -> Result<Vec<Item>, MoneyError> {
        let mut items = Vec::new();
        for (here, there) in &self.found {
            let (ledger, platform) = (&input.effects[*here], &input.effects[*there]);
            let counted = |at: usize| touched.counted[at].unwrap_or(Amount::ZERO);
            let amount = counted(*here).plus(counted(*there))?;
            let mut item = effect_item(ledger, Category::Double, amount, &input.scope);
            item.platform.clone_from(&platform.platform);
            if let Some(standing) = &platform.standing {
                item.cause.clone_from(&standing.cause);
                item.code.clone_from(&standing.code);
            }
            items.push(item);
        }
        Ok(items)
    }
}

fn document(held: &Held) -> Document {
    Document {
        record: held.record.clone(),
        label: held.label.clone(),
        amount: if held.presence == Presence::There {
            held.open
        } else {
            Amount::ZERO
        },
    }
}

fn pair_item(pair: &Pair, category: Category, amount: Amount, scope: &Scope) -> Item {
    let date = pair
        .ledger
        .as_ref()
        .or(pair.platform.as_ref())
        .map_or(scope.day, |held| held.date);
    let cause = pair
        .standing
        .as_ref()
        .map(|standing| standing.cause.clone())
        .filter(|cause| !cause.is_empty());
    Item {
        category,
        ledger: pair.ledger.as_ref().map(document),
        platform: pair.platform.as_ref().map(document),
        vendor: pair.vendor.clone(),
        amount,
        date,
        age_days: age(date, scope.day),
        cause: cause.unwrap_or_else(|| category.title().to_owned()),
        code: pair
            .standing
            .as_ref()
            .and_then(|standing| standing.code.clone()),
        clears_by: clears_by(
            category,
            pair.standing
                .as_ref()
                .map_or(date, |standing| standing.since),
            scope,
        ),
        owner: String::new(),
        comment: String::new(),
    }
}

fn effect_item(effect: &Effect, category: Category, amount: Amount, scope: &Scope) -> Item {
    let standing = effect.standing.as_ref();
    let cause = standing
        .map(|standing| standing.cause.clone())
        .filter(|cause| !cause.is_empty());
    Item {
        category,
        ledger: effect.ledger.clone(),
        platform: effect.platform.clone(),
        vendor: effect.vendor.clone(),
        amount,
        date: effect.date,
        age_days: age(effect.date, scope.day),
        cause: cause.unwrap_or_else(|| category.title().to_owned()),
        code: standing.and_then(|standing| standing.code.clone()),
        clears_by: clears_by(category, rules(scope.book).waits_since(effect), scope),
        owner: String::new(),
        comment: String::new(),
    }
}

/// A timing difference is an error once it is older than this.
fn clears_by(
    category: Category,
    date: tieout_domain::Date,
    scope: &Scope,
) -> Option<tieout_domain::Date> {
    let waits = matches!(
        category,
        Category::Queue | Category::InFlight | Category::Credit
    );
    let days = jiff::Span::new().days(scope.grace_days);
    waits.then(|| date.checked_add(days).ok()).flatten()
}

/// What was said of it.
pub(super) fn note(item: &mut Item, notes: &BTreeMap<RecordRef, Note>) {
    let named = [&item.ledger, &item.platform];
    let note = named
        .into_iter()
        .flatten()
        .find_map(|document| notes.get(&document.record));
    if let Some(note) = note {
        item.owner.clone_from(&note.owner);
        item.comment.clone_from(&note.comment);
    }
}
