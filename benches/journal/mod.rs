//! A journal of any size with a known number of startups: the captures, multiplied in time, nodes and names, with a share
//! of unrelated lines. The same request gives the same bytes.
//!
//! All nodes write at the same time, each the lines of one capture; every ten minutes they do so again, with pods, sandboxes and
//! containers of other names and ids. Lines that hold no literal of a grammar are taken out and come back, at the moment
//! they are put in, as often as the share wants.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use chrono::{DateTime, NaiveDateTime};
use regex::Regex;

/// How many nodes write the journal.
const NODES: usize = 60;
/// From one round to the next, and from one node to the next: longer than the longest capture, and so that nodes do not
/// speak in step.
const ROUND: i64 = 600;
const STEP: i64 = 3;
/// 2026-01-01T00:00:00Z, where the journal begins.
const BEGIN: i64 = 1_767_225_600;

/// How a journal is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `journalctl -o short-precise`.
    Short,
    /// `journalctl -o json`.
    Json,
}

/// What was written.
#[derive(Default)]
pub struct Written {
    pub bytes: u64,
    pub lines: u64,
    /// Lines that hold a literal.
    pub related: u64,
    /// Records of the startup latency tracker: startups that came to their end.
    pub startups: u64,
}

/// A stretch of a line that is the same in every round, or how it is made.
enum Span {
    Text(String),
    /// `mmdd hh:mm:ss`.
    Klog(i64),
    /// `yyyy-mm-dd hh:mm:ss`, with a blank or a `T`.
    Full(i64, char),
    /// The first eight digits of an id.
    Id,
    /// What makes a pod's name new.
    Suffix,
    Node,
}

/// What another round changes in a line, but for the pods' names.
static KNOWN: LazyLock<Regex> = LazyLock::new(|| {
    let klog = r"^(?<level>[IWEF])(?<klog>\d{4} \d\d:\d\d:\d\d)";
    let full = r"(?<date>20\d\d-\d\d-\d\d)(?<t>[ T])(?<clock>\d\d:\d\d:\d\d)";
    let id = r"\b[0-9a-f]{8}(?<id>-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{56})\b";
    pattern(&format!("{klog}|{full}|{id}|(?<node>rig-node-1)"))
});

struct Line {
    /// Seconds since the capture's first line, and microseconds.
    at: (i64, String),
    pieces: Vec<Span>,
    pid: String,
    by_kubelet: bool,
    record: bool,
    first_round_only: bool,
}

/// What journals are made of.
pub struct Captures {
    /// In the order of time: the node and its line.
    round: Vec<(usize, Line)>,
    unrelated: Vec<Line>,
}

impl Captures {
    /// Reads the samples below `folder`. `words` are the literals of the grammars.
    pub fn read(folder: &Path, words: &[String]) -> Self {
        let literals = AhoCorasick::new(words).expect("the literals make a search");
        let mut cases: Vec<_> =
            std::fs::read_dir(folder).expect("samples").map(|e| e.expect("a sample").path()).collect();
        cases.retain(|case| {
            let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
            case.join("in/kubelet.log.zst").exists() && !name.contains("json") && !name.ends_with("-v4")
        });
        cases.sort();
        let mut unrelated = Vec::new();
        let mut related: Vec<Vec<(String, bool)>> = Vec::new();
        for case in &cases {
            let mut own = Vec::new();
            for (file, by_kubelet) in [("in/kubelet.log.zst", true), ("in/containerd.log.zst", false)] {
                let Ok(packed) = std::fs::File::open(case.join(file)) else { continue };
                let text = zstd::decode_all(packed).expect("it unpacks");
                for line in String::from_utf8_lossy(&text).lines().filter(|line| stamp(line).is_some()) {
                    if !literals.is_match(line) {
                        unrelated.push((line.to_owned(), by_kubelet));
                    } else if by_kubelet {
                        own.push((line.to_owned(), by_kubelet));
                    }
                }
            }
            related.push(own);
        }
        let mut round = Vec::new();
        for node in 0..NODES {
            let lines = &related[node % related.len()];
            let names = pods(lines.iter().map(|(line, _)| line.as_str()));
            let begin = lines.iter().filter_map(|(line, _)| stamp(line)).map(|(at, _)| at).min().unwrap_or(0);
            let shift = begin - node as i64 * STEP;
            round.extend(lines.iter().map(|(line, by)| (node, Line::of(line, *by, shift, names.as_ref()))));
        }
        round.sort_by(|(_, a), (_, b)| a.at.cmp(&b.at));
        let unrelated = unrelated.iter().map(|(line, by)| Line::of(line, *by, 0, None)).collect();
        Captures { round, unrelated }
    }

    /// Writes whole lines until `size` bytes are reached, `share` (0 to below 1) of them unrelated.
    pub fn write(&self, size: u64, share: f64, form: Form, out: &mut dyn Write) -> std::io::Result<Written> {
        let mut written = Written::default();
        let (mut owed, mut next) = (0.0, 0);
        let mut line = Vec::new();
        for round in 0.. {
            for (node, related) in &self.round {
                if related.first_round_only && round > 0 {
                    continue;
                }
                let now = BEGIN + round * ROUND + related.at.0;
                owed += share / (1.0 - share);
                let mut also = 0;
                while owed >= 1.0 {
                    owed -= 1.0;
                    also += 1;
                }
                for at in 0..=also {
                    line.clear();
                    let it = if at == 0 { related } else { &self.unrelated[next % self.unrelated.len()] };
                    it.print(now, &related.at.1, round, *node, form, at > 0, &mut line);
                    if written.bytes + line.len() as u64 > size {
                        return Ok(written);
                    }
                    out.write_all(&line)?;
                    written.bytes += line.len() as u64;
                    written.lines += 1;
                    if at == 0 {
                        written.related += 1;
                        written.startups += u64::from(it.record);
                    } else {
                        next += 1;
                    }
                }
            }
        }
        Ok(written)
    }
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a pattern")
}

/// The second a line was written, since 1970, and its microseconds.
fn stamp(line: &str) -> Option<(i64, String)> {
    let text = match line.as_bytes().first()? {
        b'I' | b'W' | b'E' | b'F' => {
            let (date, clock) = (line.get(1..5)?, line.get(6..14)?);
            format!("2026-{}-{} {clock}", date.get(..2)?, date.get(2..)?)
        }
        _ => line.strip_prefix("time=\"")?.get(..19)?.replace('T', " "),
    };
    let at = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").ok()?.and_utc().timestamp();
    let micros = line.split_once('.')?.1.get(..6)?;
    micros.bytes().all(|b| b.is_ascii_digit()).then(|| (at, micros.to_owned()))
}

/// A pattern for the pods' names in a capture.
fn pods<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Regex> {
    let named = pattern(r#"pod="[a-z0-9.-]+/([a-z0-9.-]+)""#);
    let names: BTreeSet<&str> =
        lines.flat_map(|line| named.captures_iter(line)).filter_map(|found| Some(found.get(1)?.as_str())).collect();
    // The longest first, so that none is taken for another's beginning.
    let mut names: Vec<String> = names.into_iter().map(regex::escape).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    (!names.is_empty()).then(|| pattern(&format!(r"\b({})\b", names.join("|"))))
}

impl Line {
    fn of(line: &str, by_kubelet: bool, begin: i64, names: Option<&Regex>) -> Self {
        let mut pieces = Vec::new();
        let mut reached = 0;
        let text = |from: usize, to: usize, pieces: &mut Vec<Span>| {
            let plain = &line[from..to];
            let mut at = 0;
            for name in names.into_iter().flat_map(|names| names.find_iter(plain)) {
                pieces.push(Span::Text(plain[at..name.end()].to_owned()));
                pieces.push(Span::Suffix);
                at = name.end();
            }
            pieces.push(Span::Text(plain[at..].to_owned()));
        };
        for found in KNOWN.captures_iter(line) {
            let whole = found.get(0).expect("a match");
            text(reached, whole.start(), &mut pieces);
            reached = whole.end();
            pieces.extend(made(&found, begin));
        }
        text(reached, line.len(), &mut pieces);
        let (at, micros) = stamp(line).expect("a dated line");
        let pid = line.split_whitespace().nth(2).filter(|pid| by_kubelet && pid.bytes().all(|b| b.is_ascii_digit()));
        Line {
            at: (at - begin, micros),
            pieces,
            pid: pid.unwrap_or("801").to_owned(),
            by_kubelet,
            record: line.contains("\"Observed pod startup duration\" pod="),
            first_round_only: ["FLAG: --", "Kubelet version", "Starting kubelet main sync loop"]
                .iter()
                .any(|start| line.contains(start)),
        }
    }

    /// `now`: the second of the journal; a line `put_in` says of all its times that they are now.
    #[allow(clippy::too_many_arguments, reason = "what a line of a journal depends on")]
    fn print(&self, now: i64, micros: &str, round: i64, node: usize, form: Form, put_in: bool, out: &mut Vec<u8>) {
        let program = if self.by_kubelet { "kubelet" } else { "containerd" };
        let (at, pid) = (self.at.0, &self.pid);
        let time = DateTime::from_timestamp(now, 0).expect("a time");
        let _ = match form {
            Form::Short => write!(out, "{}.{micros} node-{node:03} {program}[{pid}]: ", time.format("%b %d %H:%M:%S")),
            Form::Json => write!(
                out,
                r#"{{"__REALTIME_TIMESTAMP":"{now}{micros}","_TRANSPORT":"stdout","PRIORITY":"6","_HOSTNAME":"node-{node:03}","SYSLOG_IDENTIFIER":"{program}","_PID":"{pid}","_SYSTEMD_UNIT":"{program}.service","MESSAGE":""#
            ),
        };
        let begin = out.len();
        for piece in &self.pieces {
            let moved = |second: &i64| {
                let second = if put_in { now } else { now + second - at };
                DateTime::from_timestamp(second, 0).expect("a time")
            };
            let _ = match piece {
                Span::Text(text) => out.write_all(text.as_bytes()),
                Span::Klog(second) => write!(out, "{}", moved(second).format("%m%d %H:%M:%S")),
                Span::Full(second, t) => {
                    write!(out, "{}{t}{}", moved(second).format("%Y-%m-%d"), moved(second).format("%H:%M:%S"))
                }
                Span::Id => write!(out, "{:08x}", round * NODES as i64 + node as i64),
                Span::Suffix => write!(out, "-{round:04}{node:02}"),
                Span::Node => write!(out, "node-{node:03}"),
            };
        }
        if form == Form::Json {
            let message = out.split_off(begin);
            let message = serde_json::to_string(&String::from_utf8_lossy(&message)).expect("a string");
            out.extend_from_slice(&message.as_bytes()[1..]);
            out.push(b'}');
        }
        out.push(b'\n');
    }
}

/// What a found stretch becomes. Ids keep all but their first eight digits, which number node and round.
fn made(found: &regex::Captures<'_>, begin: i64) -> Vec<Span> {
    let text = |name: &str| found.name(name).map(|text| text.as_str());
    let second = |text: &str| {
        let read = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a time");
        read.and_utc().timestamp() - begin
    };
    if let (Some(level), Some(klog)) = (text("level"), text("klog")) {
        let date = format!("2026-{}-{} {}", &klog[..2], &klog[2..4], &klog[5..]);
        return vec![Span::Text(level.to_owned()), Span::Klog(second(&date))];
    }
    if let (Some(date), Some(t), Some(clock)) = (text("date"), text("t"), text("clock")) {
        return vec![Span::Full(second(&format!("{date} {clock}")), if t == "T" { 'T' } else { ' ' })];
    }
    match text("id") {
        Some(rest) => vec![Span::Id, Span::Text(rest.to_owned())],
        None => vec![Span::Node],
    }
}
