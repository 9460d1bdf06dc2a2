//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::code;
use crate::table::CleanupList;

/// What Ctrl-C does: the first ends the reading, and the partial result is printed; the second removes the temporary files and
/// ends the program at once. Without a handler the first ends the program, which loses only the partial report.
#[derive(Default)]
pub(super) struct Interrupt {
    pub(super) stop: Arc<AtomicBool>,
    pub(super) made: CleanupList,
}

impl Interrupt {
    pub(super) fn listen() -> Self {
        let interrupt = Interrupt::default();
        let (stop, made) = (Arc::clone(&interrupt.stop), interrupt.made.clone());
        let _ = ctrlc::set_handler(move || {
            #[allow(clippy::exit, reason = "the user asked twice")]
            if stop.swap(true, Ordering::Relaxed) {
                made.remove();
                std::process::exit(code::INTERRUPTED_TWICE);
            }
        });
        interrupt
    }
}
