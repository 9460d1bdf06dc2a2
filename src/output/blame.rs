//! Groups of startups, one line each.

use std::io::Write;

use super::{Cell, Grid, Screen};
use crate::error::{Error, Kind};
use crate::phase::Phase;
use crate::table::{Group, Groups};

/// How many lines text shows unless told otherwise.
pub const TOP: usize = 40;

/// Writes groups in a form: text, json, csv or markdown.
///
/// # Errors
/// When writing fails, or there is no such form.
pub fn write(groups: &Groups, form: &str, top: usize, screen: Screen, out: &mut dyn Write) -> Result<(), Error> {
    let mut grid = Grid::new(&[head(groups.by), "count", "p50_s", "p95_s", "p99_s", "max_s", "lost_s", "mostly"]);
    for group in &groups.groups {
        grid.row(cells(group, form == "text"));
    }
    match form {
        "text" => {
            grid.text(screen, top, out)?;
            writeln!(out, "\np50 to max: {}; lost: {}", groups.of, lost(groups.by))?;
            Ok(())
        }
        "markdown" => grid.markdown(out),
        "csv" => grid.csv(out),
        "json" => {
            let json = serde_json::json!({ "by": groups.by, "of": groups.of, "groups": grid.json() });
            serde_json::to_writer_pretty(&mut *out, &json).map_err(std::io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        }
        _ => Err(Error::new(Kind::Setting, format!("blame has no form {form:?}"))),
    }
}

fn head(by: &'static str) -> &'static str {
    if by == "hour" { "hour_utc" } else { by }
}

fn lost(by: &str) -> &'static str {
    match by {
        "phase" => "all seconds of the phase",
        "image" | "registry" => "all seconds of the pulls",
        _ => "seconds that causes claim",
    }
}

fn cells(group: &Group, read: bool) -> Vec<Cell> {
    let label =
        |name: &'static str| if read { Phase::named(name).map_or(name, |phase| phase.words().label) } else { name };
    vec![
        group.name.clone().map_or(Cell::None, Cell::Text),
        Cell::Count(group.count),
        Cell::seconds(group.p50_s),
        Cell::seconds(group.p95_s),
        Cell::seconds(group.p99_s),
        Cell::seconds(group.max_s),
        Cell::Seconds(group.lost_s),
        group.phase.map_or(Cell::None, |name| Cell::Text(label(name).into())),
    ]
}
