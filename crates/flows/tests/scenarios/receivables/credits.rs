use tieout_domain::document::*;
use tieout_domain::port::Action;
use tieout_domain::{Amount, Kind, RecordRef, Side};

use super::books::*;
use crate::world::*;

/// Two invoices of 100.00 with their copies, a credit memo of 80.00 with its note, and the platform's customer.
struct Set {
    world: World,
    first: RecordRef,
    second: RecordRef,
    memo: RecordRef,
    /// The same over there.
    one: RecordRef,
    other: RecordRef,
    note: RecordRef,
    payer: RecordRef,
}

fn set() -> Set {
    let mut world = World::receivables();
    world.preferences.receivables.deposit_accounts = vec!["1020".into()];
    let (first, one) = world.invoiced("1", "100.00");
    let (second, other) = world.invoiced("2", "100.00");
    let (memo, note) = world.credited("30", "80.00");
    let payer = platform(Kind::Customer, world.invoice_at(&one).customer.as_str());
    Set {
        world,
        first,
        second,
        memo,
        one,
        other,
        note,
        payer,
    }
}

impl Set {
    fn open(&self) -> (Amount, Amount, Amount) {
        let invoice = |record| self.world.invoice_at(record).open;
        let memo = self.world.memo_at(&self.memo).open;
        (invoice(&self.first), invoice(&self.second), memo)
    }

    /// 60.00 in cash for one invoice, 40.00 of the credit for the other. The ledger lets the credit pay the first.
    fn mixed(&mut self) -> RecordRef {
        let parts = [
            (pays(&self.one), "60.00"),
            (uses(&self.note, &self.other), "40.00"),
        ];
        let payment = receipt(&self.payer, &parts);
        self.world.receives("90", payment)
    }

    /// So much of the credit for one invoice, without cash.
    fn credit(&mut self, id: &str, invoice: &RecordRef, amount: &str) -> RecordRef {
        let payment = receipt(&self.payer, &[(uses(&self.note, invoice), amount)]);
        self.world.receives(id, payment)
    }

    fn state(&self, payment: &RecordRef) -> String {
        self.world.state("payments", payment)
    }

    /// Voided over there: it may show no applications any more.
    fn void(&mut self, payment: &RecordRef, shows_them: bool) {
        self.world.receipt(payment, |it| {
            it.status = ReceiptStatus::Voided;
            if !shows_them {
                it.uses.clear();
            }
        });
        self.world.sync();
    }

    fn amends(&self) -> usize {
        let writes = self.world.writes.iter();
        let amends = writes.filter(|step| {
            step.action == Action::Amend && step.document.kind() == Kind::CreditMemo
        });
        amends.count()
    }
}

fn amounts<const N: usize>(texts: [&str; N]) -> [Amount; N] {
    texts.map(amount)
}

#[test]
fn s179_a_second_application_of_a_credit_to_the_same_invoice_is_applied_too() {
    let mut set = set();
    let one = set.one.clone();
    let first = set.credit("91", &one, "50.00");
    let second = set.credit("92", &one, "30.00");
    assert_eq!((set.state(&first), set.state(&second)), done2());
    let [open, rest, memo] = amounts(["20.00", "100.00", "0.00"]);
    assert_eq!(set.open(), (open, rest, memo));
    assert_eq!(set.amends(), 2);
    // A part was taken off by hand: then it is not applied for all of them any more.
    set.world.memo(&set.memo.clone(), |memo| {
        memo.applications[0].amount = amount("50.00")
    });
    set.world.settle_receivables();
    set.world.sync();
    assert_eq!(set.state(&second), "CONFLICT(edited-by-hand)");
    assert_eq!(set.amends(), 2);
}

fn done2() -> (String, String) {
    ("DONE".to_owned(), "DONE".to_owned())
}

#[test]
fn s179_what_is_applied_in_the_ledger_already_is_known_again_once_and_the_memo_stays_its_own() {
    let mut set = set();
    let memo = set.memo.clone();
    set.world
        .memo(&memo, |memo| applied(memo, "1", amount("40.00")));
    set.world.settle_receivables();
    let one = set.one.clone();
    let first = set.credit("91", &one, "40.00");
    assert_eq!((set.state(&first), set.amends()), ("DONE".to_owned(), 0));
    // Only what is lacking is applied for the next.
    let second = set.credit("92", &one, "30.00");
    assert_eq!((set.state(&second), set.amends()), ("DONE".to_owned(), 1));
    assert_eq!(set.world.memo_at(&memo).open, amount("10.00"));
    // A payment that uses it has not made it: the memo is still told of.
    assert_eq!(set.world.state("credit-memos", &memo), "DONE");
    // With the links lost, each is known again for its own.
    set.world.links.retain(|link| link.flow != "payments");
    set.world.sync();
    assert_eq!((set.state(&first), set.state(&second)), done2());
    assert_eq!(set.amends(), 1);
}

#[test]
fn s179_a_voided_application_waits_until_the_ledger_s_is_taken_back() {
    for shows_them in [true, false] {
        let mut set = set();
        let one = set.one.clone();
        let first = set.credit("91", &one, "50.00");
        let second = set.credit("92", &one, "30.00");
        set.void(&first, shows_them);
        assert_eq!(set.state(&first), "BLOCKED(credit-freed)");
        assert_eq!(set.state(&second), "DONE");
        let memo = set.memo.clone();
        set.world
            .memo(&memo, |memo| memo.applications[0].amount = amount("30.00"));
        set.world.settle_receivables();
        set.world.sync();
        assert_eq!(set.state(&first), "NOOP(closed-on-both-sides)");
        assert_eq!(set.state(&second), "DONE");
    }
}

#[test]
fn s181_a_payment_with_a_credit_stands_wherever_the_ledger_has_put_the_credit() {
    let mut set = set();
    let payment = set.mixed();
    let [first, second, memo] = amounts(["40.00", "60.00", "40.00"]);
    assert_eq!(set.open(), (first, second, memo));
    assert_eq!(
        set.world.memo_at(&set.memo).applications[0].document,
        set.first.id
    );
    assert_eq!(set.state(&payment), "DONE");
    // Neither a new look nor lost links change anything.
    set.world.links.retain(|link| link.flow != "payments");
    set.world.sync();
    assert_eq!(set.state(&payment), "DONE");
    assert_eq!((set.open(), set.amends()), ((first, second, memo), 0));
    // A payment of the credit alone is not taken for a part of it.
    let one = set.one.clone();
    let further = set.credit("92", &one, "40.00");
    assert_eq!(set.state(&further), "DONE");
    let [first, memo] = amounts(["0.00", "0.00"]);
    assert_eq!(set.open(), (first, second, memo));
    assert_eq!(set.state(&payment), "DONE");
}

#[test]
fn s195_a_credit_that_was_taken_off_in_the_ledger_is_noticed() {
    let mut set = set();
    let payment = set.mixed();
    let memo = set.memo.clone();
    set.world.memo(&memo, |memo| memo.applications.clear());
    set.world.settle_receivables();
    set.world.sync();
    assert_eq!(set.state(&payment), "CONFLICT(edited-by-hand)");
    // It is put back on the other invoice of the payment: that is as good.
    set.world
        .memo(&memo, |memo| applied(memo, "2", amount("40.00")));
    set.world.settle_receivables();
    set.world.sync();
    assert_eq!(set.state(&payment), "DONE");
}

#[test]
fn s195_cash_that_was_moved_in_the_ledger_is_noticed_beside_a_credit() {
    let mut set = set();
    let payment = set.mixed();
    let posted = set.world.target("payments", &payment).unwrap();
    set.world.receipt(&posted, |it| {
        it.uses[0].amount = amount("55.00");
        it.uses.truncate(1);
        it.unapplied = amount("5.00");
    });
    set.world.sync();
    assert_eq!(set.state(&payment), "CONFLICT(edited-by-hand)");
}

#[test]
fn s192_a_void_frees_the_credit_that_the_payment_used() {
    for shows_them in [true, false] {
        let mut set = set();
        let payment = set.mixed();
        let other = set.other.clone();
        let standing = set.credit("92", &other, "10.00");
        set.void(&payment, shows_them);
        assert_eq!(set.state(&payment), "REVERSED(reversed)");
        // What the other payment uses stays.
        assert_eq!(set.state(&standing), "DONE");
        let [first, second, memo] = amounts(["100.00", "90.00", "70.00"]);
        assert_eq!(set.open(), (first, second, memo));
        assert_eq!(set.world.made(Side::Ledger, Kind::CustomerRefund), 1);
        // What somebody applies anew is theirs.
        let memo = set.memo.clone();
        set.world
            .memo(&memo, |memo| applied(memo, "1", amount("40.00")));
        set.world.settle_receivables();
        set.world.sync();
        assert_eq!(set.state(&payment), "REVERSED(reversed)");
        assert_eq!(set.world.memo_at(&memo).open, amount("30.00"));
    }
}

#[test]
fn s192_a_payment_that_was_voided_by_hand_is_reversed_once_its_credit_is_free() {
    let mut set = set();
    set.world.preferences.receivables.deposit_accounts = vec!["undeposited".into()];
    let payment = set.mixed();
    let posted = set.world.target("payments", &payment).unwrap();
    set.void(&payment, false);
    assert_eq!(set.state(&payment), "BLOCKED(reverse-by-hand)");
    assert_eq!(set.world.memo_at(&set.memo).open, amount("40.00"));
    set.world
        .receipt(&posted, |it| it.status = ReceiptStatus::Voided);
    set.world.sync();
    assert_eq!(set.state(&payment), "REVERSED(reversed)");
    let [first, second, memo] = amounts(["100.00", "100.00", "80.00"]);
    assert_eq!(set.open(), (first, second, memo));
}

#[test]
fn s192_a_credit_of_which_nothing_tells_any_more_what_it_was_for_is_a_person_s() {
    let mut set = set();
    let payment = set.mixed();
    for link in &mut set.world.links {
        link.applied = None;
    }
    set.void(&payment, false);
    assert_eq!(set.state(&payment), "BLOCKED(credit-freed)");
    let memo = set.memo.clone();
    set.world.memo(&memo, |memo| memo.applications.clear());
    set.world.settle_receivables();
    set.world.sync();
    assert_eq!(set.state(&payment), "REVERSED(reversed)");
}

#[test]
fn s192_what_a_freed_credit_serves_by_now_can_be_accepted() {
    for known in [true, false] {
        let mut set = set();
        let payment = set.mixed();
        let memo = set.memo.clone();
        if known {
            // Its credit was never seen to be its own: another payment may live on it.
            set.world
                .links
                .retain(|link| !link.role.starts_with("credit-"));
        } else {
            for link in &mut set.world.links {
                link.applied = None;
            }
        }
        set.void(&payment, false);
        let before = set.world.memo_at(&memo).open;
        assert_eq!(set.state(&payment), "BLOCKED(credit-freed)");
        set.world
            .decide("payments", payment.clone(), accept("credit-freed"));
        set.world.sync();
        assert_eq!(set.state(&payment), "REVERSED(reversed)");
        assert_eq!(set.world.memo_at(&memo).open, before);
    }
}

#[test]
fn s188_a_failed_payment_s_credit_is_freed_only_when_it_is_reversed() {
    let mut set = set();
    let payment = set.mixed();
    set.world
        .receipt(&payment, |it| it.status = ReceiptStatus::Failed);
    set.world.sync();
    assert_eq!(set.state(&payment), "BLOCKED(payment-failed)");
    assert_eq!(set.world.memo_at(&set.memo).open, amount("40.00"));
    set.world
        .decide("payments", payment.clone(), accept("payment-failed"));
    set.world.sync();
    assert_eq!(set.state(&payment), "REVERSED(reversed)");
    assert_eq!(set.world.memo_at(&set.memo).open, amount("80.00"));
}

#[test]
fn s192_a_memo_that_was_not_read_again_yet_is_not_taken_for_free() {
    let mut set = set();
    let payment = set.mixed();
    let memo = set.memo.clone();
    set.world.outdated.insert(memo.clone());
    set.void(&payment, true);
    assert_eq!(set.state(&payment), "HOLD(read-first)");
    assert_eq!(set.amends(), 0);
    set.world.outdated.clear();
    set.world.sync();
    assert_eq!(set.state(&payment), "REVERSED(reversed)");
    assert_eq!(set.world.memo_at(&memo).open, amount("80.00"));
}

#[test]
fn s181_cash_beside_a_credit_follows_the_platform_where_the_credit_is_as_it_names() {
    let mut set = set();
    // Here the ledger's only choice is the one that was named.
    let parts = [
        (pays(&set.one), "60.00"),
        (uses(&set.note, &set.one), "40.00"),
    ];
    let payment = receipt(&set.payer, &parts);
    let payment = set.world.receives("90", payment);
    let other = set.other.clone();
    set.world
        .receipt(&payment, |it| it.uses[0].of = pays(&other));
    set.world.sync();
    assert_eq!(set.state(&payment), "DONE");
    let [first, second, memo] = amounts(["60.00", "40.00", "40.00"]);
    assert_eq!(set.open(), (first, second, memo));
    // Otherwise a person moves it.
    let mut set = self::set();
    let payment = set.mixed();
    let other = set.other.clone();
    set.world
        .receipt(&payment, |it| it.uses[0].of = pays(&other));
    set.world.sync();
    assert_eq!(set.state(&payment), "CONFLICT(edited-by-hand)");
}
