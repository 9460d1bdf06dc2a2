//! Where the time of starts went, by metrics: the mean start as a sum of components. Families count operations, not pods, so
//! most components are known within bounds only, and some phases only together: each component lists the phases it may hold.

mod operations;
mod remainder;
mod remark;

use serde::Serialize;

use super::startup_stats::StartupStats;
use super::window::Window;
use crate::model::names::named_enum;
use crate::model::phase::Phase;
use crate::model::precision::Precision;

pub use remark::Remark;

named_enum! {
    /// A component of the mean start. What is left over comes last.
    Component COMPONENTS {
        /// Mounting volumes.
        Volumes = "volumes",
        /// Waiting for a pull to begin.
        ImageWait = "image wait",
        /// Pulling images.
        ImagePull = "image pull",
        /// Creating the sandbox.
        Sandbox = "sandbox",
        /// Creating and starting containers.
        Start = "start",
        /// Outside the kubelet: before it took the pod, and after it reported it.
        OutsideKubelet = "scheduling and reporting",
        /// What else the kubelet did until the pod ran.
        OtherKubelet = "other kubelet work",
        /// What no family counts, or what the others count too much.
        Unattributed = "unattributed",
    }
}

/// A component of the mean start with its seconds.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct MeanComponent {
    /// Which component.
    pub component: Component,
    /// The phases that may be part of it.
    pub phases: Vec<Phase>,
    /// Mean seconds per start.
    pub mean_s: f64,
    /// At least this.
    pub low_s: f64,
    /// At most this.
    pub high_s: f64,
    /// How well it is known.
    pub precision: Precision,
    /// The metric families it is based on.
    pub families: Vec<String>,
    /// What is to be known about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub remarks: Vec<Remark>,
}

/// Splits the mean start. The components sum to its total, the last taking up what the others leave or count too much. Of
/// several processes each is split: what one counts says nothing of the pods of another.
#[must_use]
pub fn split_mean(window: &Window, stats: &StartupStats) -> Vec<MeanComponent> {
    let of_all = split(window, stats);
    let processes: Vec<(f64, Vec<MeanComponent>)> = window
        .processes
        .iter()
        .filter_map(|process| StartupStats::from_window(process).map(|stats| (stats.count, split(process, &stats))))
        .filter(|(starts, components)| *starts > 0.0 && !components.is_empty())
        .collect();
    if processes.is_empty() {
        return of_all;
    }
    let parts: Vec<(f64, &[MeanComponent])> =
        processes.iter().map(|(starts, components)| (*starts, components.as_slice())).collect();
    let mut components = aggregate(&parts);
    for one in &mut components {
        let known = of_all.iter().find(|known| known.component == one.component);
        one.remarks = known.map_or_else(Vec::new, |known| known.remarks.clone());
    }
    components
}

/// The same of one process.
fn split(window: &Window, stats: &StartupStats) -> Vec<MeanComponent> {
    let pods = stats.pods();
    if pods <= 0.0 {
        return Vec::new();
    }
    let mut split = Split {
        window,
        pods,
        max_s: stats.mean_s.filter(|_| stats.mean_is_exact),
        mixed: (pods - stats.count).abs() >= 0.5,
        recorded: stats.count,
        components: Vec::new(),
    };
    split.operations();
    split.remainder(stats);
    split.components
}

/// The components of several nodes, or processes, as one, each weighted by its recorded starts: so they sum to the mean of all starts.
#[must_use]
pub fn aggregate(nodes: &[(f64, &[MeanComponent])]) -> Vec<MeanComponent> {
    let all: f64 = nodes.iter().filter(|(_, components)| !components.is_empty()).map(|(starts, _)| starts).sum();
    let mut sum: Vec<MeanComponent> = Vec::new();
    for (starts, components) in nodes.iter().filter(|(starts, _)| *starts > 0.0) {
        for one in *components {
            let share = starts / all;
            let (mean_s, low_s, high_s) = (one.mean_s * share, one.low_s * share, one.high_s * share);
            match sum.iter_mut().find(|known| known.component == one.component) {
                Some(known) => {
                    known.mean_s += mean_s;
                    known.low_s += low_s;
                    known.high_s += high_s;
                    let new = one.phases.iter().filter(|phase| !known.phases.contains(phase));
                    let new: Vec<Phase> = new.copied().collect();
                    known.phases.extend(new);
                }
                None => sum.push(MeanComponent { mean_s, low_s, high_s, remarks: Vec::new(), ..one.clone() }),
            }
        }
    }
    // What a node cannot tell from the rest is somewhere in its rest: the component is not 0 there.
    for (starts, components) in nodes.iter().filter(|(starts, _)| *starts > 0.0) {
        let Some(rest) = components.iter().find(|one| one.component == Component::Unattributed) else { continue };
        let untold = |one: &&mut MeanComponent| {
            let told = components.iter().any(|known| known.component == one.component);
            !told && one.phases.iter().any(|phase| *phase != Phase::Unattributed && rest.phases.contains(phase))
        };
        sum.iter_mut().filter(untold).for_each(|one| one.high_s += rest.high_s * starts / all);
    }
    sum.sort_by_key(|one| one.component);
    for one in &mut sum {
        one.precision = precision(one.low_s, one.high_s);
    }
    sum
}

fn precision(low: f64, high: f64) -> Precision {
    if high - low < 1e-9 { Precision::Exact } else { Precision::Bounded }
}

/// Seconds of a component: at least, on average, at most.
#[derive(Clone, Copy, Default)]
struct Estimate {
    low: f64,
    mean: f64,
    high: f64,
}

/// The seconds of a family per pod, and how many operations it counted.
#[derive(Clone, Copy)]
struct PerPod {
    seconds: f64,
    calls: f64,
}

/// The mean start while it is split.
struct Split<'a> {
    window: &'a Window,
    /// How many pods share the seconds.
    pods: f64,
    /// The mean start, where the kubelet exposes it: no component is longer.
    max_s: Option<f64>,
    /// The pods whose operations are counted are not the ones that were recorded.
    mixed: bool,
    /// How many were recorded.
    recorded: f64,
    components: Vec<MeanComponent>,
}

impl Split<'_> {
    fn per_pod(&self, family: &str, label: &str) -> Option<PerPod> {
        let (sum, calls) = self.window.sum(family, label)?;
        Some(PerPod { seconds: sum / self.pods, calls })
    }

    fn seconds(&self, family: &str, label: &str) -> f64 {
        self.per_pod(family, label).map_or(0.0, |operation| operation.seconds)
    }

    fn errors(&self, operation: &str) -> f64 {
        self.window.counter(super::families::name::RUNTIME_ERRORS, operation).unwrap_or(0.0)
    }

    /// The mean of a family's values; none without any.
    fn mean_value(&self, family: &str) -> Option<f64> {
        self.window.sum(family, "").filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum / count)
    }

    fn push(
        &mut self,
        component: Component,
        phases: Vec<Phase>,
        Estimate { low, mean, high }: Estimate,
        families: &[&str],
        remarks: Vec<Remark>,
    ) {
        let max = self.max_s.unwrap_or(f64::INFINITY).max(0.0);
        let (low_s, mean_s, high_s) =
            if mean >= 0.0 { (low.min(max), mean.min(max), high.min(max)) } else { (low, mean, high) };
        self.components.push(MeanComponent {
            component,
            phases,
            mean_s,
            low_s,
            high_s,
            precision: precision(low_s, high_s),
            families: families.iter().map(|family| (*family).to_owned()).collect(),
            remarks,
        });
    }
}
