//! Which entries are read: those that the index lists for the wanted fields, or, where the index is damaged, every entry that
//! can be found.

use std::sync::Arc;

use super::blocks::{Blocks, Fault, Found};
use super::hash::{IndexedField, check, find};
use super::list::List;
use super::object::{ENTRY, Header, Object};
use super::selection::JournalSelection;
use super::starts::process_starts;

/// The entries that are read, in the order of the file, which is the one they were written in.
pub(super) enum Entries {
    /// The lists of the index, each with its next entry.
    Listed(Vec<(u64, List)>),
    /// Every object from here on.
    Searched(u64),
}

impl Entries {
    /// By the index, if it is whole.
    pub(super) fn listed(
        blocks: &mut Blocks,
        header: &Header,
        selection: &JournalSelection,
        damage: &mut dyn FnMut(u64),
    ) -> Found<Self> {
        let mut fields: Vec<IndexedField> = Vec::new();
        for field in selection.fields() {
            fields.extend(find(blocks, header, field.as_bytes())?);
        }
        if fields.is_empty() {
            check(blocks, header)?;
        }
        let starts = match selection.begin() {
            0 => Ok(Vec::new()),
            begin => process_starts(blocks, header, &fields, begin),
        };
        let ranges = match starts {
            Ok(starts) => selection.ranges(&starts).map(Arc::from),
            // Where starts cannot be found everything is read, and nothing is lost.
            Err(Fault::Damaged(_)) => None,
            Err(error) => return Err(error),
        };
        let mut lists = Vec::new();
        for field in &fields {
            let mut list = List::new(blocks, header, field, ranges.clone())?;
            if let Some(first) = list.next(blocks, header, damage)? {
                lists.push((first, list));
            }
        }
        Ok(Entries::Listed(lists))
    }

    /// The next entry.
    pub(super) fn next(
        &mut self,
        blocks: &mut Blocks,
        header: &Header,
        damage: &mut dyn FnMut(u64),
    ) -> Found<Option<u64>> {
        match self {
            Entries::Listed(lists) => {
                let Some(next) = lists.iter().map(|(next, _)| *next).min() else { return Ok(None) };
                // One entry may have a wanted unit and a wanted identifier.
                let mut failed = Ok(());
                lists.retain_mut(|(first, list)| {
                    if *first != next || failed.is_err() {
                        return true;
                    }
                    match list.next(blocks, header, damage) {
                        Ok(Some(following)) => *first = following,
                        Ok(None) => return false,
                        Err(error) => failed = Err(error),
                    }
                    true
                });
                failed.map(|()| Some(next))
            }
            Entries::Searched(at) => search(at, blocks, damage),
        }
    }
}

/// The next entry at or behind `at`, which moves behind it.
fn search(at: &mut u64, blocks: &mut Blocks, damage: &mut dyn FnMut(u64)) -> Found<Option<u64>> {
    let mut intact = true;
    while *at < blocks.len().saturating_sub(16) {
        match Object::any(blocks, *at) {
            Ok(object) => {
                intact = true;
                *at += object.size.next_multiple_of(8);
                if object.kind == ENTRY {
                    return Ok(Some(object.at));
                }
            }
            Err(Fault::Damaged(place)) => {
                // The end of a file is empty where nothing was written yet.
                let bytes: [u8; 16] = blocks.array(*at)?;
                if intact && bytes != [0; 16] {
                    damage(place);
                    intact = false;
                }
                *at += 8;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
