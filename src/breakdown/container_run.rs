//! One run of a container, by its steps.

use super::bounded_instant::BoundedInstant;
use crate::model::record::SourceLine;
use crate::model::time::Time;

/// One run of a container.
#[derive(Clone, Debug)]
pub struct ContainerRun {
    /// Its name, when a line shows it.
    pub name: Option<Box<str>>,
    /// Its id, when a line shows it.
    pub id: Option<Box<str>>,
    /// `CreateContainer` began; with events: its image was there.
    pub requested: Option<BoundedInstant>,
    /// It runs.
    pub started: Option<BoundedInstant>,
    /// It ended.
    pub exited: Option<BoundedInstant>,
    /// The runtime was asked to stop it while it ran: it did not end by itself.
    pub stopped: bool,
    /// The relist noticed that it runs.
    pub noticed: Option<(Time, SourceLine)>,
    /// The relist noticed that it ended.
    pub exit_noticed: Option<(Time, SourceLine)>,
    /// It is a regular init container.
    pub init: bool,
    /// A sidecar's start-up probe passed.
    pub probe_passed: Option<(Time, SourceLine)>,
}

impl ContainerRun {
    pub(super) fn new(name: Option<&str>, id: Option<&str>) -> Self {
        ContainerRun {
            name: name.map(Into::into),
            id: id.map(Into::into),
            requested: None,
            started: None,
            exited: None,
            stopped: false,
            noticed: None,
            exit_noticed: None,
            init: false,
            probe_passed: None,
        }
    }

    /// When the kubelet could go on to the next container.
    pub fn done(&self) -> Option<Time> {
        if self.init || self.started.is_none() {
            let exited = self.exit_noticed.map(|(time, _)| time).or(self.exited.map(|mark| mark.at));
            return exited.or(self.started.map(|mark| mark.at));
        }
        self.probe_passed.map(|(time, _)| time).or(self.started.map(|mark| mark.at))
    }

    pub(super) fn first_instant(&self) -> Option<Time> {
        self.requested
            .or(self.started)
            .map(|mark| mark.at)
            .or(self.noticed.map(|(time, _)| time))
            .or(self.exit_noticed.map(|(time, _)| time))
    }
}
