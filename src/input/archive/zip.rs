//! Zip archives, member by member, by the list at their end. The list and the members' places are the crate `rawzip`'s, which holds
//! one entry of it at a time; the content is decompressed as that of files is.

use std::io::{self, Cursor, Read};
use std::time::{Duration, SystemTime};

use chrono::NaiveDate;
use flate2::Crc;
use rawzip::time::ZipDateTimeKind;
use rawzip::{CompressionMethod, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive, ZipFileHeaderRecord, ZipLocator};

use super::error::ArchiveError;
use super::member::{Kind, MemberHeader};
use crate::input::compression::{Compression, Decompressor};
use crate::input::peek_reader::PeekReader;
use crate::input::spool::{FileRange, RangeReader};

/// How far from the end of a file the list's own end may be: a comment is at most 64 KiB.
const MAX_TRAILER: u64 = (1 << 16) + 1024;
/// The longest target of a symbolic link, in bytes.
const MAX_TARGET: u64 = 4096;
/// What begins gzip data without a name (RFC 1952).
const GZIP_HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];

/// Content, or why it cannot be had.
type Content = io::Result<Box<dyn Read + Send>>;

/// Hands each member of an archive to `take`, with its content, until it says stop.
///
/// # Errors
/// When the archive has no list, or it is damaged.
pub(super) fn read(bytes: FileRange, mut take: impl FnMut(MemberHeader, Content) -> bool) -> Result<(), rawzip::Error> {
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let (all, len) = (bytes.clone(), bytes.len());
    let locator = ZipLocator::new().max_search_space(MAX_TRAILER);
    let archive = locator.locate_in_reader(bytes, &mut buffer, len).map_err(|(_, error)| error)?;
    let mut entries = archive.entries(&mut buffer);
    let mut left = archive.entries_hint();
    while let Some(entry) = entries.next_entry()? {
        left = left.saturating_sub(1);
        let mut content = content(&archive, &all, &entry);
        let kind = kind(&entry, &mut content);
        let name = entry.file_path().as_ref().to_vec();
        let header = MemberHeader { name, kind, modified: modified(&entry) };
        if !take(header, content) {
            return Ok(());
        }
    }
    if left > 0 { Err(rawzip::ErrorKind::Eof.into()) } else { Ok(()) }
}

fn kind(entry: &ZipFileHeaderRecord<'_>, content: &mut Content) -> Kind {
    if entry.is_dir() {
        return Kind::Folder;
    }
    if entry.flags().is_encrypted() {
        return Kind::Encrypted;
    }
    if compression(entry.compression_method()).is_none() {
        return Kind::UnknownMethod;
    }
    if entry.mode().is_symlink() {
        let mut target = Vec::new();
        let read = content.as_mut().map(|content| content.take(MAX_TARGET).read_to_end(&mut target));
        // A link whose target cannot be read leads nowhere.
        return Kind::Link(if matches!(read, Ok(Ok(_))) { target } else { Vec::new() });
    }
    Kind::File
}

/// How the content of a member is compressed, if podlag reads it; the inner one is none for what is stored as it is.
fn compression(method: CompressionMethod) -> Option<Option<Compression>> {
    match method {
        CompressionMethod::STORE => Some(None),
        CompressionMethod::DEFLATE => Some(Some(Compression::Gzip)),
        CompressionMethod::ZSTD => Some(Some(Compression::Zstd)),
        CompressionMethod::BZIP2 => Some(Some(Compression::Bzip2)),
        CompressionMethod::XZ => Some(Some(Compression::Xz)),
        _ => None,
    }
}

fn content(archive: &ZipArchive<FileRange>, all: &FileRange, entry: &ZipFileHeaderRecord<'_>) -> Content {
    let local = archive
        .get_entry(entry.wayfinder())
        .map_err(|error| io::Error::other(ArchiveError::Member(error.to_string())))?;
    let (from, to) = local.compressed_data_range();
    let raw = all.part(from, to).reader();
    Ok(match compression(entry.compression_method()).flatten() {
        None => Box::new(Checked { inner: raw, crc: Crc::new(), expected: entry.crc32() }),
        Some(Compression::Gzip) => Box::new(inflated(raw, entry.crc32(), entry.uncompressed_size_hint())),
        Some(compression) => Box::new(Checked {
            inner: Decompressor::new(PeekReader::new(Box::new(raw)), compression),
            crc: Crc::new(),
            expected: entry.crc32(),
        }),
    })
}

/// Deflated data is gzip's without header and trailer: with them it is read as gzip files are, checksum and all, and nothing that
/// stands before damage is lost.
fn inflated(raw: RangeReader, crc: u32, size: u64) -> Decompressor {
    let trailer = [crc.to_le_bytes(), (size as u32).to_le_bytes()].concat();
    let gzip = Cursor::new(GZIP_HEADER).chain(raw).chain(Cursor::new(trailer));
    Decompressor::new(PeekReader::new(Box::new(gzip)), Compression::Gzip)
}

/// When a member was changed last. A time without a zone is not used.
fn modified(entry: &ZipFileHeaderRecord<'_>) -> Option<SystemTime> {
    let ZipDateTimeKind::Utc(time) = entry.last_modified() else { return None };
    let day = NaiveDate::from_ymd_opt(time.year().into(), time.month().into(), time.day().into())?;
    let seconds =
        day.and_hms_opt(time.hour().into(), time.minute().into(), time.second().into())?.and_utc().timestamp();
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Content that is checked against its checksum at its end.
struct Checked<R> {
    inner: R,
    crc: Crc,
    expected: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.crc.update(into.get(..read).unwrap_or_default());
        if read == 0 && !into.is_empty() && self.crc.sum() != self.expected {
            return Err(io::Error::other(ArchiveError::Member("checksum mismatch".into())));
        }
        Ok(read)
    }
}
