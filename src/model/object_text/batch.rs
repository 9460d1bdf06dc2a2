//! What has been read of a text and not yet become objects: when it was written is known by what follows, too. Bounded: from
//! some megabytes on what is there is given away.

use std::collections::BTreeMap;

use super::clock::{self, Bounds, Now};
use super::columns::Columns;
use super::describe::Description;
use super::row::Row;
use super::{Gaps, bounds, event_containers, pod};
use crate::model::object::Object;
use crate::model::time::{SECOND, Time};

/// What may be held, in bytes: some thousand pods.
const MAX_WEIGHT: usize = 16 << 20;
/// How far a name's instant and what other rows say may be apart: a long table is asked for in parts.
const APART: i64 = 60;

enum Part {
    Pod(Box<Description>),
    Table(Vec<Row>),
}

/// See the module.
pub(super) struct Batch {
    written: i64,
    parts: Vec<Part>,
    weight: usize,
    /// The second of the last description that was given away.
    since: Option<i64>,
    /// The namespace of the table that is being read, if it has one.
    namespace: Option<String>,
    gaps: Gaps,
}

impl Batch {
    pub(super) fn new(written: Time) -> Self {
        let written = written.0.div_euclid(SECOND);
        Batch { written, parts: Vec::new(), weight: 0, since: None, namespace: None, gaps: Gaps::default() }
    }

    pub(super) fn describe(&mut self, pod: Description) {
        self.weight += pod.weight();
        self.parts.push(Part::Pod(Box::new(pod)));
    }

    pub(super) fn begin_table(&mut self) {
        self.parts.push(Part::Table(Vec::new()));
        self.namespace = None;
    }

    pub(super) fn table_line(&mut self, number: u64, line: &str, columns: &Columns) {
        let Some(row) = Row::of(number, line, columns) else { return };
        self.weight += row.weight();
        if let Some(Part::Table(rows)) = self.parts.last_mut() {
            rows.push(row);
        } else {
            self.parts.push(Part::Table(vec![row]));
        }
    }

    pub(super) fn give_if_full(&mut self, each: &mut dyn FnMut(Object)) {
        if self.weight > MAX_WEIGHT {
            self.give(each);
        }
    }

    pub(super) fn finish(mut self, each: &mut dyn FnMut(Object)) -> Gaps {
        self.give(each);
        self.gaps
    }

    fn give(&mut self, each: &mut dyn FnMut(Object)) {
        self.weight = 0;
        let mut parts = std::mem::take(&mut self.parts);
        for part in &mut parts {
            if let Part::Pod(pod) = part {
                event_containers::name(&mut pod.rows, &pod.containers);
            }
        }
        let own: Vec<_> = parts
            .iter()
            .filter_map(|part| if let Part::Pod(pod) = part { Some(bounds::written(pod)) } else { None })
            .collect();
        let mut nows = clock::in_order(&own, &mut self.since).into_iter();
        for part in parts {
            match part {
                Part::Pod(pod) => self.give_pod(&pod, nows.next().flatten(), each),
                Part::Table(rows) => self.give_table(rows, each),
            }
        }
    }

    fn unknown_now(&mut self) -> Now {
        self.gaps.undated = true;
        Now { low: self.written, high: self.written }
    }

    fn give_pod(&mut self, described: &Description, now: Option<Now>, each: &mut dyn FnMut(Object)) {
        let has_ages = described.rows.iter().any(|row| row.first.age().or(row.last.age()).is_some());
        let at = match now {
            None if !has_ages => Now { low: self.written, high: self.written },
            now => now.unwrap_or_else(|| self.unknown_now()),
        };
        let times = bounds::of_rows(described, at);
        let begun = times.iter().filter_map(|(first, _)| first.map(|first| first.low)).min();
        let begun = described.start.or(begun).unwrap_or(at.low);
        each(Object::from_text(described.line, pod::pod(described, begun, now.map(|now| now.low))));
        for (row, (first, last)) in described.rows.iter().zip(times) {
            let mut row = row.clone();
            (row.namespace, row.pod) = (described.namespace.clone(), described.name.clone());
            if row.component == "kubelet" {
                row.host = described.node.clone();
            }
            self.give_event(&row, first, last, "", each);
        }
    }

    fn give_event(
        &mut self,
        row: &Row,
        first: Option<Bounds>,
        last: Option<Bounds>,
        name: &str,
        each: &mut dyn FnMut(Object),
    ) {
        if first.or(last).is_none() {
            self.gaps.timeless += 1;
        } else {
            each(Object::from_text(row.line, pod::event(row, first, last, name)));
        }
    }

    fn give_table(&mut self, rows: Vec<Row>, each: &mut dyn FnMut(Object)) {
        let assigned =
            rows.iter().find_map(Row::assigned).map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
        self.namespace = self.namespace.take().or_else(|| assigned.as_ref().map(|(namespace, _)| namespace.clone()));
        let named = |row: &Row| Some(Now::of(row.named_second()?, row.first.age()?, row.has_whole_seconds()));
        let now = Now::shared(&rows.iter().filter_map(named).collect::<Vec<_>>());
        let has_ages = rows.iter().any(|row| row.first.age().or(row.last.age()).is_some());
        let at = match now {
            None if has_ages => self.unknown_now(),
            now => now.unwrap_or(Now { low: self.written, high: self.written }),
        };
        let mut pods: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for mut row in rows {
            if row.pod.is_empty() {
                // The table of one pod's description.
                let Some((namespace, name)) = &assigned else {
                    self.gaps.nameless += 1;
                    continue;
                };
                (row.namespace, row.pod) = (namespace.clone(), name.clone());
            } else if row.namespace.is_empty() {
                row.namespace = self.namespace.clone().unwrap_or_default();
            }
            pods.entry((row.namespace.clone(), row.pod.clone())).or_default().push(row);
        }
        for mut rows in pods.into_values() {
            let seconds = |row: Option<&Row>| row.and_then(|row| row.last.age()).map(|age| age.seconds);
            // The latest may stand first.
            if seconds(rows.first()) < seconds(rows.last()) {
                rows.reverse();
            }
            event_containers::name(&mut rows, &[]);
            for row in rows {
                let fits =
                    named(&row).filter(|mine| mine.low <= at.high.saturating_add(APART) && mine.high >= at.low - APART);
                let by_stamp = row.first.age().is_none() && row.named_second().is_some();
                let at = fits.map_or(at, |mine| mine.and(at).unwrap_or(mine));
                let name = if fits.is_some() || by_stamp { row.name.as_str() } else { "" };
                let first = match row.named_second().filter(|_| fits.is_some()) {
                    Some(low) => Some(Bounds { low, high: low.saturating_add(1) }),
                    None => row.first.bounds(at, row.has_whole_seconds()),
                };
                let last = row.last.bounds(at, row.has_whole_seconds());
                self.give_event(&row, first, last, name, each);
            }
        }
    }
}
