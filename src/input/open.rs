//! Opening a source: layers of readers from the raw bytes to decoded text, chosen by content alone. Not chunking, and not
//! finding out what kind of log it is.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use encoding_rs_io::DecodeReaderBytes;

use super::archive::{self, ArchiveBytes, ArchiveError, MAX_DEPTH, Unpacked};
use super::cancel::CancellableReader;
use super::compression::{Compression, Decompressor};
use super::error::{SourceError, SourceErrorKind};
use super::export::{self, Export};
use super::file::OpenFile;
use super::journal::{self, JournalBytes, JournalText};
use super::peek_reader::{PeekReader, read_retrying};
use super::pipe::Pipe;
use super::signature::{Bom, SNIFF_LEN, Unreadable};
use super::spool::{FileRange, Spool};
use super::{Origin, Source};

/// How often a stream may be compressed. Twice happens (a .gz that a transfer compressed again); more is a bomb or a mistake.
const MAX_LAYERS: usize = 2;

/// A source that was opened and whose first bytes were read. None of them is lost: a pipe gives its bytes only once.
pub struct OpenSource {
    /// What it is, if it is known to be nothing that podlag reads.
    pub unreadable: Option<Unreadable>,
    source: Source,
    reader: PeekReader,
    is_compressed: bool,
    stop: Arc<AtomicBool>,
}

/// Opens a source and reads its first bytes. Counts the raw bytes it reads, see [`Source::bytes_read`]. Reading ends when
/// `stop` is set, also that of a pipe that is silent or has no writer yet.
///
/// # Errors
/// If it cannot be opened, or is compressed more than twice.
pub fn open(source: &Source, stop: &Arc<AtomicBool>) -> Result<OpenSource, SourceError> {
    let from_io = |error: io::Error| SourceError::from_io(&source.name, &error);
    let raw: Box<dyn Read + Send> = match &source.origin {
        Origin::Stdin => Box::new(Pipe::stdin(Arc::clone(stop))),
        // A file whose size is known is checked for changes while it is read; pipes and devices are only read.
        Origin::File(path) if source.bytes.is_some() => {
            Box::new(OpenFile::open(source, path.clone()).map_err(from_io)?)
        }
        Origin::File(path) => Box::new(Pipe::open(path.clone(), Arc::clone(stop))),
        Origin::Reader(reader) => {
            let reader = reader.lock().ok().and_then(|mut reader| reader.take());
            let again = || from_io(io::Error::other("a reader can be read only once"));
            Box::new(Pipe::new(reader.ok_or_else(again)?, Arc::clone(stop)))
        }
        Origin::Member(member) => member.reader(),
        Origin::Url(_) | Origin::Cluster(_) => {
            return Err(from_io(io::Error::other("what a server has is fetched, not opened")));
        }
    };
    open_cancellable(source, raw, stop)
}

/// [`open`] for bytes that are already at hand; only the source's name, counter and `explicit` are used.
///
/// # Errors
/// As [`open`], without those of opening.
pub fn open_with(source: &Source, raw: Box<dyn Read + Send>) -> Result<OpenSource, SourceError> {
    open_cancellable(source, raw, &Arc::default())
}

fn open_cancellable(
    source: &Source,
    raw: Box<dyn Read + Send>,
    stop: &Arc<AtomicBool>,
) -> Result<OpenSource, SourceError> {
    let (reader, layers) = decompress(source, Box::new(CancellableReader::new(raw, stop)))?;
    let (source, is_compressed, stop) = (source.clone(), layers > 0, Arc::clone(stop));
    let mut opened = OpenSource { unreadable: None, source, reader, is_compressed, stop };
    opened.unreadable = Unreadable::detect(opened.head());
    Ok(opened)
}

impl OpenSource {
    /// Its first bytes, decompressed, by which its format is recognised: at most 8 KiB.
    pub fn head(&mut self) -> &[u8] {
        let head = self.reader.peek(SNIFF_LEN);
        head.get(..SNIFF_LEN).unwrap_or(head)
    }

    /// The same as text: as [`OpenSource::text`] gives it.
    pub fn text_head(&mut self) -> Vec<u8> {
        let head = self.head();
        let mut text = Vec::new();
        match Bom::detect(head) {
            // What is cut at the end of the head is no fault.
            Some(Bom::Utf16) if head.len() > 2 => drop(DecodeReaderBytes::new(head).read_to_end(&mut text)),
            Some(Bom::Utf16) => {}
            Some(Bom::Utf8) => text.extend_from_slice(head.get(3..).unwrap_or_default()),
            None => text.extend_from_slice(head),
        }
        text
    }

    /// Whether it is one of journald's own files.
    pub fn is_journal(&mut self) -> bool {
        self.head().starts_with(journal::MAGIC)
    }

    /// Whether it is an archive that is opened: one that is in at most one other.
    #[must_use]
    pub fn is_archive(&self) -> bool {
        matches!(self.unreadable, Some(Unreadable::Tar | Unreadable::Zip)) && self.source.depth() < MAX_DEPTH
    }

    /// Unpacks an archive into `spool`; `temp` is the folder where a ZIP archive is kept that is compressed or no file of its own.
    #[must_use]
    pub fn unpack(self, spool: &mut Spool, temp: &Path) -> Unpacked {
        let (source, stop) = (self.source.clone(), Arc::clone(&self.stop));
        let bytes = match self.unreadable {
            Some(Unreadable::Zip) => self.zip(temp).map(ArchiveBytes::Zip),
            _ => Ok(ArchiveBytes::Tar(Box::new(CancellableReader::new(self.reader, &self.stop)))),
        };
        match bytes {
            Ok(bytes) => archive::unpack(&source, bytes, spool, &stop),
            Err(error) => {
                let errors = vec![SourceError::from_io(&source.name, &io::Error::other(error))];
                Unpacked { errors, ..Unpacked::default() }
            }
        }
    }

    /// A ZIP archive, to be read at any place.
    fn zip(self, temp: &Path) -> Result<FileRange, ArchiveError> {
        let file = match &self.source.origin {
            Origin::File(path) if self.source.bytes.is_some() && !self.is_compressed => {
                File::open(path).and_then(FileRange::whole).ok()
            }
            Origin::Member(member) if !self.is_compressed => member.range().cloned(),
            _ => None,
        };
        match file {
            Some(range) => Ok(range),
            None => archive::keep_zip(Box::new(CancellableReader::new(self.reader, &self.stop)), temp),
        }
    }

    /// Its text: UTF-16 becomes UTF-8, byte order marks are removed, a journal becomes lines. Any other text passes unchanged,
    /// invalid UTF-8 included. A journal that is no file of its own is kept in the folder `temp` while it is read.
    ///
    /// # Errors
    /// If it is known not to be text: [`SourceErrorKind::NotText`] if the user named it, [`SourceErrorKind::Skipped`] if it was
    /// found in a folder. Errors met later come from the reader: first everything that could be decoded, then the error,
    /// in the user's words by [`Chunks`](super::Chunks).
    pub fn text(mut self, temp: &Path) -> Result<Box<dyn Read + Send>, SourceError> {
        if self.is_journal() {
            return Ok(self.journal(temp));
        }
        let explicit = self.source.explicit;
        let content = self.unreadable.or_else(|| Unreadable::detect_binary(self.head()).filter(|_| !explicit));
        if let Some(content) = content {
            let kind = if explicit { SourceErrorKind::NotText(content) } else { SourceErrorKind::Skipped(content) };
            return Err(SourceError::new(&self.source.name, kind, format!("it is {}", content.description())));
        }
        let head = self.head();
        match Bom::detect(head) {
            // The decoder wants a third byte before it knows a mark.
            Some(Bom::Utf16) if head.len() == 2 => self.reader.consume(2),
            Some(Bom::Utf16) => {
                return Ok(Box::new(DecodeReaderBytes::new(CancellableReader::new(self.reader, &self.stop))));
            }
            Some(Bom::Utf8) => self.reader.consume(3),
            None => {}
        }
        Ok(Box::new(CancellableReader::new(self.reader, &self.stop)))
    }

    /// The same as the lines of a log: an export of a log store that is no lines becomes a record a line.
    ///
    /// # Errors
    /// As [`OpenSource::text`].
    pub fn log_text(mut self, temp: &Path) -> Result<Box<dyn Read + Send>, SourceError> {
        if self.is_journal() {
            return Ok(self.journal(temp));
        }
        self.text(temp).map(|text| export::lines(PeekReader::new(text)))
    }

    /// What it is an export of, if it is one.
    pub fn export(&mut self) -> Option<Export> {
        Export::detect(&self.text_head())
    }

    fn journal(self, temp: &Path) -> Box<dyn Read + Send> {
        let (progress, stop) = (Arc::clone(&self.source.read), Arc::clone(&self.stop));
        let bytes = match &self.source.origin {
            Origin::File(path) if self.source.bytes.is_some() && !self.is_compressed => {
                JournalBytes::File { path: path.into(), reopen_each_read: self.source.reopen_each_read }
            }
            Origin::Member(member)
                if !self.is_compressed
                    && let Some(range) = member.range() =>
            {
                JournalBytes::Range { range: range.clone(), few: self.source.reopen_each_read }
            }
            _ => JournalBytes::Stream {
                stream: Box::new(CancellableReader::new(self.reader, &self.stop)),
                temp: temp.into(),
            },
        };
        let selection = Arc::clone(&self.source.journal);
        Box::new(CancellableReader::new(JournalText::new(bytes, selection, progress, stop), &self.stop))
    }
}

fn decompress(source: &Source, raw: Box<dyn Read + Send>) -> Result<(PeekReader, usize), SourceError> {
    source.read.store(0, Ordering::Relaxed);
    let mut reader = PeekReader::new(Box::new(CountingReader { inner: raw, count: Arc::clone(&source.read) }));
    let mut layers = 0;
    while let Some(compression) = Compression::detect(&mut reader) {
        if layers == MAX_LAYERS {
            let message = format!("it is compressed more than {MAX_LAYERS} times");
            return Err(SourceError::new(&source.name, SourceErrorKind::TooManyLayers, message));
        }
        layers += 1;
        reader = PeekReader::new(Box::new(Decompressor::new(reader, compression)));
    }
    Ok((reader, layers))
}

/// Counts the bytes that pass.
struct CountingReader {
    inner: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for CountingReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = read_retrying(&mut self.inner, into)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{ChunkLimits, Chunks};
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
    pub(in super::super) fn all(bytes: &[u8], step: usize, explicit: bool) -> (Vec<u8>, Option<SourceErrorKind>) {
        let source = Source { explicit, ..Source::from_path("node-1.log") };
        let reader = match open_with(&source, Box::new(Steps(bytes.to_vec(), step)))
            .and_then(|opened| opened.text(&std::env::temp_dir()))
        {
            Ok(reader) => reader,
            Err(error) => return (Vec::new(), Some(error.kind)),
        };
        let (mut text, mut failed) = (Vec::new(), None);
        for chunk in Chunks::new(0, &source.name, reader, ChunkLimits { chunk: 5000, ..ChunkLimits::default() }) {
            match chunk {
                Ok(chunk) => text.extend_from_slice(chunk.own()),
                Err(error) => failed = Some(error.kind),
            }
        }
        if failed.is_none() {
            assert_eq!(source.bytes_read(), bytes.len() as u64, "every raw byte is counted");
        }
        (text, failed)
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
                for explicit in [true, false] {
                    assert_eq!(all(&utf16(LOG, form), step, explicit), (LOG.as_bytes().to_vec(), None));
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
        assert_eq!(all(&nul, 1, false).1, Some(SourceErrorKind::Skipped(Unreadable::Binary)));
        assert_eq!(all(b"", 1, false), (Vec::new(), None));
        assert_eq!(all(b"\xff\xfe", 1, false), (Vec::new(), None));
    }

    #[test]
    fn what_is_not_text_is_an_error() {
        assert_eq!(all(b"\x7fELF\x02", 1, true).1, Some(SourceErrorKind::NotText(Unreadable::Elf)));
        assert_eq!(all(b"\x7fELF\x02", 1, false).1, Some(SourceErrorKind::Skipped(Unreadable::Elf)));
        let compressed = zstd::encode_all(&b"\x7fELF\x02"[..], 1).unwrap();
        assert_eq!(all(&compressed, 9, true).1, Some(SourceErrorKind::NotText(Unreadable::Elf)), "compressed ones too");
    }

    #[test]
    fn files_can_be_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubelet.log.2.gz");
        let text = "I1123 18:59:27.586186 77 a.go:1] \"x\"\n".repeat(9000);
        std::fs::write(&path, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
        let source = Source::from_path(path);
        assert!(source.bytes.is_some());
        for _ in 0..2 {
            let mut opened = open(&source, &Arc::default()).unwrap();
            assert_eq!(opened.head(), &text.as_bytes()[..SNIFF_LEN]);
            let mut chunks =
                Chunks::new(3, &source.name, opened.text(&std::env::temp_dir()).unwrap(), ChunkLimits::default());
            let chunk = chunks.next().unwrap().unwrap();
            assert_eq!((chunk.source, chunk.own()), (3, text.as_bytes()));
            assert!(chunks.next().is_none());
        }
        let gone = Source::from_path("/no/such.log");
        let kind =
            open(&gone, &Arc::default()).and_then(|opened| opened.text(&std::env::temp_dir())).map(|mut text| {
                let error = text.read(&mut [0]).unwrap_err();
                SourceError::from_io(&gone.name, &error).kind
            });
        assert_eq!(kind.ok(), Some(SourceErrorKind::NotFound));
    }

    #[test]
    fn a_reader_is_read_once() {
        let source = Source::from_reader("memory", std::io::Cursor::new(LOG));
        let mut text = String::new();
        open(&source, &Arc::default()).unwrap().text(&std::env::temp_dir()).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), source.bytes_read()), (LOG, LOG.len() as u64));
        let error = open(&source, &Arc::default()).err().unwrap();
        assert_eq!((error.name.as_str(), error.kind), ("memory", SourceErrorKind::Read));
    }
}
