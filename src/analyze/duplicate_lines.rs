//! A line that is given twice (two files of a folder, the borders of pages, a stream that was read again) counts once.

use std::hash::BuildHasher;

use crate::model::hash::{HashSet, RandomState};
use crate::model::record::Record;
use crate::model::time::Time;

/// The lines of the instant that is being tracked: records come by time, so that those given twice have the same one. Lines
/// that are never shown count as often as they are given, which changes no startup.
#[derive(Default)]
pub(super) struct DuplicateLines {
    time: Time,
    /// The lines; and each once more with its node, for several nodes may write the same.
    seen: HashSet<u64>,
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

/// Keeps the hashes of a line of different nodes apart.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

impl LineOwner {
    /// A line as that of a named node, or of none.
    fn line(self, line: u64) -> u64 {
        let node = if self.named { self.node as u64 + 2 } else { 1 };
        line ^ node.wrapping_mul(MIX)
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
        if record.stamp.is_none() || record.fields.line().is_empty() || (first && next.is_some_and(|next| next != time))
        {
            return false;
        }
        // A runtime's line has its process in the frame alone, if it has one.
        let process = record.pid.filter(|_| !record.from_runtime);
        let line = self.hasher.hash_one((process, record.fact as u16, record.fields.line()));
        // Most are new; then so is the line with its node.
        let known = !self.seen.insert(line);
        let unnamed = LineOwner { named: false, ..owner };
        let duplicate =
            known && (!owner.named || self.seen.contains(&owner.line(line)) || self.seen.contains(&unnamed.line(line)));
        if !duplicate {
            self.seen.insert(owner.line(line));
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
        let records = crate::parse::chunk(&grammars, text.as_bytes(), text.len(), 0, 1).records.collect::<Vec<_>>();
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
