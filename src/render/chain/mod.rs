//! One startup, step by step: when (`@`), how long (`+`), how precise that is, and the log lines that show it.

mod queue;
mod reason;
mod slo;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{TextOptions, file_names, format_duration, format_range, svg, target, wrap};
use queue::{BlockingPull, Queue};

use crate::breakdown::{Precision, anomaly};
use crate::model::error::Error;
use crate::model::nearest::distance;
use crate::model::phase::Phase;
use crate::model::startup::State;
use crate::model::text::sanitize;
use crate::model::time::{SECOND, Time};
use crate::report::Report;
use crate::table::{Batch, CleanupList, Pull, Row, Span};
use unicode_width::UnicodeWidthStr;

/// Writes single startups.
type Writer = fn(&[ChainEntry], TextOptions, &mut dyn Write) -> Result<(), Error>;

/// A startup, and who was ahead of it in the queues it waited in.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainEntry {
    /// The startup.
    pub row: Row,
    /// By its spans.
    queues: Vec<Queue>,
    /// The files of its lines, as short as they can be told apart.
    files: BTreeMap<Arc<str>, String>,
}

/// A file that single startups are written to beside standard output: its extension names the form.
#[derive(Debug)]
pub struct ChainFile {
    path: PathBuf,
    write: Writer,
}

impl ChainFile {
    /// What a path asks for.
    ///
    /// # Errors
    /// When no form has its extension, its folder is not there, or it is one of the inputs.
    pub fn of(path: &Path, inputs: &[PathBuf]) -> Result<Self, Error> {
        let picture: Writer = |found, screen, out| {
            let rows: Vec<Row> = found.iter().map(|chained| chained.row.clone()).collect();
            svg::write(&rows, screen, out)
        };
        // A file is as wide as its lines.
        let whole: Writer = |found, screen, out| write(found, TextOptions { width: usize::MAX, ..screen }, out);
        let forms: [(&str, Writer); 2] = [("svg", picture), ("txt", whole)];
        let (_, write) = *target::by_extension(path, &forms, |(extension, _)| extension, "")?;
        target::ensure_not_input(path, inputs)?;
        Ok(ChainFile { path: path.into(), write })
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, found: &[ChainEntry], made: &CleanupList) -> Result<(), Error> {
        target::write_atomically(&self.path, made, |out| (self.write)(found, TextOptions::default(), out))
    }
}

/// The startups whose pod is `pod`: `namespace/name`, a name in any namespace, or a uid.
///
/// # Errors
/// When the table cannot be read.
pub fn find(report: &Report, pod: &str) -> Result<Vec<ChainEntry>, Error> {
    let (namespace, name) = pod.split_once('/').map_or((None, pod), |(namespace, name)| (Some(namespace), name));
    let is_it = |batch: &Batch| {
        let (namespaces, pods, uids) = (batch.text("namespace")?, batch.text("pod")?, batch.text("uid")?);
        let rows = namespaces.iter().zip(pods.iter()).zip(uids.iter());
        let is_it = rows.map(|((its_namespace, its_name), uid)| {
            (its_name == Some(name) && (namespace.is_none() || its_namespace == namespace)) || uid == Some(pod)
        });
        Ok(is_it.collect::<Vec<bool>>())
    };
    let rows = report.table.find(&["namespace", "pod", "uid"], &is_it)?;
    let entry = |row: Row| {
        let places = row.spans.iter().filter_map(|span| span.evidence.as_ref());
        let sources = &report.coverage.sources;
        let files = places.map(|place| (place.source.clone(), file_names::unique(&place.source, sources).to_owned()));
        Ok(ChainEntry { queues: queue::of(report, &row)?, files: files.collect(), row })
    };
    rows.into_iter().map(entry).collect()
}

/// So many pods are named that one which is not there is like.
const NEAREST: usize = 3;

/// The pods whose names are most like one that is not there, as they are asked for.
///
/// # Errors
/// When the table cannot be read.
pub fn nearest_pods(report: &Report, pod: &str) -> Result<Vec<String>, Error> {
    let (wanted, name) = pod.split_once('/').map_or((None, pod), |(namespace, name)| (Some(namespace), name));
    let mut near: BTreeSet<(bool, usize, String)> = BTreeSet::new();
    report.table.scan(&["namespace", "pod"], &mut |batch| {
        for (namespace, pod) in batch.text("namespace")?.iter().zip(batch.text("pod")?.iter()) {
            let (Some(namespace), Some(pod)) = (namespace, pod) else { continue };
            // What people know is the workload: the beginning of a pod's name.
            let Some(steps) = distance(name, pod) else { continue };
            let elsewhere = wanted.is_some_and(|wanted| wanted != namespace);
            near.insert((elsewhere, steps, sanitize(&format!("{namespace}/{pod}"))));
            if near.len() > NEAREST {
                near.pop_last();
            }
        }
        Ok(())
    })?;
    Ok(near.into_iter().map(|(_, _, name)| name).collect())
}

/// Writes startups as text.
///
/// # Errors
/// When writing fails.
pub fn write(found: &[ChainEntry], screen: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    for (number, chained) in found.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        one(chained, screen, out)?;
    }
    Ok(())
}

/// Where what belongs to a step stands, below its `@`.
const INDENT: &str = "              ";

fn one(ChainEntry { row, queues, files }: &ChainEntry, screen: TextOptions, out: &mut dyn Write) -> io::Result<()> {
    let node = row.node.as_deref().map_or(String::new(), |node| format!(" on {}", sanitize(node)));
    let uid = row.uid.as_deref().map_or(String::new(), |uid| format!(" · uid {}", sanitize(uid)));
    let title = format!("{}{node} · {}{uid}", sanitize(&row.full_name()), row.state.words());
    wrap::words(out, screen.width, "", &title)?;
    if let Some(created) = row.created {
        let cut = created.0 % SECOND == 0;
        let note = if cut { " (whole seconds: may be up to 1 s later)" } else { "" };
        wrap::words(out, screen.width, "", &format!("created {created}{note}"))?;
    }
    // A start that ended before it began, by two clocks, has no lengths.
    let skew = row.total_s.filter(|total| *total < 0.0);
    let total = row.total_s.filter(|_| skew.is_none()).map_or("unknown".into(), format_duration);
    let running = row.running_s.map_or_else(
        || match (skew, row.running) {
            (Some(skew), _) => format!("running {} before it was created, by two clocks", format_duration(-skew)),
            (None, Some(_)) if row.state == State::Running => "running, since when is unknown".into(),
            (None, _) => "not known to be up".into(),
        },
        |seconds| format!("running after {}", format_duration(seconds)),
    );
    let ready = row.ready_s.map_or(String::new(), |ready| format!(", ready after {}", format_duration(ready)));
    writeln!(out, "{running}{ready} · total {total}")?;
    wrap::words(out, screen.width, "", &slo::words(row))?;
    writeln!(out)?;
    let begin = row.spans.first().map(|span| span.from).unwrap_or_default();
    let (readiness, none) = (row.readiness_span(), Queue::default());
    let spans =
        row.spans.iter().filter(|_| skew.is_none()).zip(queues).chain(readiness.as_ref().map(|span| (span, &none)));
    for (span, queue) in spans {
        let took = (span.to - span.from).seconds();
        let about = span.waited_for.as_deref().map_or(String::new(), |about| format!(" {}", sanitize(about)));
        let label = span.phase.words().label;
        let (at, took) = (format_duration((span.from - begin).seconds()), format_duration(took));
        let failed = |pull: &Pull| &*pull.outcome == "failed" && pull.ended == Some(span.to);
        let failed = span.phase == Phase::ImagePull && row.image_pulls.iter().any(failed);
        let failed = if failed { " failed" } else { "" };
        let text = format!("{}  @{at:<9} +{took:<8} {label:<14}{about}{failed}{}", clock(span.from), bounds(span));
        writeln!(out, "{}", text.trim_end())?;
        if let Some(place) = &span.evidence {
            let file = files.get(&place.source).map_or(&*place.source, String::as_str);
            let (at, line) = (format!("{INDENT}{}:{} ", sanitize(file), place.line), sanitize(row.text(place)));
            let room = screen.width.max(60).saturating_sub(at.width());
            // Of a line with an error the reason counts.
            let clipped = || wrap::clip_end(&wrap::error_end(message(&line), room), room);
            let line = if line.width() > room { clipped() } else { line };
            writeln!(out, "{}", format!("{at}{line}").trim_end())?;
        }
        write_queue(queue, screen, out)?;
    }
    for finding in &row.findings {
        let (lost, certain) = (format_duration(finding.lost_s), format_duration(finding.lost_min_s));
        let certain = if certain == lost { String::new() } else { format!(" (at least {certain})") };
        let lost = if finding.lost_s > 0.0 { format!(" {lost}") } else { String::new() };
        writeln!(out, "cause {}{lost}{certain}", sanitize(&finding.cause))?;
    }
    for id in &row.anomalies {
        let meaning = anomaly(id).unwrap_or_default();
        wrap::words(out, screen.width, "", &format!("anomaly {}: {meaning}", sanitize(id)))?;
    }
    writeln!(out)?;
    wrap::words(out, screen.width, "", &reason::words(row))
}

/// Who was ahead.
fn write_queue(queue: &Queue, screen: TextOptions, out: &mut dyn Write) -> io::Result<()> {
    for BlockingPull { pod, image, took, waited } in &queue.named {
        let itself = if *waited >= 1.0 {
            format!(", which had itself waited {}", format_duration(*waited))
        } else {
            String::new()
        };
        let took = format_duration(*took);
        writeln!(out, "{INDENT}blocked {took:>7} by {} ({}){itself}", sanitize(pod), sanitize(image))?;
    }
    if let (count @ 1.., took) = queue.others {
        let pulls = if count == 1 { "1 other pull".to_owned() } else { format!("{count} other pulls") };
        writeln!(out, "{INDENT}blocked {:>7} by {pulls}", format_duration(took))?;
    }
    if queue.at_once > 1 {
        let slots = format!(
            "up to {} of these pulls ran at the same time: their seconds overlap and add up to more than the wait",
            queue.at_once
        );
        wrap::words(out, screen.width, INDENT, &slots)?;
    }
    Ok(())
}

/// The time of day, UTC, to the millisecond.
fn clock(time: Time) -> String {
    time.to_string().get(11..23).unwrap_or_default().to_owned()
}

/// How well the ends of a span are known, where they are not exact.
fn bounds(span: &Span) -> String {
    match span.precision {
        Precision::Exact => String::new(),
        Precision::Inferred if span.min_s == span.max_s => " inferred".into(),
        // An event of which the age is known says how long it took.
        Precision::Bounded if span.min_s == span.max_s => " ends bounded, length exact".into(),
        precision => {
            let (low, high) = (format_duration(span.min_s), format_duration(span.max_s));
            let width = format_duration(span.max_s - span.min_s);
            match low == high {
                true => format!(" {} within {width}", precision.name()),
                false => format!(" {} {}", precision.name(), format_range(span.min_s, span.max_s)),
            }
        }
    }
}

/// What a line says, without the time and place that its program wrote before it: these are in the step already.
fn message(line: &str) -> &str {
    let klog = line.split_once("] ").map(|(_, message)| message).filter(|_| {
        line.starts_with(['I', 'W', 'E', 'F'])
            && line.get(1..5).is_some_and(|date| date.bytes().all(|b| b.is_ascii_digit()))
    });
    let logfmt = || line.strip_prefix("time=").and_then(|rest| rest.split_once(" msg=")).map(|(_, message)| message);
    klog.or_else(logfmt).unwrap_or(line)
}

#[cfg(test)]
mod tests;
