//! Small reports for the tests of forms: a fixed one, of which each form has its exact text, and a hostile one.

use crate::breakdown::Precision::{self, Bounded, Exact, Inferred};
use crate::model::error::Error;
use crate::model::phase::{PHASES, Phase};
use crate::model::startup::State;
use crate::model::time::{Nanos, SECOND, Time};
use crate::report::{Coverage, Report};
use crate::table::{Finding, Line, PhaseSeconds, Place, Row, Span, Table};

/// 2026-11-23T19:00:00Z.
const BEGIN: Time = Time(1_795_460_400 * SECOND);

fn place(line: i64) -> Option<Place> {
    Some(Place { source: "logs/kubelet.log".into(), line })
}

fn spans(all: &[(Phase, f64, Precision, f64, Option<&str>)]) -> Vec<Span> {
    let mut reached = BEGIN;
    let span =
        |(at, (phase, took, precision, min_s, waited_for)): (usize, &(Phase, f64, Precision, f64, Option<&str>))| {
            let from = reached;
            reached = from + Nanos::from_seconds(*took);
            Span {
                phase: *phase,
                from,
                to: reached,
                precision: *precision,
                min_s: *min_s,
                max_s: *took,
                waited_for: waited_for.map(Into::into),
                evidence: (*phase != Phase::Unattributed).then(|| place(10 + at as i64)).flatten(),
            }
        };
    all.iter().enumerate().map(span).collect()
}

fn row(pod: &str, state: State, spans: Vec<Span>) -> Row {
    let end = spans.last().map(|span| span.to);
    let total_s = end.map(|end| (end - BEGIN).seconds());
    let mut seconds = [0.0; PHASES.len()];
    spans.iter().for_each(|span| seconds[span.phase.index()] += (span.to - span.from).seconds());
    let running = (state == State::Running).then_some(end).flatten();
    let line = |span: &Span| {
        let place = span.evidence.as_ref()?;
        let text = format!("E1123 kubelet.go:1] \"{}\" pod=\"shop/{pod}\"", span.phase.name()).into();
        Some(Line { source: place.source.clone(), line: place.line, text })
    };
    Row {
        node: Some("worker-1".into()),
        namespace: "shop".into(),
        pod: pod.into(),
        uid: Some(format!("{pod}-0000").into()),
        kubelet_version: Some("v1.36.3".into()),
        state,
        created: Some(BEGIN),
        running,
        watched: end,
        total_s,
        running_s: running.map(|running| (running - BEGIN).seconds()),
        slo_s: running.map(|_| 4.5),
        phases: PhaseSeconds(seconds.map(Some)),
        lines: spans.iter().filter_map(line).collect(),
        spans,
        ..Row::default()
    }
}

/// One start that pulls, and one that waits behind that pull and has not ended yet.
pub(super) fn fixed() -> Vec<Row> {
    let first = row(
        "app-1",
        State::Running,
        spans(&[
            (Phase::Scheduling, 1.25, Exact, 1.25, None),
            (Phase::ImagePull, 7.5, Exact, 7.5, Some("reg.test/app:v1")),
            (Phase::Start, 0.320_000_7, Inferred, 0.320_000_7, None),
        ]),
    );
    let second = row(
        "app-2",
        State::Starting,
        spans(&[
            (Phase::Scheduling, 1.5, Exact, 1.5, None),
            (Phase::ImageWait, 6.5, Bounded, 4.0, Some("behind reg.test/app:v1")),
            (Phase::Unattributed, 2.0, Exact, 2.0, None),
        ]),
    );
    let finding = |cause: &str, lost_s, lost_min_s, waited_for: &str| Finding {
        cause: cause.into(),
        lost_s,
        lost_min_s,
        waited_for: Some(waited_for.into()),
        error: None,
        evidence: place(11),
    };
    vec![
        Row { findings: vec![finding("image-pull-slow", 7.5, 7.5, "reg.test/app:v1")], ..first },
        Row {
            findings: vec![finding("image-pull-queued", 6.5, 4.0, "behind reg.test/app:v1")],
            anomalies: vec!["kubelet-restart".into()],
            ..second
        },
    ]
}

/// What a hostile log could put anywhere: markup of every form, quotes, control characters, marks of direction, mentions.
pub(super) const HOSTILE: &str = "x`\"'|\\|</text></svg><script>alert(1)</script>]]>&amp;\u{1b}[31m\u{0}\r\n\t\u{202e}\u{200f}שלום \u{fffe}\
                                  @all #12 !7 [a](http://a.test) <!-- ```\n# h\n| a |";

/// Starts whose every word is hostile, and whose spans are out of order, overlap and end before they begin.
pub(super) fn hostile() -> Vec<Row> {
    let mut rows = fixed();
    for row in &mut rows {
        let text: Box<str> = HOSTILE.into();
        row.node = Some(text.clone());
        row.pod = format!("{}{HOSTILE}", row.pod).into();
        row.uid = Some(row.pod.clone());
        row.kubelet_version = Some(text.clone());
        row.anomalies.push(text.clone());
        row.lines.iter_mut().for_each(|line| line.text = text.clone());
        row.findings.iter_mut().for_each(|finding| finding.waited_for = Some(text.clone()));
        for span in &mut row.spans {
            span.waited_for = Some(text.clone());
            span.max_s = f64::MAX;
        }
        let other = Finding { cause: text, lost_s: 1e300, ..Finding::default() };
        row.findings.push(other);
        row.spans.swap(0, 2);
        if let Some(last) = row.spans.last_mut() {
            last.to = last.from - Nanos(5 * SECOND);
        }
    }
    rows.push(Row { pod: "without a time".into(), ..Row::default() });
    rows.push(Row { pod: "seen only".into(), seen: Some(BEGIN), ..Row::default() });
    rows
}

/// A report of these startups.
pub(super) fn report(rows: Vec<Row>, text: &str) -> Result<Report, Error> {
    let coverage = Coverage {
        lines: 1234,
        records: 56,
        truncated_records: 1,
        source_errors: vec![format!("logs/{text}old.log: it ends early")],
        ..Coverage::default()
    };
    Report::of(Table::from_rows(rows)?, Vec::new(), false, &[], coverage)
}

/// Checks that an output is the file of this name in `fixture`; `BLESS=1` renews the file.
#[allow(clippy::disallowed_methods, reason = "a test is controlled by the environment")]
pub(super) fn check(name: &str, output: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/fixture").join(name);
    if std::env::var("BLESS").is_ok() {
        std::fs::write(&path, output).unwrap();
    }
    assert_eq!(output, std::fs::read_to_string(&path).unwrap(), "{}: BLESS=1 renews it", path.display());
}
