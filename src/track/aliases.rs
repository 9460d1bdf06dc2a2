//! What a startup is found by, and what is remembered of those that are over; each with a bound.

use std::collections::VecDeque;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::Id;
use crate::model::hash::{HashMap, HashSet};

/// How many uids, and how many sandboxes and containers, lead to one startup.
const MAX_ALIASES: usize = 256;

/// A set that forgets its oldest members. It holds hashes of 128 bits, which do not meet by chance.
#[derive(Debug, Default)]
pub(super) struct RecentSet {
    order: VecDeque<u128>,
    members: HashSet<u128>,
}

impl RecentSet {
    pub(super) fn insert(&mut self, key: &str, most: usize) {
        let key = Self::short(key);
        if self.members.insert(key) {
            self.order.push_back(key);
            if self.order.len() > most
                && let Some(oldest) = self.order.pop_front()
            {
                self.members.remove(&oldest);
            }
        }
    }

    /// Its place in the order stays until it is the oldest: harmless, for it is removed by name.
    pub(super) fn remove(&mut self, key: &str) {
        self.members.remove(&Self::short(key));
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.members.contains(&Self::short(key))
    }

    /// How many places in the order are taken.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn held(&self) -> usize {
        self.order.len()
    }

    /// The same in every run, so that what two runs take for the same is the same.
    fn short(key: &str) -> u128 {
        let mut hash = SipHasher13::new();
        hash.write(key.as_bytes());
        hash.finish128().as_u128()
    }
}

/// What a startup is found by beside its name. A crash loop makes containers without end: of each kind the latest stay.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    pub(super) uids: VecDeque<Box<str>>,
    pub(super) objects: VecDeque<Box<str>>,
}

impl Aliases {
    /// Notes that `name` leads to `id`.
    pub(super) fn link(known: &mut VecDeque<Box<str>>, by: &mut HashMap<Box<str>, Id>, name: &str, id: Id) {
        by.insert(name.into(), id);
        known.push_back(name.into());
        if known.len() > MAX_ALIASES
            && let Some(oldest) = known.pop_front()
        {
            Self::forget([oldest], by, id);
        }
    }

    pub(super) fn forget(names: impl IntoIterator<Item = Box<str>>, by: &mut HashMap<Box<str>, Id>, id: Id) {
        for name in names {
            if by.get(&name) == Some(&id) {
                by.remove(&name);
            }
        }
    }
}
