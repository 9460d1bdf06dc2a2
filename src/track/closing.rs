//! When a startup is over: by its end, by its age in log time, or by the cap, each counted; and when all of its burst are.

use super::aliases::Aliases;
use super::{ClosedStartup, Id, Limits, OpenStartup, Tracker};
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND, Time};

impl Tracker {
    /// Closes what is still open: the input has ended.
    pub fn finish(&mut self) {
        let mut left: Vec<Id> = self.open.keys().copied().collect();
        left.sort_unstable();
        for id in left {
            self.close(id, false);
        }
        self.unready.finish();
        self.complete.append(&mut self.closed_startups);
        self.finish_objects();
    }

    pub(super) fn forget(&mut self, id: Id) -> Option<OpenStartup> {
        let startup = self.open.remove(&id)?;
        if self.by_name.get(&startup.pod) == Some(&id) {
            self.by_name.remove(&startup.pod);
        }
        if let Some(Aliases { uids, objects }) = self.aliases.remove(&id) {
            Aliases::forget(uids, &mut self.by_uid, id);
            Aliases::forget(objects, &mut self.by_object, id);
        }
        Some(startup)
    }

    /// Closes a startup; one that only settled may have its readiness still to come.
    pub(super) fn close(&mut self, id: Id, settled: bool) {
        let Some(mut startup) = self.forget(id) else { return };
        if let Some(uid) = &startup.uid {
            self.closed.insert(uid, self.limits.remembered);
        }
        self.already_running.insert(&startup.pod, self.limits.remembered);
        startup.objects = self.objects.take_for(&startup).map(Box::new);
        if !startup.confirmed && !self.created_in_log(&startup) {
            self.counts.existing += 1;
            return;
        }
        self.counts.ended += 1;
        self.counts.dropped_events += startup.events.dropped();
        startup.events.sort();
        if let Some(objects) = &mut startup.objects {
            objects.events.sort();
        }
        let node = startup.node;
        let context = self.states[node].context(&mut startup, &self.nodes[node]);
        let awaits_ready = (settled && self.unready.admit(id, &startup, self.last_sweep)).then_some(id);
        self.closed_startups.push(ClosedStartup { startup, context, awaits_ready });
        if self.closed_startups.len() > self.limits.open / 8 {
            self.complete.append(&mut self.closed_startups);
        }
    }

    /// A pod that was created, or bound to its node, while the log of that goes on has started there, however little the log
    /// says of it.
    fn created_in_log(&self, startup: &OpenStartup) -> bool {
        let Some(objects) = startup.objects.as_deref() else { return false };
        let status = objects.status.as_deref().filter(|status| status.mirror.is_none());
        let bound = objects.events.of(Fact::PodScheduled).map(|event| event.time).min();
        let began = status.and_then(|status| status.created).or(bound);
        let range = self.nodes.get(startup.node).and_then(|node| node.log_range);
        began.zip(range).is_some_and(|(began, (from, to))| from <= began && began <= to)
    }

    /// Records before this have settled. Startups of one burst leave together, so that their pulls are distinguished together:
    /// the line between them is drawn where none was recorded for half a second.
    fn settled(&self, now: Time, settle: Nanos) -> Time {
        let limit = now - settle;
        let closed = self.closed_startups.iter().map(|closed| &closed.startup);
        let all = self.open.values().chain(closed);
        let mut after: Vec<Time> = all.filter_map(|open| Some(open.observed_at?.0)).collect();
        after.retain(|observed| *observed >= limit && *observed < limit + Nanos(settle.0 / 3));
        after.sort_unstable();
        let mut last = limit;
        for observed in after {
            if observed - last > Nanos(SECOND / 2) {
                break;
            }
            last = observed + Nanos(1);
        }
        last
    }

    pub(super) fn sweep(&mut self, now: Time) {
        self.last_sweep = now;
        self.unready.sweep(now);
        let Limits { open: cap, settle, crash_loop, age, .. } = self.limits;
        let mut due: Vec<(Id, bool)> = Vec::new();
        let settled = self.settled(now, settle);
        for (id, startup) in &self.open {
            match startup.observed_at {
                Some((observed, _))
                    if observed < settled && startup.exited.is_none_or(|exited| now - exited > crash_loop) =>
                {
                    due.push((*id, false));
                }
                None if now - startup.last_event > age => due.push((*id, true)),
                _ => {}
            }
        }
        due.sort_unstable();
        for (id, aged) in due {
            self.counts.aged += u64::from(aged);
            self.close(id, !aged);
        }
        if self.open.len() > cap {
            let mut by_touch: Vec<(Time, Id)> =
                self.open.iter().map(|(id, startup)| (startup.last_event, *id)).collect();
            by_touch.sort_unstable();
            // An eighth at once, so that the sort is paid for by many records.
            for (_, id) in by_touch.into_iter().take(cap / 8 + 1) {
                self.counts.capped += 1;
                self.close(id, false);
            }
        }
        let waits = |closed: &ClosedStartup| {
            closed.startup.observed_at.map_or(closed.startup.last_event, |(observed, _)| observed) >= settled
        };
        self.complete.extend(self.closed_startups.extract_if(.., |closed| !waits(closed)));
    }
}
