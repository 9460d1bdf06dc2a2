//! What a stream is by its first bytes, where it is not a log: the signatures, what to call them, what to do about them.
//! Packings are not here (they are unpacked, see `packing`), nor are forms of text (the parser tells those apart).

use memchr::memchr;

use crate::metrics::exposition;
use crate::model::html_page;

/// How many decoded bytes are looked at. A tar archive shows itself at byte 257; binary files nearly always have a NUL
/// within the first few hundred bytes, so 8 KiB (git looks at as much) leaves room for text headers.
pub(super) const SNIFF: usize = 8 * 1024;

/// Something that is not a text log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A systemd journal file: `journalctl` must turn it into text.
    Journal,
    /// A Parquet file: not text, but perhaps a stored startups table, which the caller may know how to read.
    Parquet,
    /// A report of podlag's own, in JSON.
    Report,
    /// Rows of a startups table, a JSON object a line.
    Rows,
    /// A report of podlag's own, as a page.
    Page,
    /// API objects in JSON, as `kubectl get -o json` prints them.
    Objects,
    /// Metrics as Prometheus scrapes them.
    Metrics,
    /// A program or library.
    Elf,
    /// A ZIP archive.
    Zip,
    /// A tar archive.
    Tar,
    /// NUL bytes near the start and no UTF-16 byte order mark.
    Binary,
    /// A pipe, socket or device, which a folder's reader must not wait for.
    Special,
}

/// Signatures: where, which bytes, what it is. The first that fits counts.
/// Sources: systemd's journal file format ("LPKSHHRH"), Parquet format ("PAR1"), ELF, APPNOTE.TXT 4.3.7, POSIX ustar.
const SIGNATURES: &[(usize, &[u8], Content)] = &[
    (0, b"LPKSHHRH", Content::Journal),
    (0, b"PAR1", Content::Parquet),
    (0, b"\x7fELF", Content::Elf),
    (0, b"PK\x03\x04", Content::Zip),
    (257, b"ustar", Content::Tar),
];

impl Content {
    /// What `head`, the first [`SNIFF`] decoded bytes, shows beyond doubt; `None` for text. With `nul`, a NUL byte in a
    /// stream that has no UTF-16 byte order mark makes it [`Content::Binary`].
    pub(super) fn of(head: &[u8], nul: bool) -> Option<Self> {
        let signed =
            SIGNATURES.iter().find(|(at, bytes, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes)));
        match signed {
            Some((.., content)) => Some(*content),
            None if Self::of_json(head).is_some() => Self::of_json(head),
            None if memchr::memmem::find(head, html_page::MARK.as_bytes()).is_some() => Some(Self::Page),
            None if exposition::is_exposition(head) => Some(Self::Metrics),
            None if nul && Bom::of(head).is_none() && memchr(0, head).is_some() => Some(Self::Binary),
            None => None,
        }
    }

    /// What a JSON document is by its first key. Log lines in JSON begin with others (`ts`, `log`, `__CURSOR`).
    fn of_json(head: &[u8]) -> Option<Self> {
        let first = head.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
        let begins = |key: &str| first.starts_with(format!("\"{key}\"").as_bytes());
        match () {
            // The second is first where a tool has sorted the keys.
            () if begins("podlag_report") || begins("anomaly_meanings") => Some(Self::Report),
            () if begins("podlag_metrics")
                || begins("node") && memchr::memmem::find(first, b"\"kubelet_version\"").is_some() =>
            {
                Some(Self::Rows)
            }
            () if begins("apiVersion") || begins("kind") || begins("items") => Some(Self::Objects),
            () => None,
        }
    }

    /// What it is, as it stands after "it is".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Journal => "a systemd journal file, not text",
            Self::Parquet => "a Parquet file, not a log",
            Self::Report | Self::Rows | Self::Page => "a report of podlag's own",
            Self::Metrics => "metrics, not a log",
            Self::Objects => "API objects in JSON, not a log",
            Self::Elf => "a program (ELF), not a log",
            Self::Zip => "a ZIP archive",
            Self::Tar => "a tar archive",
            Self::Binary => "binary data (NUL bytes near its start), not a log",
            Self::Special => "a pipe, a socket or a device",
        }
    }

    /// What to do about it; `name` is the file's name as shown.
    pub(super) fn help(self, name: &str) -> String {
        match self {
            Self::Journal => format!("Give it as text: journalctl --file {} | podlag.", quoted(name)),
            Self::Zip | Self::Tar => "Unpack it and name the folder.".into(),
            Self::Binary => "If it is a log all the same, name the file itself and it is read.".into(),
            Self::Special => "Name it itself to have it read.".into(),
            Self::Parquet => "Name it as a file, not packed, not through a pipe.".into(),
            Self::Elf | Self::Report | Self::Rows | Self::Page | Self::Objects | Self::Metrics => {
                "Name the logs themselves, or a folder of them.".into()
            }
        }
    }
}

/// A byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bom {
    Utf8,
    Utf16,
}

impl Bom {
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::Utf8),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(Self::Utf16),
            _ => None,
        }
    }
}

/// `name` as a word of a POSIX shell, bare where it needs no quotes.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,%".contains(c);
    if !name.is_empty() && name.chars().all(plain) { name.into() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures() {
        assert_eq!(Content::of(b"LPKSHHRH\0\0\0\0", false), Some(Content::Journal));
        assert_eq!(Content::of(b"PAR1\x15\0", false), Some(Content::Parquet));
        let mut tar = b"var/log/pods/kubelet.log".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\x0000");
        assert_eq!(Content::of(&tar, false), Some(Content::Tar));
        assert_eq!(Content::of(b"", true), None);
    }

    #[test]
    fn json_documents_are_told_from_log_lines_in_json() {
        assert_eq!(Content::of(b"{\n  \"podlag_report\": 1,", true), Some(Content::Report));
        assert_eq!(Content::of(b"{\"apiVersion\": \"v1\", \"items\": [", true), Some(Content::Objects));
        assert_eq!(Content::of(b"{\"ts\":1795460400362.1,\"msg\":\"apiVersion\"}", true), None);
    }

    #[test]
    fn nul_bytes_count_only_when_asked_and_not_after_a_utf16_mark() {
        let line = b"I1123 18:59:27.586186 \0 77 kubelet.go:2421] \"SyncLoop ADD\"";
        assert_eq!(Content::of(line, true), Some(Content::Binary));
        assert_eq!(Content::of(line, false), None);
        assert_eq!(Content::of(b"\xff\xfeI\x001\x00", true), None);
        assert_eq!(Content::of(b"\xef\xbb\xbfI\x001\x00", true), None, "a marked text is text");
    }

    #[test]
    fn a_journal_says_how_to_print_it() {
        assert!(
            Content::Journal
                .help("/var/log/journal/x/system.journal")
                .contains("journalctl --file /var/log/journal/x/system.journal | podlag")
        );
        assert!(Content::Journal.help("it's here.journal").contains(r"--file 'it'\''s here.journal' |"));
    }
}
