//! What the first bytes of a journal file say, by which it is known whether the rest is worth reading, and whether it is still the
//! same file.

use super::blocks::u64_at;
use super::object::{MAGIC, MIN_HEADER};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// The identity that journald gave the file.
    pub file_id: [u8; 16],
    /// When its first entry was received and when its last, in microseconds since 1970. A file that is being written has later ones
    /// soon. None if it does not say.
    pub received: Option<(u64, u64)>,
}

impl JournalHead {
    /// How many bytes it needs.
    pub const LENGTH: usize = MIN_HEADER as usize;

    /// What these first bytes say; `None` if they are not those of a journal.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < Self::LENGTH || !bytes.starts_with(MAGIC) {
            return None;
        }
        let received = (u64_at(bytes, 184), u64_at(bytes, 192));
        Some(JournalHead {
            file_id: bytes.get(24..)?.first_chunk().copied()?,
            received: Some(received).filter(|(first, last)| *first > 0 && first <= last),
        })
    }
}
