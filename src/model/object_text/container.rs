//! A container as a pod's description has it.

use chrono::DateTime;

use crate::model::record::truncate_text;

/// The longest text that is kept of a field, bytes.
const MAX_TEXT: usize = 4096;

/// The longest name, bytes.
const MAX_NAME: usize = 253;

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
    pub(super) exit_code: Option<i64>,
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
    which: Option<Which>,
}

impl Container {
    pub(super) fn new(name: &str, init: bool) -> Self {
        Container { init, name: truncate_text(name, MAX_NAME).into_string(), ..Container::default() }
    }

    /// Takes one of its lines: its own fields are indented by four, those of its states by six.
    pub(super) fn line(&mut self, indent: usize, line: &str) {
        let Some((key, value)) = field(line) else { return };
        if indent > 4 {
            return self.of_state(key, value);
        }
        self.which = match key {
            "State" => Some(Which::State),
            "Last State" => Some(Which::LastState),
            _ => None,
        };
        match key {
            "Image" => self.image = value,
            "Restart Count" => self.restarts = value.parse().unwrap_or(0),
            "State" => self.state.name = value,
            "Last State" => self.last_state.name = value,
            "Readiness" => self.readiness = Some(value),
            "Startup" => self.startup = Some(value),
            _ => {}
        }
    }

    /// How much it holds, bytes.
    pub(super) fn weight(&self) -> usize {
        let states =
            [&self.state, &self.last_state].map(|state| state.reason.len() + state.message.len() + state.name.len());
        let probes = [&self.readiness, &self.startup].map(|probe| probe.as_ref().map_or(0, String::len));
        512 + self.image.len() + states.into_iter().chain(probes).sum::<usize>()
    }

    fn of_state(&mut self, key: &str, value: String) {
        let state = match self.which {
            Some(Which::State) => &mut self.state,
            Some(Which::LastState) => &mut self.last_state,
            None => return,
        };
        match key {
            "Reason" => state.reason = value,
            "Message" => state.message = value,
            "Started" => state.started = second(&value),
            "Finished" => state.finished = second(&value),
            "Exit Code" => state.exit_code = value.parse().ok(),
            _ => {}
        }
    }
}

/// A field's name and its text; `<none>` is none.
pub(super) fn field(line: &str) -> Option<(&str, String)> {
    let (key, value) = line.trim_start().split_once(':')?;
    let value = value.trim();
    let value = if matches!(value, "<none>" | "<unset>" | "<nil>") { "" } else { value };
    Some((key, truncate_text(value, MAX_TEXT).into_string()))
}

/// The second of `Sun, 29 Nov 2026 18:40:35 +0000`, which may be in any zone.
pub(super) fn second(text: &str) -> Option<i64> {
    let second = DateTime::parse_from_rfc2822(text).ok()?.timestamp();
    (second > 0).then_some(second)
}
