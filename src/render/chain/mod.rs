//! One startup, step by step: when (`@`), how long (`+`), how precise that is, and the log lines that show it.

mod queue;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{TextOptions, format_duration, svg, target};
use queue::{BlockingPull, Queue};

use crate::breakdown::{Precision, anomaly};
use crate::model::error::Error;
use crate::model::text::sanitize;
use crate::report::Report;
use crate::table::{Batch, CleanupList, Row};

/// Writes single startups.
type Writer = fn(&[ChainEntry], TextOptions, &mut dyn Write) -> Result<(), Error>;

/// A startup, and who was ahead of it in the queues it waited in.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainEntry {
    /// The startup.
    pub row: Row,
    /// By its spans.
    queues: Vec<Queue>,
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
        let forms: [(&str, Writer); 2] = [("svg", picture), ("txt", write)];
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
    rows.into_iter().map(|row| Ok(ChainEntry { queues: queue::of(report, &row)?, row })).collect()
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

fn one(ChainEntry { row, queues }: &ChainEntry, screen: TextOptions, out: &mut dyn Write) -> io::Result<()> {
    let node = row.node.as_deref().map_or(String::new(), |node| format!(" on {}", sanitize(node)));
    let uid = row.uid.as_deref().map_or(String::new(), |uid| format!(" · uid {}", sanitize(uid)));
    writeln!(out, "{}{node} · {}{uid}", sanitize(&row.full_name()), row.state.name())?;
    if let Some(created) = row.created {
        writeln!(out, "created {created} (whole seconds: the true time is up to 1 s later)")?;
    }
    let slo = row.slo_s.map_or("unknown".into(), format_duration);
    let printed = row.slo_recorded_s.map_or("none".into(), |slo| format!("{slo}"));
    let total = row.total_s.map_or("unknown".into(), format_duration);
    let ready = row.ready_s.map_or(String::new(), |ready| format!(", ready after {}", format_duration(ready)));
    writeln!(
        out,
        "running after {}{ready} · total {total} · SLO value {slo}, kubelet recorded {printed}",
        row.running_s.map_or("?".into(), format_duration)
    )?;
    writeln!(out)?;
    let begin = row.spans.first().map(|span| span.from).unwrap_or_default();
    for (span, queue) in row.spans.iter().zip(queues) {
        let took = (span.to - span.from).seconds();
        let bounds = match span.precision {
            Precision::Exact => String::new(),
            Precision::Inferred if span.min_s == span.max_s => " inferred".into(),
            _ => format!(" {} {}..{}", span.precision.name(), format_duration(span.min_s), format_duration(span.max_s)),
        };
        let about = span.waited_for.as_deref().map_or(String::new(), |about| format!(" {}", sanitize(about)));
        let label = span.phase.words().label;
        let (at, took) = (format_duration((span.from - begin).seconds()), format_duration(took));
        let text = format!("@{at:<9} +{took:<8} {label:<14}{about}{bounds}");
        writeln!(out, "{}", text.trim_end())?;
        if let Some(place) = &span.evidence {
            let file = place.source.rsplit('/').next().unwrap_or(&place.source);
            let line = format!("           {}:{} {}", sanitize(file), place.line, sanitize(row.text(place)));
            let shown: String = line.chars().take(screen.width.max(60)).collect();
            writeln!(out, "{shown}")?;
        }
        for BlockingPull { pod, image, took, waited } in &queue.named {
            let itself = if *waited >= 1.0 {
                format!(", which had itself waited {}", format_duration(*waited))
            } else {
                String::new()
            };
            writeln!(
                out,
                "           blocked {:>7} by {} ({}){itself}",
                format_duration(*took),
                sanitize(pod),
                sanitize(image)
            )?;
        }
        if let (count @ 1.., took) = queue.others {
            writeln!(out, "           blocked {:>7} by {count} other pulls", format_duration(took))?;
        }
    }
    for finding in &row.findings {
        let (lost, certain) = (format_duration(finding.lost_s), format_duration(finding.lost_min_s));
        writeln!(out, "cause {} {lost} (at least {certain})", sanitize(&finding.cause))?;
    }
    for id in &row.anomalies {
        let meaning = anomaly(id).unwrap_or_default();
        writeln!(out, "anomaly {}: {meaning}", sanitize(id))?;
    }
    Ok(())
}
