//! Bytes of a journal file by their place: a file or memory behind a few blocks that were read last. A file is not mapped:
//! whoever truncates a mapped file ends the program.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use super::compression::Decompressor;
use crate::input::spool::FileRange;

/// Bytes of one block.
const BLOCK: usize = 64 << 10;
/// How many blocks are held.
const BLOCKS: usize = 32;
/// Among how many places a block has its own: lists are read beside the entries that they name.
const WAYS: usize = 4;

/// Bytes that can be read at any place: of a file, or behind a server that gives parts of one.
pub trait BytesAt: Send {
    /// Fills `into` with the bytes at `offset`.
    ///
    /// # Errors
    /// When there are not as many, or they cannot be read.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
    /// How many there are.
    fn size(&self) -> u64;
}

/// A file. One that is not held open is opened for each block.
pub(super) struct FileBytes {
    pub(super) file: Option<File>,
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

impl BytesAt for FileBytes {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        match &self.file {
            Some(file) => read_exact_at(file, offset, into),
            None => read_exact_at(&File::open(&self.path)?, offset, into),
        }
    }

    fn size(&self) -> u64 {
        self.len
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, offset)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, offset: u64, into: &mut [u8]) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(into)
}

/// A member of an archive.
impl BytesAt for FileRange {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        rawzip::ReaderAt::read_exact_at(self, into, offset)
    }

    fn size(&self) -> u64 {
        FileRange::len(self)
    }
}

#[cfg(test)]
impl BytesAt for Vec<u8> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).ok().and_then(|from| self.get(from..)?.get(..into.len()));
        into.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn size(&self) -> u64 {
        Vec::len(self) as u64
    }
}

/// Why something could not be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// What stands at this place is not what should.
    Damaged(u64),
    /// The system could not read.
    Io(io::Error),
}

/// What was found, or why not.
pub(super) type Found<T> = Result<T, Fault>;

/// Bytes, with the blocks read last.
pub(super) struct Blocks {
    bytes: Box<dyn BytesAt>,
    len: u64,
    slots: Vec<Slot>,
    /// How many reads there were, which tells the blocks' age.
    reads: u64,
    decompressor: Decompressor,
    /// A field as it is in the file, before it is decompressed.
    compressed: Vec<u8>,
}

/// A block, at one of the places that its number gives it.
struct Slot {
    number: u64,
    used: u64,
    bytes: Vec<u8>,
}

impl Blocks {
    /// None read yet. `few`: many files are read at once.
    pub(super) fn new(bytes: Box<dyn BytesAt>, few: bool) -> Self {
        let slots = (0..if few { WAYS } else { BLOCKS }).map(|_| Slot { number: u64::MAX, used: 0, bytes: Vec::new() });
        let (decompressor, compressed) = (Decompressor::default(), Vec::new());
        Blocks { len: bytes.size(), bytes, slots: slots.collect(), reads: 0, decompressor, compressed }
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `into` with the bytes at `offset`; damage where there are not as many.
    pub(super) fn copy(&mut self, offset: u64, into: &mut [u8]) -> Found<()> {
        if offset.checked_add(into.len() as u64).is_none_or(|end| end > self.len) {
            return Err(Fault::Damaged(offset));
        }
        let (mut offset, mut into) = (offset, into);
        while !into.is_empty() {
            let within = usize::try_from(offset % BLOCK as u64).unwrap_or(0);
            let block = self.block(offset / BLOCK as u64)?;
            let from = block.get(within..).unwrap_or_default();
            let count = from.len().min(into.len());
            let (front, rest) = into.split_at_mut(count);
            if count == 0 {
                return Err(Fault::Damaged(offset));
            }
            front.copy_from_slice(from.get(..count).unwrap_or_default());
            (into, offset) = (rest, offset + count as u64);
        }
        Ok(())
    }

    /// Puts at most `most` bytes of a field into `field` that is compressed in the `length` bytes at `offset`; whether it is whole
    /// that far.
    pub(super) fn decompress(
        &mut self,
        offset: u64,
        length: usize,
        flag: u8,
        most: usize,
        field: &mut Vec<u8>,
    ) -> Found<bool> {
        let mut compressed = std::mem::take(&mut self.compressed);
        compressed.clear();
        compressed.resize(length, 0);
        let copied = self.copy(offset, &mut compressed);
        let whole = copied.is_ok() && self.decompressor.decompress(flag, &compressed, most, field);
        self.compressed = compressed;
        copied.map(|()| whole)
    }

    /// The `N` bytes at `offset`.
    pub(super) fn array<const N: usize>(&mut self, offset: u64) -> Found<[u8; N]> {
        let mut bytes = [0; N];
        self.copy(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// The number of 64 bits at `offset`.
    pub(super) fn u64(&mut self, offset: u64) -> Found<u64> {
        self.array(offset).map(u64::from_le_bytes)
    }

    fn block(&mut self, number: u64) -> Found<&[u8]> {
        let start = number.saturating_mul(BLOCK as u64);
        self.reads += 1;
        let sets = (self.slots.len() / WAYS).max(1);
        let first = usize::try_from(number % sets as u64).unwrap_or(0) * WAYS;
        let set = self.slots.get_mut(first..first + WAYS).ok_or(Fault::Damaged(start))?;
        let held = set.iter().position(|slot| slot.number == number);
        let oldest = || set.iter().enumerate().min_by_key(|(_, slot)| slot.used).map(|(at, _)| at);
        let slot = held.or_else(oldest).and_then(|at| set.get_mut(at)).ok_or(Fault::Damaged(start))?;
        slot.used = self.reads;
        if slot.number != number {
            let left = usize::try_from(self.len.saturating_sub(start)).unwrap_or(BLOCK).min(BLOCK);
            slot.number = u64::MAX;
            slot.bytes.resize(left, 0);
            self.bytes.read_at(start, &mut slot.bytes).map_err(Fault::Io)?;
            slot.number = number;
        }
        Ok(&slot.bytes)
    }
}

/// The number of 64 bits at a place in bytes that were read; 0 behind their end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The same of 32 bits.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
