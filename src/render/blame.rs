//! Groups of startups, one line each.

use std::io::Write;

use super::{Cell, Grid, TextOptions, json};
use crate::model::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::table::{Group, Groups};

/// The formats it has.
pub const FORMATS: &[&str] = &["text", "json", "csv", "markdown"];
/// How many lines text shows by default.
pub const TOP: usize = 40;

/// Writes groups in a form: text, json, csv or markdown.
///
/// # Errors
/// When writing fails, or there is no such form.
pub fn write(groups: &Groups, form: &str, top: usize, screen: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    let read = form == "text";
    let mut all = Vec::new();
    for (head, cell) in &columns(groups.by) {
        // A pod has one start, or a few under one name: its longest says it all.
        let one = groups.by == "pod" && matches!(*head, "count" | "p50_s" | "p95_s" | "p99_s");
        let causes = *head == "cause" && groups.by != "pod" && screen.width < WIDE;
        let empty = *head == "top_phase" && groups.by == "phase" || *head == "cause" && !by_startup(groups.by);
        if !(read && (one || causes || empty)) {
            all.push((*head, *cell));
        }
    }
    let mut grid = Grid::new(&all.iter().map(|(head, _)| *head).collect::<Vec<_>>());
    for group in &groups.groups {
        grid.row(all.iter().map(|(_, cell)| cell(group, read)).collect());
    }
    match form {
        "text" => {
            grid.text(screen, top, out)?;
            let figures = if groups.by == "pod" { "max" } else { "p50 to max" };
            writeln!(out, "\n{figures}: {}; lost: {}", groups.of, lost(groups.by))?;
            Ok(())
        }
        "markdown" => grid.markdown(out),
        "csv" => grid.csv(out),
        "json" => {
            json::pretty(out, &serde_json::json!({ "by": groups.by, "column": groups.of, "groups": grid.json() }))
        }
        _ => Err(Error::new(ErrorKind::Setting, format!("blame has no format {form:?}"))),
    }
}

/// From here on text has room for causes beside quantiles.
const WIDE: usize = 110;

type Column = (&'static str, fn(&Group, bool) -> Cell);

/// The columns, the first under the name of the key.
fn columns(by: &'static str) -> Vec<Column> {
    vec![
        (if by == "hour" { "hour_utc" } else { by }, |group, _| group.name.clone().map_or(Cell::None, Cell::Text)),
        ("count", |group, _| Cell::Count(group.count)),
        ("p50_s", |group, _| Cell::seconds(group.p50_s)),
        ("p95_s", |group, _| Cell::seconds(group.p95_s)),
        ("p99_s", |group, _| Cell::seconds(group.p99_s)),
        ("max_s", |group, _| Cell::seconds(group.max_s)),
        ("lost_s", |group, _| Cell::Seconds(group.lost_s)),
        ("top_phase", |group, read| {
            let label =
                |name| if read { Phase::from_name(name).map_or(name, |phase| phase.words().label) } else { name };
            group.phase.map_or(Cell::None, |name| Cell::Text(label(name).into()))
        }),
        ("cause", |group, _| group.cause.clone().map_or(Cell::None, Cell::Text)),
    ]
}

/// Whether a group consists of startups, which have causes.
fn by_startup(by: &str) -> bool {
    !matches!(by, "phase" | "image" | "registry")
}

fn lost(by: &str) -> &'static str {
    match by {
        "phase" => "total seconds in the phase",
        "image" | "registry" => "total seconds of pulls",
        _ => "seconds attributed to causes",
    }
}
