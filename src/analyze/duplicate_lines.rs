//! A line that is given twice (two files of a folder, the borders of pages, a stream that was read again) counts once.

use std::hash::BuildHasher;

use crate::model::hash::{HashMap, RandomState};
use crate::model::record::Record;
use crate::model::time::Time;

/// The lines of the instant that is being tracked: records come by time, so that those given twice have the same one. Lines
/// whose text is not kept count as often as they are given, which changes no startup.
#[derive(Default)]
pub(super) struct DuplicateLines {
    time: Time,
    /// The lines, and the nodes they are of.
    seen: HashMap<u64, Vec<LineOwner>>,
    hasher: RandomState,
    /// How many were given before.
    pub count: u64,
}

/// The node of a line.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct LineOwner {
    pub node: usize,
    /// The line or its folder names it; else it may be any: a copy of the file, or its journal, lies in another folder.
    pub named: bool,
}

impl LineOwner {
    fn may_be(self, other: Self) -> bool {
        self.node == other.node || !(self.named && other.named)
    }
}

impl DuplicateLines {
    /// Whether a line of a node was given before. Its text holds its own stamp and the process: without a stamp, a program
    /// may well have written it twice. `next`: the time of the record that follows.
    pub(super) fn is_duplicate(&mut self, record: &Record, time: Time, owner: LineOwner, next: Option<Time>) -> bool {
        let first = time != self.time;
        if first {
            self.time = time;
            self.seen.clear();
        }
        // Most lines are the only ones of their instant.
        if record.stamp.is_none() || record.text.is_empty() || (first && next.is_some_and(|next| next != time)) {
            return false;
        }
        // A runtime's line has its process in the frame alone, if it has one.
        let process = record.pid.filter(|_| !record.from_runtime);
        let line = self.hasher.hash_one((process, record.fact as u16, &*record.text));
        let owners = self.seen.entry(line).or_default();
        let duplicate = owners.iter().any(|known| known.may_be(owner));
        if !duplicate {
            owners.push(owner);
        }
        self.count += u64::from(duplicate);
        duplicate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::grammar::Grammars;

    #[test]
    fn a_line_counts_once_per_node_and_instant() {
        let bare = r#"I0101 00:00:05.000000 1 kubelet.go:1] "SyncLoop ADD" source="api" pods=["a/b"]"#;
        let text = format!("{bare}\nJan 01 00:00:05 node-a kubelet[1]: {bare}\n{}\n", bare.replace("a/b", "a/c"));
        let grammars = Grammars::load(&[]).unwrap();
        let records = crate::parse::chunk(&grammars, text.as_bytes(), text.len(), 0, 1).records;
        let [first, framed, other] = &records[..] else { panic!("three records") };
        let mut lines = DuplicateLines::default();
        let now = Some(Time(1));
        let [node, other_node, bare_file] =
            [(0, true), (1, true), (2, false)].map(|(node, named)| LineOwner { node, named });
        assert!(!lines.is_duplicate(first, Time(1), node, now));
        assert!(lines.is_duplicate(framed, Time(1), node, now), "a frame is no part of the line");
        assert!(!lines.is_duplicate(first, Time(1), other_node, now), "another node's");
        assert!(lines.is_duplicate(first, Time(1), bare_file, now), "the file beside its journal");
        assert!(!lines.is_duplicate(other, Time(1), node, Some(Time(2))));
        assert!(!lines.is_duplicate(first, Time(2), node, Some(Time(3))), "another instant");
        assert!(!lines.is_duplicate(first, Time(3), node, None));
        assert!(lines.is_duplicate(first, Time(3), node, None), "the last line");
        assert_eq!(lines.count, 3);
        let undated = Record { stamp: None, ..first.clone() };
        assert!(!lines.is_duplicate(&undated, Time(3), node, None), "the program may have written it twice");
    }
}
