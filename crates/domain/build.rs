//! Builds the pages of `docs/errors` into the program anew whenever one is added or changed.

fn main() {
    println!("cargo::rerun-if-changed=../../docs/errors");
}
