//! Which label of a store names units or programs, and which of its values are kubelets and container runtimes: found by looking, as
//! every installation chooses its labels.

use super::Store;
use super::matcher::{Matcher, Test};
use crate::input::is_unit_or_program;
use crate::web::{HttpError, HttpErrorKind};

/// The names that shippers give the unit of a line, or its program, the best first. Case does not count where names are compared, nor do
/// underscores in front.
pub(super) const UNIT_LABELS: &[&str] = &[
    "_SYSTEMD_UNIT",
    "systemd.unit",
    "systemd_unit",
    "unit",
    "SYSLOG_IDENTIFIER",
    "syslog.identifier",
    "syslog_identifier",
    "log.syslog.appname",
    "process.name",
    "service_name",
    "job",
];
/// Labels that are looked at, at most: each is a request.
const MAX_LABELS: usize = 24;
/// Labels that are named in an error.
const MAX_NAMED: usize = 12;

/// The matcher for the lines of kubelets and container runtimes.
pub(super) fn find(store: &mut dyn Store, kind: &str, url: &str) -> Result<Matcher, HttpError> {
    let mut labels = store.labels()?;
    labels.sort_by_key(|label| (rank(label), label.clone()));
    let mut journals = None;
    for label in labels.iter().take(MAX_LABELS) {
        let values = store.values(label)?;
        let of = |is_wanted: fn(&String) -> bool| -> Option<Matcher> {
            let values: Vec<String> = values.iter().filter(|value| is_wanted(value)).cloned().collect();
            (!values.is_empty()).then(|| Matcher { label: label.clone(), test: Test::AnyOf(values) })
        };
        if let Some(found) = of(|value| is_unit_or_program(value)) {
            return Ok(found);
        }
        // A journal that is not told apart by units: nodes' lines all the same, and far fewer than those of all containers.
        journals = journals.or_else(|| of(|value| value.contains("journal")));
    }
    journals.ok_or_else(|| {
        let known = match labels.len() {
            0 => "it has no labels in this window".to_owned(),
            _ => format!("its labels are {}", labels.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ")),
        };
        HttpError::new(
            HttpErrorKind::InvalidOption,
            url,
            format!("no label of this {kind} names the units kubelet or containerd in the window; {known}"),
            "Check --window, or name the lines of the kubelet and the container runtime: --selector 'LABEL=~\"kubelet|containerd\"'.",
        )
    })
}

/// How early a label is looked at.
fn rank(label: &str) -> usize {
    let bare = |name: &str| name.trim_start_matches('_').to_ascii_lowercase();
    let label = bare(label.strip_suffix(".keyword").unwrap_or(label));
    UNIT_LABELS.iter().position(|known| bare(known) == label).unwrap_or(UNIT_LABELS.len())
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::super::{Page, Selection};
    use super::*;
    use crate::model::time::Time;

    /// Labels with their values.
    struct Labels(&'static [(&'static str, &'static [&'static str])]);

    impl Store for Labels {
        fn labels(&mut self) -> Result<Vec<String>, HttpError> {
            Ok(self.0.iter().map(|(label, _)| (*label).to_owned()).collect())
        }

        fn values(&mut self, label: &str) -> Result<Vec<String>, HttpError> {
            let found = self.0.iter().find(|(name, _)| *name == label).unwrap();
            Ok(found.1.iter().map(|value| (*value).to_owned()).collect())
        }

        fn page(&mut self, _: &Selection, _: &Range<Time>) -> Result<Page, HttpError> {
            Ok(Page::default())
        }
    }

    #[test]
    fn the_label_of_units_is_found() {
        let units = |labels| find(&mut Labels(labels), "Loki", "http://x").map(|found| (found.label, found.test));
        let any = |values: &[&str]| Test::AnyOf(values.iter().map(|value| (*value).to_owned()).collect());
        let found = units(&[
            ("app", &["kubelet"]),
            ("job", &["systemd-journal"]),
            ("unit", &["containerd.service", "kubelet.service", "sshd.service"]),
        ]);
        assert_eq!(found, Ok(("unit".into(), any(&["containerd.service", "kubelet.service"]))));
        assert_eq!(units(&[("app", &["web", "kubelet"])]), Ok(("app".into(), any(&["kubelet"]))));
        assert_eq!(
            units(&[("job", &["web", "integrations/kubernetes/journal"]), ("x", &["y"])]),
            Ok(("job".into(), any(&["integrations/kubernetes/journal"])))
        );
        let error = units(&[("app", &["web"]), ("pod", &["web-1"])]).unwrap_err().to_string();
        assert!(error.contains("no label of this Loki") && error.contains("app, pod") && error.contains("--selector"));
        assert!(units(&[]).unwrap_err().to_string().contains("it has no labels in this window"));
    }
}
