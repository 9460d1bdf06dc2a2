//! A pod's description, line by line: its own fields at the left, those of its containers indented by four, those of their
//! states by six.

use chrono::DateTime;

use super::columns::Columns;
use super::row::Row;
use crate::model::record::truncate_text;

/// The longest text that is kept of a field, bytes.
const MAX_TEXT: usize = 4096;
/// How many containers and events of a pod are kept.
pub(super) const MAX_CONTAINERS: usize = 200;
const MAX_ROWS: usize = 1000;

/// Which part of a description a line is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Other,
    Labels,
    Annotations,
    InitContainers,
    Containers,
    Events,
}

/// Which state of a container a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    State,
    LastState,
}

/// A container's state.
#[derive(Clone, Debug, Default)]
pub(super) struct ContainerState {
    /// Waiting, Running, Terminated.
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) started: Option<i64>,
    pub(super) finished: Option<i64>,
}

/// A container as it is described.
#[derive(Clone, Debug, Default)]
pub(super) struct Container {
    pub(super) init: bool,
    pub(super) name: String,
    pub(super) image: String,
    pub(super) restarts: i64,
    pub(super) state: ContainerState,
    pub(super) last_state: ContainerState,
    /// What the probes' lines say.
    pub(super) readiness: Option<String>,
    pub(super) startup: Option<String>,
}

/// A pod as it is described; what is not shown is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Description {
    pub(super) line: u64,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) node: String,
    /// The second in which the kubelet took it.
    pub(super) start: Option<i64>,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) owner: Option<(String, String)>,
    /// The labels and annotations that tell what it belongs to.
    pub(super) labels: Vec<(String, String)>,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) containers: Vec<Container>,
    pub(super) rows: Vec<Row>,
    section: Section,
    which: Option<Which>,
    columns: Option<Columns>,
}

/// Whether a line begins a description.
pub(super) fn is_name(line: &str) -> bool {
    line.starts_with("Name:")
}

/// Whether a line is the second of a description.
pub(super) fn is_namespace(line: &str) -> bool {
    line.starts_with("Namespace:")
}

impl Description {
    /// From its first two lines.
    pub(super) fn new(line: u64, name: &str, namespace: &str) -> Self {
        let value = |line| field(line).map(|(_, value)| value).unwrap_or_default();
        Description { line, name: value(name), namespace: value(namespace), ..Description::default() }
    }

    /// Takes one of its lines; `columns` are those of a line of heads.
    pub(super) fn line(&mut self, number: u64, line: &str, columns: Option<Columns>) {
        if columns.is_some() {
            (self.section, self.columns) = (Section::Events, columns);
            return;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        match (self.section, indent) {
            // A message of several lines may hold anything.
            (Section::Events, _) => {
                let Some(columns) = self.columns.as_ref().filter(|_| self.rows.len() < MAX_ROWS && indent > 0) else {
                    return;
                };
                self.rows.extend(Row::of(number, line, columns));
            }
            (_, 0) => self.own(line),
            (Section::Labels | Section::Annotations, _) => self.note(line.trim()),
            (Section::InitContainers | Section::Containers, 2) => {
                let name = line.trim().strip_suffix(':').filter(|_| self.containers.len() < MAX_CONTAINERS);
                let init = self.section == Section::InitContainers;
                self.containers.extend(name.map(|name| Container {
                    init,
                    name: name.to_owned(),
                    ..Container::default()
                }));
                self.which = None;
            }
            (Section::InitContainers | Section::Containers, 4) => self.of_container(line),
            (Section::InitContainers | Section::Containers, 6) => self.of_state(line),
            _ => {}
        }
    }

    fn own(&mut self, line: &str) {
        let Some((key, value)) = field(line) else { return };
        let once = |held: &mut String, value: String| {
            if held.is_empty() {
                *held = value;
            }
        };
        let section = match key {
            "Labels" => Section::Labels,
            "Annotations" => Section::Annotations,
            "Init Containers" => Section::InitContainers,
            "Containers" => Section::Containers,
            // `Events: <none>` ends it as well.
            "Events" => Section::Events,
            _ => Section::Other,
        };
        (self.section, self.which) = (section, None);
        match key {
            "Node" => once(&mut self.node, value.split('/').next().unwrap_or_default().to_owned()),
            "Start Time" => self.start = self.start.or_else(|| second(&value)),
            "Status" => once(&mut self.status, value),
            "Reason" => once(&mut self.reason, value),
            "Message" => once(&mut self.message, value),
            "Controlled By" => {
                let owner = value.split_once('/').map(|(kind, name)| (kind.to_owned(), name.to_owned()));
                self.owner = self.owner.take().or(owner);
            }
            "Labels" | "Annotations" => self.note(&value),
            _ => {}
        }
    }

    /// A label or an annotation.
    fn note(&mut self, text: &str) {
        const LABELS: [&str; 2] = ["pod-template-hash", "rollouts-pod-template-hash"];
        const ANNOTATIONS: [&str; 2] = ["kubernetes.io/config.mirror", "openshift.io/deployment-config.name"];
        let pair = text.split_once('=').or_else(|| text.split_once(": "));
        let Some((key, value)) = pair.map(|(key, value)| (key.to_owned(), value.trim().to_owned())) else { return };
        if self.section == Section::Labels && LABELS.contains(&&*key) {
            self.labels.push((key, value));
        } else if self.section == Section::Annotations && ANNOTATIONS.contains(&&*key) {
            self.annotations.push((key, value));
        }
    }

    fn of_container(&mut self, line: &str) {
        let (Some((key, value)), Some(container)) = (field(line), self.containers.last_mut()) else { return };
        self.which = match key {
            "State" => Some(Which::State),
            "Last State" => Some(Which::LastState),
            _ => None,
        };
        match key {
            "Image" => container.image = value,
            "Restart Count" => container.restarts = value.parse().unwrap_or(0),
            "State" => container.state.name = value,
            "Last State" => container.last_state.name = value,
            "Readiness" => container.readiness = Some(value),
            "Startup" => container.startup = Some(value),
            _ => {}
        }
    }

    fn of_state(&mut self, line: &str) {
        let (Some((key, value)), Some(container)) = (field(line), self.containers.last_mut()) else { return };
        let state = match self.which {
            Some(Which::State) => &mut container.state,
            Some(Which::LastState) => &mut container.last_state,
            None => return,
        };
        match key {
            "Reason" => state.reason = value,
            "Message" => state.message = value,
            "Started" => state.started = second(&value),
            "Finished" => state.finished = second(&value),
            _ => {}
        }
    }

    pub(super) fn weight(&self) -> usize {
        let texts = self.containers.len() * 1024 + self.message.len();
        1024 + texts + self.rows.iter().map(Row::weight).sum::<usize>()
    }
}

/// A field's name and its text; `<none>` is none.
fn field(line: &str) -> Option<(&str, String)> {
    let (key, value) = line.trim_start().split_once(':')?;
    let value = value.trim();
    let value = if matches!(value, "<none>" | "<unset>" | "<nil>") { "" } else { value };
    Some((key, truncate_text(value, MAX_TEXT).into_string()))
}

/// The second of `Sun, 29 Nov 2026 18:40:35 +0000`, which may be in any zone.
fn second(text: &str) -> Option<i64> {
    let second = DateTime::parse_from_rfc2822(text).ok()?.timestamp();
    (second > 0).then_some(second)
}
