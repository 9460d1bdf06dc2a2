//! A startup as the page lists it: what its figures and filters need, and the bytes it takes there.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::model::phase::PHASES;
use crate::model::time::Time;
use crate::table::{Incident, Row};

/// A startup in the list. Seconds are whole microseconds, as sums are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Startup {
    pub namespace: Box<str>,
    pub pod: Box<str>,
    pub uid: Option<Box<str>>,
    pub node: Option<Box<str>>,
    pub workload: Box<str>,
    pub kubelet: Option<Box<str>>,
    pub state: &'static str,
    pub created: Option<i64>,
    /// The first instant that is known, where that is not the creation.
    pub started: Option<i64>,
    /// Its end, from its start on.
    pub lasted: Option<i64>,
    pub running: Option<i64>,
    pub ready: Option<i64>,
    pub total: Option<i64>,
    pub slo: Option<i64>,
    pub stateful: Option<bool>,
    pub phases: [Option<i64>; PHASES.len()],
    /// Of phases that are not certain as a whole: their place in `PHASES`, and what they took at least.
    pub least: Vec<(usize, i64)>,
    pub pulls: Vec<Pulled>,
    pub findings: Vec<(Box<str>, i64, i64)>,
    pub anomalies: Vec<Box<str>>,
    pub incident: Option<Incident>,
}

/// One pull of a startup, of an image that is named.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulled {
    pub image: Box<str>,
    pub wait: Option<i64>,
    pub pull: Option<i64>,
    pub took: Option<i64>,
    pub bytes: Option<i64>,
    pub failed: bool,
}

/// The nearest whole microsecond, as the summary's sums have it.
pub(super) fn micros(seconds: f64) -> i64 {
    (seconds * 1e6 + 0.5).trunc() as i64
}

impl Startup {
    pub(super) fn of(row: &Row) -> Self {
        let stamp = |time: Time| time.0.div_euclid(1000);
        let phases = row.phases.0.map(|seconds| seconds.map(micros));
        let began = row.began().map(stamp);
        let ended = row.watched.or(row.spans.last().map(|span| span.to)).map(stamp);
        Startup {
            namespace: row.namespace.clone(),
            pod: row.pod.clone(),
            uid: row.uid.clone(),
            node: row.node.clone(),
            workload: row.workload.clone(),
            kubelet: row.kubelet_version.clone(),
            state: row.state.name(),
            created: row.created.map(stamp),
            started: began.filter(|_| row.created.is_none()),
            lasted: ended.zip(began).map(|(ended, began)| ended.saturating_sub(began)),
            running: row.running_s.map(micros),
            ready: row.ready_s.map(micros),
            total: row.total_s.map(micros),
            slo: row.slo_s.map(micros),
            stateful: row.stateful,
            phases,
            least: least(row, &phases),
            pulls: pulls(row),
            findings: row
                .findings
                .iter()
                .map(|finding| (finding.cause.clone(), micros(finding.lost_s), micros(finding.lost_min_s)))
                .collect(),
            anomalies: row.anomalies.clone(),
            incident: Incident::of_row(row),
        }
    }

    /// The texts that the page has once, however many startups share them.
    pub(super) fn shared(&self) -> impl Iterator<Item = &str> {
        let one = [&*self.namespace, &*self.workload, self.state].into_iter();
        let maybe = self.node.as_deref().into_iter().chain(self.kubelet.as_deref());
        let lists = self.pulls.iter().map(|pull| &*pull.image).chain(self.findings.iter().map(|(cause, ..)| &**cause));
        one.chain(maybe).chain(lists).chain(self.anomalies.iter().map(|id| &**id))
    }

    /// The bytes it takes in the page's columns at most, without the texts that are shared.
    pub(super) fn bytes(&self) -> usize {
        /// Digits of a text's number, with what separates it.
        const NUMBER: usize = 7;
        let optional = |text: &Option<Box<str>>| text.as_deref().map_or(5, text_bytes);
        let numbers = [self.created, self.started, self.lasted, self.running, self.ready, self.total, self.slo];
        let pulls = self.pulls.iter().map(|pull| {
            NUMBER + 5 + [pull.wait, pull.pull, pull.took, pull.bytes].map(number_bytes).into_iter().sum::<usize>()
        });
        let findings = self
            .findings
            .iter()
            .map(|(_, lost, certain)| NUMBER + 4 + number_bytes(Some(*lost)) + number_bytes(Some(*certain)));
        let least = self.least.iter().map(|(_, micros)| 6 + number_bytes(Some(*micros)));
        // Five texts that are shared, `stateful`, its place among the whole ones, `sampled`, `incident`, and the brackets of lists.
        let rest = 5 * NUMBER + 6 + 6 + 2 + 2 + 4 * 3 + NUMBER * self.anomalies.len();
        text_bytes(&self.pod)
            + optional(&self.uid)
            + numbers.into_iter().chain(self.phases).map(number_bytes).sum::<usize>()
            + pulls.chain(findings).chain(least).sum::<usize>()
            + rest
    }
}

/// What phases took at least, where that is not all they took.
fn least(row: &Row, phases: &[Option<i64>; PHASES.len()]) -> Vec<(usize, i64)> {
    let mut sums = [0_i64; PHASES.len()];
    for span in row.spans.iter().chain(row.readiness_span().as_ref()) {
        if let Some(sum) = sums.get_mut(span.phase.index()) {
            *sum = sum.saturating_add(micros(span.min_s));
        }
    }
    // Each span is cut to microseconds by itself: so much is no doubt.
    let hair = row.spans.len() as i64 + 1;
    let known = phases.iter().zip(sums).enumerate();
    known
        .filter_map(|(at, (all, least))| (all.unwrap_or(0).saturating_sub(least) > hair).then_some((at, least)))
        .collect()
}

fn pulls(row: &Row) -> Vec<Pulled> {
    let seconds = |seconds: Option<f64>| seconds.map(micros);
    let pull = |pull: &crate::table::Pull| {
        Some(Pulled {
            image: pull.image.clone()?,
            wait: seconds(pull.wait_s),
            pull: seconds(pull.pull_s),
            took: seconds(pull.took_s),
            bytes: pull.bytes,
            failed: &*pull.outcome != "pulled",
        })
    };
    row.image_pulls.iter().filter_map(pull).collect()
}

/// What a number takes as JSON, with what separates it from the next.
fn number_bytes(number: Option<i64>) -> usize {
    match number {
        None => 5,
        Some(number) => {
            number.unsigned_abs().checked_ilog10().map_or(1, |tens| tens as usize + 1) + usize::from(number < 0) + 1
        }
    }
}

/// What a text takes as JSON in the page: quotes, a comma, and escapes.
pub(super) fn text_bytes(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'<' | 0..0x20 => 5,
        b'"' | b'\\' => 1,
        _ => 0,
    });
    text.len() + 3 + escapes.sum::<usize>()
}

/// A number of a startup by what it is: a sample by it is the same in whatever order startups come.
pub(super) fn hash(row: &Row) -> u64 {
    let mut hasher = SipHasher13::new();
    let (node, name, began) = row.key();
    for part in [node, name, &row.namespace, &row.pod] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.write_i64(began.map_or(0, |(_, time)| time.0));
    hasher.finish()
}
