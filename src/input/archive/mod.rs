//! Archives as if they were folders: tar and zip are unpacked into one temporary file, and each member becomes a source.
//!
//! ```text
//! tar, zip --MemberHeader, content--> Unpacker --Spool, Tree--> Source
//! ```
//!
//! Everything is read once, in the archive's order: members of a tar can be had in no other, and the analysis reads all sources
//! at once. Names are only names here: nothing is written by them, and no link is followed outside. Text is compressed again,
//! and of what is no text only the front is kept, which shows what it is.

mod error;
mod member;
mod tar;
#[cfg(test)]
mod tests;
mod tree;
mod zip;

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

pub(super) use error::ArchiveError;
use member::{Kind, MemberHeader};
use tar::{Next, TarReader};
use tree::{Added, Entry, Tree};

use super::compression::{Compression, Decompressor};
use super::error::SourceError;
use super::journal;
use super::layout::node_folder;
use super::peek_reader::PeekReader;
use super::signature::{SNIFF_LEN, Unreadable};
use super::source::Origin;
use super::spool::{FileRange, Spool};
use super::{MAX_OPEN_FILES, Source};
use crate::model::text::sanitize;

/// How deep archives are opened: an archive, and those that it holds.
pub(super) const MAX_DEPTH: u8 = 2;
/// How many members and folders one archive may hold; those of a large cluster's must-gather have some tens of thousands.
const MAX_MEMBERS: usize = 1 << 17;
/// How much one archive may hold, in bytes.
const MAX_UNPACKED: u64 = 64 << 30;
/// The longest ZIP archive that is kept in a temporary file, because it comes through a pipe or is compressed.
const MAX_KEPT_ZIP: u64 = 8 << 30;
/// A text up to this length is not compressed: a decompressor holds as much.
const SMALL: usize = 256 << 10;
/// How much a compressor keeps in mind, as a power of two: thousands of members may be read at once, and each holds as much.
const WINDOW_LOG: u32 = 17;
/// How many errors of one archive are reported.
const MAX_ERRORS: usize = 20;
/// By what Parquet begins.
const PARQUET: &[u8] = b"PAR1";

/// What came of an archive.
#[derive(Debug, Default)]
pub struct Unpacked {
    /// Its files, in the order in which a folder's are listed.
    pub members: Vec<Source>,
    /// What could not be read, or not to its end.
    pub errors: Vec<SourceError>,
    /// What was left out on purpose.
    pub remarks: Vec<String>,
}

/// The bytes of a member.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) range: FileRange,
    /// Whether it was compressed to be kept.
    is_packed: bool,
    /// As it is in the archive; of what is no text that of its front.
    bytes: u64,
    pub(super) modified: Option<SystemTime>,
    /// In how many archives it is.
    pub(super) depth: u8,
}

impl Member {
    /// Its bytes from the beginning.
    pub(super) fn reader(&self) -> Box<dyn Read + Send> {
        if self.is_packed {
            let packed = PeekReader::new(Box::new(self.range.reader()));
            return Box::new(Decompressor::new(packed, Compression::Zstd));
        }
        Box::new(self.range.reader())
    }

    /// Its bytes at any place, if they are kept as they are.
    pub(super) fn range(&self) -> Option<&FileRange> {
        Some(&self.range).filter(|_| !self.is_packed)
    }
}

/// Where the bytes of an archive are.
pub(super) enum ArchiveBytes {
    Tar(Box<dyn Read + Send>),
    Zip(FileRange),
}

/// Unpacks the archive of `source`.
pub(super) fn unpack(source: &Source, bytes: ArchiveBytes, spool: &mut Spool, stop: &Arc<AtomicBool>) -> Unpacked {
    unpack_within(source, bytes, spool, stop, (MAX_MEMBERS, MAX_UNPACKED))
}

fn unpack_within(
    source: &Source,
    bytes: ArchiveBytes,
    spool: &mut Spool,
    stop: &Arc<AtomicBool>,
    (max_members, max_bytes): (usize, u64),
) -> Unpacked {
    let left = Cell::new(max_bytes);
    let mut unpacker = Unpacker {
        archive: &source.name,
        depth: source.depth().saturating_add(1),
        is_stream: matches!(bytes, ArchiveBytes::Tar(_)),
        spool,
        tree: Tree::new(max_members),
        max_members,
        errors: Vec::new(),
        more_errors: 0,
        last: None,
        refused: Counted::default(),
        replaced: Counted::default(),
        special: Counted::default(),
    };
    let metered = |inner: Box<dyn Read + Send>| Metered { inner, left: &left, max: max_bytes, stop };
    match bytes {
        ArchiveBytes::Tar(reader) => unpacker.tar(TarReader::new(metered(Box::new(PeekReader::new(reader))))),
        ArchiveBytes::Zip(range) => {
            let read = zip::read(range, |header, content| match content {
                Ok(content) => unpacker.take(header, &mut metered(content)),
                Err(error) => {
                    unpacker.error_of(&header.name, &error);
                    true
                }
            });
            if let Err(error) = read {
                unpacker.error(None, ArchiveError::List(error.to_string()));
            }
        }
    }
    unpacker.finish(source, stop.load(Ordering::Relaxed))
}

/// Makes a range of a ZIP archive that cannot be read at any place.
pub(super) fn keep_zip(reader: Box<dyn Read + Send>, temp: &Path) -> Result<FileRange, ArchiveError> {
    let not_kept = |error: io::Error| ArchiveError::NotKept(error.to_string());
    let mut file = tempfile::tempfile_in(temp).map_err(not_kept)?;
    // An archive that was cut off has no list at its end, which is said of it.
    let copied = io::copy(&mut reader.take(MAX_KEPT_ZIP + 1), &mut file);
    let range = FileRange::whole(file).map_err(not_kept)?;
    match copied {
        Ok(_) if range.len() > MAX_KEPT_ZIP => Err(ArchiveError::TooLarge(MAX_KEPT_ZIP)),
        Err(error) if range.len() == 0 => Err(not_kept(error)),
        _ => Ok(range),
    }
}

/// How many there were, and the first one's name.
#[derive(Default)]
struct Counted {
    count: u64,
    first: Vec<u8>,
}

impl Counted {
    fn add(&mut self, name: &[u8]) {
        if self.count == 0 {
            self.first = name.to_vec();
        }
        self.count += 1;
    }

    fn remark(&self, one: &str, many: &str, what: &str) -> Option<String> {
        let Counted { count, first } = self;
        let noun = if *count == 1 { one } else { many };
        (*count > 0).then(|| format!("{count} {noun} {what}, first {}", shown(first)))
    }
}

/// An archive on its way into the temporary file.
struct Unpacker<'a> {
    archive: &'a str,
    depth: u8,
    /// Whether nothing can be read behind an error.
    is_stream: bool,
    spool: &'a mut Spool,
    tree: Tree<Member>,
    max_members: usize,
    errors: Vec<SourceError>,
    more_errors: u64,
    /// The member that was read last, and whether there is one.
    last: Option<Vec<u8>>,
    refused: Counted,
    replaced: Counted,
    special: Counted,
}

impl Unpacker<'_> {
    fn tar<R: Read>(&mut self, mut archive: TarReader<R>) {
        loop {
            match archive.next() {
                Ok(Next::End) => return,
                Ok(Next::Member(header)) => {
                    self.last = Some(header.name.clone());
                    if !self.take(header, &mut archive) {
                        return;
                    }
                }
                Ok(Next::Damaged(at)) => self.error(None, ArchiveError::Damaged(at)),
                Ok(Next::Truncated) => {
                    let last = self.last.take();
                    return self.error(last.as_deref(), ArchiveError::Truncated);
                }
                Err(error) => {
                    let last = self.last.take().unwrap_or_default();
                    return self.error_of(&last, &error);
                }
            }
        }
    }

    /// Takes a member. Whether more can be taken.
    fn take(&mut self, header: MemberHeader, content: &mut dyn Read) -> bool {
        let MemberHeader { name, kind, modified } = header;
        let entry = match kind {
            Kind::Folder => Entry::Folder,
            Kind::Link(target) => Entry::Link(target),
            Kind::HardLink(target) => match self.tree.file(&target) {
                Some(file) => Entry::File(file.clone()),
                None => {
                    self.refused.add(&name);
                    return true;
                }
            },
            Kind::Special => {
                self.special.add(&name);
                return true;
            }
            Kind::Sparse => return self.unread(&name, ArchiveError::Sparse),
            Kind::LongName => return self.unread(&name, ArchiveError::LongName),
            Kind::Encrypted => return self.unread(&name, ArchiveError::Encrypted),
            Kind::UnknownMethod => return self.unread(&name, ArchiveError::UnknownMethod),
            Kind::File => {
                let (kept, error) = match self.keep(content) {
                    Ok(kept) => kept,
                    Err(error) => {
                        self.error(Some(&name), ArchiveError::NotKept(error.to_string()));
                        return false;
                    }
                };
                if !self.add(&name, Entry::File(Member { modified, ..kept })) {
                    return false;
                }
                let is_over = error.as_ref().is_some_and(|error| self.is_stream || is_too_large(error));
                error.iter().for_each(|error| self.error_of(&name, error));
                return !is_over;
            }
        };
        self.add(&name, entry)
    }

    fn unread(&mut self, name: &[u8], error: ArchiveError) -> bool {
        self.error(Some(name), error);
        true
    }

    fn add(&mut self, name: &[u8], entry: Entry<Member>) -> bool {
        match self.tree.add(name, entry) {
            Added::New => {}
            Added::Replaced => self.replaced.add(name),
            Added::Refused => self.refused.add(name),
            Added::Full => {
                self.error(None, ArchiveError::TooMany(self.max_members));
                return false;
            }
        }
        true
    }

    /// Writes content to the temporary file. Gives what was read, and the error at which reading ended; the outer one is of writing.
    fn keep(&mut self, content: &mut dyn Read) -> io::Result<(Member, Option<io::Error>)> {
        let mut front = Vec::new();
        let mut error = content.take(SMALL as u64).read_to_end(&mut front).err();
        let may_be_longer = error.is_none() && front.len() == SMALL;
        let form = Form::detect(front.get(..SNIFF_LEN).unwrap_or(&front), self.depth);
        let mut writer = self.spool.begin()?;
        let (mut bytes, mut is_packed) = (front.len() as u64, false);
        match form {
            Form::Front => {
                front.truncate(SNIFF_LEN);
                bytes = front.len() as u64;
                writer.write_all(&front)?;
            }
            Form::Text if may_be_longer => {
                is_packed = true;
                let mut encoder = zstd::Encoder::new(&mut writer, 1)?;
                encoder.window_log(WINDOW_LOG)?;
                encoder.write_all(&front)?;
                error = copy(content, &mut encoder, &mut bytes)?;
                encoder.finish()?;
            }
            Form::Raw | Form::Text => {
                writer.write_all(&front)?;
                if may_be_longer {
                    error = copy(content, &mut writer, &mut bytes)?;
                }
            }
        }
        let range = writer.range();
        Ok((Member { range, is_packed, bytes, modified: None, depth: self.depth }, error))
    }

    fn error(&mut self, member: Option<&[u8]>, error: ArchiveError) {
        self.error_of(member.unwrap_or_default(), &io::Error::other(error));
    }

    fn error_of(&mut self, member: &[u8], error: &io::Error) {
        if self.errors.len() == MAX_ERRORS {
            self.more_errors += 1;
            return;
        }
        let name = if member.is_empty() { self.archive.to_owned() } else { member_name(self.archive, member) };
        self.errors.push(SourceError::from_io(&name, error));
    }

    fn finish(self, source: &Source, is_stopped: bool) -> Unpacked {
        let Unpacker { archive, tree, mut errors, more_errors, refused, replaced, special, .. } = self;
        let folder = folder(source);
        let mut members = Vec::new();
        let (count, first) = tree.list(|path, member| {
            let path_within = folder.join(&*String::from_utf8_lossy(path));
            members.push(Source {
                folder: path_within.parent().map(node_folder),
                bytes: Some(member.bytes),
                explicit: false,
                journal: Arc::clone(&source.journal),
                ..Source::new(member_name(archive, path), Origin::Member(Arc::new(member.clone())))
            });
        });
        let many = members.len() > MAX_OPEN_FILES;
        members.iter_mut().for_each(|member| member.reopen_each_read = many);
        // Where reading was stopped, everything ends early.
        if is_stopped {
            errors.clear();
        } else if more_errors > 0 {
            errors.push(SourceError::from_io(archive, &io::Error::other(ArchiveError::More(more_errors))));
        }
        if members.is_empty() && errors.is_empty() && !is_stopped {
            errors.push(SourceError::from_io(archive, &io::Error::other(ArchiveError::Empty)));
        }
        let lost = Counted { count, first: first.unwrap_or_default() };
        let remarks = [
            refused.remark("member", "members", "skipped: the name leads out of the archive, or a link to nothing"),
            replaced.remark("member", "members", "replaced by a later one of the same name"),
            special.remark("pipe or device", "pipes or devices", "skipped"),
            lost.remark("symbolic link", "symbolic links", "not followed: they lead nowhere or out of the archive"),
        ];
        let remarks = remarks.into_iter().flatten().map(|remark| format!("{archive}: {remark}")).collect();
        Unpacked { members, errors, remarks }
    }
}

/// How a member is kept.
#[derive(Clone, Copy)]
enum Form {
    /// As it is: it is compressed already, or is read at any place.
    Raw,
    /// Compressed.
    Text,
    /// Its front: it is nothing that podlag reads.
    Front,
}

impl Form {
    /// By its first bytes, in an archive that is in so many.
    fn detect(head: &[u8], depth: u8) -> Form {
        if head.starts_with(journal::MAGIC) || head.starts_with(PARQUET) || Compression::from_magic(head).is_some() {
            return Form::Raw;
        }
        match Unreadable::detect(head) {
            Some(Unreadable::Zip) if depth < MAX_DEPTH => Form::Raw,
            Some(Unreadable::Tar) if depth < MAX_DEPTH => Form::Text,
            None if Unreadable::detect_binary(head).is_none() => Form::Text,
            _ => Form::Front,
        }
    }
}

/// Copies to the end or to a read error, which is given; the outer error is of writing.
fn copy(from: &mut dyn Read, to: &mut dyn Write, bytes: &mut u64) -> io::Result<Option<io::Error>> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match super::peek_reader::read_retrying(&mut &mut *from, &mut buffer) {
            Ok(0) => return Ok(None),
            Ok(read) => {
                *bytes += read as u64;
                to.write_all(buffer.get(..read).unwrap_or_default())?;
            }
            Err(error) => return Ok(Some(error)),
        }
    }
}

/// Counts what is unpacked, and ends where it is too much or reading was stopped.
struct Metered<'a, R> {
    inner: R,
    left: &'a Cell<u64>,
    max: u64,
    stop: &'a AtomicBool,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let read = self.inner.read(into)?;
        match self.left.get().checked_sub(read as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other(ArchiveError::TooLarge(self.max))),
        }
        Ok(read)
    }
}

fn is_too_large(error: &io::Error) -> bool {
    let archive = error.get_ref().and_then(|inner| inner.downcast_ref::<ArchiveError>());
    matches!(archive, Some(ArchiveError::TooLarge(_)))
}

/// Extensions of archives, with which they are no folder's name.
const EXTENSIONS: &[&str] =
    &[".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz2", ".tbz", ".zip"];

/// The folder that an archive would be unpacked into: of its name without the extension.
fn folder(source: &Source) -> PathBuf {
    let name = Path::new(&source.name).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = EXTENSIONS.iter().filter_map(|extension| name.strip_suffix(extension)).min_by_key(|stem| stem.len());
    // What comes through a pipe has no name: it is as if it were unpacked here.
    source.folder.as_ref().map(|folder| folder.join(stem.unwrap_or(&name))).unwrap_or_default()
}

/// What a member is called: its path behind the archive's.
fn member_name(archive: &str, path: &[u8]) -> String {
    format!("{archive}/{}", shown(path.strip_prefix(b"./").unwrap_or(path)))
}

fn shown(path: &[u8]) -> String {
    sanitize(&String::from_utf8_lossy(path))
}
