//! The settings of a replay, as a user writes them: `serializeImagePulls=false,maxParallelImagePulls=3`, `prepull=IMAGE`.

use crate::causes::setting::{Setting, Settings};
use crate::model::error::{Error, ErrorKind};

/// Other settings to run the observed demand under.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// As the user wrote it.
    pub text: String,
    /// Settings of the kubelet.
    pub settings: Settings,
    /// Images that are on the nodes before.
    pub prepull: Vec<String>,
    /// The cause whose advice it is.
    pub cause: Option<&'static str>,
    /// Its trade-off; none if there is none.
    pub side_effect: Option<String>,
}

/// What can be replayed, beside `prepull`.
const REPLAYED: [Setting; 4] =
    [Setting::SerializeImagePulls, Setting::MaxParallelImagePulls, Setting::KubeApiQps, Setting::RegistryPullQps];

impl Scenario {
    /// Reads settings with commas between them.
    ///
    /// # Errors
    /// When one is unknown, has no value of its kind, or the kubelet would refuse them together.
    pub fn of(text: &str) -> Result<Self, Error> {
        let wrong = |what: String| {
            let names: Vec<&str> = REPLAYED.iter().map(|knob| knob.name()).collect();
            Error::new(ErrorKind::Setting, format!("--what-if {text}: {what}"))
                .help(format!("give {} or prepull, as name=value, separated by commas", names.join(", ")))
        };
        let mut scenario = Scenario { text: text.to_owned(), ..Scenario::default() };
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once('=').ok_or_else(|| wrong(format!("{word:?} has no value")))?;
            let value = value.trim();
            if name == "prepull" {
                if value.is_empty() {
                    return Err(wrong("prepull needs an image".into()));
                }
                scenario.prepull.push(value.to_owned());
                continue;
            }
            let knob = Setting::from_name(name).filter(|knob| REPLAYED.contains(knob));
            let knob = knob.ok_or_else(|| wrong(format!("{name:?} cannot be simulated")))?;
            let fits = match knob {
                Setting::SerializeImagePulls => matches!(value, "true" | "false"),
                // What another limit would have refused is unknown; no limit refuses nothing.
                Setting::RegistryPullQps => value == "0",
                _ => value.parse::<u32>().is_ok_and(|most| most > 0),
            };
            if !fits {
                let want = match knob {
                    Setting::SerializeImagePulls => "true or false",
                    Setting::RegistryPullQps => "0 (no limit)",
                    _ => "a whole number, 1 or more",
                };
                return Err(wrong(format!("{name} must be {want}, not {value:?}")));
            }
            scenario.settings.set(knob, value);
        }
        if scenario.settings == Settings::default() && scenario.prepull.is_empty() {
            return Err(wrong("no setting given".into()));
        }
        // Fights between limits are the user's own affair; what the kubelet refuses cannot be replayed.
        if scenario.settings.get(Setting::SerializeImagePulls) == Some("true")
            && let Some(conflict) = scenario.settings.conflicts().first()
        {
            return Err(wrong(conflict.clone()));
        }
        Ok(scenario)
    }

    /// The same as the advice for a cause.
    #[must_use]
    pub fn for_cause(self, cause: &'static str, side_effect: Option<&str>) -> Self {
        Scenario { cause: Some(cause), side_effect: side_effect.map(str::to_owned), ..self }
    }

    /// Whether it changes how pulls wait for each other.
    pub(super) fn is_of_pulls(&self) -> bool {
        self.settings.pull_concurrency().is_some() || !self.prepull.is_empty()
    }

    /// Whether it changes a limit whose waits causes claim.
    pub(super) fn is_of_limits(&self) -> bool {
        [Setting::KubeApiQps, Setting::RegistryPullQps].iter().any(|knob| self.settings.get(*knob).is_some())
    }

    /// Whether an image is on the nodes before. Runtimes write the whole name of an image whose pod names a part of it.
    pub(super) fn has(&self, image: &str) -> bool {
        self.prepull.iter().any(|known| self.names(known, image))
    }

    /// Whether a user's word names an image of the log.
    pub(super) fn names(&self, known: &str, image: &str) -> bool {
        image == known
            || image.strip_suffix(known).is_some_and(|before| before.ends_with('/'))
            || image.strip_prefix(known) == Some(":latest")
    }
}
