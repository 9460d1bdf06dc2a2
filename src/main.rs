//! The program: see `podlag::cli`.

use std::process::ExitCode;

/// Records are allocated on the parser threads and freed on the tracking thread, which the system's allocator is slow at; and
/// columns come and go, whose memory it keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    podlag::cli::main()
}
