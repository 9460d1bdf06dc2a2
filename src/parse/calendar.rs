//! What a log leaves out of its times: klog has no year and no zone. Both are learned from lines that carry the same
//! instant twice, once as wall clock and once in UTC; until then records wait.

use std::cell::Cell;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeZone};

use crate::model::record::{Fact, Record};
use crate::model::time::{DAY, SECOND, Stamp, Time};
use crate::model::zone::Zone;

/// What the user says about times in logs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints {
    /// The zone of wall clocks, if no line shows it; a line that shows another takes precedence.
    pub zone: Option<Zone>,
    /// The year of the log's first line.
    pub year: Option<i32>,
    /// The time of the run, for a log that nowhere names its year: it is taken to be the latest year that is not in the
    /// future. `None`: such a log is put into 1970.
    pub now: Option<Time>,
}

/// Zones lie on quarters of an hour.
const QUARTER: i64 = 900 * SECOND;
/// No zone is farther from UTC.
const FARTHEST: i64 = 14 * 4 * QUARTER;
/// Clocks are put forward or back by no more than this.
const SUMMER_TIME: i64 = 4 * QUARTER;

/// What one log of a node shows about the clocks of the node's other logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// Nanoseconds east of UTC.
    pub offset: Option<i64>,
    /// An instant of the log.
    pub anchor: Option<i64>,
}

/// One source's clock.
#[derive(Debug, Default)]
pub struct Clock {
    hints: Hints,
    /// Nanoseconds east of UTC of the program's own stamps (klog).
    offset: Option<i64>,
    /// The same of the frame's dates: journalctl prints in the zone of who reads, which need not be the node's.
    frame_offset: Option<i64>,
    /// The zone in which the runtime prints its own stamps: most often that of the node.
    runtime_offset: Option<i64>,
    /// The runtime's last stamp, while klog's zone is unknown.
    beside: Option<i64>,
    /// The offset is not shown by a line of this source.
    borrowed: bool,
    /// A UTC instant near the line being read: the year is the one that comes nearest to it.
    anchor: Option<i64>,
    /// Whether the zone the user named agrees with what lines show; `None` until one does.
    agrees: Option<bool>,
    /// The last wall clock read as UTC, to see it jump back an hour.
    last_wall: Option<i64>,
    /// How many lines show another zone than those before them.
    contradictions: u64,
    /// Lines are not in the order of time.
    unordered: bool,
    /// The day of the last stamp without a year, and its midnight read as UTC.
    day: Cell<Option<(u8, u8, i64)>>,
}

impl Clock {
    /// A clock of a log whose lines are not in the order of time: where its times go back, no summer time ends.
    pub fn of_unordered(hints: Hints) -> Self {
        Clock { unordered: true, ..Clock::new(hints) }
    }

    /// A clock that knows the user's hints.
    pub fn new(hints: Hints) -> Self {
        Clock { hints, ..Clock::default() }
    }

    /// Whether wall clocks can be turned into instants without guessing.
    pub fn is_calibrated(&self) -> bool {
        self.offset.is_some() && (self.anchor.is_some() || self.hints.year.is_some())
    }

    /// Whether a record's time needs neither year nor zone.
    pub fn is_dated(record: &Record) -> bool {
        matches!(record.stamp.or(record.frame_stamp), Some(Stamp::Utc(_)))
    }

    /// Whether the zone is unknown: neither a line nor the user gives it.
    pub fn is_zone_unknown(&self) -> bool {
        self.offset.is_none() && self.hints.zone.is_none()
    }

    /// Whether lines show another zone than the user's.
    pub fn conflicts(&self) -> bool {
        self.agrees == Some(false)
    }

    /// How many lines show another zone than those before them, by more than summer time.
    pub fn contradictions(&self) -> u64 {
        self.contradictions
    }

    /// What this source shows about the other logs of its node.
    pub fn knowledge(&self) -> Knowledge {
        let own = self.offset.filter(|_| !self.borrowed);
        Knowledge { offset: own.or(self.runtime_offset), anchor: self.anchor }
    }

    /// Takes over what the node's other logs show, where this one shows nothing itself. Gives whether they disagree: then the
    /// zone counts that puts `first`, a record of this source, nearest to them.
    pub fn borrow_from(&mut self, others: &[Knowledge], first: &Record) -> bool {
        if self.hints.year.is_none() {
            self.anchor = self.anchor.or_else(|| others.iter().find_map(|other| other.anchor));
        }
        if self.offset.is_some() || self.hints.zone.is_some() {
            return false;
        }
        let own = Knowledge { offset: self.runtime_offset, anchor: self.anchor };
        let known: Vec<Knowledge> =
            [own].iter().chain(others).copied().filter(|known| known.offset.is_some()).collect();
        let distance = |known: &Knowledge| {
            let wall = self.wall(first.stamp.or(first.frame_stamp), known.anchor?)?;
            Some(wall.saturating_sub(known.offset?).saturating_sub(known.anchor?).saturating_abs())
        };
        let nearest = known.iter().min_by_key(|known| distance(known).unwrap_or(i64::MAX));
        self.offset = nearest.and_then(|known| known.offset);
        self.borrowed = true;
        known.iter().any(|known| known.offset != self.offset)
    }

    /// Learns zone and year from a record that carries the same instant twice: as a wall clock, klog's or the frame's, and with
    /// its zone.
    pub fn learn(&mut self, record: &Record) {
        let framed = match record.frame_stamp {
            Some(Stamp::Utc(nanos)) => Some(nanos),
            _ => None,
        };
        let own = match record.stamp {
            Some(Stamp::Utc(nanos)) => Some(nanos),
            _ => record.zoned.map(|zoned| zoned.time.0),
        };
        let utc = own.or(framed);
        if let Some(utc) = utc {
            self.anchor = Some(utc);
            if let Some(offset) = self.offset_of(record.frame_stamp, utc) {
                self.frame_offset = Some(offset);
            }
        }
        let Some(Stamp::Wall { .. }) = record.stamp else { return self.learn_from_runtime(record) };
        let seen = |clock: &Self| clock.wall(record.frame_stamp, clock.anchor?)?.checked_sub(clock.frame_offset?);
        if let Some(utc) = utc.or_else(|| seen(self)) {
            if let Some(offset) = self.offset_of(record.stamp, utc) {
                self.set(offset, utc);
            }
        } else if let (Some(Stamp::Wall { year: Some(year), .. }), None) = (record.frame_stamp, self.anchor) {
            self.anchor = record.stamp.and_then(|stamp| stamp.as_utc_in(year));
        } else if let (None, Some(beside), Some(printed)) = (self.offset, self.beside, self.runtime_offset)
            && let Some(offset) = self.offset_of(record.stamp, beside).filter(|offset| [0, printed].contains(offset))
        {
            // The runtime's line beside shows that klog prints in the same zone, or in UTC.
            self.set(offset, beside);
        }
    }

    fn learn_from_runtime(&mut self, record: &Record) {
        if let (true, Some(zoned)) = (record.from_runtime, record.zoned) {
            self.runtime_offset = Some(i64::from(zoned.offset) * SECOND);
            self.beside = Some(zoned.time.0);
        }
    }

    /// The zone of a wall clock that shows this instant.
    fn offset_of(&self, stamp: Option<Stamp>, utc: i64) -> Option<i64> {
        let stamp = stamp.filter(|stamp| matches!(stamp, Stamp::Wall { .. }));
        let wall = self.wall(stamp, utc)?;
        let offset = (wall.saturating_sub(utc).saturating_add(QUARTER / 2)).div_euclid(QUARTER) * QUARTER;
        (offset.abs() <= FARTHEST).then_some(offset)
    }

    fn set(&mut self, offset: i64, utc: i64) {
        let differs = |known: i64| known.saturating_sub(offset).saturating_abs() > SUMMER_TIME;
        if !self.borrowed && self.offset.is_some_and(differs) {
            self.contradictions += 1;
        }
        self.anchor = Some(utc);
        (self.offset, self.borrowed) = (Some(offset), false);
        let named = |zone: Zone| {
            let utc = DateTime::from_timestamp_nanos(utc).naive_utc();
            i64::from(zone.offset_from_utc_datetime(&utc).local_minus_utc()) * SECOND
        };
        self.agrees = self.hints.zone.map(|zone| named(zone) == offset);
    }

    /// The record's instant. Guesses (UTC, the hint's year) where nothing was learned; `None` only for a record that
    /// carries no time at all.
    pub fn time(&mut self, record: &Record) -> Option<Time> {
        let own = record.startup_record.as_deref().and_then(|observed| observed.watched.time());
        let (stamp, offset) = match (record.stamp, record.fact) {
            (None, Fact::StartupObserved) if own.is_some() => return own,
            (None, _) => (record.frame_stamp?, self.frame_offset.or(self.offset)),
            (Some(stamp), _) => (stamp, self.offset),
        };
        let Stamp::Wall { .. } = stamp else {
            let Stamp::Utc(nanos) = stamp else { return None };
            return Some(Time(nanos));
        };
        let wall = self.wall(Some(stamp), self.anchor.unwrap_or_else(|| self.fallback(stamp)))?;
        // A zone with a name knows when its clocks change, an offset does not.
        if let Some(zone) = self.hints.zone.filter(|_| self.agrees != Some(false)) {
            let local = DateTime::from_timestamp_nanos(wall).naive_utc();
            let instant = zone.from_local_datetime(&local).earliest()?;
            self.anchor = instant.timestamp_nanos_opt();
            return self.anchor.map(Time);
        }
        // The end of summer time: the wall clock goes back an hour while the log goes on.
        if let (Some(last), Some(_), false) = (self.last_wall, offset, self.unordered)
            && is_repeated_hour(last, wall)
            && record.frame_stamp.is_none_or(|stamp| matches!(stamp, Stamp::Wall { .. }))
        {
            self.offset = self.offset.map(|offset| offset - SUMMER_TIME);
            self.frame_offset = self.frame_offset.map(|offset| offset - SUMMER_TIME);
        }
        let offset = if record.stamp.is_none() { self.frame_offset.or(self.offset) } else { self.offset };
        self.last_wall = Some(wall);
        let instant = wall.saturating_sub(offset.unwrap_or(0));
        self.anchor = Some(instant);
        Some(Time(instant))
    }

    /// The instant of a record whose own stamp has no fraction of a second, by its frame's clock: a journal notes when it takes
    /// a line, which is some milliseconds after it was written. `None` where the frame does not say more.
    pub fn within_second(&self, record: &Record, second: Time) -> Option<Time> {
        let framed = match record.frame_stamp? {
            Stamp::Utc(nanos) => nanos,
            stamp @ Stamp::Wall { .. } => self.wall(Some(stamp), second.0)?.checked_sub(self.frame_offset?)?,
        };
        let lag = framed.checked_sub(second.0)?;
        let says_more = framed % SECOND != 0 && (0..2 * SECOND).contains(&lag);
        says_more.then(|| Time(framed.min(second.0 + SECOND - 1)))
    }

    fn fallback(&self, stamp: Stamp) -> i64 {
        let year_start = |year: i32| NaiveDate::from_ymd_opt(year, 7, 1).map(|d| NaiveDateTime::from(d).and_utc());
        let middle = |year| year_start(year).and_then(|d| d.timestamp_nanos_opt()).unwrap_or(0);
        if let Some(year) = self.hints.year {
            return middle(year);
        }
        let Some(now) = self.hints.now else { return middle(1970) };
        let year = DateTime::from_timestamp_nanos(now.0).year();
        match stamp.as_utc_in(year) {
            Some(this_year) if this_year <= now.0.saturating_add(DAY) => this_year,
            _ => stamp.as_utc_in(year - 1).unwrap_or(now.0),
        }
    }

    /// The wall clock read as UTC, in the year that brings it nearest to `anchor`.
    fn wall(&self, stamp: Option<Stamp>, anchor: i64) -> Option<i64> {
        let stamp = stamp?;
        let near = |wall: i64| wall.saturating_sub(anchor).saturating_abs() < 180 * DAY;
        if let (Stamp::Wall { year: None, month, day, nanos_of_day }, Some((known_month, known_day, midnight))) =
            (stamp, self.day.get())
            && (month, day) == (known_month, known_day)
            && let Some(wall) = midnight.checked_add(nanos_of_day).filter(|wall| near(*wall))
        {
            return Some(wall);
        }
        let year = DateTime::from_timestamp_nanos(anchor).year();
        // The same day of another year is at least 365 days away, so this one is nearest.
        if let Some(wall) = stamp.as_utc_in(year).filter(|wall| near(*wall)) {
            if let Stamp::Wall { year: None, month, day, nanos_of_day } = stamp {
                self.day.set(Some((month, day, wall - nanos_of_day)));
            }
            return Some(wall);
        }
        let years = [year - 1, year, year + 1].into_iter();
        years.filter_map(|year| stamp.as_utc_in(year)).min_by_key(|wall| wall.saturating_sub(anchor).saturating_abs())
    }
}

/// Whether a wall clock went back as it does when summer time ends: within one hour, which it shows twice, from its end to
/// its beginning.
fn is_repeated_hour(last: i64, wall: i64) -> bool {
    let hour = 4 * QUARTER;
    last.div_euclid(hour) == wall.div_euclid(hour) && last.saturating_sub(wall) > 3 * QUARTER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::grammar::Grammars;

    fn records(text: &str) -> Vec<Record> {
        let grammars = Grammars::load(&[]).unwrap();
        crate::parse::chunk(&grammars, text.as_bytes(), text.len(), 0, 1).records.collect()
    }

    const OBSERVED: &str = r#"I0103 00:00:01.500000 1 pod_startup_latency_tracker.go:104] "Observed pod startup duration" pod="a/b" podStartSLOduration=2.5 podStartE2EDuration="2.5s" podCreationTimestamp="2025-01-02 23:59:59 +0000 UTC" firstStartedPulling="0001-01-01 00:00:00 +0000 UTC" lastFinishedPulling="0001-01-01 00:00:00 +0000 UTC" observedRunningTime="2025-01-03 00:00:01.4 +0000 UTC m=+9.0" watchObservedRunningTime="2025-01-03 00:00:01.5 +0000 UTC m=+9.1""#;

    #[test]
    fn the_record_teaches_year_and_zone() {
        let east = OBSERVED.replacen("I0103 00:00:01.5", "I0103 05:30:01.5", 1);
        let record = &records(&east)[0];
        let mut clock = Clock::new(Hints::default());
        clock.learn(record);
        assert!(clock.is_calibrated());
        assert_eq!(clock.time(record).unwrap().to_string(), "2025-01-03T00:00:01.500000000Z");
    }

    #[test]
    fn new_year_goes_to_the_nearest_year() {
        let before = OBSERVED.replace("I0103", "I1231").replace("2025-01-0", "2024-12-3");
        let before = before.replace("2024-12-33", "2024-12-31").replace("2024-12-32", "2024-12-30");
        let mut clock = Clock::new(Hints::default());
        clock.learn(&records(&before)[0]);
        let after = &records(r#"I0101 00:00:05.000000 1 kubelet.go:1] "SyncLoop ADD" source="api" pods=["a/b"]"#)[0];
        assert_eq!(clock.time(after).unwrap().to_string(), "2025-01-01T00:00:05.000000000Z");
    }

    #[test]
    fn centuries_between_two_lines_do_not_matter() {
        let mut clock = Clock::new(Hints::default());
        let late = &records(&OBSERVED.replace("2025-01-0", "2261-01-0"))[0];
        clock.learn(late);
        assert_eq!(clock.time(late).unwrap().to_string(), "2261-01-03T00:00:01.500000000Z");
        let json = r#"{"ts":-9214646400000.0,"caller":"x","msg":"SyncLoop ADD","v":2,"source":"api","pods":[{"name":"b","namespace":"a"}]}"#;
        let early = &records(json)[0];
        clock.learn(early);
        let line = &records(r#"I0301 00:00:05.000000 1 kubelet.go:1] "SyncLoop ADD" source="api" pods=["a/b"]"#)[0];
        assert_eq!(clock.time(line).unwrap().to_string(), "1678-03-01T00:00:05.000000000Z");
    }

    #[test]
    fn without_evidence_the_latest_past_year_is_taken() {
        let now = DateTime::parse_from_rfc3339("2026-03-01T00:00:00Z").unwrap().timestamp_nanos_opt().unwrap();
        let mut clock = Clock::new(Hints { now: Some(Time(now)), ..Hints::default() });
        let line = &records(r#"I1123 00:00:05.000000 1 kubelet.go:1] "SyncLoop ADD" source="api" pods=["a/b"]"#)[0];
        assert_eq!(clock.time(line).unwrap().to_string(), "2025-11-23T00:00:05.000000000Z");
    }

    #[test]
    fn a_line_that_shows_the_zone_wins_over_the_user() {
        let mut clock = Clock::new(Hints { zone: Some(chrono_tz::Europe::Berlin.into()), year: Some(2025), now: None });
        let record = &records(OBSERVED)[0];
        assert!(!clock.is_calibrated(), "a line may still show it");
        clock.learn(record);
        assert!(clock.is_calibrated() && clock.conflicts());
        assert_eq!(clock.time(record).unwrap().to_string(), "2025-01-03T00:00:01.500000000Z");
    }

    #[test]
    fn a_named_zone_follows_summer_time() {
        let hints = Hints { zone: Some(chrono_tz::Europe::Berlin.into()), year: Some(2025), now: None };
        let line = |day: &str| {
            records(&format!(r#"I{day} 12:00:00.000000 1 kubelet.go:1] "SyncLoop ADD" source="api" pods=["a/b"]"#))[0]
                .clone()
        };
        let mut clock = Clock::new(hints);
        assert_eq!(clock.time(&line("0110")).unwrap().to_string(), "2025-01-10T11:00:00.000000000Z");
        assert_eq!(clock.time(&line("0710")).unwrap().to_string(), "2025-07-10T10:00:00.000000000Z");
    }
}
