//! Image volumes were pulled before the containers.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-volume-pull",
    title: "Image volumes were pulled before the containers",
    advice: &[Advice::new(0, "pre-pull the images that pods mount as volumes (DaemonSet, node image), or split large ones so that nodes share what does not change").side_effect("disk space on every node")],
    text: "\
What it means
An image that is mounted as a volume (ImageVolume, KEP-4639: on by default since 1.35, in 1.33 and 1.34 with its feature gate) is pulled after the sandbox is there, one after the other, before any container starts. A model of 20 GB in such a volume is in no container's pull.

How it is detected
Pulled events of the pod that name no container in the kubelet's log at -v=3. Each shows how long its pull took, with and without waiting. The lines are those of the source; no real log of them was at hand.

What to do
Pre-pull these images. Keep what changes often, and is small, in a volume of its own.

When it misleads
At -v=2 no line shows these pulls: the runtime's log has them without a pod, and they look like a container's. A pull that fails is image-pull-failing.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a start has 5 s in total, and sandbox and container take half of them on a busy node: a pull of 1 s is what may exceed it",
    shown_by: &[Evidence::KubeletEvents, Evidence::Events],
    phases: &[Phase::ImagePull, Phase::ImageWait],
    logs: Some(|case| {
        let pulls = || case.startup.all(Fact::ImageVolumePulled).filter(|event| case.in_time(event));
        let longest = pulls().max_by_key(|event| event.fields.length(Field::Duration))?;
        let within: Vec<(Time, Time)> = pulls()
            .filter_map(|event| {
                let took = event.fields.length(Field::Duration)?;
                Some((event.time - event.fields.length(Field::Waited).unwrap_or(took).max(took), event.time))
            })
            .collect();
        let waited_for = longest.fields.text(Field::Image).map(|image| WaitedFor::Image(image.into()));
        (!within.is_empty()).then(|| Match { waited_for, within, ..Match::at(longest) })
    }),
    metrics: None,
};
