//! The file's own index: from a field to the entries that have it.

use siphasher::sip::SipHasher24;

use super::blocks::{Blocks, Fault, Found, u64_at};
use super::object::{DATA, FIELD, Header, Object};

/// The longest field that is checked.
const MAX_CHECKED: usize = 64 << 20;

/// The kinds of tables, and where the header names their places.
const DATA_TABLE: (u8, u64) = (4, 104);
const NAME_TABLE: (u8, u64) = (5, 120);

/// A field and where the list of its entries begins.
#[derive(Debug)]
pub(super) struct IndexedField {
    /// Where it stands.
    pub(super) at: u64,
    /// Its first entry.
    pub(super) first: u64,
    /// The list of the others.
    pub(super) array: u64,
    /// How many entries have it.
    pub(super) count: u64,
}

/// Looks a field up (`NAME=value`). Lists of a bucket only grow at their end, so their places ascend, and every search ends.
pub(super) fn find(blocks: &mut Blocks, header: &Header, field: &[u8]) -> Found<Option<IndexedField>> {
    let hash = hash(header, field);
    let place = bucket(blocks, header.table, DATA_TABLE, hash)?;
    let (mut before, mut at) = (place, blocks.u64(place)?);
    let mut bytes = Vec::new();
    let mut last = 0;
    while at != 0 {
        if at <= last || at >= blocks.len() {
            return Err(Fault::Damaged(before));
        }
        let object = Object::of(blocks, at, DATA)?;
        let fixed: [u8; 64] = blocks.array(at)?;
        if u64_at(&fixed, 16) == hash {
            object.field(blocks, header, field.len() + 1, &mut bytes)?;
            if bytes == field {
                let (first, array, count) = (u64_at(&fixed, 40), u64_at(&fixed, 48), u64_at(&fixed, 56));
                return Ok(Some(IndexedField { at, first, array, count }));
            }
        }
        (last, before) = (at, at);
        at = u64_at(&fixed, 24);
    }
    Ok(None)
}

/// The value of this name that was written last, which leads to the others; none: there is none.
pub(super) fn newest_value(blocks: &mut Blocks, header: &Header, name: &[u8]) -> Found<Option<u64>> {
    if header.names.1 == 0 {
        return Ok(None);
    }
    let hash = hash(header, name);
    let mut before = bucket(blocks, header.names, NAME_TABLE, hash)?;
    let (mut at, mut last) = (blocks.u64(before)?, 0);
    while at != 0 {
        if at <= last || at >= blocks.len() {
            return Err(Fault::Damaged(before));
        }
        let object = Object::of(blocks, at, FIELD)?;
        let fixed: [u8; 40] = blocks.array(at)?;
        if u64_at(&fixed, 16) == hash && object.size == 40 + name.len() as u64 {
            let mut bytes = vec![0; name.len()];
            blocks.copy(at + 40, &mut bytes)?;
            if bytes == name {
                return Ok(Some(u64_at(&fixed, 32)).filter(|value| *value != 0));
            }
        }
        (last, before) = (at, at);
        at = u64_at(&fixed, 24);
    }
    Ok(None)
}

/// The place in a table that leads to what has this hash.
fn bucket(blocks: &mut Blocks, (table, length): (u64, u64), kind: (u8, u64), hash: u64) -> Found<u64> {
    let (kind, named_at) = kind;
    if table.checked_add(length).is_none_or(|end| end > blocks.len()) {
        return Err(Fault::Damaged(named_at));
    }
    let bucket = hash.checked_rem(length / 16).ok_or(Fault::Damaged(named_at))?;
    let place = table.checked_add(bucket * 16).ok_or(Fault::Damaged(named_at))?;
    // A table that is none would show what is looked for as missing.
    let front = table.checked_sub(16).ok_or(Fault::Damaged(named_at))?;
    let object: [u8; 16] = blocks.array(front)?;
    if object[0] != kind || u64_at(&object, 8).checked_sub(16) != Some(length) {
        return Err(Fault::Damaged(front));
    }
    Ok(place)
}

/// Looks whether the hash of some field is what stands beside it: else the index shows every field as missing.
pub(super) fn check(blocks: &mut Blocks, header: &Header) -> Found<()> {
    let (table, length) = header.table;
    let mut bytes = Vec::new();
    for bucket in 0..length / 16 {
        let at = blocks.u64(table + bucket * 16)?;
        if at != 0 {
            let object = Object::of(blocks, at, DATA)?;
            object.field(blocks, header, MAX_CHECKED, &mut bytes)?;
            return if blocks.u64(at + 16)? == hash(header, &bytes) { Ok(()) } else { Err(Fault::Damaged(at)) };
        }
    }
    Ok(())
}

fn hash(header: &Header, field: &[u8]) -> u64 {
    if header.keyed { SipHasher24::new_with_key(&header.file_id).hash(field) } else { jenkins(field) }
}

/// Bob Jenkins' `lookup3` (hashlittle2) with both seeds 0, as journald had it before keyed hashes.
fn jenkins(bytes: &[u8]) -> u64 {
    let start = 0xdead_beef_u32.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let [mut a, mut b, mut c] = [start; 3];
    let mut rest = bytes;
    let word = |bytes: &[u8], at: usize| {
        (0..4).fold(0, |sum, byte| sum | u32::from(bytes.get(at + byte).copied().unwrap_or(0)) << (8 * byte))
    };
    while rest.len() > 12 {
        a = a.wrapping_add(word(rest, 0));
        b = b.wrapping_add(word(rest, 4));
        c = c.wrapping_add(word(rest, 8));
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
        rest = rest.get(12..).unwrap_or_default();
    }
    if !rest.is_empty() {
        a = a.wrapping_add(word(rest, 0));
        b = b.wrapping_add(word(rest, 4));
        c = c.wrapping_add(word(rest, 8));
        c = (c ^ b).wrapping_sub(b.rotate_left(14));
        a = (a ^ c).wrapping_sub(c.rotate_left(11));
        b = (b ^ a).wrapping_sub(a.rotate_left(25));
        c = (c ^ b).wrapping_sub(b.rotate_left(16));
        a = (a ^ c).wrapping_sub(c.rotate_left(4));
        b = (b ^ a).wrapping_sub(a.rotate_left(14));
        c = (c ^ b).wrapping_sub(b.rotate_left(24));
    }
    u64::from(c) << 32 | u64::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_lookup3() {
        // From its author's self-test: hashlittle2 with both seeds 0.
        assert_eq!(jenkins(b""), 0xdead_beef_dead_beef);
        assert_eq!(jenkins(b"Four score and seven years ago"), 0x1777_0551_ce72_26e6);
    }
}
