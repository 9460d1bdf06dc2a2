//! Node short of CPU, memory or disk, or too many pods started at once.

use super::metric_rules::{MetricCase, MetricClaim, percent};
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// The share of the time in which some task waited for a resource, from which on the node is short of it.
const MIN_PRESSURE: f64 = 0.2;
/// The share of the time in which a disk was busy, from which on it is the bottleneck.
const MIN_DISK_BUSY: f64 = 0.9;

/// Whether so many starts at once were slow in all that they share that the node is named and not one of these steps. Pressure
/// that was measured, and was low, shows that it is not the node.
pub(super) fn by_burst(case: &MetricCase<'_>) -> bool {
    let pressure = [(name::PSI_CPU, "/"), (name::NODE_CPU, "")];
    let known = pressure.iter().find_map(|(family, label)| case.window.share(family, label));
    known.is_none_or(|share| share >= MIN_PRESSURE) && case.burst().is_some()
}

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "node-overloaded",
    title: "Node short of CPU, memory or disk, or too many pods started at once",
    advice: &[Advice::new(0, "spread starts over nodes; use faster disks; reserve CPU for the system (systemReserved, kubeReserved)").side_effect("more or larger nodes")],
    text: "\
What it means
Everything on the node waits for the same CPU or disk: the runtime, the kubelet and the starting containers.

How it is detected
In logs: the kubelet accepted eight or more other pods within 3 s, and sandbox and containers, which share only the node, together took 3 s longer than on a quiet node (with the kubelet log alone, which shows their ends late, 1 s of it is not counted; where it shows both ends at once, the containers of the other pods count); or the kubelet reports an unhealthy PLEG or late housekeeping. In metrics: pressure stall information of the whole node (cAdvisor's cgroup \"/\" or node_exporter) shows that some task waited for CPU, memory or disk for at least a fifth of the time; or a disk was busy for at least 90 % of the time; or relists took 1 s or more on average; or, unless pressure was measured, eight or more pods at once had their sandbox or containers made, on average over the window, and both together took 4 s or more per start, of which containers 1 s or more.

What to do
See which of the resources it is. Start fewer pods at once on a node, reserve CPU for kubelet and runtime, put /var/lib/containerd on a faster disk.

When it misleads
Pressure is an average over the whole window, and the starts may lie in a quiet part of it: use a window around the starts. Pods of one burst lose about the same time; those just below the threshold have no cause, those just above it have this one.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(3 * SECOND),
    rationale: "sandbox and containers together take up to 1 s on a quiet node; 20 cached pods at once on two cores lost up to 3.6 s (captures)",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::ContainerMetrics, Evidence::NodeMetrics, Evidence::KubeletMetrics],
    phases: &[Phase::Sandbox, Phase::Start],
    logs: Some(|case| {
        let slow = case.node_event(Fact::PlegUnhealthy).or(case.node_event(Fact::HousekeepingLate));
        if let Some(slow) = slow {
            return Some(Match::at(slow));
        }
        // A sandbox that is slow because of its network leaves the containers quick.
        let (sandbox, start) = (case.seconds(Phase::Sandbox), case.seconds(Phase::Start));
        // By times in whole seconds a quick one may look like a second.
        let least = if case.breakdown.timeline.whole_seconds { 1.5 } else { 0.5 };
        // What one relist noticed at once no line divides; then others of the burst show whether containers were slow, too.
        let precision = case.relist_uncertainty();
        let undivided = precision > Nanos(0)
            && start < least
            && case.spans(Phase::Start).any(|span| span.max.seconds() >= least + precision.seconds());
        let slow_too = case.startup.context.neighbours.is_some_and(|others| {
            others.start.seconds() >= least + precision.seconds() && others.sandbox >= Nanos(SECOND)
        });
        let both = (start >= least || undivided && slow_too) && sandbox + start >= 4.0 + precision.seconds();
        (case.burst() && both).then(|| Match {
            waited_for: Some(WaitedFor::Burst { others: case.startup.context.concurrent_starts }),
            // Between none and all of the uncertainty may be lateness of the last relist alone: the middle is not claimed.
            noticed_late: Nanos(case.relist_uncertainty().0 / 2),
            ..Match::default()
        })
    }),
    metrics: Some(|case| {
        let kinds = [
            ("CPU", name::PSI_CPU, name::NODE_CPU),
            ("memory", name::PSI_MEMORY, name::NODE_MEMORY),
            ("disk I/O", name::PSI_IO, name::NODE_IO),
        ];
        let mut observed: Vec<String> = Vec::new();
        for (resource, own, node) in kinds {
            let share = case.window.share(own, "/").or_else(|| case.window.share(node, ""));
            let share = share.filter(|share| *share >= MIN_PRESSURE);
            observed.extend(share.map(|share| format!("tasks waited for {resource} {} of the time", percent(share.min(1.0)))));
        }
        let disks = case
            .window
            .all(name::NODE_DISK, "")
            .filter_map(|(disk, counted)| Some((disk, counted.value / counted.seconds?)));
        let busiest = disks.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, share)| *share >= MIN_DISK_BUSY);
        observed.extend(busiest.map(|(disk, share)| format!("disk {disk} was busy {} of the time", percent(share.min(1.0)))));
        let relist = case.window.sum(name::RELIST, "").filter(|(sum, count)| *count > 0.0 && sum / count >= 1.0);
        observed.extend(relist.map(|(sum, count)| format!("a relist took {}", format_duration(sum / count))));
        let runtime: f64 = [Phase::Sandbox, Phase::Start, Phase::ImagePull]
            .iter()
            .filter_map(|phase| case.part(*phase))
            .map(|part| part.high_s)
            .sum();
        let high = runtime + case.unexplained_kubelet_work();
        if !observed.is_empty() {
            return Some(MetricClaim::up_to(high, observed.join("; ")));
        }
        let (high, at_once) = case.burst().filter(|_| by_burst(case))?;
        let observed = format!(
            "on average {at_once:.0} pods at once had their sandbox or containers made, which took {} per start",
            format_duration(high)
        );
        Some(MetricClaim::up_to(high, observed))
    }),
};
