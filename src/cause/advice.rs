//! What to set, by the version of the kubelet: a setting that is the default already, or does not exist yet, is no advice.

use super::Cause;

/// What to set, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// It holds from this minor version of Kubernetes 1 on; 0 for all before the next one.
    pub since: u32,
    /// The setting that helps, in one line.
    pub set: &'static str,
    /// What that costs; `none` if nothing.
    pub price: &'static str,
}

/// Advice for the versions at hand, in words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Advised {
    /// The setting that helps.
    pub set: String,
    /// What that costs; `none` if nothing.
    pub price: String,
}

/// The minor version of `v1.36.3`; none of what is no version.
fn minor(version: &str) -> Option<u32> {
    let mut parts = version.trim_start_matches('v').split('.');
    parts.next().filter(|major| *major == "1")?;
    parts.next()?.parse().ok()
}

impl Cause {
    /// What to do about it, for these kubelets. Where their versions ask for different things, or none is known, each is
    /// led by its versions.
    pub fn advised<'a>(&self, kubelets: impl IntoIterator<Item = &'a str>) -> Advised {
        let mut numbers: Vec<usize> = kubelets.into_iter().filter_map(minor).map(|minor| self.number(minor)).collect();
        if numbers.is_empty() {
            numbers = (0..self.advice.len()).collect();
        }
        numbers.sort_unstable();
        numbers.dedup();
        let alone = numbers.len() == 1;
        let line = |of: fn(&Advice) -> &'static str| {
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
        Advised { set: line(|advice| advice.set), price: line(|advice| advice.price) }
    }

    /// Which advice holds for a minor version.
    fn number(&self, minor: u32) -> usize {
        self.advice.iter().rposition(|advice| advice.since <= minor).unwrap_or(0)
    }

    /// The versions that one of several pieces of advice is for.
    fn versions(&self, number: usize) -> String {
        let since = self.advice.get(number).map_or(0, |advice| advice.since);
        match self.advice.get(number + 1) {
            Some(next) if since == 0 => format!("before 1.{}", next.since),
            Some(next) => format!("1.{since} to 1.{}", next.since - 1),
            None => format!("from 1.{since} on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cause;

    /// The versions that the facts were checked for.
    const VERSIONS: [&str; 6] = ["v1.26.5", "v1.27.16", "v1.30.4", "v1.33.13", "v1.34.8", "v1.36.3"];

    #[test]
    fn advice_is_true_for_the_version() {
        // Per cause: what must, and what must not be advised for each of the versions (defaults.go and the feature gates of
        // the release: KEP-3673, KEP-1040 with pull request 116121, KEP-3386, KEP-2570).
        type Facts = (&'static str, [(&'static str, &'static str); 6]);
        let facts: [Facts; 4] = [
            (
                "image-pull-queued",
                [
                    ("serializeImagePulls: false", "maxParallelImagePulls:"),
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
                ],
            ),
            (
                "pleg-polling",
                [
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("upgrade to 1.36", "on by default here"),
                    ("on by default here", "upgrade"),
                ],
            ),
            (
                "memory-qos-throttled",
                [("0.8", "0.9"), ("0.9", "0.8"), ("0.9", "0.8"), ("0.9", "0.8"), ("0.9", "0.8"), ("0.9", "0.8")],
            ),
        ];
        for (id, expected) in facts {
            let cause = cause::named(id).unwrap();
            for (version, (must, must_not)) in VERSIONS.iter().zip(expected) {
                let set = cause.advised([*version]).set;
                assert!(set.contains(must) && !set.contains(must_not), "{id} for {version}: {set}");
            }
        }
    }

    #[test]
    fn several_versions_get_each_their_own() {
        let cause = cause::named("image-pull-queued").unwrap();
        let both = cause.advised(["v1.26.5", "v1.33.13", "v1.34.8"]).set;
        assert!(
            both.starts_with("before 1.27: serializeImagePulls: false") && both.contains("; from 1.27 on: max"),
            "{both}"
        );
        assert_eq!(both, cause.advised([]).set, "an unknown version gets all");
        assert_eq!(cause.advised(["v1.33.1", "none"]).set, cause.advised(["v1.36.0"]).set);
    }

    #[test]
    fn advice_is_in_the_order_of_versions() {
        for cause in cause::all() {
            assert_eq!(cause.advice.first().map(|advice| advice.since), Some(0), "{}", cause.id);
            assert!(cause.advice.is_sorted_by_key(|advice| advice.since), "{}", cause.id);
        }
    }
}
