//! A store's lines as a text, a record a line, in the order of time: asked for page by page, forward, in slices of the window.
//!
//! Each page begins at the time of the last line that came, and lines that come again are dropped. So nothing between two pages is lost,
//! neither where several lines have one time, nor where a server cuts an answer without a word: what it left out comes next.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat};

use super::{Page, Selection, Store};
use crate::input::Source;
use crate::model::hash::RandomState;
use crate::model::time::{Nanos, SECOND, Time};
use crate::web::{HttpError, HttpErrorKind};

/// The shortest slice, in nanoseconds, and how many slices a long window has.
const MIN_SLICE: i64 = 300 * SECOND;
const MAX_SLICES: i64 = 24;
/// How often in a row a slice is halved because the server could not answer.
const MAX_HALVINGS: u32 = 3;
/// Lines of one time that are remembered, at most.
const MAX_TIES: usize = 100_000;
/// Remarks that are kept, at most.
const MAX_REMARKS: usize = 20;

/// How reading a store ended.
#[derive(Debug, Default)]
pub struct StoreOutcome {
    /// What is to be said of it.
    pub remarks: Vec<String>,
    /// The server failed before the end of the window.
    pub is_incomplete: bool,
}

/// The lines, read as they come.
pub struct StoreText {
    store: Box<dyn Store>,
    selection: Selection,
    window: Range<Time>,
    /// What is asked for next.
    next: Range<Time>,
    /// The length of a slice.
    slice: Nanos,
    halvings: u32,
    /// How often each line of the time at which `next` begins has come, by its hash.
    seen: HashMap<u64, u32>,
    hasher: RandomState,
    is_over: bool,
    requests: u64,
    lines: u64,
    text: Vec<u8>,
    taken: usize,
    source: Option<Source>,
    outcome: Arc<Mutex<StoreOutcome>>,
}

impl StoreText {
    pub(super) fn new(store: Box<dyn Store>, selection: Selection, window: Range<Time>) -> Self {
        let slice = ((window.end - window.start).0 / MAX_SLICES).div_euclid(SECOND).saturating_mul(SECOND);
        let slice = Nanos(slice.max(MIN_SLICE));
        StoreText {
            next: window.start..(window.start + slice).min(window.end),
            store,
            selection,
            window,
            slice,
            halvings: 0,
            seen: HashMap::new(),
            hasher: RandomState::default(),
            is_over: false,
            requests: 0,
            lines: 0,
            text: Vec::new(),
            taken: 0,
            source: None,
            outcome: Arc::default(),
        }
    }

    /// The same, which tells the source how many requests are done, and of how many.
    #[must_use]
    pub fn with_progress(self, source: &Source) -> Self {
        StoreText { source: Some(source.clone()), ..self }
    }

    /// How it ends: to be looked at when it has been read.
    #[must_use]
    pub fn outcome(&self) -> Arc<Mutex<StoreOutcome>> {
        Arc::clone(&self.outcome)
    }

    /// Asks for a page.
    fn ask(&mut self) {
        match self.store.page(&self.selection, &self.next) {
            Ok(page) => {
                self.halvings = 0;
                self.take(page);
            }
            Err(error) => self.fail(&error),
        }
        self.requests += 1;
        if let Some(source) = &self.source {
            let left = (self.window.end - self.next.end).0 / self.slice.0.max(1);
            let left = if self.is_over { 0 } else { 1 + u64::try_from(left).unwrap_or(0) };
            source.set_queries(self.requests, self.requests + left);
        }
    }

    /// Takes over what is new in a page, and finds out what to ask for next.
    fn take(&mut self, page: Page) {
        let Page { mut lines, is_full, warnings } = page;
        for warning in warnings {
            self.remark(format!("the server warns: {warning}"));
        }
        lines.retain(|line| self.next.contains(&line.at));
        lines.sort_by_key(|line| line.at);
        let from = self.next.start;
        let Some(last) = lines.last().map(|line| line.at) else { return self.go_on(true) };
        if last > from {
            self.add(&lines, from);
            self.seen.clear();
            for line in lines.iter().filter(|line| line.at == last) {
                *self.seen.entry(self.hasher.hash_one(&line.record)).or_default() += 1;
            }
            self.next.start = last;
            if !is_full && self.next.end < self.window.end {
                self.go_on(false);
            }
            return;
        }
        // All are of one time.
        let before = self.lines;
        self.add(&lines, from);
        let is_new = self.lines > before;
        if is_full && !is_new || self.seen.len() > MAX_TIES {
            self.remark(format!(
                "more than {} lines have the time {}, more than the store gives at once: some of them may be missing",
                lines.len().max(self.seen.len()),
                shown(from)
            ));
            self.next.start = Time(from.0.saturating_add(1));
            self.seen.clear();
        } else if !is_full && (!is_new || self.next.end < self.window.end) {
            self.go_on(false);
        }
    }

    /// Adds the lines that have not come before. `seen` then holds all of the time `from`.
    fn add(&mut self, lines: &[super::Line], from: Time) {
        let mut again = self.seen.clone();
        for line in lines {
            if line.at == from {
                let hash = self.hasher.hash_one(&line.record);
                match again.get_mut(&hash).filter(|count| **count > 0) {
                    Some(count) => {
                        *count -= 1;
                        continue;
                    }
                    None => *self.seen.entry(hash).or_default() += 1,
                }
            }
            self.text.extend_from_slice(line.record.as_bytes());
            self.text.push(b'\n');
            self.lines += 1;
        }
    }

    /// The next slice. Where a page had lines, it begins at the last of them, and the last slice is over once nothing new came of it.
    fn go_on(&mut self, was_empty: bool) {
        if was_empty {
            self.next.start = self.next.end;
            self.seen.clear();
        }
        self.is_over = self.next.end >= self.window.end;
        self.next.end = (self.next.end + self.slice).min(self.window.end);
        if self.is_over && self.lines == 0 {
            self.remark(format!(
                "it has no such lines from {} to {}",
                shown(self.window.start),
                shown(self.window.end)
            ));
        }
    }

    /// Asks for less at once where that may help; else this is the end.
    fn fail(&mut self, error: &HttpError) {
        let may_help = matches!(
            error.kind,
            HttpErrorKind::Timeout | HttpErrorKind::TooLarge | HttpErrorKind::Truncated | HttpErrorKind::Status(500..)
        );
        let half = ((self.next.end - self.next.start).0 / 2).div_euclid(SECOND) * SECOND;
        if may_help && half >= SECOND && self.halvings < MAX_HALVINGS {
            self.halvings += 1;
            self.slice = Nanos(half);
            // Whole seconds, as the window's.
            let begun = Time(self.next.start.0.div_euclid(SECOND).saturating_mul(SECOND));
            self.next.end = begun + self.slice;
            return;
        }
        self.is_over = true;
        // The user has stopped it, which the report says.
        if error.kind != HttpErrorKind::Cancelled {
            self.remark(format!("nothing was read after {}: {error}", shown(self.next.start)));
            self.outcome.lock().unwrap_or_else(PoisonError::into_inner).is_incomplete = true;
        }
    }

    fn remark(&self, text: String) {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome.remarks.len() < MAX_REMARKS && !outcome.remarks.contains(&text) {
            outcome.remarks.push(text);
        }
    }
}

/// An instant as people write it.
fn shown(time: Time) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl Read for StoreText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() {
            self.text.clear();
            self.taken = 0;
            if self.is_over {
                return Ok(0);
            }
            self.ask();
        }
        let left = self.text.get(self.taken..).unwrap_or_default();
        let count = left.len().min(into.len());
        if let (Some(target), Some(from)) = (into.get_mut(..count), left.get(..count)) {
            target.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
