//! Whether a pod's containers are ready, as the kubelet's probe lines show it.
//!
//! Each container with a probe is told as not ready once when the kubelet begins to probe it (`status="not ready"`, up to 1.30
//! the empty status; a startup probe's is `unhealthy`), and as `ready` or `started` when the probe succeeds
//! (pkg/kubelet/prober/worker.go). No line names the container, so they are counted.

use crate::model::record::{Fact, Field, SourceLine};
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND, Time};

/// A probe that fails is logged right before what changes by it.
const SAME: Nanos = Nanos(SECOND / 20);

/// The probes of one pod, event by event in the order of time.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    /// Containers of which a probe has not succeeded yet.
    waiting: usize,
    /// When a probe last failed.
    failed: Option<Time>,
    /// When no container was left waiting, and the line that shows it.
    ready: Option<(Time, SourceLine)>,
    /// Some line tells of a probe.
    probed: bool,
    /// It was ready, and a container is no longer: what follows is no part of its start.
    over: bool,
}

impl Readiness {
    /// What events show, in their order.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut readiness = Readiness::default();
        events.into_iter().for_each(|event| readiness.push(event));
        readiness
    }

    /// Takes an event; most say nothing of probes.
    pub fn push(&mut self, event: &Event) {
        match event.fact {
            _ if self.over => {}
            Fact::ProbeFailed => self.failed = Some(event.time),
            Fact::ProbeResult => self.take_result(event),
            // A container that ends before it is ready is begun anew, and told as not ready anew.
            Fact::PlegEvent if event.fields.text(Field::Type) == Some("ContainerDied") => {
                self.waiting = self.waiting.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn take_result(&mut self, event: &Event) {
        let passed = match event.fields.text(Field::Probe) {
            Some("readiness" | "startup") => {
                matches!(event.fields.text(Field::Status), Some("ready" | "started"))
            }
            // A liveness probe that fails ends its container.
            _ => return,
        };
        self.probed = true;
        if passed {
            self.waiting = self.waiting.saturating_sub(1);
            if self.waiting == 0 {
                self.ready = Some((event.time, event.place));
            }
        } else if self.failed.is_none_or(|failed| event.time - failed > SAME) {
            self.waiting += 1;
            self.ready = None;
        } else if self.ready.is_some() {
            self.over = true;
        }
    }

    /// When all containers were ready, and the line that shows it; `None` without such a line.
    pub fn ready(&self) -> Option<(Time, SourceLine)> {
        self.ready
    }

    /// Whether lines tell of a probe of the pod.
    pub fn is_probed(&self) -> bool {
        self.probed
    }

    /// Whether a probe has not succeeded yet.
    pub fn is_pending(&self) -> bool {
        self.waiting > 0 && !self.over
    }
}
