//! A short slice of the fuzzing in every test run: the seeds, and some thousand changes of them.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use tieout_fuzz::corpus::seeds;
use tieout_fuzz::mutation::Mutation;
use tieout_fuzz::{TARGETS, find};

/// Changes of the seeds for each target.
const CHANGES: u32 = 2_000;

/// Making a sandbox anew after each change of one takes longer.
const CHANGES_OF_THE_SANDBOX: u32 = 200;

const SEED: u64 = 20_260_620;

fn slice(name: &str, changes: u32) {
    let target = find(name).unwrap();
    let seeds = seeds(name).unwrap();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let feed = |what: &str, bytes: &[u8]| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))) {
            eprintln!("{name}, {what}: {}", bytes.escape_ascii());
            std::panic::resume_unwind(panic);
        }
    };
    for (seed, bytes) in &seeds {
        feed(seed, bytes);
    }
    let mut mutation = Mutation::new(SEED);
    for nth in 0..changes {
        feed(&format!("change {nth}"), &mutation.next(&seeds));
    }
}

macro_rules! slices {
    ($($test:ident: $name:literal, $changes:expr;)*) => {
        $(
            #[test]
            fn $test() {
                slice($name, $changes);
            }
        )*

        #[test]
        fn every_target_has_its_slice() {
            let sliced = [$($name),*];
            let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(targets, sliced);
        }
    };
}

slices! {
    amounts: "amounts", CHANGES;
    names: "names", CHANGES;
    durations: "durations", CHANGES;
    configuration: "configuration", CHANGES;
    plans: "plans", CHANGES;
    credentials: "credentials", CHANGES;
    dataset: "dataset", CHANGES;
    webhooks: "webhooks", CHANGES;
    netsuite_rows: "netsuite-rows", CHANGES;
    netsuite_writes: "netsuite-writes", CHANGES;
    netsuite_sign_in: "netsuite-sign-in", CHANGES;
    bill_lists: "bill-lists", CHANGES;
    bill_writes: "bill-writes", CHANGES;
    bill_sign_in: "bill-sign-in", CHANGES;
    invoiced_lists: "invoiced-lists", CHANGES;
    invoiced_writes: "invoiced-writes", CHANGES;
    invoiced_webhooks: "invoiced-webhooks", CHANGES;
    alternative_payments_lists: "alternative-payments-lists", CHANGES;
    alternative_payments_writes: "alternative-payments-writes", CHANGES;
    alternative_payments_webhooks: "alternative-payments-webhooks", CHANGES;
    suiteql: "suiteql", CHANGES;
    control_panel: "control-panel", CHANGES_OF_THE_SANDBOX;
}
