//! A journal file's header and its objects, each checked against the length of the file. The format is systemd's
//! `docs/JOURNAL_FILE_FORMAT.md`; numbers are little endian.

use super::blocks::{Blocks, Fault, Found, u32_at, u64_at};

/// The first bytes of a journal file.
pub(in super::super) const MAGIC: &[u8] = b"LPKSHHRH";
/// The incompatible flags that are known: xz, LZ4, keyed hashes, zstd, compact.
const KNOWN_FLAGS: u32 = 1 | 2 | 4 | 8 | 16;
const KEYED: u32 = 4;
const COMPACT: u32 = 16;
/// The header of systemd 187 and before; what later ones added is not needed.
pub(super) const MIN_HEADER: u64 = 208;
/// The longest object that is believed.
const MAX_OBJECT: u64 = 64 << 20;
/// The most fields of an entry that are believed; journald takes 1,024.
const MAX_FIELDS: u64 = 4096;

/// Kinds of objects.
pub(super) const DATA: u8 = 1;
/// The name of fields.
pub(super) const FIELD: u8 = 2;
/// An entry.
pub(super) const ENTRY: u8 = 3;
/// A part of a list of entries.
pub(super) const ENTRY_ARRAY: u8 = 6;

/// What is needed of a file's header.
#[derive(Debug)]
pub(super) struct Header {
    /// The key of the file's hashes.
    pub(super) file_id: [u8; 16],
    /// Hashes have the key.
    pub(super) keyed: bool,
    /// Offsets of 32 bits.
    pub(super) compact: bool,
    /// Where the first object stands.
    pub(super) size: u64,
    /// Where the file ends, as the header has it.
    pub(super) end: u64,
    /// Where the table of fields stands, and its length.
    pub(super) table: (u64, u64),
    /// The same of the table of their names.
    pub(super) names: (u64, u64),
}

/// Why a header cannot be used.
pub(super) enum BadHeader {
    /// These flags say that it is laid out in a way that is not known.
    Flags(u32),
    /// It is not all there.
    Fault(Fault),
}

impl Header {
    /// Reads it.
    pub(super) fn read(blocks: &mut Blocks) -> Result<Self, BadHeader> {
        let bytes: [u8; MIN_HEADER as usize] = blocks.array(0).map_err(BadHeader::Fault)?;
        let flags = u32_at(&bytes, 12);
        if flags & !KNOWN_FLAGS != 0 {
            return Err(BadHeader::Flags(flags & !KNOWN_FLAGS));
        }
        let size = u64_at(&bytes, 88);
        Ok(Header {
            file_id: bytes.get(24..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default(),
            keyed: flags & (KEYED | COMPACT) != 0,
            compact: flags & COMPACT != 0,
            // A wrong one is no loss: objects are looked for from here on.
            size: if (MIN_HEADER..1 << 16).contains(&size) && size.is_multiple_of(8) { size } else { MIN_HEADER },
            end: size.saturating_add(u64_at(&bytes, 96)),
            table: (u64_at(&bytes, 104), u64_at(&bytes, 112)),
            names: (u64_at(&bytes, 120), u64_at(&bytes, 128)),
        })
    }

    /// The size of one place in a list.
    pub(super) fn item_size(&self) -> u64 {
        if self.compact { 4 } else { 8 }
    }

    /// Where a field's bytes begin in its object.
    fn payload(&self) -> u64 {
        if self.compact { 72 } else { 64 }
    }
}

/// The front of an object that lies within the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    pub(super) at: u64,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) size: u64,
}

impl Object {
    /// The object at a place, of whatever kind.
    pub(super) fn any(blocks: &mut Blocks, at: u64) -> Found<Self> {
        if !at.is_multiple_of(8) || at < MIN_HEADER {
            return Err(Fault::Damaged(at));
        }
        let bytes: [u8; 16] = blocks.array(at)?;
        let (size, [kind, flags, ..]) = (u64_at(&bytes, 8), bytes);
        let fits = at.checked_add(size).is_some_and(|end| end <= blocks.len());
        if fits && kind != 0 && (16..=MAX_OBJECT).contains(&size) {
            Ok(Object { at, kind, flags, size })
        } else {
            Err(Fault::Damaged(at))
        }
    }

    /// The object of a kind at a place, at least as long as its fixed part.
    pub(super) fn of(blocks: &mut Blocks, at: u64, kind: u8) -> Found<Self> {
        let least = match kind {
            ENTRY_ARRAY => 24,
            FIELD => 40,
            _ => 64,
        };
        let object = Self::any(blocks, at)?;
        if object.kind == kind && object.size >= least { Ok(object) } else { Err(Fault::Damaged(at)) }
    }

    /// The field's bytes, `NAME=value`, at most `most` of them, into `bytes`. One that is compressed is decompressed.
    pub(super) fn field(&self, blocks: &mut Blocks, header: &Header, most: usize, bytes: &mut Vec<u8>) -> Found<()> {
        let from = header.payload();
        let length = self.size.checked_sub(from).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(Fault::Damaged(self.at))?;
        let compressed = self.flags & 7 != 0;
        if compressed {
            let whole = blocks.decompress(self.at + from, length, self.flags & 7, most, bytes)?;
            return if whole { Ok(()) } else { Err(Fault::Damaged(self.at)) };
        }
        bytes.clear();
        bytes.resize(length.min(most), 0);
        blocks.copy(self.at + from, bytes)
    }
}

/// When an entry was received, in microseconds since 1970.
pub(super) fn received(blocks: &mut Blocks, at: u64) -> Found<u64> {
    let entry = Object::of(blocks, at, ENTRY)?;
    blocks.u64(entry.at + 24)
}

/// When an entry was received, in microseconds since 1970, and where its fields are.
pub(super) fn entry(blocks: &mut Blocks, header: &Header, at: u64, bytes: &mut Vec<u8>) -> Found<(u64, Vec<u64>)> {
    let object = Object::of(blocks, at, ENTRY)?;
    let item = if header.compact { 4 } else { 16 };
    if object.size > 64 + MAX_FIELDS * item {
        return Err(Fault::Damaged(at));
    }
    bytes.clear();
    bytes.resize(usize::try_from(object.size).unwrap_or(0), 0);
    blocks.copy(at, bytes)?;
    let items = bytes.get(64..).unwrap_or_default().chunks_exact(if header.compact { 4 } else { 16 });
    let fields = items.map(|item| if header.compact { u64::from(u32_at(item, 0)) } else { u64_at(item, 0) }).collect();
    Ok((u64_at(bytes, 24), fields))
}
