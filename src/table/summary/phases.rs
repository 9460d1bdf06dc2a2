//! The time of each phase, and how much of it is certain.

use super::PhaseLine;
use crate::model::error::Error;
use crate::model::phase::{PHASES, Phase};
use crate::model::quantile::select_quantile;
use crate::table::query::{micros, phase_values, seconds};
use crate::table::startups::Table;

/// The phases in their order.
pub(super) fn collect(table: &Table) -> Result<Vec<PhaseLine>, Error> {
    let mut lines = Vec::new();
    for some in PHASES.chunks(table.columns_at_once()) {
        for ((_, phase), (lost, mut values)) in some.iter().zip(phase_values(table, some)?) {
            let p99_s = select_quantile(&mut values, 0.99).unwrap_or(0.0);
            lines.push(PhaseLine { phase, lost_s: seconds(lost), share: 0.0, p99_s, certain_share: 0.0 });
        }
    }
    let mut certain = certain_micros(table)?;
    // The readiness has no spans: it is certain as far as its end is.
    table.scan(&["readiness_s", "running_s", "ready_min_s"], &mut |batch| {
        let (readiness, running) = (batch.seconds("readiness_s")?, batch.seconds("running_s")?);
        for ((readiness, running), least) in
            readiness.iter().zip(running.iter()).zip(batch.seconds("ready_min_s")?.iter())
        {
            let (Some(readiness), Some(running), Some(least)) = (readiness, running, least) else { continue };
            certain.add(Phase::Readiness, (least - running).clamp(0.0, readiness.max(0.0)));
        }
        Ok(())
    })?;
    let in_total = |line: &&PhaseLine| Phase::from_name(line.phase).is_none_or(Phase::is_in_total);
    let whole: f64 = lines.iter().filter(in_total).map(|line| line.lost_s).sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    for line in &mut lines {
        line.share = share(line.lost_s, whole);
        // A phase may be several spans, each cut to microseconds by itself.
        line.certain_share = share(certain.seconds(line.phase), line.lost_s).min(1.0);
    }
    Ok(lines)
}

/// The certain time of each phase, in microseconds.
#[derive(Default)]
struct CertainMicros([i64; PHASES.len()]);

impl CertainMicros {
    fn add(&mut self, phase: Phase, seconds: f64) {
        if let Some(sum) = self.0.get_mut(phase.index()) {
            *sum = sum.saturating_add(micros(seconds));
        }
    }

    fn seconds(&self, phase: &str) -> f64 {
        let sum = Phase::from_name(phase).and_then(|phase| self.0.get(phase.index()));
        sum.map_or(0.0, |sum| seconds(*sum))
    }
}

/// The shortest that the spans of each phase may have been.
fn certain_micros(table: &Table) -> Result<CertainMicros, Error> {
    let mut certain = CertainMicros::default();
    for part in &table.parts {
        part.least_of_spans(&mut |phase, least| certain.add(phase, least))?;
    }
    Ok(certain)
}
