//! A pod's description, line by line: its own fields at the left, those of its containers indented by four, those of their
//! states by six.

use super::columns::Columns;
use super::container::{Container, field, second};
use super::row::Row;

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
                self.containers.extend(name.map(|name| Container::new(name, init)));
            }
            (Section::InitContainers | Section::Containers, 4 | 6) => {
                if let Some(container) = self.containers.last_mut() {
                    container.line(indent, line);
                }
            }
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
        self.section = section;
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
        if self.labels.len() + self.annotations.len() > LABELS.len() + ANNOTATIONS.len() {
            return;
        }
        if self.section == Section::Labels && LABELS.contains(&&*key) {
            self.labels.push((key, value));
        } else if self.section == Section::Annotations && ANNOTATIONS.contains(&&*key) {
            self.annotations.push((key, value));
        }
    }

    pub(super) fn weight(&self) -> usize {
        let texts = self.containers.iter().map(Container::weight).sum::<usize>() + self.message.len();
        1024 + texts + self.rows.iter().map(Row::weight).sum::<usize>()
    }
}
