//! The reason in an error. Kubernetes and the runtimes wrap errors in what they were doing (`rpc error: code = …`,
//! `failed to pull and unpack image "…": …`); the part that says what is wrong is at the end, or behind a known word.

use std::sync::OnceLock;

use regex::Regex;

use crate::model::record::truncate_text;

/// How long a reason is, bytes.
const LONGEST: usize = 200;

/// What names the object or the program that is wrong, wherever it stands in an error: all of it is the reason.
struct Naming {
    /// A text that is in whatever the pattern matches: an error without it need not be searched, nor the pattern be compiled.
    has: &'static str,
    pattern: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

const fn naming(has: &'static str, pattern: &'static str) -> Naming {
    Naming { has, pattern, compiled: OnceLock::new() }
}

static NAMING: [Naming; 13] = [
    // pkg/volume/configmap, pkg/volume/secret, pkg/kubelet/kuberuntime: an object that does not exist, a key that it has not.
    naming(
        r#"" not found"#,
        r#"\b(?i:configmaps?|secrets?|persistentvolumeclaims?|serviceaccounts?|runtimeclass(?:es)?(?:\.node\.k8s\.io)?) "[^"]+" not found"#,
    ),
    naming("couldn't find key ", r#"couldn't find key [^"]*?in (?:ConfigMap|Secret) [^\s",;\]]+"#),
    naming("references non-existent ", r#"references non-existent (?:config|secret) key: [^\s",;\]]+"#),
    naming(" not registered", r#"object "[^"]+"/"[^"]+" not registered"#),
    // runc: the command, and why it cannot be run.
    naming("exec: ", r#"exec: "[^"]*":[^"\n]*"#),
    // libcni: the plugin, and what it says.
    naming("plugin type=", r#"plugin type="[^"]*"(?: name="[^"]*")? failed \([a-z]+\): .*"#),
    naming("message:Network plugin", r"message:(Network plugin returns error: .*)"),
    naming("pull QPS exceeded", r"pull QPS exceeded"),
    // pkg/scheduler/framework/types.go: what the nodes lack, without what preemption would do; autoscalers' events.
    naming(
        " nodes are available: ",
        r"(\d+/\d+ nodes are available: .*?)(?:\.? (?:no new claims to deallocate, )?preemption: .*|$)",
    ),
    naming(" scale-up", r"pod (?:triggered|didn't trigger) scale-up.*"),
    naming("Pod should schedule on: ", r"Pod should schedule on: .*"),
    naming("registered CSI drivers", r#"driver name \S+ not found in the list of registered CSI drivers"#),
    naming("toomanyrequests: ", r"toomanyrequests: [^.\x22]*"),
];

impl Naming {
    fn find<'a>(&self, error: &'a str) -> Option<&'a str> {
        if !error.contains(self.has) {
            return None;
        }
        // It is one of the constants above, which a test compiles.
        let pattern = self.compiled.get_or_init(|| Regex::new(self.pattern).ok()).as_ref()?;
        let found = pattern.captures(error)?;
        found.get(1).or(found.get(0)).map(|found| found.as_str())
    }
}

/// The reason in an error, shortened; `None` when it holds none but that something is tried again.
pub(super) fn of(error: &str) -> Option<Box<str>> {
    let error = unquoted(error);
    let naming = NAMING.iter().find_map(|naming| naming.find(&error));
    let reason =
        naming.unwrap_or_else(|| last_clause(&error)).trim().trim_start_matches('"').trim_end_matches(['"', ']']);
    // The step's own words for a container that waits to be started or pulled again.
    let waits =
        reason.starts_with("back-off ") || reason.starts_with("Back-off ") || reason.starts_with("restarting failed");
    (!waits && !reason.is_empty()).then(|| truncate_text(reason, LONGEST))
}

/// An error without the backslashes of its quotes, each of which quotes those in it again (`\\\"`), and without what is left of them
/// at its end, with a line break that a runtime puts there.
fn unquoted(error: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(error.len()), error.trim());
    while let Some((front, behind)) = rest.split_once('"') {
        plain.push_str(front.trim_end_matches('\\'));
        plain.push('"');
        rest = behind;
    }
    plain.push_str(rest);
    loop {
        let end = plain.trim_end_matches(|letter: char| letter.is_whitespace() || matches!(letter, '"' | ']')).len();
        plain.truncate(end);
        let line_break = plain.strip_suffix('n').filter(|before| before.ends_with('\\'));
        let Some(end) = line_break.map(|before| before.trim_end_matches('\\').len()) else { return plain };
        plain.truncate(end);
    }
}

/// The last clause that says something by itself. One that is an errno's words needs the clause before it, unless that is the
/// image or the address that is named beside anyhow.
fn last_clause(error: &str) -> &str {
    const BY_ITSELF_NOTHING: [&str; 5] =
        ["no such file or directory", "permission denied", "connection refused", "i/o timeout", "no such host"];
    let mut starts: Vec<usize> = vec![0];
    starts.extend(error.match_indices(": ").map(|(at, _)| at + 2));
    let clause = |number: usize| error.get(*starts.get(number)?..).unwrap_or_default().into();
    let last: Option<&str> = clause(starts.len() - 1);
    let last = last.unwrap_or(error);
    match starts.len().checked_sub(2).and_then(clause) {
        Some(before) if BY_ITSELF_NOTHING.iter().any(|words| last.starts_with(words)) => before,
        _ => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for Naming { pattern, .. } in &NAMING {
            assert!(Regex::new(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn the_reason_is_what_is_wrong() {
        let cases = [
            (
                r#"failed to "StartContainer" for "app" with ErrImagePull: "rpc error: code = NotFound desc = failed to pull and unpack image \"reg.test/late/a:v1\": failed to resolve image: reg.test/late/a:v1: not found""#,
                "not found",
            ),
            (
                r#"failed to "StartContainer" for "app" with ErrImagePull: "failed to pull and unpack image \"reg.test/a:v1\": failed to resolve image: unexpected status from HEAD request to http://127.0.0.1:5001/v2/a/manifests/v1?ns=reg.test: 503 Unavailable""#,
                "503 Unavailable",
            ),
            (
                r#"failed to "StartContainer" for "app" with CreateContainerConfigError: "configmap \"late-cm\" not found""#,
                r#"configmap "late-cm" not found"#,
            ),
            (
                r#"failed to "StartContainer" for "app" with CreateContainerConfigError: "couldn't find key mode in ConfigMap shop/settings""#,
                "couldn't find key mode in ConfigMap shop/settings",
            ),
            (
                r#"failed to "StartContainer" for "app" with RunContainerError: "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/bin/nope\": stat /bin/nope: no such file or directory""#,
                r#"exec: "/bin/nope": stat /bin/nope: no such file or directory"#,
            ),
            // CRI-O hands on what runc logged: quoted three times, with a line break at its end.
            (
                r#"failed to \"StartContainer\" for \"app\" with CreateContainerError: \"container create failed: time=\\\"2026-11-28T23:10:58Z\\\" level=error msg=\\\"runc create failed: unable to start container process: exec: \\\\\\\"/bin/nope\\\\\\\": stat /bin/nope: no such file or directory\\\"\\n\""#,
                r#"exec: "/bin/nope": stat /bin/nope: no such file or directory"#,
            ),
            (
                "Error: container create failed: time=\"2026-11-28T23:10:58Z\" level=error msg=\"runc create failed: unable to start container process: exec: \\\"/bin/nope\\\": stat /bin/nope: no such file or directory\"\n",
                r#"exec: "/bin/nope": stat /bin/nope: no such file or directory"#,
            ),
            ("container create failed: mount /data: operation not permitted\"\\n", "operation not permitted"),
            (
                r#"MountVolume.SetUp failed for volume "s" (UniqueName: "kubernetes.io/secret/1-s") pod "late-0" (UID: "1") : secret "late-sec" not found"#,
                r#"secret "late-sec" not found"#,
            ),
            (
                r#"MountVolume.SetUp failed for volume "c" : object "shop"/"settings" not registered"#,
                r#"object "shop"/"settings" not registered"#,
            ),
            (
                r#"failed to "CreatePodSandbox" for "a_b(1)" with CreatePodSandboxError: "Failed to create sandbox for pod \"a_b(1)\": rpc error: code = Unknown desc = failed to setup network for sandbox \"c1\": plugin type=\"calico\" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized""#,
                r#"plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized"#,
            ),
            (
                "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
                "Network plugin returns error: cni plugin not initialized",
            ),
            (
                r#"failed to do request: Head "https://reg.test/v2/a": dial tcp 10.0.0.1:443: i/o timeout"#,
                "dial tcp 10.0.0.1:443: i/o timeout",
            ),
            (
                r#"[failed to "StartContainer" for "app" with ErrImagePull: "pull QPS exceeded", failed to "StartContainer" for "log" with ErrImagePull: "pull QPS exceeded"]"#,
                "pull QPS exceeded",
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(of(error).as_deref(), Some(expected), "{error}");
        }
        let waits = r#"failed to "StartContainer" for "app" with CrashLoopBackOff: "back-off 10s restarting failed container=app pod=a_b(1)""#;
        assert_eq!(of(waits), None);
        assert_eq!((of(""), of("\"]")), (None, None));
    }
}
