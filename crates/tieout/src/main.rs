//! The program. All of it is in the library.

use std::process::ExitCode;

/// The system's allocator keeps an arena for each thread, and with them most of what a large sync once took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tieout::main()
}
