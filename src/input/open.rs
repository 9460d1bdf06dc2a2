//! Opening a source: layers of readers from the raw bytes to decoded text, chosen by content alone. Not chunking, and not
//! finding out what kind of log it is.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use encoding_rs_io::DecodeReaderBytes;

use super::Source;
use super::content::{Bom, Content, SNIFF};
use super::error::{SourceError, SourceErrorKind};
use super::packing::{Packing, Unpacked};
use super::pipe::Pipe;
use super::regular::Regular;
use super::stop::Until;
use super::window::{Window, read_on};

/// How often a stream may be packed. Twice happens (a .gz that a transfer packed again); more is a bomb or a mistake.
const NESTED: usize = 2;

/// Opens a source and gives its decoded bytes: unpacked, UTF-16 turned into UTF-8, byte order marks gone. Any other text
/// passes untouched, broken UTF-8 included. Counts the raw bytes it reads, see [`Source::read_so_far`].
///
/// # Errors
/// If it cannot be opened, is packed more than twice, or is known not to be a text log: [`SourceErrorKind::NotText`] where the
/// user named it, [`SourceErrorKind::Skipped`] where it was found in a folder. Errors met later come from the reader: first
/// everything that could be decoded, then the error, told in the user's words by [`Chunks`](super::Chunks).
pub fn open(source: &Source) -> Result<Box<dyn Read + Send>, SourceError> {
    let raw: Box<dyn Read + Send> = match &source.path {
        None => Box::new(io::stdin()),
        Some(path) => file(source, path)?,
    };
    decode(source, raw)
}

/// A file whose size is known is watched for what others do to it; pipes and devices are only read.
fn file(source: &Source, path: &Path) -> Result<Box<dyn Read + Send>, SourceError> {
    let told = |error: io::Error| SourceError::from_io(&source.name, &error);
    Ok(match source.bytes {
        Some(_) => Box::new(Regular::open(source, path.into()).map_err(told)?),
        None => Box::new(File::open(path).map_err(told)?),
    })
}

/// [`open`] for bytes that are already at hand; only the source's name, counter and `named` are used.
///
/// # Errors
/// As [`open`], without those of opening the file.
pub fn decode(source: &Source, raw: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>, SourceError> {
    look_at(source, raw)?.text()
}

/// A source that was opened and whose first bytes were looked at. None of them is lost: pipes give theirs but once.
pub struct Opened {
    /// What it is, where it is known to be no log.
    pub content: Option<Content>,
    source: Source,
    window: Window,
    stop: Arc<AtomicBool>,
}

/// Opens a source and looks at its first bytes. Reading ends when `stop` is set, also that of a pipe which is silent or has no
/// writer yet.
///
/// # Errors
/// If it cannot be opened, or is packed more than twice.
pub fn look(source: &Source, stop: &Arc<AtomicBool>) -> Result<Opened, SourceError> {
    let raw: Box<dyn Read + Send> = match &source.path {
        None => Box::new(Pipe::stdin(Arc::clone(stop))),
        Some(path) => {
            if source.bytes.is_some() {
                file(source, path)?
            } else {
                Box::new(Pipe::of(path.clone(), Arc::clone(stop)))
            }
        }
    };
    look_until(source, raw, stop)
}

/// [`look`] for bytes that are already at hand.
///
/// # Errors
/// As [`look`], without those of opening.
pub fn look_at(source: &Source, raw: Box<dyn Read + Send>) -> Result<Opened, SourceError> {
    look_until(source, raw, &Arc::default())
}

fn look_until(source: &Source, raw: Box<dyn Read + Send>, stop: &Arc<AtomicBool>) -> Result<Opened, SourceError> {
    let mut window = unpack(source, Box::new(Until::new(raw, stop)))?;
    let head = window.peek(SNIFF);
    let content = Content::of(head.get(..SNIFF).unwrap_or(head), false);
    Ok(Opened { content, source: source.clone(), window, stop: Arc::clone(stop) })
}

impl Opened {
    /// Its bytes, unpacked, whatever they are.
    pub fn bytes(self) -> Box<dyn Read + Send> {
        Box::new(Until::new(self.window, &self.stop))
    }

    /// Its text, as [`open`] gives it.
    ///
    /// # Errors
    /// If it is known not to be a text log.
    pub fn text(mut self) -> Result<Box<dyn Read + Send>, SourceError> {
        let source = &self.source;
        let head = self.window.peek(SNIFF);
        let head = head.get(..SNIFF).unwrap_or(head);
        if let Some(content) = Content::of(head, !source.named) {
            let kind = if source.named { SourceErrorKind::NotText(content) } else { SourceErrorKind::Skipped(content) };
            return Err(SourceError::new(&source.name, kind, format!("it is {}", content.words())));
        }
        match Bom::of(head) {
            // The decoder wants a third byte before it knows a mark.
            Some(Bom::Utf16) if head.len() == 2 => self.window.consume(2),
            Some(Bom::Utf16) => return Ok(Box::new(DecodeReaderBytes::new(Until::new(self.window, &self.stop)))),
            Some(Bom::Utf8) => self.window.consume(3),
            None => {}
        }
        Ok(Box::new(Until::new(self.window, &self.stop)))
    }
}

fn unpack(source: &Source, raw: Box<dyn Read + Send>) -> Result<Window, SourceError> {
    source.read.store(0, Ordering::Relaxed);
    let mut window = Window::new(Box::new(Counted { inner: raw, count: Arc::clone(&source.read) }));
    let mut layers = 0;
    while let Some(packing) = Packing::ahead(&mut window) {
        if layers == NESTED {
            let message = format!("it is packed more than {NESTED} times over");
            return Err(SourceError::new(&source.name, SourceErrorKind::Nested, message));
        }
        layers += 1;
        window = Window::new(Box::new(Unpacked::new(window, packing)));
    }
    Ok(window)
}

/// Counts the bytes that pass.
struct Counted {
    inner: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = read_on(&mut self.inner, into)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Chunks, Limits};
    use super::*;

    /// Gives its bytes at most `1` of the second field a read.
    pub(in super::super) struct Steps(pub(in super::super) Vec<u8>, pub(in super::super) usize);

    impl Read for Steps {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let read = (&self.0[..self.0.len().min(self.1)]).read(into)?;
            self.0.drain(..read);
            Ok(read)
        }
    }

    /// Everything a source of these bytes gives, and the error at its end.
    pub(in super::super) fn all(bytes: &[u8], step: usize, named: bool) -> (Vec<u8>, Option<SourceErrorKind>) {
        let source = Source::file("node-1.log".into(), None, named);
        let reader = match decode(&source, Box::new(Steps(bytes.to_vec(), step))) {
            Ok(reader) => reader,
            Err(error) => return (Vec::new(), Some(error.kind)),
        };
        let (mut text, mut trouble) = (Vec::new(), None);
        for chunk in Chunks::new(0, &source.name, reader, Limits { chunk: 5000, ..Limits::default() }) {
            match chunk {
                Ok(chunk) => text.extend_from_slice(chunk.own()),
                Err(error) => trouble = Some(error.kind),
            }
        }
        if trouble.is_none() {
            assert_eq!(source.read_so_far(), bytes.len() as u64, "every raw byte is counted");
        }
        (text, trouble)
    }

    const LOG: &str = "Nov 23 18:59:27 node-1 kubelet[77]: I1123 18:59:27.586186      77 kubelet.go:2421] \"SyncLoop ADD\" \
                       source=\"api\" pods=[\"shop/café-7d9c6b5f4-x2x9k\"]\r\n-- Boot 1f 𝛑 --\r\nlast";

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        ['\u{feff}']
            .into_iter()
            .chain(text.chars())
            .flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec())
            .flat_map(bytes)
            .collect()
    }

    #[test]
    fn utf16_of_either_end_becomes_utf8_with_its_line_ends() {
        for form in [u16::to_le_bytes, u16::to_be_bytes] {
            for step in [1, 2, 7, 8192] {
                for named in [true, false] {
                    assert_eq!(all(&utf16(LOG, form), step, named), (LOG.as_bytes().to_vec(), None));
                }
            }
            let long = LOG.repeat(500);
            assert_eq!(all(&utf16(&long, form), 4099, true).0, long.as_bytes());
            let mut torn = utf16("ab", form);
            torn.push(b'x');
            assert_eq!(all(&torn, 1, true), ("ab\u{fffd}".as_bytes().to_vec(), None));
        }
    }

    #[test]
    fn other_bytes_pass_untouched() {
        let mut broken = LOG.as_bytes().to_vec();
        broken.extend(b"\xff\xfe \xc3( \xed\xa0\x80 a\rb\n");
        let marked = [b"\xef\xbb\xbf", broken.as_slice()].concat();
        for step in [1, 3, 100_000] {
            assert_eq!(all(&broken, step, false), (broken.clone(), None));
            assert_eq!(all(&marked, step, false), (broken.clone(), None), "the mark is taken off");
        }
        let nul = b"a\0b\nc".to_vec();
        assert_eq!(all(&nul, 1, true), (nul.clone(), None), "named: read as it is");
        assert_eq!(all(&nul, 1, false).1, Some(SourceErrorKind::Skipped(Content::Binary)));
        assert_eq!(all(b"", 1, false), (Vec::new(), None));
        assert_eq!(all(b"\xff\xfe", 1, false), (Vec::new(), None));
    }

    #[test]
    fn what_is_no_text_is_said_not_read() {
        assert_eq!(all(b"LPKSHHRH\0\0\0\0", 1, true).1, Some(SourceErrorKind::NotText(Content::Journal)));
        assert_eq!(all(b"LPKSHHRH\0\0\0\0", 1, false).1, Some(SourceErrorKind::Skipped(Content::Journal)));
        let packed = zstd::encode_all(&b"PAR1\x15"[..], 1).unwrap();
        assert_eq!(all(&packed, 9, true).1, Some(SourceErrorKind::NotText(Content::Parquet)), "packed ones too");
    }

    #[test]
    fn files_open_again_and_show_their_first_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubelet.log.2.gz");
        let text = "I1123 18:59:27.586186 77 a.go:1] \"x\"\n".repeat(9000);
        std::fs::write(&path, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
        let source = Source::file(path, None, true);
        let first = source.first_text().unwrap();
        assert!(
            first.len() > 60_000
                && first.len() <= 65_536
                && first.ends_with(b"\n")
                && text.as_bytes().starts_with(&first)
        );
        let mut chunks = source.chunks(3, Limits::default()).unwrap();
        assert_eq!(chunks.peek(), Some(first.as_slice()));
        let chunk = chunks.next().unwrap().unwrap();
        assert_eq!((chunk.source, chunk.own()), (3, text.as_bytes()));
        assert!(chunks.next().is_none());
        let gone = Source::file("/no/such.log".into(), None, true);
        assert_eq!(open(&gone).err().map(|e| e.kind), Some(SourceErrorKind::Missing));
    }
}
