//! A waterfall of single startups, as a picture: a row a span, on an axis of time. It holds no script, loads nothing, and follows
//! the reader's light or dark colours.

mod bar;

use std::io::Write;

use super::{TextOptions, format_duration, palette};
use crate::breakdown::{Precision, anomaly};
use crate::causes;
use crate::model::error::Error;
use crate::model::phase::PHASES;
use crate::model::text::sanitize;
use crate::table::Row;
use bar::{Axis, bar};

/// How many startups, and how many of one's spans, causes and anomalies are drawn: a pod that crashed for a day has thousands.
const STARTUPS: usize = 20;
const SPANS: usize = 200;
const NOTES: usize = 12;
/// How long a pod's name, another name and a line of a log may be, characters: what is in a row of the picture has its width.
const NAME: usize = 90;
const ID: usize = 40;
const LINE: usize = 400;
/// The picture's width, the margin, and the height of a row.
const WIDTH: f64 = 960.0;
const MARGIN: f64 = 12.0;
const ROW: f64 = 22.0;

const STYLE: &str = include_str!("style.css");

/// Writes startups as one picture, one below the other.
///
/// # Errors
/// When writing fails.
pub(super) fn write(rows: &[Row], _: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    // The height is in the first line.
    let mut body = Vec::new();
    let mut page = Page { out: &mut body, y: MARGIN };
    for row in rows.iter().take(STARTUPS) {
        page.startup(row)?;
    }
    if let Some(more) = rows.len().checked_sub(STARTUPS).filter(|more| *more > 0) {
        page.text("dim", &format!("and {more} more startups"))?;
    }
    page.legend(rows)?;
    let height = page.y + MARGIN;
    let title = rows.first().map_or(String::new(), |row| safe(&row.full_name(), NAME));
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="podlag" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">"#
    )?;
    writeln!(out, "<title>Startup of {title}</title>\n<style>\n{STYLE}{}</style>", palette::of_picture())?;
    writeln!(
        out,
        r#"<defs><pattern id="podlag-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="stroke" d="M0 0V6"/></pattern></defs>
<rect class="paper" width="{WIDTH}" height="{height}"/>"#
    )?;
    out.write_all(&body)?;
    Ok(writeln!(out, "</svg>")?)
}

/// Text for XML: escaped, bounded, and without the characters that XML has no place for.
fn safe(text: &str, most: usize) -> String {
    let mut safe = String::new();
    let text = sanitize(text);
    for (at, c) in text.chars().enumerate() {
        match c {
            _ if at == most => {
                safe.push('…');
                break;
            }
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// The picture so far, and how far down it reaches.
struct Page<'a> {
    out: &'a mut dyn Write,
    y: f64,
}

impl Page<'_> {
    /// A line of text, already safe.
    fn text(&mut self, class: &str, text: &str) -> Result<(), Error> {
        self.y += ROW;
        Ok(writeln!(self.out, r#"<text class="{class}" x="{MARGIN}" y="{:.1}">{text}</text>"#, self.y - 6.0)?)
    }

    fn startup(&mut self, row: &Row) -> Result<(), Error> {
        let node = row.node.as_deref().map_or(String::new(), |node| format!("{} · ", safe(node, ID)));
        self.text("name", &safe(&row.full_name(), NAME))?;
        let known = |seconds: Option<f64>| seconds.map_or("unknown".into(), format_duration);
        let began = row.began().map_or(String::new(), |began| format!(" · from {began}"));
        let (state, running, total, slo) =
            (row.state.name(), known(row.running_s), known(row.total_s), known(row.slo_s));
        let ready = row.ready_s.map_or(String::new(), |ready| format!(", ready after {}", format_duration(ready)));
        self.text(
            "dim",
            &format!("{node}{state} · running after {running}{ready} · total {total} · SLO value {slo}{began}"),
        )?;
        let axis = Axis::of(&row.spans);
        self.y += ROW;
        let below = self.y + ROW * row.spans.len().min(SPANS) as f64;
        axis.ticks(self.y, below, self.out)?;
        for span in row.spans.iter().take(SPANS) {
            bar(row, span, &axis, self.y, self.out)?;
            self.y += ROW;
        }
        if let Some(more) = row.spans.len().checked_sub(SPANS).filter(|more| *more > 0) {
            self.text("dim", &format!("and {more} more spans"))?;
        }
        for finding in row.findings.iter().take(NOTES) {
            let title = causes::named(&finding.cause).map_or("", |cause| cause.title);
            let (lost, certain) = (format_duration(finding.lost_s), format_duration(finding.lost_min_s));
            let (id, title) = (safe(&finding.cause, ID), safe(title, LINE));
            self.text("", &format!("cause {id} {lost} (at least {certain}). {title}"))?;
        }
        for id in row.anomalies.iter().take(NOTES) {
            self.text("", &format!("anomaly {}: {}", safe(id, ID), safe(anomaly(id).unwrap_or_default(), LINE)))?;
        }
        self.y += MARGIN;
        Ok(())
    }

    /// What colours and edges mean, as far as they occur.
    fn legend(&mut self, rows: &[Row]) -> Result<(), Error> {
        let spans = || rows.iter().take(STARTUPS).flat_map(|row| row.spans.iter().take(SPANS));
        let mut keys: Vec<(&str, &str, &str)> = PHASES
            .iter()
            .filter(|(phase, _)| spans().any(|span| span.phase == *phase))
            .map(|(phase, name)| (*name, "span", phase.words().label))
            .collect();
        let precisions = [
            (Precision::Inferred, "span inferred", "inferred: derived by a rule"),
            (Precision::Bounded, "maybe", "bounded: at least the solid part, at most the hatched part"),
        ];
        for (precision, class, meaning) in precisions {
            if spans().any(|span| span.precision == precision) {
                keys.push(("unattributed", class, meaning));
            }
        }
        let mut x = MARGIN;
        self.y += ROW;
        for (phase, class, label) in keys {
            let wide = 30.0 + 7.0 * label.chars().count() as f64;
            if x + wide > WIDTH - MARGIN {
                (x, self.y) = (MARGIN, self.y + ROW);
            }
            let (top, base) = (self.y - 16.0, self.y - 6.0);
            write!(
                self.out,
                r#"<g class="{phase}"><rect class="{class}" x="{x:.1}" y="{top:.1}" width="14" height="11"/>"#
            )?;
            if class == "maybe" {
                write!(self.out, r#"<rect class="hatch" x="{x:.1}" y="{top:.1}" width="14" height="11"/>"#)?;
            }
            writeln!(self.out, r#"<text class="dim" x="{:.1}" y="{base:.1}">{label}</text></g>"#, x + 20.0)?;
            x += wide;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
