//! Tar archives, member by member, from a stream. The fields of a header are the crate `tar`'s; its walk is not used, because it
//! holds names of any length in memory and ends at the first header that is damaged.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use tar::{EntryType, Header, PaxExtensions};

use super::member::{Kind, MemberHeader};

const BLOCK: usize = 512;
/// The longest name, in bytes: Linux' longest path.
const MAX_NAME: u64 = 4096;
/// The longest extended header, in bytes. They hold names, and attributes of files that are not read.
const MAX_EXTENDED: u64 = 1 << 20;

/// What follows in an archive.
pub(super) enum Next {
    Member(MemberHeader),
    /// Something else than a header stands at this byte; what follows it is looked for.
    Damaged(u64),
    /// The archive ends in the middle of a header or of the member that was last.
    Truncated,
    End,
}

/// An archive's members one after the other.
pub(super) struct TarReader<R> {
    input: R,
    at: u64,
    /// What is left of the member, and the zeros that fill its last block.
    left: u64,
    padding: u64,
    /// Behind the mark of the end.
    ended: bool,
    /// Where the search for a header began.
    lost: bool,
}

/// What extended headers say of the member that follows them.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<SystemTime>,
    sparse: bool,
    too_long: bool,
}

impl<R: Read> TarReader<R> {
    pub(super) fn new(input: R) -> Self {
        TarReader { input, at: 0, left: 0, padding: 0, ended: false, lost: false }
    }

    /// The next member; what is left of the one before is skipped.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let mut extended = Extended::default();
        if !self.skip_member()? {
            return Ok(Next::Truncated);
        }
        loop {
            let start = self.at;
            let mut block = [0; BLOCK];
            match self.fill(&mut block)? {
                0 => return Ok(Next::End),
                BLOCK => {}
                // What follows the mark of the end is nobody's.
                _ if self.ended => return Ok(Next::End),
                _ => return Ok(Next::Truncated),
            }
            if block.iter().all(|byte| *byte == 0) {
                self.ended = true;
                continue;
            }
            let header = Header::from_byte_slice(&block);
            if !is_header(header, &block) {
                if self.ended || std::mem::replace(&mut self.lost, true) {
                    continue;
                }
                return Ok(Next::Damaged(start));
            }
            (self.ended, self.lost) = (false, false);
            let kind = header.entry_type();
            let Ok(size) = header.entry_size() else {
                self.lost = true;
                return Ok(Next::Damaged(start));
            };
            self.left = if matches!(kind, EntryType::Link | EntryType::Symlink) { 0 } else { size };
            self.padding = size.wrapping_neg() % BLOCK as u64;
            match kind {
                EntryType::GNULongName => extended.name = self.name(&mut extended.too_long)?,
                EntryType::GNULongLink => extended.link = self.name(&mut extended.too_long)?,
                EntryType::XHeader if size <= MAX_EXTENDED => {
                    let mut bytes = Vec::new();
                    self.read_to_end(&mut bytes)?;
                    extended.read(&bytes);
                }
                EntryType::XHeader | EntryType::XGlobalHeader => {}
                _ => return self.member(header, extended),
            }
            if !self.skip_member()? {
                return Ok(Next::Truncated);
            }
        }
    }

    fn member(&mut self, header: &Header, extended: Extended) -> io::Result<Next> {
        let Extended { name, link, size, modified, sparse, too_long } = extended;
        if let Some(size) = size {
            (self.left, self.padding) = (size, size.wrapping_neg() % BLOCK as u64);
        }
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = match header.entry_type() {
            _ if too_long => Kind::LongName,
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink | EntryType::Link => {
                let target =
                    link.or_else(|| header.link_name_bytes().map(|name| name.into_owned())).unwrap_or_default();
                if header.entry_type() == EntryType::Link { Kind::HardLink(target) } else { Kind::Link(target) }
            }
            EntryType::GNUSparse => {
                if !self.skip_sparse_map(header)? {
                    return Ok(Next::Truncated);
                }
                Kind::Sparse
            }
            EntryType::Regular | EntryType::Continuous if sparse => Kind::Sparse,
            // As the first tars wrote it.
            EntryType::Regular if name.ends_with(b"/") => Kind::Folder,
            EntryType::Regular | EntryType::Continuous => Kind::File,
            _ => Kind::Special,
        };
        let seconds = header.mtime().ok().map(Duration::from_secs);
        let modified = modified.or_else(|| SystemTime::UNIX_EPOCH.checked_add(seconds?));
        Ok(Next::Member(MemberHeader { name, kind, modified }))
    }

    /// Skips the rest of the map of a sparse file, which no size counts. Whether it is there.
    fn skip_sparse_map(&mut self, header: &Header) -> io::Result<bool> {
        let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        let mut block = [0; BLOCK];
        while more {
            if self.fill(&mut block)? < BLOCK {
                return Ok(false);
            }
            // The flag stands behind 21 entries of 24 bytes.
            more = block.get(504).is_some_and(|flag| *flag != 0);
        }
        Ok(true)
    }

    /// A name that a member of its own holds.
    fn name(&mut self, too_long: &mut bool) -> io::Result<Option<Vec<u8>>> {
        if self.left > MAX_NAME + 1 {
            *too_long = true;
            return Ok(None);
        }
        let mut name = Vec::new();
        self.read_to_end(&mut name)?;
        name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
        Ok(Some(name))
    }

    /// Skips what is left of a member. Whether it was all there.
    fn skip_member(&mut self) -> io::Result<bool> {
        io::copy(&mut *self, &mut io::sink())?;
        if self.left > 0 {
            return Ok(false);
        }
        let mut padding = [0; BLOCK];
        let count = usize::try_from(std::mem::take(&mut self.padding)).unwrap_or(0);
        let read = self.fill(padding.get_mut(..count).unwrap_or_default())?;
        // Without the zeros behind it the last member is whole.
        Ok(read == count || read == 0)
    }

    /// Fills a block. How many bytes there were.
    fn fill(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let read = self.input.read(rest)?;
            if read == 0 {
                break;
            }
            filled += read;
        }
        self.at += filled as u64;
        Ok(filled)
    }
}

/// The rest of the member.
impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if count == 0 {
            return Ok(0);
        }
        let read = self.input.read(into.get_mut(..count).unwrap_or_default())?;
        self.left -= read as u64;
        self.at += read as u64;
        Ok(read)
    }
}

impl Extended {
    /// Takes what a header of POSIX' pax format says. What is not well formed is left out.
    fn read(&mut self, bytes: &[u8]) {
        for field in PaxExtensions::new(bytes).flatten() {
            let text = field.value().ok();
            match field.key_bytes() {
                b"path" | b"linkpath" if field.value_bytes().len() as u64 > MAX_NAME => self.too_long = true,
                b"path" => self.name = Some(field.value_bytes().to_vec()),
                b"linkpath" => self.link = Some(field.value_bytes().to_vec()),
                b"size" => self.size = text.and_then(|text| text.parse().ok()),
                b"mtime" => {
                    let seconds = text.and_then(|text| text.parse::<f64>().ok());
                    let since = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                    self.modified = since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
                }
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
    }
}

/// Whether a block is a header: the sum of its bytes says so.
fn is_header(header: &Header, block: &[u8; BLOCK]) -> bool {
    let sum: u32 =
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    header.cksum().is_ok_and(|expected| expected == sum) && block.get(257..262).is_some_and(|mark| mark == b"ustar")
}
