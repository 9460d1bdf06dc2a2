//! The program: see `podlag::cli`.

use std::process::ExitCode;

/// Rows and columns come and go, whose memory the system's allocator keeps; docs/decisions.md has the figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    podlag::cli::main()
}
