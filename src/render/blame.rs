//! Groups of startups, one line each.

use std::io::Write;

use super::{Cell, Grid, TextOptions, json, wrap};
use crate::model::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::table::{Group, Groups, Key};

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
    let names = groups.by.iter().enumerate().map(|(at, key)| (head(*key), Column::Name(at)));
    // A name is copied: in text it stands last, where it is never clipped.
    let (first, last): (Vec<_>, Vec<_>) =
        if read { (Vec::new(), names.collect()) } else { (names.collect(), Vec::new()) };
    let has = |wanted: fn(&Group) -> bool| groups.groups.iter().any(wanted);
    let figures = FIGURES.iter().filter(|(head, _)| {
        // A pod has one start, or a few under one name: its longest says it all.
        let one = groups.by == [Key::Pod] && matches!(*head, "count" | "p50_s" | "p95_s" | "p99_s");
        let causes =
            *head == "cause" && (groups.by != [Key::Pod] && screen.width < WIDE || !has(|group| group.cause.is_some()));
        let phases = *head == "top_phase" && !has(|group| group.phase.is_some());
        !(read && (one || causes || phases))
    });
    // What is grouped by is under its own head.
    let figures = figures.filter(|(head, _)| !groups.by.iter().any(|key| key.name() == *head));
    let figures = figures.map(|(head, cell)| (*head, Column::Figure(*cell)));
    let all: Vec<(&'static str, Column)> = first.into_iter().chain(figures).chain(last).collect();
    let mut grid = Grid::new(&all.iter().map(|(head, _)| *head).collect::<Vec<_>>()).unclipped();
    for group in &groups.groups {
        let cell = |(_, column): &(&str, Column)| match column {
            Column::Name(at) => group.names.get(*at).cloned().flatten().map_or(Cell::None, Cell::Text),
            Column::Figure(cell) => cell(group, read),
        };
        grid.row(all.iter().map(cell).collect());
    }
    match form {
        "text" => {
            grid.text(screen, top, out)?;
            let figures = if groups.by == [Key::Pod] { "max" } else { "p50 to max" };
            writeln!(out)?;
            Ok(wrap::words(out, screen.width, "", &format!("{figures}: {}; lost: {}", groups.of, lost(&groups.by)))?)
        }
        "markdown" => grid.markdown(out),
        "csv" => grid.csv(out),
        "json" => {
            json::pretty(out, &serde_json::json!({ "by": by(groups), "column": groups.of, "groups": grid.json() }))
        }
        _ => Err(Error::new(ErrorKind::Setting, format!("blame has no format {form:?}"))),
    }
}

/// From here on text has room for causes beside quantiles.
const WIDE: usize = 110;

/// What stands in a column.
#[derive(Clone, Copy)]
enum Column {
    /// The name by the key with this number.
    Name(usize),
    Figure(Figure),
}

type Figure = fn(&Group, bool) -> Cell;

/// The columns beside names.
const FIGURES: [(&str, Figure); 8] = [
    ("count", |group, _| Cell::Count(group.count)),
    ("p50_s", |group, _| Cell::seconds(group.p50_s)),
    ("p95_s", |group, _| Cell::seconds(group.p95_s)),
    ("p99_s", |group, _| Cell::seconds(group.p99_s)),
    ("max_s", |group, _| Cell::seconds(group.max_s)),
    ("lost_s", |group, _| Cell::Seconds(group.lost_s)),
    ("top_phase", |group, read| {
        let label = |name| if read { Phase::from_name(name).map_or(name, |phase| phase.words().label) } else { name };
        group.phase.map_or(Cell::None, |name| Cell::Text(label(name).into()))
    }),
    ("cause", |group, _| group.cause.clone().map_or(Cell::None, Cell::Text)),
];

/// The head over the names by a key.
fn head(key: Key) -> &'static str {
    if key == Key::Hour { "hour_utc" } else { key.name() }
}

/// The keys as the user gives them.
fn by(groups: &Groups) -> String {
    groups.by.iter().map(|key| key.name()).collect::<Vec<_>>().join(",")
}

fn lost(by: &[Key]) -> &'static str {
    let has = |keys: &[Key]| by.iter().any(|key| keys.contains(key));
    if has(&[Key::Phase]) {
        "total seconds in the phase"
    } else if has(&[Key::Image, Key::Registry]) {
        "total seconds of pulls and of the back-off after failed ones"
    } else if has(&[Key::Cause]) {
        "total seconds lost to the cause"
    } else {
        "seconds attributed to causes"
    }
}
