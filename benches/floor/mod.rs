//! The least that reading startup lines can cost: search, the time in klog's header, the pod's name as a number, 32 bytes a line, and
//! the values of the tracker's record. No frames, dialects, fields, evidence, order, startups: what those cost is what is above it.
//! And the least for a reader that keeps of each line what podlag keeps: its text, its keys, and the lines of each pod in order.

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

/// Reads startup lines; `each` is given each without its frame.
pub fn read<'a>(grammars: &Grammars, text: &'a [u8], mut each: impl FnMut(&'a [u8])) -> Floor<'a> {
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
        each(body);
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

/// What a reader keeps that can show its lines, in a few blocks of memory: what was read, the texts one after another, where the keys
/// and values in them begin and end, and the lines of each pod by time.
pub type Kept<'a> = (Floor<'a>, Vec<u8>, Vec<[u32; 4]>, Vec<Vec<u32>>);

pub fn keep<'a>(grammars: &Grammars, text: &'a [u8]) -> Kept<'a> {
    let (mut texts, mut pairs) = (Vec::new(), Vec::new());
    let floor = read(grammars, text, |body| {
        let start = texts.len();
        texts.extend_from_slice(body);
        let mut at = 0;
        while let Some(equal) = memchr::memchr(b'=', body.get(at..).unwrap_or_default()).map(|equal| at + equal) {
            let key = memchr::memrchr(b' ', body.get(at..equal).unwrap_or_default()).map_or(at, |blank| at + blank + 1);
            let is_quoted = body.get(equal + 1) == Some(&b'"');
            let value = equal + 1 + usize::from(is_quoted);
            let rest = body.get(value..).unwrap_or_default();
            let end = value + memchr::memchr(if is_quoted { b'"' } else { b' ' }, rest).unwrap_or(rest.len());
            pairs.push([key, equal, value, end].map(|place| (start + place) as u32));
            at = end;
        }
    });
    let mut lines = vec![Vec::new(); floor.pods.len()];
    for (number, [_, _, pod, _]) in floor.events.iter().enumerate() {
        if let Some(lines) = lines.get_mut((pod >> 8) as usize) {
            lines.push(number as u32);
        }
    }
    for lines in &mut lines {
        lines.sort_by_key(|line| floor.events.get(*line as usize).map(|[time, ..]| *time));
    }
    (floor, texts, pairs, lines)
}
