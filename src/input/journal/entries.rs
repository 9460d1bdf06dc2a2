//! Which entries are read: those that the index lists for the wanted fields, or, where the index is damaged, every entry that
//! can be found.

use super::blocks::{Blocks, Fault, Found, u32_at};
use super::hash::{IndexedField, check, find};
use super::object::{ENTRY, ENTRY_ARRAY, Header, Object};

/// Units whose lines say something of starts: kubelets, container runtimes, and what has both in it.
pub(super) const UNITS: [&str; 14] = [
    "kubelet.service",
    "containerd.service",
    "crio.service",
    "docker.service",
    "cri-docker.service",
    "k3s.service",
    "k3s-agent.service",
    "rke2-server.service",
    "rke2-agent.service",
    "snap.microk8s.daemon-kubelite.service",
    "snap.microk8s.daemon-containerd.service",
    "k0scontroller.service",
    "k0sworker.service",
    "microshift.service",
];
/// The same by the names that programs log under, whatever their unit is; journald itself says which lines it left out.
pub(super) const IDENTIFIERS: [&str; 9] = [
    "kubelet",
    "kubenswrapper",
    "hyperkube",
    "containerd",
    "crio",
    "dockerd",
    "k3s",
    "cri-dockerd",
    "systemd-journald",
];

/// The entries that are read, in the order of the file, which is the one they were written in.
pub(super) enum Entries {
    /// The lists of the index, each with its next entry.
    Listed(Vec<(u64, List)>),
    /// Every object from here on.
    Searched(u64),
}

impl Entries {
    /// By the index, if it is whole.
    pub(super) fn listed(blocks: &mut Blocks, header: &Header, damage: &mut dyn FnMut(u64)) -> Found<Self> {
        let mut lists = Vec::new();
        let units = UNITS.iter().map(|unit| format!("_SYSTEMD_UNIT={unit}"));
        let identifiers = IDENTIFIERS.iter().map(|identifier| format!("SYSLOG_IDENTIFIER={identifier}"));
        for field in units.chain(identifiers) {
            let Some(field) = find(blocks, header, field.as_bytes())? else { continue };
            let mut list = List::new(blocks, header, &field)?;
            if let Some(first) = list.next(blocks, header, damage)? {
                lists.push((first, list));
            }
        }
        if lists.is_empty() {
            check(blocks, header)?;
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

/// The list of one field's entries: the first, then arrays of places, each of which names the next array.
pub(super) struct List {
    /// The first entry, and the field that names it.
    first: Option<(u64, u64)>,
    array: u64,
    /// The next place of the array, and how many it has.
    item: u64,
    items: u64,
    /// The entry given last.
    last: u64,
}

impl List {
    /// A list that is whole: as long as its field says, of arrays whose places ascend, so that it ends.
    fn new(blocks: &mut Blocks, header: &Header, field: &IndexedField) -> Found<Self> {
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
        Ok(List { first: Some((field.at, field.first)), array: field.array, item: 0, items, last: 0 })
    }

    /// The next entry. Places at which there is none are left out.
    fn next(&mut self, blocks: &mut Blocks, header: &Header, damage: &mut dyn FnMut(u64)) -> Found<Option<u64>> {
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
                    let place = self.array + 24 + self.item * header.item_size();
                    self.item += 1;
                    let entry = if header.compact {
                        u64::from(u32_at(&blocks.array::<4>(place)?, 0))
                    } else {
                        blocks.u64(place)?
                    };
                    (place, entry)
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
