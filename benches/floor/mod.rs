//! The least that reading startup lines can cost: search, the time in klog's header, the pod's name as a number, 32 bytes a line, and
//! the values of the tracker's record. No frames, dialects, fields, evidence, order, startups: what those cost is what is above it.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use memchr::memmem::{self, Finder};
use podlag::internals::parse::grammar::Grammars;

/// What is kept of a line: its time, its number, its pod and severity, and the seconds of a record.
pub type Event = [u64; 4];

/// What was read.
#[derive(Default)]
pub struct Floor<'a> {
    pub pods: HashMap<&'a [u8], u32, RandomState>,
    pub events: Vec<Event>,
}

pub fn read<'a>(grammars: &Grammars, text: &'a [u8]) -> Floor<'a> {
    let (mut floor, mut counted, mut number) = (Floor::default(), 0, 1);
    let (pod, slo) = (Finder::new("pod=\""), Finder::new("podStartSLOduration="));
    for found in grammars.lines(text) {
        number += memchr::memchr_iter(b'\n', text.get(counted..found.start).unwrap_or_default()).count() as u64;
        counted = found.start;
        let line = text.get(found).unwrap_or_default();
        let Some(body) = memmem::find(line, b"]: ").and_then(|at| line.get(at + 3..)) else { continue };
        let name = pod.find(body).and_then(|at| body.get(at + 5..)).unwrap_or_default();
        let name = memchr::memchr(b'"', name).and_then(|end| name.get(..end)).unwrap_or_default();
        let next = u32::try_from(floor.pods.len()).unwrap_or(u32::MAX);
        let pod = *floor.pods.entry(name).or_insert(next);
        let value = slo.find(body).and_then(|at| body.get(at + 20..));
        let value = value.and_then(|rest| rest.get(..memchr::memchr(b' ', rest).unwrap_or(rest.len())));
        let value: f64 = value.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or_default();
        let severity = body.first().copied().unwrap_or_default();
        floor.events.push([micros(body), number, u64::from(pod) << 8 | u64::from(severity), value.to_bits()]);
    }
    floor
}

/// `I1123 19:00:56.024962` as microseconds of the day.
fn micros(body: &[u8]) -> u64 {
    let number = |from: usize, to: usize| {
        let digits = body.get(from..to).unwrap_or_default();
        digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit.wrapping_sub(b'0')))
    };
    ((number(6, 8) * 60 + number(9, 11)) * 60 + number(12, 14)) * 1_000_000 + number(15, 21)
}
