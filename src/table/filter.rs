//! Which startups count: the filters every verb takes. A row passes when it fits every kind of filter that is given, and one
//! pattern of each kind, and no pattern that excludes.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use regex::Regex;

use crate::causes;
use crate::model::error::{Error, ErrorKind};
use crate::model::time::{Nanos, Time};
use crate::model::zone::Zone;
use crate::table::Row;

/// What is compared with the patterns of a kind of filter.
type Names = fn(&Row) -> Vec<String>;

/// The kinds of patterns, by the name of their flag.
///
/// To add one: a row here, and the flag in `args`.
pub const KINDS: &[(&str, Names)] = &[
    ("namespace", |row| vec![row.namespace.to_string()]),
    ("node", |row| row.node.iter().map(ToString::to_string).collect()),
    ("pod", |row| vec![row.pod.to_string(), row.full_name()]),
    ("workload", |row| {
        let name = row.workload.split_once('/').map_or(&*row.workload, |(_, name)| name);
        vec![row.workload.to_string(), name.into()]
    }),
    ("image", |row| row.image_pulls.iter().filter_map(|pull| pull.image.as_deref().map(Into::into)).collect()),
    ("cause", |row| row.findings.iter().map(|finding| finding.cause.to_string()).collect()),
];

/// Filters; the default lets everything pass.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Startups created from this instant on.
    pub since: Option<Time>,
    /// Startups created before this instant.
    pub until: Option<Time>,
    globs: Vec<Globs>,
}

/// Patterns of one kind.
#[derive(Clone, Debug)]
struct Globs {
    /// Its number in [`KINDS`].
    kind: usize,
    /// What fits is left out, not kept.
    exclude: bool,
    patterns: Vec<(String, Regex)>,
}

impl Globs {
    fn name(&self) -> &'static str {
        KINDS.get(self.kind).map_or("", |(name, _)| name)
    }

    /// Whether something with these names counts.
    fn pass(&self, names: &[String]) -> bool {
        self.patterns.iter().any(|(_, glob)| names.iter().any(|name| glob.is_match(name))) != self.exclude
    }
}

/// A glob as a pattern: `*` is any text, `?` one character, everything else itself.
///
/// # Errors
/// When the pattern is too long to be compiled.
pub fn glob(pattern: &str) -> Result<Regex, Error> {
    let escaped = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    Regex::new(&format!("(?s)^(?:{escaped})$"))
        .map_err(|_| Error::new(ErrorKind::Setting, format!("pattern too long: {pattern:?}")))
}

/// An instant as people give it: RFC 3339, a date, a date with a time, a time of today, or a length of time before now (`90m`).
/// Without a zone of its own it is in `zone`; a time that a change of clocks skips or repeats is the earlier one.
///
/// # Errors
/// When it is none of these.
pub fn instant(text: &str, zone: Zone, now: Option<Time>) -> Result<Time, Error> {
    let wrong = || {
        Error::new(ErrorKind::Setting, format!("invalid time {text:?}")).help(
            "give 2026-11-23T18:00:00Z, 2026-11-23, '2026-11-23 18:00', 18:00 or 2h; --timezone sets the time zone",
        )
    };
    // An hour of `blame --by hour` has no seconds.
    let hour = text.strip_suffix('Z').filter(|text| text.len() == 16).map(|text| format!("{text}:00Z"));
    if let Some(time) = Time::from_rfc3339(hour.as_deref().unwrap_or(text)) {
        return Ok(time);
    }
    if let Ok(length) = humantime::parse_duration(text) {
        let length = i64::try_from(length.as_nanos()).map(Nanos);
        return now.zip(length.ok()).map(|(now, length)| now - length).ok_or_else(wrong);
    }
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
    let of_day =
        |text: &str| ["%H:%M:%S%.f", "%H:%M"].into_iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok());
    let today = || Some(DateTime::from_timestamp_nanos(now?.0).with_timezone(&zone).date_naive());
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let local = match text {
        "today" => today().map(midnight),
        "yesterday" => today().and_then(|today| today.checked_sub_days(Days::new(1))).map(midnight),
        _ => forms
            .into_iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(midnight))
            .or_else(|| Some(today()?.and_time(of_day(text)?))),
    };
    let local = local.ok_or_else(wrong)?;
    // In the hour that a change of clocks skips there is no such time: what is an hour later is.
    let exact = zone.from_local_datetime(&local).earliest();
    let shifted = || zone.from_local_datetime(&local.checked_add_signed(chrono::TimeDelta::hours(1))?).earliest();
    let nanos = exact.or_else(shifted).and_then(|time| time.timestamp_nanos_opt());
    nanos.map(Time).ok_or_else(wrong)
}

impl Filter {
    /// Adds patterns of a kind (a name in [`KINDS`]); none changes nothing.
    ///
    /// # Errors
    /// When a pattern cannot be used, or names a cause that does not exist.
    pub fn add(&mut self, kind: &str, patterns: &[String]) -> Result<(), Error> {
        self.set(kind, patterns, false, &format!("--{kind}"))
    }

    /// Adds patterns to leave out, each as `KIND=GLOB`.
    ///
    /// # Errors
    /// When one is not written so, or has no known kind; and as [`Filter::add`].
    pub fn exclude(&mut self, filters: &[String]) -> Result<(), Error> {
        let known = || KINDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let mut of_kinds: Vec<Vec<String>> = vec![Vec::new(); KINDS.len()];
        for filter in filters {
            let wrong = |words: String| {
                Error::new(ErrorKind::Setting, format!("--exclude: {words}"))
                    .help(format!("write KIND=GLOB, e.g. namespace=kube-system; kinds: {}", known()))
            };
            let Some((kind, glob)) = filter.split_once('=').filter(|(_, glob)| !glob.is_empty()) else {
                return Err(wrong(format!("{filter:?} is not KIND=GLOB")));
            };
            let number = KINDS.iter().position(|(name, _)| *name == kind);
            match number.and_then(|number| of_kinds.get_mut(number)) {
                Some(globs) => globs.push(glob.to_owned()),
                None => return Err(wrong(format!("no filter is named {kind:?}"))),
            }
        }
        for ((kind, _), globs) in KINDS.iter().zip(of_kinds) {
            self.set(kind, &globs, true, "--exclude cause")?;
        }
        Ok(())
    }

    fn set(&mut self, kind: &str, patterns: &[String], exclude: bool, flag: &str) -> Result<(), Error> {
        let Some(number) = KINDS.iter().position(|(name, _)| *name == kind).filter(|_| !patterns.is_empty()) else {
            return Ok(());
        };
        let compiled = patterns.iter().map(|pattern| Ok((pattern.clone(), glob(pattern)?)));
        let compiled: Vec<(String, Regex)> = compiled.collect::<Result<_, Error>>()?;
        for (pattern, glob) in compiled.iter().filter(|_| kind == "cause") {
            if !causes::all().any(|cause| glob.is_match(cause.id)) {
                let unknown = format!("{flag}: unknown cause {pattern:?}");
                return Err(Error::new(ErrorKind::Setting, unknown).help(causes::list_of_causes(pattern)));
            }
        }
        self.globs.push(Globs { kind: number, exclude, patterns: compiled });
        Ok(())
    }

    /// Whether what is known of this node counts.
    pub fn passes_node(&self, node: &str) -> bool {
        let names = [node.to_owned()];
        self.globs.iter().filter(|globs| globs.name() == "node").all(|globs| globs.pass(&names))
    }

    /// Whether only whole nodes are left out.
    pub fn is_of_nodes(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.globs.iter().all(|globs| globs.name() == "node")
    }

    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.globs.is_empty()
    }

    /// Whether a startup counts. One without any instant is in no window.
    pub fn passes(&self, row: &Row) -> bool {
        let began = || row.began();
        self.since.is_none_or(|since| began().is_some_and(|began| began >= since))
            && self.until.is_none_or(|until| began().is_some_and(|began| began < until))
            && self
                .globs
                .iter()
                .all(|globs| globs.pass(&KINDS.get(globs.kind).map_or(Vec::new(), |(_, names)| names(row))))
    }

    /// The filters as the user would write them, times in UTC.
    pub fn words(&self) -> Vec<String> {
        let time = |name: &str, time: Option<Time>| time.map(|time| format!("{name} {time}"));
        let patterns = self.globs.iter().map(|globs| {
            let all: Vec<&str> = globs.patterns.iter().map(|(text, _)| text.as_str()).collect();
            format!("{}{} {}", if globs.exclude { "not " } else { "" }, globs.name(), all.join(" or "))
        });
        time("since", self.since).into_iter().chain(time("until", self.until)).chain(patterns).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn passes(kind: &str, patterns: &[&str], row: &Row) -> bool {
        let mut filter = Filter::default();
        filter.add(kind, &patterns.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        filter.passes(row)
    }

    #[test]
    fn one_pattern_of_every_kind_must_fit() {
        let row = Row {
            namespace: "shop".into(),
            pod: "checkout-7d9c6b5f4-x2x9k".into(),
            workload: "shop/checkout".into(),
            ..Row::default()
        };
        assert!(passes("namespace", &["sh?p", "x"], &row) && !passes("namespace", &["sho"], &row));
        assert!(passes("pod", &["checkout-*"], &row) && passes("pod", &["shop/*"], &row));
        assert!(passes("workload", &["checkout"], &row) && passes("workload", &["shop/checkout"], &row));
        assert!(!passes("node", &["*"], &row), "an unknown node fits no pattern");
        assert!(!passes("pod", &["checkout.7d9c6b5f4-x2x9k"], &row), "a dot is a dot");
        let mut both = Filter::default();
        both.add("namespace", &["shop".into()]).unwrap();
        both.add("pod", &["web-*".into()]).unwrap();
        assert!(!both.passes(&row));
        assert!(both.add("cause", &["no-such".into()]).is_err());
    }

    #[test]
    fn what_is_excluded_fits_no_pattern() {
        let row = Row { namespace: "kube-system".into(), pod: "cni-x2x9k".into(), ..Row::default() };
        let filter = |texts: &[&str]| {
            let mut filter = Filter::default();
            filter.exclude(&texts.iter().map(ToString::to_string).collect::<Vec<_>>()).map(|()| filter)
        };
        assert!(
            !filter(&["namespace=kube-*"]).unwrap().passes(&row) && filter(&["namespace=shop"]).unwrap().passes(&row)
        );
        assert!(!filter(&["namespace=shop", "pod=cni-*"]).unwrap().passes(&row), "one of several kinds is enough");
        assert!(filter(&["node=*"]).unwrap().passes(&row), "an unknown node fits no pattern");
        let nodes = filter(&["node=gpu-*", "node=old"]).unwrap();
        assert!(nodes.is_of_nodes() && nodes.passes_node("web-1") && !nodes.passes_node("gpu-1"));
        assert_eq!(nodes.words(), ["not node gpu-* or old"]);
        for wrong in ["namespace", "namespace=", "ns=shop", "=shop", "cause=no-such"] {
            assert!(filter(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = Time::from_rfc3339("2026-11-23T19:30:00Z");
        let at = |text: &str, zone: Tz| instant(text, zone.into(), now).unwrap().to_string();
        assert_eq!(at("2026-11-23T18:00:00+01:00", Tz::UTC), "2026-11-23T17:00:00.000000000Z");
        assert_eq!(at("2026-11-23", Tz::Europe__Berlin), "2026-11-22T23:00:00.000000000Z");
        assert_eq!(at("2026-11-23 18:00", Tz::Europe__Berlin), "2026-11-23T17:00:00.000000000Z");
        assert_eq!(at("2026-11-23T18:00Z", Tz::Europe__Berlin), "2026-11-23T18:00:00.000000000Z");
        assert_eq!(at("18:00:30", Tz::UTC), "2026-11-23T18:00:30.000000000Z");
        assert_eq!(at("1h30m", Tz::UTC), "2026-11-23T18:00:00.000000000Z");
        assert_eq!(at("yesterday", Tz::UTC), "2026-11-22T00:00:00.000000000Z");
        assert_eq!(at("2026-03-29 02:30", Tz::Europe__Berlin), "2026-03-29T01:30:00.000000000Z", "a skipped hour");
        assert_eq!(at("2026-10-25 02:30", Tz::Europe__Berlin), "2026-10-25T00:30:00.000000000Z", "a repeated hour");
        for wrong in ["", "soon", "25:00", "2026-13-01", "-2h"] {
            assert!(instant(wrong, Zone::UTC, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn windows_hold_their_beginning_and_not_their_end() {
        let row = Row { created: Some(Time(100)), ..Row::default() };
        let window = |since, until| Filter { since, until, ..Filter::default() };
        assert!(window(Some(Time(100)), Some(Time(101))).passes(&row));
        assert!(!window(None, Some(Time(100))).passes(&row));
        assert!(!window(Some(Time(0)), None).passes(&Row::default()), "no instant is in no window");
    }
}
