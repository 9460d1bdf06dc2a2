//! What-if: each node's observed demand, run again under other settings.
//!
//! ```text
//! Table --demand--> Node (who asked for what, when, how long it took) --queue--> shifts of starts --> quantiles between bounds
//! ```
//!
//! A pull alone on a node and the same pull beside others take differently long, and the log of a serial queue cannot show the
//! second. So every replay is between two bounds: pulls share what the node could move (`queue::Way`), or each keeps the rate
//! it had. And in which order pulls that are asked for at once come into the queue is a race: the replay is run in the order that
//! was and in others, and the bounds are those of all runs.
//!
//! The settings as they were, run through the same replay, must give what was observed; where they do not, nothing is estimated.

mod demand;
mod queue;
mod scenario;

use serde::{Deserialize, Serialize};

use crate::causes;
use crate::causes::setting::Setting;
use crate::model::error::Error;
use crate::render::{length, range};
use crate::table::{Summary, Table};
use demand::{Demand, Order};
pub use scenario::Scenario;

/// At most so many runs in other orders, and not more than so many pulls in all: beyond, a single order says enough, for a race
/// among many moves no quantile far.
const ORDERS: usize = 48;
const PULLS: usize = 200_000;
/// The replay of what was may differ from it by so much, or by half a second.
const TRUE: f64 = 0.05;

/// A figure before, and the bounds of the same after; seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// As observed.
    pub before: f64,
    /// At least this with the other settings, in every order and by both bounds, and by what the replay may be off.
    pub low: f64,
    /// At most this.
    pub high: f64,
    /// Four of five runs gave at least this.
    pub likely_low: f64,
    /// Four of five runs gave at most this.
    pub likely_high: f64,
}

/// What other settings would have made of the observed starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct WhatIf {
    /// The settings, as `--what-if` takes them.
    pub setting: String,
    /// The cause whose advice it is; none: the user asked.
    pub cause: Option<String>,
    /// How many starts it changes.
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
    /// What the setting costs; none if nothing.
    pub side_effect: Option<String>,
    /// Why there is no estimate.
    pub withheld: Option<String>,
}

impl WhatIf {
    /// What it would save, in a line.
    #[must_use]
    pub fn words(&self) -> String {
        if let Some(reason) = &self.withheld {
            return format!("no estimate for {}: {reason}", self.setting);
        }
        let change = |name: &str, change: &Change| {
            format!("{name} {} → {}", length(change.before), range(change.likely_low, change.likely_high))
        };
        let changes = [change("p50", &self.p50), change("p95", &self.p95), change("max", &self.max)];
        let gains = |change: &Change| change.likely_high < change.before * (1.0 - TRUE);
        let sure = if gains(&self.p50) || gains(&self.p95) || gains(&self.max) { "" } else { "no sure gain: " };
        format!("{sure}{} (replayed: {})", changes.join(", "), self.setting)
    }
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
        let words = match (what_if, line.worst.as_ref().and_then(|worst| worst.about.as_deref())) {
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
    let demand = demand::of(table, scenario)?;
    let mut result = WhatIf {
        setting: scenario.text.clone(),
        cause: scenario.cause.map(str::to_owned),
        side_effect: scenario.side_effect.clone(),
        bounds: scenario.bounds().to_owned(),
        ..WhatIf::default()
    };
    match run(&demand, scenario, &mut result) {
        Ok(()) => {}
        Err(reason) => result.withheld = Some(reason),
    }
    Ok(result)
}

/// Figures of one run.
type NodeMetrics = [f64; 5];

fn run(demand: &Demand, scenario: &Scenario, result: &mut WhatIf) -> Result<(), String> {
    let before = demand.figures(&vec![0; demand.starts.len()]);
    let mut runs: Vec<NodeMetrics> = Vec::new();
    if demand.starts.is_empty() {
        return Err("no start in the input is touched by it".into());
    }
    let claims = scenario.claims(demand)?;
    let changed = if scenario.is_of_pulls() {
        demand.told()?;
        demand.changed(scenario)?;
        let mut moved = vec![false; demand.starts.len()];
        for way in demand.ways() {
            let as_it_was = demand.shifts(None, way, Order::StartupRecord);
            close(demand.figures_of_touched(&vec![0; demand.starts.len()]), demand.figures_of_touched(&as_it_was))?;
            let drawn = (PULLS / demand.pulls().max(1)).min(ORDERS) as u64;
            let orders = [Order::StartupRecord, Order::QuickFirst, Order::SlowFirst];
            for order in orders.into_iter().chain((0..drawn).map(Order::Drawn)) {
                let shifts = demand.shifts(Some(scenario), way, order);
                for (moved, shift) in moved.iter_mut().zip(&shifts) {
                    *moved |= shift.abs() > 10_000_000;
                }
                let with = |of: &dyn Fn(&(i64, i64)) -> i64| {
                    let all = shifts.iter().zip(&claims).map(|(shift, claim)| shift - of(claim));
                    demand.figures(&all.collect::<Vec<_>>())
                };
                runs.push(with(&|claim| claim.0));
                runs.push(with(&|claim| claim.1));
            }
        }
        moved.iter().zip(&claims).filter(|(moved, claim)| **moved || claim.1 > 0).count()
    } else {
        for of in [0, 1] {
            let all = claims.iter().map(|claim| -if of == 0 { claim.0 } else { claim.1 });
            runs.push(demand.figures(&all.collect::<Vec<_>>()));
        }
        claims.iter().filter(|claim| claim.1 > 0).count()
    };
    if changed == 0 {
        return Err("it saves these starts nothing: none waited for it, or it is no more than what is set".into());
    }
    result.pods = changed as u64;
    let fields = [&mut result.p50, &mut result.p95, &mut result.p99, &mut result.max, &mut result.total];
    for (at, field) in fields.into_iter().enumerate() {
        let get = |figures: &NodeMetrics| figures.get(at).copied().unwrap_or_default();
        let mut after: Vec<f64> = runs.iter().map(get).collect();
        after.sort_by(f64::total_cmp);
        let nth =
            |share: f64| after.get(((after.len() - 1) as f64 * share).round() as usize).copied().unwrap_or_default();
        // Two runs are two bounds, and nothing lies between them.
        let (likely_low, likely_high) = if after.len() > 4 { (nth(0.1), nth(0.9)) } else { (nth(0.0), nth(1.0)) };
        // The replay may be off by as much as it may be of what was.
        let (low, high) = (nth(0.0) * (1.0 - TRUE), nth(1.0) * (1.0 + TRUE));
        *field = Change { before: get(&before), low, high, likely_low, likely_high };
    }
    Ok(())
}

/// Whether the replay of the settings as they were gives what was observed.
fn close(observed: NodeMetrics, replayed: NodeMetrics) -> Result<(), String> {
    let names = ["p50", "p95", "p99", "the longest", "the sum"];
    for ((name, observed), replayed) in names.iter().zip(observed).zip(replayed) {
        if (observed - replayed).abs() > (observed * TRUE).max(0.5) {
            return Err(format!(
                "the replay of the settings as they were does not give what was observed ({name}: {replayed:.1} s, not {observed:.1} s)"
            ));
        }
    }
    Ok(())
}

impl Scenario {
    /// What the bounds assume, in words.
    fn bounds(&self) -> &'static str {
        if self.is_of_pulls() {
            "four of five replays; at the outside all of them: with pulls sharing the node's bandwidth or each keeping its rate, and with pods queueing in other orders"
        } else if self.settings.get(Setting::KubeApiQps).is_some() {
            "from no wait in the client's rate limit at all to waits cut by the ratio of the rates"
        } else {
            "between all that the cause claims, and what of it is certain"
        }
    }

    /// What settings that are no pulls' save each start, nanoseconds: at least, and at most.
    fn claims(&self, demand: &Demand) -> Result<Vec<(i64, i64)>, String> {
        let rate = self.settings.get(Setting::KubeApiQps).and_then(|rate| rate.parse::<f64>().ok());
        let limit = self.settings.get(Setting::RegistryPullQps).is_some();
        let mut all = Vec::with_capacity(demand.starts.len());
        for start in &demand.starts {
            let (mut least, mut most) = (0, 0);
            if let (Some(rate), Some((lost, certain))) = (rate, start.throttled) {
                let had = start.rate.ok_or(
                    "what kubeAPIQPS is on these nodes is not known (50 by default from 1.27 on, and they are held back): give --config",
                )?;
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
