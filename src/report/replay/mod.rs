//! What-if: each node's observed demand, run again under other settings.
//!
//! ```text
//! Table --demand--> Node (who asked for what, when, how long it took) --queue--> shifts of starts --> quantiles between bounds
//! ```
//!
//! A pull alone on a node and the same pull beside others take differently long, and the log of a serial queue cannot show the
//! second. So every replay is between two bounds: pulls share what the node could move (`queue::SharingModel`), or each keeps the rate
//! it had. And in which order pulls that are asked for at once come into the queue is a race: the replay is run in the order that
//! was and in others, and the bounds are those of all runs.
//!
//! The settings as they were, run through the same replay, must give what was observed; where they do not, nothing is estimated.

mod arrival_order;
mod queue;
mod scenario;
mod workload;

use serde::{Deserialize, Serialize};

use crate::causes;
use crate::causes::setting::Setting;
use crate::model::error::Error;
use crate::table::{Summary, Table};
use arrival_order::ArrivalOrder;
pub use scenario::Scenario;
use workload::Workload;

/// At most so many runs in other orders, and not more than so many pulls in all: beyond, a single order says enough, for a race
/// among many moves no quantile far.
const MAX_ORDERS: usize = 48;
const MAX_PULLS: usize = 200_000;
/// The replay of what was may differ from it by so much, or by half a second.
pub const TOLERANCE: f64 = 0.05;

/// A figure before, and the bounds of the same after; seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// As observed.
    pub before: f64,
    /// The least of all simulations with the other settings, minus the tolerance.
    pub low: f64,
    /// The most of all simulations, plus the tolerance.
    pub high: f64,
    /// 80 % of the simulations lie between this
    pub likely_low: f64,
    /// and this.
    pub likely_high: f64,
}

/// An estimate of the observed starts with other settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct WhatIf {
    /// The settings, as `--what-if` takes them.
    pub setting: String,
    /// The cause that suggests it; null if the user asked for it.
    pub cause: Option<String>,
    /// How many startups it changes.
    pub pods: u64,
    /// Created → running: half do not exceed it.
    pub p50: Change,
    /// 95 % do not exceed it.
    pub p95: Change,
    /// 99 % do not exceed it.
    pub p99: Change,
    /// The longest.
    pub max: Change,
    /// The sum over all starts.
    pub total: Change,
    /// What the bounds assume.
    pub bounds: String,
    /// The trade-off of the setting; null if there is none.
    pub side_effect: Option<String>,
    /// Why there is no estimate; null if there is one.
    pub not_estimated_because: Option<String>,
}

/// Replays what the user asks for, and what the advice for the costliest causes would save.
///
/// # Errors
/// When the table cannot be read.
pub fn all(table: &Table, summary: &Summary, asked: &[Scenario]) -> Result<Vec<WhatIf>, Error> {
    let mut scenarios: Vec<Scenario> = asked.to_vec();
    let known = summary.known();
    for line in summary.causes.iter().take(CAUSES) {
        let Some(cause) = causes::named(&line.cause) else { continue };
        let Some(what_if) = cause.what_if(summary.kubelets.iter().map(String::as_str), &known) else { continue };
        let words = match (what_if, line.example.as_ref().and_then(|worst| worst.waited_for.as_deref())) {
            // The image that cost the most is the one to have on the nodes before.
            ("prepull", Some(image)) => format!("prepull={image}"),
            ("prepull", None) => continue,
            (words, _) => words.to_owned(),
        };
        if let Ok(scenario) = Scenario::of(&words) {
            scenarios.push(scenario.for_cause(cause.id, line.advised.side_effect.as_deref()));
        }
    }
    scenarios.iter().map(|scenario| one(table, scenario)).collect()
}

/// Of so many of the costliest causes the advice is replayed.
const CAUSES: usize = 4;

fn one(table: &Table, scenario: &Scenario) -> Result<WhatIf, Error> {
    let workload = workload::of(table, scenario)?;
    let mut result = WhatIf {
        setting: scenario.text.clone(),
        cause: scenario.cause.map(str::to_owned),
        side_effect: scenario.side_effect.clone(),
        bounds: scenario.bounds().to_owned(),
        ..WhatIf::default()
    };
    match run(&workload, scenario, &mut result) {
        Ok(()) => {}
        Err(reason) => result.not_estimated_because = Some(reason),
    }
    Ok(result)
}

/// Figures of one run.
type Figures = [f64; 5];

fn run(workload: &Workload, scenario: &Scenario, result: &mut WhatIf) -> Result<(), String> {
    let before = workload.figures(&vec![0; workload.starts.len()]);
    let mut runs: Vec<Figures> = Vec::new();
    if workload.starts.is_empty() {
        return Err("it affects no start in the input".into());
    }
    let claims = scenario.claims(workload)?;
    let changed = if scenario.is_of_pulls() {
        workload.ensure_known()?;
        workload.changed(scenario)?;
        let mut moved = vec![false; workload.starts.len()];
        for model in workload.ways() {
            let as_it_was = workload.shifts(None, model, ArrivalOrder::Observed);
            close(
                workload.figures_of_touched(&vec![0; workload.starts.len()]),
                workload.figures_of_touched(&as_it_was),
            )?;
            let random = (MAX_PULLS / workload.pulls().max(1)).min(MAX_ORDERS) as u64;
            let orders = [ArrivalOrder::Observed, ArrivalOrder::QuickFirst, ArrivalOrder::SlowFirst];
            for order in orders.into_iter().chain((0..random).map(ArrivalOrder::Random)) {
                let shifts = workload.shifts(Some(scenario), model, order);
                for (moved, shift) in moved.iter_mut().zip(&shifts) {
                    *moved |= shift.abs() > 10_000_000;
                }
                let with = |of: &dyn Fn(&(i64, i64)) -> i64| {
                    let all = shifts.iter().zip(&claims).map(|(shift, claim)| shift - of(claim));
                    workload.figures(&all.collect::<Vec<_>>())
                };
                runs.push(with(&|claim| claim.0));
                runs.push(with(&|claim| claim.1));
            }
        }
        moved.iter().zip(&claims).filter(|(moved, claim)| **moved || claim.1 > 0).count()
    } else {
        for of in [0, 1] {
            let all = claims.iter().map(|claim| -if of == 0 { claim.0 } else { claim.1 });
            runs.push(workload.figures(&all.collect::<Vec<_>>()));
        }
        claims.iter().filter(|claim| claim.1 > 0).count()
    };
    if changed == 0 {
        return Err("no effect on these startups".into());
    }
    result.pods = changed as u64;
    let fields = [&mut result.p50, &mut result.p95, &mut result.p99, &mut result.max, &mut result.total];
    for (at, field) in fields.into_iter().enumerate() {
        let get = |figures: &Figures| figures.get(at).copied().unwrap_or_default();
        let mut after: Vec<f64> = runs.iter().map(get).collect();
        after.sort_by(f64::total_cmp);
        let nth =
            |share: f64| after.get(((after.len() - 1) as f64 * share).round() as usize).copied().unwrap_or_default();
        // Two runs are two bounds, and nothing lies between them.
        let (likely_low, likely_high) = if after.len() > 4 { (nth(0.1), nth(0.9)) } else { (nth(0.0), nth(1.0)) };
        // The replay may be off by as much as it may be of what was.
        let (low, high) = (nth(0.0) * (1.0 - TOLERANCE), nth(1.0) * (1.0 + TOLERANCE));
        *field = Change { before: get(&before), low, high, likely_low, likely_high };
    }
    Ok(())
}

/// Whether the replay of the settings as they were gives what was observed.
fn close(observed: Figures, replayed: Figures) -> Result<(), String> {
    let names = ["p50", "p95", "p99", "max", "total"];
    for ((name, observed), replayed) in names.iter().zip(observed).zip(replayed) {
        if (observed - replayed).abs() > (observed * TOLERANCE).max(0.5) {
            return Err(format!(
                "a simulation with the original settings does not reproduce the observed times ({name}: {replayed:.1} s instead of {observed:.1} s)"
            ));
        }
    }
    Ok(())
}

impl Scenario {
    /// What the bounds assume, in words.
    fn bounds(&self) -> &'static str {
        if self.is_of_pulls() {
            "80 % of simulations; full range: all simulations (bandwidth shared or per pull, different pod orders)"
        } else if self.settings.get(Setting::KubeApiQps).is_some() {
            "from waits reduced by the ratio of the rates to no wait in the client's rate limit"
        } else {
            "from the certain part of the time lost to all of it"
        }
    }

    /// What settings that are no pulls' save each start, nanoseconds: at least, and at most.
    fn claims(&self, workload: &Workload) -> Result<Vec<(i64, i64)>, String> {
        let rate = self.settings.get(Setting::KubeApiQps).and_then(|rate| rate.parse::<f64>().ok());
        let limit = self.settings.get(Setting::RegistryPullQps).is_some();
        let mut all = Vec::with_capacity(workload.starts.len());
        for start in &workload.starts {
            let (mut least, mut most) = (0, 0);
            if let (Some(rate), Some((lost, certain))) = (rate, start.throttled) {
                let had = start
                    .rate
                    .ok_or("kubeAPIQPS of these nodes is unknown (the default is 50 from 1.27 on): give --config")?;
                // A queue drained faster at all times never holds more: each wait shrinks at least by the ratio of the rates.
                let kept = if rate <= 0.0 { 0.0 } else { (had / rate).min(1.0) };
                least += (certain as f64 * (1.0 - kept)) as i64;
                most += if kept < 1.0 { lost } else { 0 };
            }
            if let (true, Some((lost, certain))) = (limit, start.refused) {
                least += certain;
                most += lost;
            }
            all.push((least, most));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests;
