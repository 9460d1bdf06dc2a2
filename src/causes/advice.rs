//! Advice by the version of the kubelet and by what is set already: a setting that is the default, that is set, or that does not
//! exist yet, is not advised.

use super::Cause;
use crate::causes::setting::{Setting, Settings};

/// What to set, and its side effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// It applies since this minor version of Kubernetes 1; 0 for all before the next one.
    pub since: u32,
    /// What to do, in one line.
    pub set: &'static str,
    /// Its side effect, if it has one.
    pub side_effect: Option<&'static str>,
    /// The same as kubelet settings, if it is any.
    pub yaml: &'static [(Setting, &'static str)],
    /// What to do if all of these are set already.
    pub if_already_set: &'static str,
    /// What to replay to estimate its effect; empty if it cannot be replayed.
    pub what_if: &'static str,
}

impl Advice {
    pub(super) const fn new(since: u32, set: &'static str) -> Self {
        Advice { since, set, side_effect: None, yaml: &[], if_already_set: "", what_if: "" }
    }

    pub(super) const fn side_effect(self, side_effect: &'static str) -> Self {
        Advice { side_effect: Some(side_effect), ..self }
    }

    pub(super) const fn yaml(self, yaml: &'static [(Setting, &'static str)], if_already_set: &'static str) -> Self {
        Advice { yaml, if_already_set, ..self }
    }

    /// Whether all of it is set: at least one setting explicitly, the rest explicitly or by default.
    fn is_done(&self, known: &Settings, minor: Option<u32>) -> bool {
        let default = |setting: Setting| minor.and_then(|minor| setting.default_of(minor)).unwrap_or_default();
        let set = |(setting, wanted): &(Setting, &str)| match known.get(*setting) {
            None => known.has(*setting, wanted) || default(*setting) == *wanted,
            Some(_) => known.has(*setting, wanted),
        };
        let known_value =
            |(setting, wanted): &(Setting, &str)| known.get(*setting).is_some() || known.has(*setting, wanted);
        self.yaml.iter().any(known_value) && self.yaml.iter().all(set)
    }

    pub(super) const fn what_if(self, what_if: &'static str) -> Self {
        Advice { what_if, ..self }
    }
}

/// Advice for the kubelet versions of the input, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Advised {
    /// What to do.
    pub set: String,
    /// Its side effect; null if it has none.
    pub side_effect: Option<String>,
    /// Lines to add to the kubelet configuration, if it is a kubelet setting.
    pub yaml: Vec<String>,
    /// The settings of it that are in place already.
    pub already: Vec<String>,
}

/// The minor version of `v1.36.3`; none if it is not a version.
pub(crate) fn minor(version: &str) -> Option<u32> {
    let mut parts = version.trim_start_matches('v').split('.');
    parts.next().filter(|major| *major == "1")?;
    parts.next()?.parse().ok()
}

impl Cause {
    /// What to do about it, for these kubelets and the settings known for all of them. If their versions need different advice, or
    /// no version is known, each piece of advice starts with its versions.
    pub fn advised<'a>(&self, kubelets: impl IntoIterator<Item = &'a str>, known: &Settings) -> Advised {
        let kubelets: Vec<&str> = kubelets.into_iter().collect();
        let numbers = self.numbers(kubelets.iter().copied());
        let alone = numbers.len() == 1;
        let line = |of: &dyn Fn(&Advice) -> &'static str| {
            let mut texts: Vec<(usize, &'static str)> = Vec::new();
            for number in &numbers {
                let Some(text) = self.advice.get(*number).map(of) else { continue };
                if texts.last().is_none_or(|(_, last)| *last != text) {
                    texts.push((*number, text));
                }
            }
            let led = |(number, text): &(usize, &'static str)| {
                if alone || texts.len() == 1 {
                    (*text).to_owned()
                } else {
                    format!("{}: {text}", self.versions(*number))
                }
            };
            texts.iter().map(led).collect::<Vec<_>>().join("; ")
        };
        let done = |advice: &Advice| advice.is_done(known, kubelets.iter().copied().find_map(minor));
        let all = || numbers.iter().filter_map(|number| self.advice.get(*number));
        // Configuration lines for several versions at once would be wrong for some of them.
        let lines = if alone { all().flat_map(|advice| advice.yaml).copied().collect() } else { Vec::new() };
        let (have, mut need): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|(setting, wanted)| known.has(*setting, wanted));
        let in_place = |setting: Setting| known.get(setting).map(|value| format!("{}: {value}", setting.name()));
        let mut already: Vec<String> = have.iter().filter_map(|(setting, _)| in_place(*setting)).collect();
        // A default that is not known to be changed need not be set.
        let alone_minor = kubelets.iter().copied().filter_map(minor).next().filter(|_| alone);
        need.retain(|(setting, wanted)| {
            known.get(*setting).is_some() || alone_minor.and_then(|minor| setting.default_of(minor)) != Some(*wanted)
        });
        let parallel = need.iter().any(|(setting, _)| *setting == Setting::MaxParallelImagePulls);
        if parallel && known.get(Setting::SerializeImagePulls) == Some("true") {
            // Set explicitly to true it stays true, and the kubelet rejects the two together.
            need.insert(0, (Setting::SerializeImagePulls, "false"));
        }
        if already.is_empty() && all().all(done) {
            already.extend(all().flat_map(|advice| advice.yaml).find_map(|_| in_place(Setting::SerializeImagePulls)));
        }
        let effect = |advice: &Advice| advice.side_effect.filter(|_| !done(advice));
        Advised {
            set: line(&|advice| if done(advice) { advice.if_already_set } else { advice.set }),
            side_effect: all()
                .any(|advice| effect(advice).is_some())
                .then(|| line(&|advice| effect(advice).unwrap_or("none"))),
            yaml: need.iter().map(|(setting, value)| format!("{}: {value}", setting.name())).collect(),
            already,
        }
    }

    /// What to replay to estimate the effect of the advice, if all kubelets get the same advice and it is not in place yet.
    pub(crate) fn what_if<'a>(
        &self,
        kubelets: impl IntoIterator<Item = &'a str>,
        known: &Settings,
    ) -> Option<&'static str> {
        let kubelets: Vec<&str> = kubelets.into_iter().collect();
        let numbers = self.numbers(kubelets.iter().copied());
        let [number] = numbers.as_slice() else { return None };
        let advice = self.advice.get(*number)?;
        let done = advice.is_done(known, kubelets.iter().copied().find_map(minor));
        (!done && !advice.what_if.is_empty()).then_some(advice.what_if)
    }

    /// Which advice applies to these kubelets; all of it if no version is known.
    fn numbers<'a>(&self, kubelets: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
        let mut numbers: Vec<usize> = kubelets.into_iter().filter_map(minor).map(|minor| self.number(minor)).collect();
        if numbers.is_empty() {
            numbers = (0..self.advice.len()).collect();
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Which advice applies to a minor version.
    fn number(&self, minor: u32) -> usize {
        self.advice.iter().rposition(|advice| advice.since <= minor).unwrap_or(0)
    }

    /// The versions that one of several pieces of advice applies to.
    fn versions(&self, number: usize) -> String {
        let since = self.advice.get(number).map_or(0, |advice| advice.since);
        match self.advice.get(number + 1) {
            Some(next) if since == 0 => format!("before 1.{}", next.since),
            Some(next) if next.since == since + 1 => format!("1.{since}"),
            Some(next) => format!("1.{since} to 1.{}", next.since - 1),
            None => format!("1.{since} and later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::causes;

    /// The versions that the facts were checked for.
    const VERSIONS: [&str; 7] = ["v1.26.5", "v1.27.16", "v1.30.4", "v1.33.13", "v1.34.8", "v1.35.6", "v1.36.3"];

    #[test]
    fn advice_is_true_for_the_version() {
        // Per cause: what must, and what must not be advised for each of the versions (defaults.go and the feature gates of
        // the release: KEP-3673, KEP-1040 with pull request 116121, KEP-3386, KEP-2570).
        // Advice that holds for all versions is listed once; a cause that is missing here fails the test.
        let every = [
            ("clock-skew", "time synchronisation"),
            ("kubelet-restart", "one node at a time"),
            ("scheduling-wait", "FailedScheduling"),
            ("admission-wait", "device plugins"),
            ("volume-object-missing", "create ConfigMaps and Secrets before"),
            ("volume-object-not-synced", "connection from the kubelet to the API server"),
            ("volume-fsgroup-chown", "fsGroupChangePolicy: OnRootMismatch"),
            ("volume-attach-slow", "CSI driver's controller"),
            ("volume-mount-slow", "fsGroupChangePolicy: OnRootMismatch"),
            ("pull-rate-limited", "registryPullQPS: 0"),
            ("image-pull-failing", "the image name, the credentials or the registry"),
            ("image-gc-repull", "85 by default"),
            ("image-pull-always", "imagePullPolicy: IfNotPresent"),
            ("image-pull-unresolved", "the container runtime log"),
            ("registry-mirror-failing", "hosts.toml"),
            ("registry-slow", "mirror"),
            ("image-large", "pre-pull"),
            ("image-large", "with containerd 2.2 or later"),
            ("image-volume-pull", "pre-pull"),
            ("image-pull-slow", "a registry mirror near the nodes"),
            ("init-containers", "init containers"),
            ("network-not-ready", "startup taint"),
            ("dra-prepare-failing", "registers with the kubelet"),
            ("dra-prepare-slow", "NodePrepareResources"),
            ("container-config-error", "before the pod"),
            ("container-start-error", "error line"),
            ("crash-loop", "container's own log"),
            ("sidecar-startup-probe", "periodSeconds"),
            ("post-start-hook", "sidecar or an init container"),
            ("sandbox-cni-failing", "CNI plugin"),
            ("sandbox-cni-slow", "CNI plugin's own timing"),
            ("node-overloaded", "systemReserved"),
            ("runtime-slow", "disk and CPU"),
            ("status-report-slow", "kubeAPIQPS"),
            ("unexplained", "-v=4"),
            ("readiness-slow", "initialDelaySeconds"),
            ("cpu-throttled", "resources.limits.cpu"),
            ("userns-chown", "idmapped mounts"),
        ];
        type Facts = (&'static str, [(&'static str, &'static str); 7]);
        let facts: [Facts; 6] = [
            (
                "image-credentials-slow",
                [
                    ("cacheDuration", "on the node already"),
                    ("cacheDuration", "on the node already"),
                    ("cacheDuration", "on the node already"),
                    ("on the node already", "upgrade"),
                    ("on the node already", "upgrade"),
                    ("on the node already", "upgrade"),
                    ("on the node already", "upgrade"),
                ],
            ),
            (
                "image-pull-queued",
                [
                    ("serializeImagePulls: false", "maxParallelImagePulls:"),
                    ("maxParallelImagePulls: 3", "serializeImagePulls: false"),
                    ("maxParallelImagePulls: 3", "serializeImagePulls: false"),
                    ("maxParallelImagePulls: 3", "serializeImagePulls: false"),
                    ("maxParallelImagePulls: 3", "serializeImagePulls: false"),
                    ("maxParallelImagePulls: 3", "serializeImagePulls: false"),
                    ("maxParallelImagePulls: 3", "serializeImagePulls: false"),
                ],
            ),
            (
                "api-client-throttled",
                [
                    ("kubeAPIQPS: 50", "default here"),
                    ("50 and 100 are the default here", "kubeAPIQPS: 50"),
                    ("50 and 100 are the default here", "kubeAPIQPS: 50"),
                    ("50 and 100 are the default here", "kubeAPIQPS: 50"),
                    ("50 and 100 are the default here", "kubeAPIQPS: 50"),
                    ("50 and 100 are the default here", "kubeAPIQPS: 50"),
                    ("50 and 100 are the default here", "kubeAPIQPS: 50"),
                ],
            ),
            (
                "pleg-relist-delay",
                [
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("on by default here", "upgrade"),
                ],
            ),
            (
                "memory-high-throttled",
                [
                    ("0.8", "0.9"),
                    ("0.9", "0.8"),
                    ("0.9", "0.8"),
                    ("0.9", "0.8"),
                    ("0.9", "0.8"),
                    ("0.9", "0.8"),
                    ("0.9", "0.8"),
                ],
            ),
            (
                "selinux-relabel",
                [
                    ("since 1.28", "SELinuxMount"),
                    ("since 1.28", "SELinuxMount"),
                    ("SELinuxMount feature gate (off by default here)", "upgrade"),
                    ("SELinuxMount feature gate (off by default here)", "upgrade"),
                    ("SELinuxMount feature gate (off by default here)", "upgrade"),
                    ("SELinuxMount feature gate (off by default here)", "upgrade"),
                    ("SELinuxMount feature gate (off by default here)", "upgrade"),
                ],
            ),
        ];
        let listed = every.iter().map(|(id, _)| *id).chain(facts.iter().map(|(id, _)| *id));
        let missing: Vec<&str> =
            causes::all().map(|cause| cause.id).filter(|id| !listed.clone().any(|known| known == *id)).collect();
        assert!(missing.is_empty(), "no facts for {missing:?}");
        for (id, must) in every {
            let cause = causes::named(id).unwrap();
            for version in VERSIONS {
                let set = cause.advised([version], &Settings::default()).set;
                assert!(set.contains(must), "{id} for {version}: {set}");
            }
        }
        for (id, expected) in facts {
            let cause = causes::named(id).unwrap();
            for (version, (must, must_not)) in VERSIONS.iter().zip(expected) {
                let set = cause.advised([*version], &Settings::default()).set;
                assert!(set.contains(must) && !set.contains(must_not), "{id} for {version}: {set}");
            }
        }
    }

    #[test]
    fn several_versions_get_each_their_own() {
        let cause = causes::named("image-pull-queued").unwrap();
        let none = &Settings::default();
        let both = cause.advised(["v1.26.5", "v1.33.13", "v1.34.8"], none).set;
        assert!(
            both.starts_with("before 1.27: serializeImagePulls: false") && both.contains("; 1.27 and later: max"),
            "{both}"
        );
        assert_eq!(both, cause.advised([], none).set, "an unknown version gets all");
        assert_eq!(cause.advised(["v1.33.1", "none"], none).set, cause.advised(["v1.36.0"], none).set);
    }

    #[test]
    fn advice_is_in_the_order_of_versions() {
        for cause in causes::all() {
            assert_eq!(cause.advice.first().map(|advice| advice.since), Some(0), "{}", cause.id);
            assert!(cause.advice.is_sorted_by_key(|advice| advice.since), "{}", cause.id);
        }
    }
}
