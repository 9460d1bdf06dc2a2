//! Which entries of a journal are read: of which units and programs, and received when.

use std::ops::Range;

use crate::model::time::{Nanos, SECOND, Time};

/// Units whose lines say something of starts: kubelets, container runtimes, and what has both in it.
const UNITS: [&str; 14] = [
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
const IDENTIFIERS: [&str; 9] = [
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

/// How long before the first startup that counts entries are read: what else a node did then may have made it wait.
const BEFORE: Nanos = Nanos(24 * 3600 * SECOND);
/// How long after the last one is created: it may take long, and one of which nothing more is heard is given up after a day.
const AFTER: Nanos = Nanos(48 * 3600 * SECOND);
/// For so many microseconds after its first entry a process is read whenever it was: kubelets log their version and settings then.
const PROCESS_START: u64 = 300 * 1_000_000;

/// Whether a name is that of a unit or a program whose lines say something of starts.
#[must_use]
pub fn is_unit_or_program(name: &str) -> bool {
    UNITS.contains(&name) || IDENTIFIERS.contains(&name)
}

fn micros(time: Time) -> u64 {
    u64::try_from(time.0.div_euclid(1000)).unwrap_or(0)
}

/// What is read of journals. The default: all entries of the built-in units and identifiers.
#[derive(Clone, Debug)]
pub struct JournalSelection {
    units: Vec<Box<str>>,
    identifiers: Vec<Box<str>>,
    /// Received from the first instant on and before the other, in microseconds since 1970.
    received: (u64, u64),
    /// The first minutes of processes that started before are read too.
    with_starts: bool,
}

impl Default for JournalSelection {
    fn default() -> Self {
        JournalSelection {
            units: UNITS.map(Into::into).to_vec(),
            identifiers: IDENTIFIERS.map(Into::into).to_vec(),
            received: (0, u64::MAX),
            with_starts: true,
        }
    }
}

impl JournalSelection {
    /// What startups need that were created from `since` on and before `until`, of the built-in units and of others: names of
    /// units, with or without `.service`, or of programs.
    #[must_use]
    pub fn new(others: &[String], since: Option<Time>, until: Option<Time>) -> Self {
        let from = since.map_or(0, |since| micros(Time(since.0.saturating_sub(BEFORE.0))));
        let to = until.map_or(u64::MAX, |until| micros(Time(until.0.saturating_add(AFTER.0))));
        JournalSelection { received: (from, to), ..Self::of_units(others) }
    }

    /// What was received in a stretch of time, and nothing else, of the same units.
    #[must_use]
    pub fn within(others: &[String], range: &Range<Time>) -> Self {
        let received = (micros(range.start), micros(range.end));
        JournalSelection { received, with_starts: false, ..Self::of_units(others) }
    }

    /// Whether a file whose entries were received from the first of these instants to the last may have some of them.
    #[must_use]
    pub fn reaches(&self, (first, last): (u64, u64)) -> bool {
        first < self.received.1 && last >= self.received.0
    }

    fn of_units(others: &[String]) -> Self {
        let mut selection = Self::default();
        for name in others {
            let program = name.strip_suffix(".service").unwrap_or(name);
            selection.identifiers.push(program.into());
            selection.units.push(format!("{program}.service").into());
            // Other kinds of units (scopes, slices) have names of their own.
            selection.units.push(name.as_str().into());
        }
        selection
    }

    /// The fields that wanted entries have, as `NAME=value`.
    pub(super) fn fields(&self) -> impl Iterator<Item = String> {
        let units = self.units.iter().map(|unit| format!("_SYSTEMD_UNIT={unit}"));
        units.chain(self.identifiers.iter().map(|identifier| format!("SYSLOG_IDENTIFIER={identifier}")))
    }

    /// Whether an entry of this unit and identifier is wanted.
    pub(super) fn takes(&self, unit: Option<&[u8]>, identifier: Option<&[u8]>) -> bool {
        let is = |value: Option<&[u8]>, wanted: &[Box<str>]| {
            value.is_some_and(|value| wanted.iter().any(|wanted| wanted.as_bytes() == value))
        };
        is(unit, &self.units) || is(identifier, &self.identifiers)
    }

    /// Before which instant nothing is read but the starts of processes; 0 where these are not looked for.
    pub(super) fn begin(&self) -> u64 {
        if self.with_starts { self.received.0 } else { 0 }
    }

    /// The stretches of time that are read, in order and apart, where processes started at these instants; none: all is read.
    pub(super) fn ranges(&self, starts: &[u64]) -> Option<Vec<(u64, u64)>> {
        if self.received == (0, u64::MAX) {
            return None;
        }
        let starts = starts.iter().map(|start| (*start, start.saturating_add(PROCESS_START)));
        let mut all: Vec<(u64, u64)> = starts.chain([self.received]).collect();
        all.sort_unstable();
        let mut apart: Vec<(u64, u64)> = Vec::new();
        for (from, to) in all {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        Some(apart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known_with_and_without_their_suffix() {
        for name in ["edge-kubelet", "edge-kubelet.service"] {
            let selection = JournalSelection::new(&[name.into()], None, None);
            assert!(selection.takes(Some(b"edge-kubelet.service"), None), "{name}");
            assert!(selection.takes(Some(b"user@0.service"), Some(b"edge-kubelet")), "{name}");
            assert!(selection.takes(Some(b"kubelet.service"), None), "the built-in ones too");
            assert!(!selection.takes(Some(b"sshd.service"), Some(b"sshd")), "{name}");
        }
        assert!(JournalSelection::new(&["a.scope".into()], None, None).takes(Some(b"a.scope"), None));
    }

    #[test]
    fn stretches_are_in_order_and_apart() {
        let day = 86_400 * 1_000_000;
        let since = Time(100 * 86_400 * SECOND);
        let selection = JournalSelection::new(&[], Some(since), None);
        let (from, end) = (99 * day, u64::MAX);
        assert_eq!(selection.begin(), from);
        let starts = [from - 1, 5 * day, 5 * day + 1, 3];
        let expected = vec![(3, 3 + PROCESS_START), (5 * day, 5 * day + 1 + PROCESS_START), (from - 1, end)];
        assert_eq!(selection.ranges(&starts), Some(expected));
        let before = JournalSelection::new(&[], None, Some(since)).ranges(&[]);
        assert_eq!(before, Some(vec![(0, 102 * day)]));
        assert_eq!(JournalSelection::default().ranges(&[]), None);
        let ends = JournalSelection::new(&[], Some(Time(i64::MIN)), Some(Time(i64::MAX)));
        assert_eq!(ends.begin(), 0);
    }
}
