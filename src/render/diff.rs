//! What changed, for reading, for a ticket, for tools.

use std::io::Write;

use super::sentences::plural;
use super::{Cell, Grid, TextOptions, format_duration, grid, json, wrap};
use crate::model::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::text::sanitize;
use crate::report::compare::{Diff, FLOOR, Line, LineKind, Part, PerStart, QUANTILES, SettingChange, Verdict};
use crate::table::SettingLine;

/// The formats it has.
pub const FORMATS: &[&str] = &["text", "json", "markdown"];
/// How many workloads and node pools text shows.
const SHOWN: usize = 12;
/// Between figures of a headline.
const APART: &str = "   ";

/// Writes a difference in a form: text, json or markdown.
///
/// # Errors
/// When writing fails, or there is no such form.
pub fn write(diff: &Diff, form: &str, screen: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    match form {
        "json" => json::pretty(out, diff),
        "text" => {
            for line in headlines(diff) {
                // Figures that are set apart stay whole.
                if line.contains(APART) {
                    let parts: Vec<String> = line.split(APART).map(str::to_owned).collect();
                    wrap::parts(out, screen.width, "", &parts, APART)?;
                } else {
                    wrap::words(out, screen.width, "", &line)?;
                }
            }
            for (title, grid) in grids(diff, SHOWN, Detail::of(screen.width)) {
                writeln!(out, "\n{}", if screen.colour { format!("\x1b[1m{title}\x1b[0m") } else { title.to_owned() })?;
                grid.text(screen, SHOWN.max(24), out)?;
            }
            let quiet = diff.lines.iter().filter(|line| matches!(line.kind, LineKind::Workload | LineKind::NodePool));
            let quiet = quiet.filter(|line| matches!(line.verdict, Verdict::Noise | Verdict::TooFew)).count();
            if quiet > 0 {
                let others = plural(quiet, "other workload or node pool", "other workloads and node pools");
                writeln!(out, "\n{others}: no significant change, or too few starts")?;
            }
            writeln!(out)?;
            Ok(wrap::words(out, screen.width, "", &method(diff))?)
        }
        "markdown" => {
            for line in headlines(diff) {
                writeln!(out, "{}  ", grid::markdown(&line))?;
            }
            for (title, grid) in grids(diff, usize::MAX, Detail::Whole) {
                writeln!(out, "\n### {title}\n")?;
                grid.markdown(out)?;
            }
            Ok(writeln!(out, "\n{}", grid::markdown(&method(diff)))?)
        }
        _ => Err(Error::new(ErrorKind::Setting, format!("diff has no form {form:?}"))),
    }
}

/// The answer in a few lines: how much, and where.
fn headlines(diff: &Diff) -> Vec<String> {
    let versions = |all: &[String]| {
        if all.is_empty() { String::new() } else { format!(", kubelet {}", sanitize(&all.join(", "))) }
    };
    let starts = |count: usize| if count == 1 { "1 pod start".into() } else { format!("{count} pod starts") };
    let nodes = |count: usize| if count == 1 { "1 node".into() } else { format!("{count} nodes") };
    let mut all = vec![
        format!("before  {} on {}{}", starts(diff.startups.0), nodes(diff.nodes.0), versions(&diff.kubelets.0)),
        format!("after   {} on {}{}", starts(diff.startups.1), nodes(diff.nodes.1), versions(&diff.kubelets.1)),
    ];
    if let Some(running) = diff.lines.iter().find(|line| line.name == "running_s") {
        let sides = [("before", diff.startups.0, running.before), ("after", diff.startups.1, running.after)];
        for (side, count, known) in sides.into_iter().filter(|(_, count, known)| known < count) {
            let missing = count - known;
            all.push(format!(
                "{side}: {missing} of {count} did not come up, still start, or took an unknown time: created → running is of the others"
            ));
        }
        let quantile = |q: &crate::report::compare::Quantile| format!("{} {}", q.name, moved(q.before_s, q.after_s));
        let mut figures: Vec<String> = running.quantiles.iter().map(quantile).collect();
        figures.extend(means(running).map(|(before, after)| format!("mean {}", moved(before, after))));
        figures.push(format!("sum {}", moved(running.sum_before_s, running.sum_after_s)));
        figures.push(running.verdict.name().into());
        all.push(format!("created → running{APART}{}", figures.join(APART)));
        all.extend(undecided(running));
    }
    all.extend(per_start(&diff.per_start));
    all.extend(settings(&diff.settings));
    for (verdict, word) in [(Verdict::Faster, "faster"), (Verdict::Slower, "slower")] {
        let mut changed: Vec<&Line> =
            diff.lines.iter().filter(|line| line.verdict == verdict && is_significant(diff, line)).collect();
        changed.sort_by(|a, b| mean_change(b).abs().total_cmp(&mean_change(a).abs()));
        let named = |line: &&Line| {
            format!("{} ({} per start){}", full_label(line), signed(mean_change(line)), within(diff, line))
        };
        let named: Vec<String> = changed.iter().map(named).collect();
        if !named.is_empty() {
            all.push(format!("{word}: {}", named.join("; ")));
        }
    }
    for (count, side) in [(diff.startups.0, "before"), (diff.startups.1, "after")] {
        if count == 0 {
            all.push(format!("{side}: no startups, nothing to compare"));
            return all;
        }
    }
    let not_comparable: Vec<String> = diff
        .lines
        .iter()
        .filter(|line| line.kind == LineKind::Phase && line.verdict == Verdict::NotComparable)
        .map(label)
        .collect();
    if !not_comparable.is_empty() {
        let reason =
            "not compared, for one side's input shows them less exactly or not at all (give inputs of the same kinds)";
        all.push(format!("{reason}: {}", not_comparable.join(", ")));
    }
    if diff.lines.iter().any(|line| line.kind == LineKind::Total && line.verdict == Verdict::NotComparable) {
        all.push(
            "created → running is not compared: by objects a pod runs when the kubelet saw that all its containers run, \
             by logs when the API server had accepted that status; nor is created → ready, which objects show in whole seconds"
                .into(),
        );
    }
    if diff.shares_no_workload() {
        all.push("no workload has the same name on both sides: workloads are not compared".into());
    }
    if !diff.lines.iter().any(|line| matches!(line.verdict, Verdict::Faster | Verdict::Slower)) {
        let of_the_rest = if not_comparable.is_empty() { "" } else { " in what can be compared" };
        all.push(format!("no significant change{of_the_rest}"));
    }
    // Where the inputs differ in kind, one side's may not show what the other's does.
    let words = match not_comparable.is_empty() {
        true => [("new", "new causes"), ("gone", "causes gone")],
        false => [("new", "causes seen only after"), ("gone", "causes seen only before")],
    };
    for (note, word) in words {
        let named: Vec<&str> =
            diff.causes.iter().filter(|cause| cause.note() == note).map(|cause| cause.cause.as_str()).collect();
        if !named.is_empty() {
            all.push(format!("{word}: {}", sanitize(&named.join(", "))));
        }
    }
    all
}

/// Whether a headline names the line: a group that changed, or a phase whose group did not change with it.
fn is_significant(diff: &Diff, line: &Line) -> bool {
    let group = Phase::from_name(&line.name).map(|phase| phase.words().group);
    let with_group =
        || diff.lines.iter().any(|other| Some(other.name.as_str()) == group && other.verdict == line.verdict);
    line.kind == LineKind::Group || (line.kind == LineKind::Phase && !with_group())
}

/// A line's name where no table is around it.
fn full_label(line: &Line) -> String {
    let group = Phase::from_name(&line.name).map(|phase| phase.words().group).filter(|group| *group != "–");
    match (line.kind, group) {
        (LineKind::Group, _) if line.name == "pulling" => "image pulling".into(),
        (LineKind::Phase, Some("pulling")) => format!("{}, part of image pulling", label(line)),
        (LineKind::Phase, Some(group)) => format!("{}, part of {group}", label(line)),
        _ => label(line),
    }
}

/// The phases of a group that changed the same way.
fn within(diff: &Diff, group: &Line) -> String {
    let of_group = |line: &&Line| {
        let phase = Phase::from_name(&line.name);
        line.kind == LineKind::Phase
            && line.verdict == group.verdict
            && phase.is_some_and(|phase| phase.words().group == group.name)
    };
    let all: Vec<String> = diff
        .lines
        .iter()
        .filter(of_group)
        .map(|line| {
            let median =
                line.quantiles.first().map_or(String::new(), |q| format!(" p50 {}", moved(q.before_s, q.after_s)));
            // A group of one phase with the same name is not named twice.
            let name = if label(line) == group.name { String::new() } else { label(line) };
            format!("{name}{median}").trim_start().to_owned()
        })
        .collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join(", ")) }
}

fn mean_change(line: &Line) -> f64 {
    line.mean_after_s.unwrap_or(0.0) - line.mean_before_s.unwrap_or(0.0)
}

fn means(line: &Line) -> Option<(f64, f64)> {
    line.mean_before_s.zip(line.mean_after_s)
}

/// What the mean start lost and saved, in one line: `image wait −7.1 s, image pull +6.6 s, together −0.5 s`.
fn per_start(per_start: &PerStart) -> Option<String> {
    let most = per_start.parts.first()?.change_s.abs();
    // What stands beside a change ten times as large is no news.
    let (named, others): (Vec<_>, Vec<_>) =
        per_start.parts.iter().partition(|part| part.change_s.abs() >= FLOOR.max(most / 10.0));
    let name = |part: &Part| match part.kind {
        LineKind::Group if part.name == "pulling" => "image pulling".into(),
        LineKind::Phase => Phase::from_name(&part.name).map_or(part.name.clone(), |phase| phase.words().label.into()),
        _ => part.name.clone(),
    };
    let mut words: Vec<String> = named.iter().map(|part| format!("{} {}", name(part), signed(part.change_s))).collect();
    let rest: f64 = others.iter().map(|part| part.change_s).sum();
    if words.is_empty() {
        return None;
    }
    if rest.abs() >= FLOOR {
        words.push(format!("other phases {}", signed(rest)));
    }
    Some(format!("mean of all starts: {}, together {}", words.join(", "), signed(per_start.change_s)))
}

/// The settings that differ, in lines.
fn settings(changes: &[SettingChange]) -> Vec<String> {
    let of_side = |lines: &[SettingLine]| {
        let value = |line: &SettingLine| sanitize(line.value.as_deref().unwrap_or("unknown"));
        match lines {
            [] => "unknown".to_owned(),
            [one] => value(one),
            several => {
                let nodes = |count: u64| if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
                let each = several.iter().map(|line| format!("{} on {}", value(line), nodes(line.nodes)));
                each.collect::<Vec<_>>().join(" and ")
            }
        }
    };
    let known = |lines: &[SettingLine]| lines.iter().any(|line| line.value.is_some());
    let (both, one): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| known(&change.before) && known(&change.after));
    let named = |changes: &[&SettingChange]| {
        let each = changes
            .iter()
            .map(|change| format!("{} {} → {}", change.name, of_side(&change.before), of_side(&change.after)));
        each.collect::<Vec<_>>().join(", ")
    };
    [("settings that differ", both), ("settings known on one side only", one)]
        .into_iter()
        .filter(|(_, changes)| !changes.is_empty())
        .map(|(title, changes)| format!("{title}: {}", named(&changes)))
        .collect()
}

/// What to say where a quantile changed by half or more, and the test finds nothing: the ranks of all starts may be mixed though
/// some became far slower.
fn undecided(running: &Line) -> Option<String> {
    let most = running.quantiles.iter().max_by(|a, b| a.change_s.abs().total_cmp(&b.change_s.abs()))?;
    let large = most.change_s.abs() >= running.floor_s.max(most.before_s / 2.0);
    (running.verdict == Verdict::Noise && large).then(|| {
        format!(
            "{} {}: these starts do not show whether that is chance; compare more of them",
            most.name,
            signed(most.change_s)
        )
    })
}

fn signed(seconds: f64) -> String {
    if seconds > 0.0 {
        format!("+{}", format_duration(seconds))
    } else {
        format_duration(seconds).replacen('-', "−", 1)
    }
}

fn moved(before: f64, after: f64) -> String {
    format!("{} → {}", format_duration(before), format_duration(after))
}

/// The same of a line that may not be comparable: what a side's input does not show is not 0.
fn sides(line: &Line, before: f64, after: f64) -> String {
    let shown = |sum: f64, seconds: f64| match line.verdict {
        Verdict::NotComparable if sum == 0.0 => "–".to_owned(),
        _ => format_duration(seconds),
    };
    format!("{} → {}", shown(line.sum_before_s, before), shown(line.sum_after_s, after))
}

/// What a line is called on the page.
fn label(line: &Line) -> String {
    match line.kind {
        LineKind::Phase => Phase::from_name(&line.name).map_or(line.name.clone(), |phase| phase.words().label.into()),
        LineKind::Total => match &*line.name {
            "running_s" => "created → running".into(),
            "ready_s" => "created → ready".into(),
            "slo_s" => "SLO value".into(),
            other => other.into(),
        },
        _ => line.name.clone(),
    }
}

/// How many columns a table has.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Detail {
    /// What fits 80 columns.
    Narrow,
    /// And p99 and the p-value.
    Wide,
    /// And the sum.
    Whole,
}

impl Detail {
    fn of(width: usize) -> Self {
        match width {
            ..108 => Detail::Narrow,
            108..130 => Detail::Wide,
            _ => Detail::Whole,
        }
    }
}

fn grids(diff: &Diff, most: usize, detail: Detail) -> Vec<(&'static str, Grid)> {
    let mut all = Vec::new();
    for (title, kinds) in [
        ("where the time went", &[LineKind::Total, LineKind::Group, LineKind::Phase][..]),
        ("workloads (created → running)", &[LineKind::Workload]),
        ("node pools, by node name (created → running)", &[LineKind::NodePool]),
    ] {
        let mut lines: Vec<&Line> = diff.lines.iter().filter(|line| kinds.contains(&line.kind)).collect();
        if kinds == [LineKind::Workload] && diff.shares_no_workload() {
            continue;
        }
        if kinds.len() == 1 {
            // Of groups there can be thousands: those that changed, the most first.
            let has_changed =
                |line: &&Line| most == usize::MAX || !matches!(line.verdict, Verdict::Noise | Verdict::TooFew);
            lines.retain(has_changed);
            lines.sort_by(|a, b| {
                mean_change(b).abs().total_cmp(&mean_change(a).abs()).then_with(|| a.name.cmp(&b.name))
            });
        }
        let mut heads = vec!["what", "mean"];
        let shown = if detail == Detail::Narrow { 2 } else { QUANTILES.len() };
        heads.extend(QUANTILES.iter().take(shown).map(|(_, name)| name));
        if detail == Detail::Whole {
            heads.push("sum");
        }
        heads.push("verdict");
        if detail >= Detail::Wide {
            heads.push("adjusted_p");
        }
        let mut grid = Grid::new(&heads);
        for line in lines {
            let mut cells = vec![Cell::Text(if line.kind == LineKind::Phase {
                format!("· {}", label(line))
            } else {
                label(line)
            })];
            cells.push(means(line).map_or(Cell::None, |(before, after)| Cell::Text(sides(line, before, after))));
            cells.extend((0..shown).map(|at| {
                line.quantiles.get(at).map_or(Cell::None, |q| Cell::Text(sides(line, q.before_s, q.after_s)))
            }));
            if detail == Detail::Whole {
                cells.push(Cell::Text(sides(line, line.sum_before_s, line.sum_after_s)));
            }
            cells.push(Cell::Text(line.verdict.name().into()));
            if detail >= Detail::Wide {
                cells.push(line.p_value.map_or(Cell::None, |p| Cell::Text(p_value(p))));
            }
            grid.row(cells);
        }
        if !grid.is_empty() {
            all.push((title, grid));
        }
    }
    let mut grid = Grid::new(&["cause", "pods_before", "pods_after", "each_before_s", "each_after_s", "note"]);
    for cause in &diff.causes {
        grid.row(vec![
            Cell::Text(cause.cause.clone()),
            Cell::Count(cause.pods_before),
            Cell::Count(cause.pods_after),
            Cell::Seconds(cause.each_before_s),
            Cell::Seconds(cause.each_after_s),
            Cell::Text(cause.note().into()),
        ]);
    }
    if !grid.is_empty() {
        all.push(("causes (seconds per start, over all starts)", grid));
    }
    all
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".into() } else { format!("{p:.3}") }
}

fn method(diff: &Diff) -> String {
    format!(
        "A change is significant when a two-sample test finds it (p below {:.2}, adjusted for the number of rows of its kind), the {:.0} % confidence \
         interval of a quantile's change excludes zero (bootstrap, seed {}), and the change exceeds the resolution of the timestamps ({:.0} ms; up to 1 s \
         from creation, whose timestamp has whole seconds). \"unclear\": only the test finds it; \"slight\": it is below that resolution. Starts in one burst are not independent: treat p-values as approximate.",
        1.0 - diff.confidence,
        diff.confidence * 100.0,
        diff.seed,
        FLOOR * 1000.0
    )
}
