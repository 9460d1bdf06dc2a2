//! The axis of time, and a span's bar on it.

use std::io::Write;

use super::{LINE, MARGIN, NAME, ROW, WIDTH, safe};
use crate::breakdown::Precision;
use crate::model::error::Error;
use crate::model::time::Time;
use crate::render::format_duration;
use crate::table::{Row, Span};

/// Where bars begin and end; what is left of them are labels, what is right figures.
const LEFT: f64 = 118.0;
const RIGHT: f64 = 706.0;
/// How many ticks an axis has at most.
const TICKS: f64 = 8.0;
/// Seconds between ticks.
const STEPS: &[f64] = &[
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0,
];

/// A startup's time, from its first span on.
pub(super) struct Axis {
    from: Time,
    seconds: f64,
}

impl Axis {
    /// The axis that has room for all spans.
    pub(super) fn of(spans: &[Span]) -> Self {
        let from = spans.iter().map(|span| span.from.min(span.to)).min().unwrap_or_default();
        let to = spans.iter().map(|span| span.from.max(span.to)).max().unwrap_or_default();
        Axis { from, seconds: (to - from).seconds() }
    }

    fn seconds(&self, time: Time) -> f64 {
        (time - self.from).seconds()
    }

    /// Where on the picture so many seconds lie, never beside the axis.
    fn x(&self, seconds: f64) -> f64 {
        if self.seconds > 0.0 { LEFT + (RIGHT - LEFT) * (seconds / self.seconds).clamp(0.0, 1.0) } else { LEFT }
    }

    /// Ticks with their labels above the rows.
    pub(super) fn ticks(&self, top: f64, below: f64, out: &mut dyn Write) -> Result<(), Error> {
        // Longer than eight days: so many equal parts.
        let even = self.seconds / TICKS;
        let step = STEPS.iter().copied().find(|step| *step >= even).unwrap_or(even).max(0.001);
        for tick in 0..=TICKS as u32 {
            let seconds = f64::from(tick) * step;
            if seconds > self.seconds && tick > 0 {
                break;
            }
            let (x, label) = (self.x(seconds), if tick == 0 { "0".into() } else { format_duration(seconds) });
            writeln!(
                out,
                r#"<path class="tick" d="M{x:.1} {top:.1}V{below:.1}"/><text class="dim" text-anchor="middle" x="{x:.1}" y="{:.1}">{label}</text>"#,
                top - 6.0
            )?;
        }
        Ok(())
    }
}

/// A span: its label, its bar, how long it took and how well that is known; what it waited for and its line as a tip.
pub(super) fn bar(row: &Row, span: &Span, axis: &Axis, y: f64, out: &mut dyn Write) -> Result<(), Error> {
    let words = span.phase.words();
    let (from, took) = (axis.seconds(span.from), (span.to - span.from).seconds());
    let (at, took_words) = (format_duration(from), format_duration(took));
    let (least, most) = (format_duration(span.min_s), format_duration(span.max_s));
    let precision = match span.precision {
        Precision::Exact => String::new(),
        other if least == most => format!(" {}", other.name()),
        other => format!(" {} {least}..{most}", other.name()),
    };
    write!(
        out,
        r#"<g class="{}"><title>{}: {}&#10;@{at} +{took_words}{precision}"#,
        span.phase.name(),
        words.label,
        words.meaning
    )?;
    if let Some(about) = &span.waited_for {
        write!(out, "&#10;{}", safe(about, LINE))?;
    }
    if let Some(place) = &span.evidence {
        write!(out, "&#10;{}:{} {}", safe(&place.source, NAME), place.line, safe(row.text(place), LINE))?;
    }
    writeln!(out, "</title>")?;
    // The whole row takes the pointer, not only a bar that may be a hair wide.
    writeln!(
        out,
        r#"<rect fill="none" pointer-events="all" x="{MARGIN}" y="{y:.1}" width="{:.1}" height="{ROW}"/>"#,
        WIDTH - 2.0 * MARGIN
    )?;
    let base = y + 15.5;
    writeln!(out, r#"<text x="{MARGIN}" y="{base:.1}">{}</text>"#, words.label)?;
    let rect = |class: &str, from: f64, to: f64, least: f64| {
        let (left, right) = (axis.x(from), axis.x(to));
        format!(
            r#"<rect {class} x="{left:.1}" y="{:.1}" width="{:.1}" height="14"/>"#,
            y + 4.0,
            (right - left).max(least)
        )
    };
    // A bounded end is put at the latest instant it can have: what may not be its own is hatched, from the least on.
    let bounded = span.precision == Precision::Bounded;
    let full = if bounded { span.min_s.min(took.max(0.0)) } else { took };
    if bounded && span.max_s > full {
        let reach = from + span.max_s.max(took);
        write!(out, "{}", rect(r#"class="maybe""#, from + full, reach, 1.5))?;
        write!(out, "{}", rect(r#"class="hatch""#, from + full, reach, 1.5))?;
    }
    if full > 0.0 || !bounded {
        let class = if span.precision == Precision::Inferred { r#"class="span inferred""# } else { r#"class="span""# };
        write!(out, "{}", rect(class, from, from + full, 1.5))?;
    }
    Ok(writeln!(
        out,
        "\n<text x=\"{:.1}\" y=\"{base:.1}\">{took_words}<tspan class=\"dim\">{precision}</tspan></text></g>",
        RIGHT + MARGIN
    )?)
}
