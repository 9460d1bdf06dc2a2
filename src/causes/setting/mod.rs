//! Kubelet settings that affect pod startup: their known values, and conflicts between them.
//!
//! To add one: a row in [`SETTINGS`], its flag where it has one, and when a known value satisfies a wanted one.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::model::error::{Error, ErrorKind};
use crate::model::names::named_enum;

named_enum! {
    /// A setting by its name in KubeletConfiguration (`kubelet.config.k8s.io/v1beta1`).
    Setting SETTINGS {
        /// One pull at a time.
        SerializeImagePulls = "serializeImagePulls",
        /// The maximum of concurrent pulls (KEP-3673, 1.27).
        MaxParallelImagePulls = "maxParallelImagePulls",
        /// Pulls per second, above which they are rejected; 0: no limit.
        RegistryPullQps = "registryPullQPS",
        /// The burst above that limit.
        RegistryBurst = "registryBurst",
        /// Requests per second to the API server.
        KubeApiQps = "kubeAPIQPS",
        /// The burst of requests above that limit.
        KubeApiBurst = "kubeAPIBurst",
        /// Where memory.high lies between request and limit (KEP-2570).
        MemoryThrottlingFactor = "memoryThrottlingFactor",
        /// The usage of the image disk, in percent, above which images are removed.
        ImageGcHigh = "imageGCHighThresholdPercent",
        /// Container status by events (KEP-3386).
        EventedPleg = "featureGates.EventedPLEG",
        /// A relist right after each sync (1.36).
        OnDemandRelist = "featureGates.PLEGOnDemandRelist",
        /// memory.high for containers (KEP-2570).
        MemoryQos = "featureGates.MemoryQoS",
        /// Volumes mounted with their SELinux label (KEP-1710).
        SelinuxMount = "featureGates.SELinuxMount",
    }
}

impl Setting {
    /// Its command line flag, and the values the flag prints if it is not set (1.26 to 1.37).
    fn flag(self) -> Option<(&'static str, &'static [&'static str])> {
        Some(match self {
            Setting::SerializeImagePulls => ("serialize-image-pulls", &["true"]),
            Setting::RegistryPullQps => ("registry-qps", &["5"]),
            Setting::RegistryBurst => ("registry-burst", &["10"]),
            Setting::KubeApiQps => ("kube-api-qps", &["5", "50"]),
            Setting::KubeApiBurst => ("kube-api-burst", &["10", "100"]),
            Setting::ImageGcHigh => ("image-gc-high-threshold", &["85"]),
            _ => return None,
        })
    }

    /// Its default for a minor version of Kubernetes 1; none: there is none, or it is not known.
    /// (pkg/kubelet/apis/config/v1beta1/defaults.go and kube_features.go; pull request 116121 for the API client.)
    #[must_use]
    pub fn default_of(self, minor: u32) -> Option<&'static str> {
        Some(match self {
            Setting::SerializeImagePulls => "true",
            Setting::MaxParallelImagePulls => return None,
            Setting::RegistryPullQps => "5",
            Setting::RegistryBurst => "10",
            Setting::KubeApiQps if minor < 27 => "5",
            Setting::KubeApiQps => "50",
            Setting::KubeApiBurst if minor < 27 => "10",
            Setting::KubeApiBurst => "100",
            Setting::MemoryThrottlingFactor if minor < 27 => "0.8",
            Setting::MemoryThrottlingFactor => "0.9",
            Setting::ImageGcHigh => "85",
            Setting::EventedPleg => "false",
            Setting::OnDemandRelist if minor < 36 => return None,
            Setting::OnDemandRelist => "true",
            Setting::MemoryQos | Setting::SelinuxMount if minor > 36 => return None,
            Setting::MemoryQos | Setting::SelinuxMount => "false",
        })
    }

    /// Whether a known value has the effect of a wanted one.
    fn satisfies(self, known: &str, wanted: &str) -> bool {
        let numbers = || Some((known.parse::<f64>().ok()?, wanted.parse::<f64>().ok()?));
        match (self, numbers()) {
            (Setting::MaxParallelImagePulls | Setting::ImageGcHigh, Some((known, wanted))) => known >= wanted,
            (Setting::KubeApiQps | Setting::KubeApiBurst, Some((known, wanted))) => known >= wanted,
            (Setting::RegistryPullQps, Some((known, wanted))) if wanted > 0.0 => known >= wanted || known == 0.0,
            (_, Some((known, wanted))) => known == wanted,
            _ => known == wanted,
        }
    }
}

/// Settings with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<Setting, Box<str>>);

impl Settings {
    /// The settings that a kubelet's `FLAG:` lines prove. Flags are printed before the configuration file is read: if there is
    /// such a file, a flag's default proves nothing.
    #[must_use]
    pub fn of_flags(flags: &BTreeMap<Box<str>, Box<str>>) -> Self {
        let get = |flag: &str| flags.get(flag).map(|value| &**value);
        let file = get("config").is_none_or(|path| !path.is_empty());
        let mut known = BTreeMap::new();
        for (setting, _) in SETTINGS {
            let Some((flag, defaults)) = setting.flag() else { continue };
            if let Some(value) = get(flag).filter(|value| !file || !defaults.contains(value)) {
                known.insert(*setting, value.into());
            }
        }
        for gate in get("feature-gates").unwrap_or_default().split(',') {
            let gate = gate.split_once('=').and_then(|(name, value)| Some((gate_of(name.trim())?, value.trim())));
            if let Some((setting, value)) = gate {
                known.insert(setting, value.into());
            }
        }
        Settings(known)
    }

    /// Reads a KubeletConfiguration in YAML or JSON, the response of a kubelet's `/configz`, or the ConfigMap of kubeadm.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn of_config(text: &str) -> Result<Self, Error> {
        let wrong = |error: &dyn fmt::Display| {
            Error::new(ErrorKind::Setting, format!("invalid kubelet configuration: {error}")).help(
                "use a KubeletConfiguration (/var/lib/kubelet/config.yaml) or the response of the kubelet's /configz",
            )
        };
        let read = |text: &str| -> Result<Value, Error> {
            serde_saphyr::from_str(text).map_err(|error| wrong(&error.to_string().lines().next().unwrap_or_default()))
        };
        if text.trim().is_empty() {
            return Err(wrong(&"the file is empty"));
        }
        let mut config = read(text)?;
        if let Some(inside) = config.pointer("/data/kubelet").and_then(Value::as_str) {
            config = read(inside)?;
        }
        let named = config.get("kind").and_then(Value::as_str) == Some("KubeletConfiguration");
        let config = match config.get("kubeletconfig") {
            Some(answer) => answer,
            None if named => &config,
            None => return Err(wrong(&"neither kind: KubeletConfiguration nor kubeletconfig found")),
        };
        let mut known = BTreeMap::new();
        for (setting, name) in SETTINGS {
            let value = config.pointer(&format!("/{}", name.replace('.', "/")));
            let value = match value {
                Some(Value::Bool(value)) => value.to_string(),
                Some(Value::Number(value)) => value.to_string(),
                None | Some(Value::Null) => continue,
                Some(other) => return Err(wrong(&format!("unexpected value of {name}: {other}"))),
            };
            known.insert(*setting, value.into());
        }
        Ok(Settings(known))
    }

    /// These, completed by others.
    #[must_use]
    pub fn over(mut self, others: &Settings) -> Self {
        for (setting, value) in &others.0 {
            self.0.entry(*setting).or_insert_with(|| value.clone());
        }
        self
    }

    /// As one text: `name=value`, with blanks between them.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.iter().map(|(setting, value)| format!("{}={value}", setting.name())).collect::<Vec<_>>().join(" ")
    }

    /// Reads such a text.
    #[must_use]
    pub fn read(words: &str) -> Self {
        let one =
            |word: &str| word.split_once('=').and_then(|(name, value)| Some((Setting::from_name(name)?, value.into())));
        Settings(words.split(' ').filter_map(one).collect())
    }

    /// The value of a setting.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0.get(&setting).map(|value| &**value)
    }

    /// Sets one.
    pub fn set(&mut self, setting: Setting, value: &str) {
        self.0.insert(setting, value.into());
    }

    /// Each with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Setting, &str)> {
        self.0.iter().map(|(setting, value)| (*setting, &**value))
    }

    /// Whether these have the effect of a wanted value.
    #[must_use]
    pub fn has(&self, setting: Setting, wanted: &str) -> bool {
        // With serializeImagePulls explicitly true, no number of concurrent pulls applies.
        if setting == Setting::MaxParallelImagePulls && self.get(Setting::SerializeImagePulls) == Some("true") {
            return false;
        }
        let unlimited = setting == Setting::MaxParallelImagePulls
            && self.get(Setting::SerializeImagePulls) == Some("false")
            && self.get(setting).is_none();
        unlimited || self.get(setting).is_some_and(|known| setting.satisfies(known, wanted))
    }

    /// How many pulls a node runs at once: outer none is unknown, inner none is no limit.
    #[must_use]
    pub fn pull_concurrency(&self) -> Option<Option<usize>> {
        let most = self.get(Setting::MaxParallelImagePulls).and_then(|most| most.parse::<usize>().ok());
        match (self.get(Setting::SerializeImagePulls), most) {
            (Some("true"), _) | (_, Some(1)) => Some(Some(1)),
            (_, Some(most)) => Some(Some(most)),
            (Some("false"), None) => Some(None),
            _ => None,
        }
    }

    /// Conflicting settings, in words.
    #[must_use]
    pub fn conflicts(&self) -> Vec<String> {
        let number = |setting| self.get(setting).and_then(|value| value.parse::<f64>().ok());
        let on = |setting| self.get(setting) == Some("true");
        let mut all = Vec::new();
        if on(Setting::SerializeImagePulls) && number(Setting::MaxParallelImagePulls).is_some_and(|most| most > 1.0) {
            all.push(
                "serializeImagePulls: true with maxParallelImagePulls above 1: the kubelet does not start; \
                 set serializeImagePulls: false or leave it out"
                    .to_owned(),
            );
        }
        if on(Setting::EventedPleg) && on(Setting::OnDemandRelist) {
            all.push("EventedPLEG with PLEGOnDemandRelist: with events, the relist runs only every 300 s".to_owned());
        }
        all
    }
}

/// The gate with this name.
fn gate_of(name: &str) -> Option<Setting> {
    Setting::from_name(&format!("featureGates.{name}"))
}

#[cfg(test)]
mod tests;
