//! What a stream is by its first bytes, if it is no text that podlag reads: the signatures, what to call them, what to
//! do about them. Archives are here too, as they are opened only so deep: see `archive`. Compression is not here (see `compression`), nor are the formats that other rooms read (see
//! `analyze::inputs`), nor forms of text (the parser distinguishes those).

use memchr::memchr;

/// How many decoded bytes are examined. A tar archive shows itself at byte 257; binary files nearly always have a NUL
/// within the first few hundred bytes, so 8 KiB (git examines as much) leaves room for text headers.
pub(super) const SNIFF_LEN: usize = 8 * 1024;

/// Content that podlag does not read as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// A program or library.
    Elf,
    /// A ZIP archive in two others: archives are opened, and those that they hold.
    Zip,
    /// A tar archive, likewise.
    Tar,
    /// NUL bytes near the start and no UTF-16 byte order mark.
    Binary,
    /// A pipe, socket or device, which must not block the reading of a folder.
    Special,
}

/// Signatures: where, which bytes, what it is. The first that fits counts.
/// Sources: ELF, APPNOTE.TXT 4.3.7 and 4.3.16 (an archive without members), POSIX ustar.
const SIGNATURES: &[(usize, &[u8], Unreadable)] = &[
    (0, b"\x7fELF", Unreadable::Elf),
    (0, b"PK\x03\x04", Unreadable::Zip),
    (0, b"PK\x05\x06", Unreadable::Zip),
    (257, b"ustar", Unreadable::Tar),
];

impl Unreadable {
    /// What `head`, the first [`SNIFF_LEN`] decoded bytes, shows beyond doubt.
    pub(super) fn detect(head: &[u8]) -> Option<Self> {
        let matches = |at: usize, bytes: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(bytes));
        SIGNATURES.iter().find(|(at, bytes, _)| matches(*at, bytes)).map(|(.., found)| *found)
    }

    /// [`Unreadable::Binary`] if `head` has a NUL byte and no UTF-16 byte order mark.
    pub(super) fn detect_binary(head: &[u8]) -> Option<Self> {
        (Bom::detect(head).is_none() && memchr(0, head).is_some()).then_some(Self::Binary)
    }

    /// What it is, as it follows "it is".
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Elf => "a program (ELF), not a log",
            Self::Zip => "a ZIP archive within an archive within an archive",
            Self::Tar => "a tar archive within an archive within an archive",
            Self::Binary => "binary data (NUL bytes near its start), not a log",
            Self::Special => "a pipe, a socket or a device",
        }
    }

    /// What to do about it.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Zip | Self::Tar => "Extract it and name the folder.",
            Self::Binary => "If it is a log, name the file itself to read it.",
            Self::Special => "Name it itself to read it.",
            Self::Elf => "Name the logs themselves, or a folder of them.",
        }
    }
}

/// Whether a JSON document's first key is `key`. A document is known by it: log lines in JSON begin with other keys (`ts`,
/// `log`, `__CURSOR`).
#[must_use]
pub fn has_first_key(head: &[u8], key: &str) -> bool {
    let inside = head.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let rest = inside.and_then(|inside| inside.strip_prefix(b"\"")?.strip_prefix(key.as_bytes()));
    rest.is_some_and(|rest| rest.starts_with(b"\""))
}

/// A byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bom {
    Utf8,
    Utf16,
}

impl Bom {
    pub(super) fn detect(head: &[u8]) -> Option<Self> {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::Utf8),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(Self::Utf16),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures() {
        assert_eq!(Unreadable::detect(b"LPKSHHRH\0\0\0\0"), None, "a journal is read");
        let mut tar = b"var/log/pods/kubelet.log".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\x0000");
        assert_eq!(Unreadable::detect(&tar), Some(Unreadable::Tar));
        assert_eq!(Unreadable::detect(b""), None);
    }

    #[test]
    fn json_documents_are_known_by_their_first_key() {
        assert!(has_first_key(b"{\n  \"podlag_report\": 1,", "podlag_report"));
        assert!(has_first_key(b" {\"apiVersion\": \"v1\", \"items\": [", "apiVersion"));
        assert!(!has_first_key(b"{\"apiVersions\": 1}", "apiVersion"));
        assert!(!has_first_key(b"{\"ts\":1795460400362.1,\"msg\":\"apiVersion\"}", "apiVersion"));
        assert!(!has_first_key(b"apiVersion: v1", "apiVersion"));
    }

    #[test]
    fn nul_bytes_do_not_count_after_a_utf16_mark() {
        let line = b"I1123 18:59:27.586186 \0 77 kubelet.go:2421] \"SyncLoop ADD\"";
        assert_eq!(Unreadable::detect_binary(line), Some(Unreadable::Binary));
        assert_eq!(Unreadable::detect(line), None);
        assert_eq!(Unreadable::detect_binary(b"\xff\xfeI\x001\x00"), None);
        assert_eq!(Unreadable::detect_binary(b"\xef\xbb\xbfI\x001\x00"), None, "a marked text is text");
    }
}
