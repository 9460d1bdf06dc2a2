//! A volume waited for a configMap or secret that did not exist.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-object-missing",
    title: "A volume waited for a configMap or secret that did not exist.",
    advice: &[Advice::new(0, "create configMaps and secrets before the pods that mount them")],
    text: "\
What it means
The kubelet cannot mount a configMap or secret that is not there and tries again with a growing back-off (0.5 s doubling to 2 min).

How it is recognised
A failed mount whose error says that the object was not found.

What to do
Order the objects (Helm hooks, Argo sync waves), or mark the volume optional if the pod can live without it.

When it misleads
The back-off makes the wait longer than the object was missing: 20 s late became 33 s in a measured case.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(SECOND),
    rationale: "the kubelet polls volumes each 0.3 s, so every pod with one pays that",
    shown_by: &[Evidence::KubeletLog],
    phases: &[Phase::Volumes],
    counts_as_loss: true,
    check: |case| {
        // "not found" is also said of CSI drivers, devices and paths.
        let missing = |event: &&Event| {
            case.in_time(event)
                && event.mentions("not found")
                && ["configmap ", "secret ", "ConfigMap ", "Secret "].iter().any(|kind| event.mentions(kind))
        };
        case.startup.all(Fact::VolumeFailed).find(missing).map(Match::at)
    },
};
