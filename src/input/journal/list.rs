//! The list of one field's entries, in the order they were received: from it those of some stretches of time are taken, found by
//! bisection.

use std::sync::Arc;

use super::blocks::{Blocks, Fault, Found, u32_at};
use super::hash::IndexedField;
use super::object::{ENTRY, ENTRY_ARRAY, Header, Object, received};

/// After so many entries in a row behind all stretches a list is over: one alone may have a wrong time.
const BEHIND: u32 = 16;

/// The first entry, then arrays of places, each of which names the next array.
pub(super) struct List {
    /// The first entry, and the field that names it.
    first: Option<(u64, u64)>,
    array: u64,
    /// The next place of the array, and how many it has.
    item: u64,
    items: u64,
    /// The entry given last.
    last: u64,
    /// The stretches of time that are read, in microseconds since 1970; none: all.
    ranges: Option<Arc<[(u64, u64)]>>,
    /// How many entries in a row were behind them.
    behind: u32,
}

impl List {
    /// A list that is whole: as long as its field says, of arrays whose places ascend, so that it ends.
    pub(super) fn new(
        blocks: &mut Blocks,
        header: &Header,
        field: &IndexedField,
        ranges: Option<Arc<[(u64, u64)]>>,
    ) -> Found<Self> {
        let (mut at, mut last, mut room) = (field.array, 0, 1);
        while at != 0 {
            if at <= last || at >= blocks.len() {
                return Err(Fault::Damaged(last.max(field.at)));
            }
            room += items(blocks, header, at)?;
            last = at;
            at = blocks.u64(at + 16)?;
        }
        if room < field.count {
            return Err(Fault::Damaged(last.max(field.at)));
        }
        let items = if field.array == 0 { 0 } else { items(blocks, header, field.array)? };
        let first = Some((field.at, field.first));
        Ok(List { first, array: field.array, item: 0, items, last: 0, ranges, behind: 0 })
    }

    /// The next entry of the stretches of time. Places at which there is none are left out.
    pub(super) fn next(
        &mut self,
        blocks: &mut Blocks,
        header: &Header,
        damage: &mut dyn FnMut(u64),
    ) -> Found<Option<u64>> {
        loop {
            let Some(entry) = self.next_of_all(blocks, header, damage)? else { return Ok(None) };
            let Some(ranges) = &self.ranges else { return Ok(Some(entry)) };
            let received = received(blocks, entry)?;
            match ranges.get(ranges.partition_point(|(_, to)| *to <= received)) {
                Some((from, _)) if received < *from => {
                    let from = *from;
                    self.skip(blocks, header, from)?;
                }
                Some(_) => {
                    self.behind = 0;
                    return Ok(Some(entry));
                }
                None if self.behind == BEHIND => return Ok(None),
                None => self.behind += 1,
            }
        }
    }

    /// Skips entries that were received before an instant. What cannot be read is not skipped.
    fn skip(&mut self, blocks: &mut Blocks, header: &Header, from: u64) -> Found<()> {
        let is_before = |array, item, blocks: &mut Blocks| match place(blocks, header, array, item) {
            Ok((_, 0)) => Ok(false),
            Ok((_, entry)) => match received(blocks, entry) {
                Ok(received) => Ok(received < from),
                Err(Fault::Damaged(_)) => Ok(false),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        if self.array == 0 {
            return Ok(());
        }
        loop {
            let next = blocks.u64(self.array + 16)?;
            if next <= self.array || !is_before(next, 0, blocks)? {
                break;
            }
            (self.array, self.item, self.items) = (next, 0, items(blocks, header, next)?);
        }
        let mut end = self.items;
        while self.item < end {
            let middle = self.item + (end - self.item) / 2;
            if is_before(self.array, middle, blocks)? {
                self.item = middle + 1;
            } else {
                end = middle;
            }
        }
        Ok(())
    }

    fn next_of_all(&mut self, blocks: &mut Blocks, header: &Header, damage: &mut dyn FnMut(u64)) -> Found<Option<u64>> {
        loop {
            let (place, entry) = match self.first.take() {
                Some(first) => first,
                None if self.array == 0 => return Ok(None),
                None if self.item == self.items => {
                    let next = blocks.u64(self.array + 16)?;
                    // journald may be writing it: what ascended when the list was checked may have changed.
                    self.array = if next > self.array { next } else { 0 };
                    if self.array != 0 {
                        (self.item, self.items) = (0, items(blocks, header, self.array)?);
                    }
                    continue;
                }
                None => {
                    let found = place(blocks, header, self.array, self.item)?;
                    self.item += 1;
                    found
                }
            };
            // The rest of the last array is free.
            if entry == 0 {
                return Ok(None);
            }
            match Object::of(blocks, entry, ENTRY) {
                Ok(_) if entry > self.last => {
                    self.last = entry;
                    return Ok(Some(entry));
                }
                Ok(_) | Err(Fault::Damaged(_)) => damage(place),
                Err(error) => return Err(error),
            }
        }
    }
}

/// How many places an array has.
fn items(blocks: &mut Blocks, header: &Header, at: u64) -> Found<u64> {
    Ok((Object::of(blocks, at, ENTRY_ARRAY)?.size - 24) / header.item_size())
}

/// A place of an array, and the entry that it names; 0: it is free.
fn place(blocks: &mut Blocks, header: &Header, array: u64, item: u64) -> Found<(u64, u64)> {
    let place = array + 24 + item * header.item_size();
    let entry = if header.compact { u64::from(u32_at(&blocks.array::<4>(place)?, 0)) } else { blocks.u64(place)? };
    Ok((place, entry))
}
