//! One startup, step by step: when (`@`), how long (`+`), how well it is known, and the lines it stands on.

use std::io::{self, Write};

use super::{Screen, length, plain};
use crate::breakdown::{ANOMALIES, Precision};
use crate::report::{Report, Row};

/// Writes the startups whose pod is `pod`: `namespace/name`, or a name in any namespace. Gives how many there were.
///
/// # Errors
/// When writing fails.
pub fn write(report: &Report, pod: &str, screen: Screen, out: &mut dyn Write) -> io::Result<usize> {
    let mine = |row: &&Row| {
        *row.startup.pod == *pod || row.startup.names().1 == pod || row.startup.uid.as_deref() == Some(pod)
    };
    let mut found = 0;
    for row in report.rows.iter().filter(mine) {
        if found > 0 {
            writeln!(out)?;
        }
        found += 1;
        one(report, row, screen, out)?;
    }
    Ok(found)
}

fn one(report: &Report, row: &Row, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let b = &row.breakdown;
    let node = row.node.as_deref().map_or(String::new(), |node| format!(" on {}", plain(node)));
    let uid = row.startup.uid.as_deref().map_or(String::new(), |uid| format!(" · uid {}", plain(uid)));
    writeln!(out, "{}{node} · {}{uid}", plain(&row.startup.pod), b.state.name())?;
    if let Some(created) = b.created {
        writeln!(out, "created {created} (API server's clock, whole seconds: the true instant is up to 1 s later)")?;
    }
    let slo = b.slo.map_or("not known".into(), length);
    let printed = b.kubelet_slo.map_or("none".into(), |slo| format!("{slo}"));
    let total = b.total.map_or("not known".into(), |total| length(total.seconds()));
    writeln!(
        out,
        "running after {} · whole {total} · SLO value {slo}, kubelet printed {printed}",
        row.running_s().map_or("?".into(), length)
    )?;
    writeln!(out)?;
    let begin = b.pieces.first().map(|piece| piece.from).unwrap_or_default();
    for piece in &b.pieces {
        let took = (piece.to - piece.from).seconds();
        let bounds = match piece.precision {
            Precision::Exact => String::new(),
            Precision::Inferred if piece.min == piece.max => " inferred".into(),
            _ => {
                format!(" {} {}..{}", piece.precision.name(), length(piece.min.seconds()), length(piece.max.seconds()))
            }
        };
        let about = piece.about.as_deref().map_or(String::new(), |about| format!(" {}", plain(about)));
        let label = piece.phase.words().label;
        writeln!(
            out,
            "@{:<9} +{:<8} {label:<14}{about}{bounds}",
            length((piece.from - begin).seconds()),
            length(took)
        )?;
        if let Some(place) = piece.place {
            let text = plain(report.line(row, place));
            let line = format!("           {}:{} {text}", plain(report.source(place)), place.line);
            let shown: String = line.chars().take(screen.width.max(60)).collect();
            writeln!(out, "{shown}")?;
        }
    }
    for finding in &row.findings {
        writeln!(
            out,
            "cause {} {} (certain: {})",
            finding.cause,
            length(finding.lost.seconds()),
            length(finding.certain.seconds())
        )?;
    }
    for id in &b.anomalies {
        let meaning = ANOMALIES.iter().find(|(known, _)| known == id).map_or("", |(_, meaning)| meaning);
        writeln!(out, "note {id}: {meaning}")?;
    }
    Ok(())
}
