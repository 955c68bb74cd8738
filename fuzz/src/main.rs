//! libFuzzer over one of the targets of `crates/fuzz`: the one that `TIEOUT_FUZZ_TARGET` names.
//! `cargo xtask fuzz` builds it with the counters that libFuzzer goes by, and runs it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{Target, find};

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("TIEOUT_FUZZ_TARGET").unwrap_or_default();
    find(&name).unwrap_or_else(|| panic!("TIEOUT_FUZZ_TARGET names no target: `{name}`"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
