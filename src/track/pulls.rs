//! The runtime's pulls on a node, as its lines show them. Whose they are is decided in `breakdown`.

use std::collections::{BTreeMap, VecDeque};

use super::failed_mirrors;
use crate::model::record::{Fact, Field, Record, SourceLine};
use crate::model::startup::{FailedMirror, Repull};
use crate::model::time::{Nanos, SECOND, Time};

/// How many pulls of a node are remembered.
const MAX_REMEMBERED: usize = 8192;
/// Of so many pulls, the latest, it is looked at whether they had the same image.
const LOOKBACK: usize = 1024;
/// How many failed mirrors of one pull are remembered; a registry has a few.
const MAX_MIRRORS: usize = 32;
/// How far ends may be out of their order.
const CLOCK_SLACK: Nanos = Nanos(5 * SECOND);

/// A node's pulls, in the order they ended.
#[derive(Debug, Default)]
pub struct Pulls {
    in_progress: Vec<StartedPull>,
    finished: VecDeque<FinishedPull>,
}

/// One pull in the runtime that is under way, as far as its lines show.
#[derive(Debug)]
pub struct StartedPull {
    /// The image, as the runtime names it.
    pub image: Box<str>,
    /// When the runtime began.
    pub started: Time,
    /// The line that says so.
    pub place: SourceLine,
    /// `started` is known to the second only: it lies within a second after it.
    pub whole_second: bool,
    /// The runtime started anew, so that it has no other end.
    pub interrupted: Option<Time>,
    /// The id of the kubelet's request, where the runtime's lines are joined by it.
    request: Option<Box<str>>,
    /// Mirrors that were asked and did not serve it.
    failed_mirrors: Vec<FailedMirror>,
    /// Until then it asked hosts that failed.
    asked_until: Time,
    /// Or until then, by a line that does not say whose it is.
    perhaps_until: Time,
}

/// One pull in the runtime that is over.
#[derive(Debug)]
pub struct FinishedPull {
    /// The image, as the runtime names it.
    pub image: Box<str>,
    /// When the runtime began.
    pub started: Time,
    /// When it ended, well or not.
    pub finished: Time,
    /// Of both instants: known to the second only, within a second after them.
    pub whole_seconds: (bool, bool),
    /// It ended well.
    pub ok: bool,
    /// The image's size, when the runtime logs it.
    pub bytes: Option<i64>,
    /// The line of its end.
    pub place: SourceLine,
    /// That line, shortened.
    pub text: Box<str>,
    /// Mirrors that were asked first and did not serve it.
    pub failed_mirrors: Vec<FailedMirror>,
    /// It is some startup's own.
    pub assigned: bool,
    /// containerd writes two lines at the end; the second has not come yet.
    awaits_return_line: bool,
}

/// When the kubelet of a node removed images to free disk.
#[derive(Debug, Default)]
pub struct ImageRemovals(VecDeque<(Time, SourceLine)>);

/// What is known of a startup's node when its pulls are looked for. The runtime's lines may come from another file, under
/// another scope, than the kubelet's: its pulls are then another node's, the removals are under the kubelet's.
pub struct NodePulls<'a> {
    /// The pulls of its runtime.
    pub pulls: &'a mut Pulls,
    /// Images its kubelet removed.
    pub removals: &'a ImageRemovals,
}

impl ImageRemovals {
    /// Takes a line about images being removed.
    pub(super) fn push(&mut self, time: Time, place: SourceLine) {
        self.0.push_back((time, place));
        if self.0.len() > MAX_REMEMBERED {
            self.0.pop_front();
        }
    }

    /// How many it holds.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn held(&self) -> usize {
        self.0.len()
    }

    /// The last removal between two instants.
    fn last_between(&self, from: Time, to: Time) -> Option<SourceLine> {
        self.0.iter().rfind(|(time, _)| *time > from && *time < to).map(|(_, place)| *place)
    }
}

impl Pulls {
    /// How many pulls it holds.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn held(&self) -> usize {
        self.in_progress.len() + self.finished.len()
    }

    /// Pulls that ended after an instant, and some before, with their numbers: they are kept in about the order of their ends.
    pub fn since(&self, from: Time) -> impl Iterator<Item = (usize, &FinishedPull)> {
        let first = self.finished.partition_point(|pull| pull.finished < from - CLOCK_SLACK);
        self.finished.range(first..).enumerate().map(move |(number, pull)| (first + number, pull))
    }

    /// Pulls that ended between two instants, and some around them, with their numbers; those of no startup yet.
    pub fn unassigned(&self, from: Time, to: Time) -> impl Iterator<Item = (usize, &FinishedPull)> {
        self.since(from)
            .take_while(move |(_, pull)| pull.finished <= to + CLOCK_SLACK)
            .filter(|(_, pull)| !pull.assigned)
    }

    /// A pull by its number.
    pub fn get(&self, number: usize) -> Option<&FinishedPull> {
        self.finished.get(number)
    }

    /// Requests for an image between two instants whose end no line shows. CRI-O writes one for every pull that ends well: where
    /// a later request did, these failed.
    pub fn unfinished(&self, image: &str, from: Time, to: Time) -> impl Iterator<Item = &StartedPull> {
        self.in_progress.iter().filter(move |pull| {
            pull.request.is_some() && *pull.image == *image && pull.started >= from && pull.started < to
        })
    }

    /// Marks a pull as some startup's own.
    pub fn assign(&mut self, number: usize) {
        if let Some(pull) = self.finished.get_mut(number) {
            pull.assigned = true;
        }
    }

    /// Whether an image had been pulled before this instant, and what became of it.
    pub fn previous_pull(&self, image: &str, before: Time, removals: &ImageRemovals) -> Option<Repull> {
        let earlier = self.finished.iter().rev().take(LOOKBACK);
        let mut earlier = earlier.filter(|known| known.ok && known.finished < before);
        let last = earlier.find(|known| *known.image == *image)?.finished;
        Some(removals.last_between(last, before).map_or(Repull::Present, Repull::Collected))
    }

    /// Bytes a second that the node moved between two instants, by the pulls whose sizes are logged.
    pub fn rate(&self, from: Time, to: Time) -> Option<f64> {
        let seconds = (to - from).seconds();
        // What is still under way took its share, and does not show how much.
        let moves = |pull: &StartedPull| pull.started < to && pull.interrupted.is_none_or(|end| end > from);
        if self.in_progress.iter().any(moves) {
            return None;
        }
        // Two pulls of one image move it once.
        let mut moved: BTreeMap<&str, f64> = BTreeMap::new();
        for pull in self.since(from).map(|(_, pull)| pull).filter(|pull| pull.ok) {
            // While mirrors failed it moved nothing.
            let began = pull.failed_mirrors.last().map_or(pull.started, |mirror| mirror.to.max(pull.started));
            let shared = (pull.finished.min(to) - began.max(from)).seconds();
            let took = (pull.finished - began).seconds();
            if shared > 0.0 && took > 0.0 {
                let part = moved.entry(&pull.image).or_default();
                *part = part.max(pull.bytes? as f64 * shared / took);
            }
        }
        let moved: f64 = moved.values().sum();
        (seconds > 0.0 && moved > 0.0).then(|| moved / seconds)
    }

    /// The size of a pull that the runtime does not log, by another line.
    pub fn set_bytes(&mut self, number: usize, bytes: i64) {
        if let Some(pull) = self.finished.get_mut(number) {
            pull.bytes.get_or_insert(bytes);
        }
    }

    /// The runtime starts anew: what was under way will not end.
    pub(super) fn interrupt(&mut self, time: Time) {
        for pull in &mut self.in_progress {
            pull.interrupted.get_or_insert(time);
        }
    }

    /// Takes a line about a pull.
    pub(super) fn push(&mut self, record: &Record, time: Time) {
        if record.fact == Fact::RegistryHostFailed {
            self.host_failed(record, time);
            return;
        }
        let request = record.fields.text(Field::Request);
        let Some(image) = record.fields.text(Field::Image) else {
            // CRI-O names what it pulled by its id: the request says what that was.
            let by_request = |pull: &StartedPull| request.is_some() && pull.request.as_deref() == request;
            if let Some(number) = self.in_progress.iter().position(by_request) {
                self.end(number, record, time, record.fact == Fact::TransferFinished);
            }
            return;
        };
        if record.fact == Fact::TransferStarted {
            self.in_progress.push(StartedPull {
                image: image.into(),
                started: time,
                place: record.place,
                whole_second: record.whole_second,
                interrupted: None,
                request: request.map(Into::into),
                failed_mirrors: Vec::new(),
                asked_until: time,
                perhaps_until: time,
            });
            if self.in_progress.len() > MAX_REMEMBERED {
                self.in_progress.remove(0);
            }
            return;
        }
        let ok = record.fact == Fact::TransferFinished;
        let took = record.fields.length(Field::Duration);
        if ok && took.is_none() && self.is_return_line(image) {
            return;
        }
        let (started, failed_mirrors) = match self.take_started(image, took.map(|took| time - took)) {
            Some(pull) => (pull.started, pull.failed_mirrors),
            None => match took {
                Some(took) => (time - took, Vec::new()),
                None => return,
            },
        };
        self.add(FinishedPull {
            image: image.into(),
            started,
            failed_mirrors,
            finished: time,
            // Only containerd's lines name the image at the end, and their times have fractions.
            whole_seconds: (false, false),
            ok,
            bytes: record.fields.number(Field::Bytes).filter(|bytes| *bytes > 0),
            place: record.place,
            text: record.fields.line().into(),
            assigned: false,
            awaits_return_line: ok && took.is_some(),
        });
    }

    /// Takes a kubelet's line about a pull that failed. CRI-O writes none: there it is the end of the request that was first
    /// of those for the image.
    pub(super) fn failed(&mut self, record: &Record, time: Time) {
        let named = [Field::Image, Field::Error].into_iter().filter_map(|field| record.fields.text(field));
        let named: Vec<&str> = named.collect();
        let failed = |pull: &StartedPull| {
            let open = pull.request.is_some() && pull.interrupted.is_none() && pull.started <= time;
            open && named.iter().any(|text| text.contains(&*pull.image))
        };
        if let Some(number) = self.in_progress.iter().position(failed) {
            self.end(number, record, time, false);
        }
    }

    /// Ends a pull that is under way, by a line that does not say how long it took.
    fn end(&mut self, number: usize, record: &Record, time: Time, ok: bool) {
        let StartedPull { image, started, whole_second, failed_mirrors, .. } = self.in_progress.remove(number);
        let (place, text) = (record.place, Box::from(record.fields.line()));
        let finished = time;
        self.add(FinishedPull {
            image,
            started,
            finished,
            whole_seconds: (whole_second, record.whole_second),
            ok,
            bytes: None,
            place,
            text,
            failed_mirrors,
            assigned: false,
            awaits_return_line: false,
        });
    }

    fn add(&mut self, pull: FinishedPull) {
        self.finished.push_back(pull);
        if self.finished.len() > MAX_REMEMBERED {
            self.finished.pop_front();
        }
    }

    /// Whether the line is the second one of a pull that has ended already.
    fn is_return_line(&mut self, image: &str) -> bool {
        let mut latest = self.finished.iter_mut().rev().take(LOOKBACK);
        let ended = latest.find(|pull| pull.awaits_return_line && *pull.image == *image);
        ended.map(|pull| pull.awaits_return_line = false).is_some()
    }

    /// The pull that ends now. With several of one image under way the printed duration shows which one ended.
    fn take_started(&mut self, image: &str, expected: Option<Time>) -> Option<StartedPull> {
        let mine = self.in_progress.iter().enumerate();
        let mine = mine.filter(|(_, pull)| *pull.image == *image && pull.interrupted.is_none());
        let mine =
            mine.min_by_key(|(_, pull)| expected.map_or(pull.started.0, |expected| (pull.started - expected).abs().0));
        mine.map(|(number, _)| number).map(|number| self.in_progress.remove(number))
    }

    /// Takes a line about a host that did not serve a pull. The address in it names the image; without one it is taken for the
    /// only pull under way, else it may be any's. What the registry itself does not serve is a failed pull.
    fn host_failed(&mut self, record: &Record, time: Time) {
        let Some(host) = record.fields.text(Field::Host) else { return };
        let address = record.fields.text(Field::Error).and_then(failed_mirrors::address);
        let number = match address {
            // Two pulls of one image ask each host once.
            Some(address) => {
                let asks = |pull: &StartedPull| failed_mirrors::asks_for(address, &pull.image);
                let again = |pull: &StartedPull| pull.failed_mirrors.iter().any(|known| *known.host == *host);
                let mine = self.in_progress.iter().enumerate().filter(|(_, pull)| asks(pull));
                mine.min_by_key(|(number, pull)| (again(pull), *number)).map(|(number, _)| number)
            }
            None if self.in_progress.len() > 1 => {
                self.in_progress.iter_mut().for_each(|pull| pull.perhaps_until = time);
                None
            }
            None => Some(0),
        };
        let Some(pull) = number.and_then(|number| self.in_progress.get_mut(number)) else { return };
        let from = pull.asked_until.min(time);
        let from_high = if address.is_some() { pull.perhaps_until.max(from).min(time) } else { time };
        pull.asked_until = time;
        if failed_mirrors::is_mirror(host, &pull.image) && pull.failed_mirrors.len() < MAX_MIRRORS {
            let (host, place) = (host.into(), record.place);
            pull.failed_mirrors.push(FailedMirror { host, from, from_high, to: time, place });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::grammar::Grammars;

    fn pulls(lines: &[&str]) -> Pulls {
        let grammars = Grammars::load(&[]).unwrap();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut pulls = Pulls::default();
        for record in crate::parse::chunk(&grammars, text.as_bytes(), text.len(), 0, 1).records {
            let Some(crate::model::time::Stamp::Utc(nanos)) = record.stamp else { panic!("a time") };
            match record.fact {
                Fact::RuntimeStarted => pulls.interrupt(Time(nanos)),
                _ => pulls.push(&record, Time(nanos)),
            }
        }
        pulls
    }

    #[test]
    fn a_restart_of_cri_o_ends_what_was_under_way() {
        let pulls = pulls(&[
            r#"time="2026-03-02T10:00:00Z" level=info msg="Pulling image: quay.io/shop/web:1" id=a1"#,
            r#"time="2026-03-02T10:00:05Z" level=info msg="Starting CRI-O, version: 1.35.6, git: unknown(clean)""#,
            r#"time="2026-03-02T10:00:06Z" level=info msg="Pulling image: quay.io/shop/web:1" id=b1"#,
            r#"time="2026-03-02T10:00:09Z" level=info msg="Pulled image: 9b6fe0e5c9ce" id=b1"#,
        ]);
        let ended: Vec<_> = pulls.finished.iter().map(|pull| (pull.finished - pull.started).seconds()).collect();
        assert_eq!(ended, [3.0]);
        let from = pulls.finished[0].started - Nanos(10 * SECOND);
        let lost: Vec<_> = pulls.unfinished("quay.io/shop/web:1", from, pulls.finished[0].started).collect();
        let [lost] = lost[..] else { panic!("{lost:?}") };
        assert_eq!(lost.interrupted.map(|end| (end - lost.started).seconds()), Some(5.0));
    }

    #[test]
    fn no_pull_of_containerd_is_joined_across_its_restart() {
        let pulls = pulls(&[
            r#"time="2026-03-02T10:00:00.5Z" level=info msg="PullImage \"quay.io/shop/web:1\"""#,
            r#"time="2026-03-02T10:00:05.5Z" level=info msg="starting containerd" revision=0 version=v2.2.7"#,
            r#"time="2026-03-02T10:00:06.5Z" level=info msg="PullImage \"quay.io/shop/web:1\"""#,
            r#"time="2026-03-02T10:00:09.5Z" level=info msg="PullImage \"quay.io/shop/web:1\" returns image reference \"sha256:9b6f\"""#,
        ]);
        let ended: Vec<_> = pulls.finished.iter().map(|pull| (pull.finished - pull.started).seconds()).collect();
        assert_eq!(ended, [3.0]);
    }
}
