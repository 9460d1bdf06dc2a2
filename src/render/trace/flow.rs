//! Arrows from the pull that others waited behind to those that waited.

use std::collections::HashMap;

use super::{Event, Slice};
use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::waited_for::WaitedFor;
use crate::table::Span;

/// How many pulls and waits are kept: far more than a viewer can draw, and a few megabytes.
const MOST: usize = 100_000;

/// Pulls and waits seen so far. Either may come before the other, so the arrows are drawn at the end.
#[derive(Default)]
pub(super) struct Flows {
    pulls: HashMap<(u32, Box<str>), Vec<Slice>>,
    pulled: usize,
    waits: Vec<(Box<str>, Slice)>,
}

impl Flows {
    /// Takes note of a span.
    pub(super) fn note(&mut self, span: &Span, slice: Slice) {
        let Some(waited_for) = span.waited_for.as_deref().map(WaitedFor::from_text) else { return };
        match (span.phase, waited_for) {
            (Phase::ImageWait, WaitedFor::PullAhead(image)) if self.waits.len() < MOST => {
                self.waits.push((image, slice))
            }
            // A pseudonym of an image looks like any name.
            (Phase::ImagePull, WaitedFor::Image(image) | WaitedFor::Container(image)) if self.pulled < MOST => {
                self.pulled += 1;
                self.pulls.entry((slice.pid, image)).or_default().push(slice);
            }
            _ => {}
        }
    }

    /// The arrows' ends: from where the pull begins to the end of the wait, each within its slice and before its marks: viewers bind
    /// them to what they find there. An arrow that would end before it begins is none: Perfetto calls that an error of the file.
    pub(super) fn events(self, event: &mut dyn FnMut(&Event<'_>) -> Result<(), Error>) -> Result<(), Error> {
        let mut id = 0;
        for (image, wait) in self.waits {
            let end = wait.before_end(2);
            let pulls = self.pulls.get(&(wait.pid, image)).map(Vec::as_slice).unwrap_or_default();
            let shared = |pull: &&Slice| pull.to.min(wait.to) - pull.from.max(wait.from);
            let Some(pull) = pulls.iter().filter(|pull| pull.from <= end && pull.tid != wait.tid).max_by_key(shared)
            else {
                continue;
            };
            id += 1;
            let arrow = |ph, at: &Slice, ts, bp| {
                let (pid, tid) = (at.pid, at.tid);
                Event {
                    name: "blocked by",
                    cat: "pull",
                    ph,
                    pid,
                    tid,
                    ts: Some(ts),
                    id: Some(id),
                    bp,
                    ..Event::default()
                }
            };
            event(&arrow("s", pull, pull.from, None))?;
            event(&arrow("f", &wait, end, Some("e")))?;
        }
        Ok(())
    }
}
