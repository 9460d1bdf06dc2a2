//! What is known to be harmless: words that programs print whatever runs on the cluster, and names that every cluster has.
//! A text keeps these and nothing else, so a word that is missing here costs readability, and one too many may cost a secret.
//!
//! To let a word through: add it to `words.txt`. It must not be what people call their pods, and it counts in running text
//! only: where a name occurs (in quotes, after `=`, beside `/`) even these are hidden.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::parse::grammar::BUILT_IN;

/// Words of the kubelet, of runtimes and of podlag itself.
const WORDS: &str = include_str!("words.txt");
/// Lines of grammar files whose words are the programs' own. Examples are real lines, with names in them.
const OWN: [&str; 3] = ["literal = ", "text = ", "about = "];

fn known() -> &'static HashSet<&'static str> {
    static KNOWN: OnceLock<HashSet<&'static str>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let own = BUILT_IN
            .iter()
            .flat_map(|(_, text)| text.lines())
            .filter_map(|line| OWN.iter().find_map(|key| line.strip_prefix(key)));
        let separate = |c: char| !(c.is_ascii_alphabetic() || c == '-');
        let own = own.flat_map(move |line| line.split(separate)).map(|word| word.trim_matches('-'));
        WORDS.split_whitespace().chain(own.filter(|word| word.len() > 1)).collect()
    })
}

/// Whether programs print this word. A capital at its beginning makes no difference.
pub(super) fn is_known(word: &str) -> bool {
    let small = || {
        let capital =
            word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.chars().skip(1).any(|c| c.is_ascii_uppercase());
        capital && known().contains(word.to_ascii_lowercase().as_str())
    };
    known().contains(word) || small()
}

/// Whether it is a word that no name of Kubernetes can be: it is known and has a capital letter.
pub(super) fn is_constant(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_uppercase()) && is_known(word)
}

/// Whether it is the name of a field in a program: letters only, the first small, another not (`podStartSLOduration`).
pub(super) fn is_identifier(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().any(|byte| byte.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What keys have for values besides names: key and values.
const VALUES: &[(&str, &[&str])] = &[
    ("level", &["trace", "debug", "info", "warning", "warn", "error", "fatal", "panic"]),
    ("source", &["api", "file", "http"]),
    ("apiVersion", &["v1"]),
    ("type", &["io.containerd.runc.v2", "io.containerd.runtime.v1"]),
    ("plugin", &["kubelet", "csi"]),
    ("containerRuntime", &["containerd", "cri-o", "docker"]),
    ("containerType", &["container", "init_container", "ephemeral_container"]),
    ("code", &["unknown"]),
    ("probeResult", &["success", "failure", "warning", "unknown"]),
    ("probe", &["startup", "readiness", "liveness"]),
    ("status", &["ready", "started", "not ready", "unhealthy"]),
];

/// Whether a key's value is one of a few that its program knows.
pub(super) fn is_value(key: &str, value: &str) -> bool {
    let fits = |(known, values): &(&str, &[&str])| *known == key && values.contains(&value);
    matches!(value, "true" | "false" | "null" | "nil" | "none") || VALUES.iter().any(fits)
}

/// Keys whose value is running text.
pub(super) fn is_told(key: &str) -> bool {
    matches!(
        key,
        "msg"
            | "err"
            | "error"
            | "message"
            | "Message"
            | "desc"
            | "reason"
            | "containerMessage"
            | "output"
            | "warning"
            | "networkReady"
    )
}

/// Namespaces that every cluster has, and the runtime's own.
pub(super) fn is_system_namespace(name: &str) -> bool {
    matches!(name, "kube-system" | "kube-public" | "kube-node-lease" | "default" | "k8s.io" | "moby")
}

/// Hosts that everyone uses.
pub(super) fn is_public_host(host: &str) -> bool {
    let hosts = [
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "registry.k8s.io",
        "k8s.gcr.io",
        "quay.io",
        "ghcr.io",
        "gcr.io",
    ];
    let more = [
        "mcr.microsoft.com",
        "public.ecr.aws",
        "registry.access.redhat.com",
        "kubernetes.io",
        "k8s.io",
        "github.com",
        "localhost",
    ];
    hosts.contains(&host) || more.contains(&host)
}

/// Plugins that are a part of Kubernetes.
pub(super) fn is_plugin(plugin: &str) -> bool {
    let name = plugin.strip_prefix("kubernetes.io/").unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// CSI drivers of the large providers.
pub(super) fn is_public_driver(driver: &str) -> bool {
    let ends = [
        ".csi.aws.com",
        ".csi.azure.com",
        ".csi.storage.gke.io",
        ".csi.k8s.io",
        ".csi.digitalocean.com",
        ".csi.ceph.com",
    ];
    ends.iter().any(|end| driver.strip_suffix(end).is_some_and(|name| (1..=12).contains(&name.len())))
        || matches!(
            driver,
            "csi.vsphere.vmware.com" | "driver.longhorn.io" | "csi.hetzner.cloud" | "secrets-store.csi.k8s.io"
        )
}

/// The collections of Kubernetes' API: in an address a name follows.
pub(super) fn is_collection(part: &str) -> bool {
    matches!(
        part,
        "namespaces"
            | "pods"
            | "nodes"
            | "configmaps"
            | "secrets"
            | "serviceaccounts"
            | "persistentvolumeclaims"
            | "persistentvolumes"
            | "services"
            | "events"
            | "leases"
            | "csinodes"
            | "csidrivers"
            | "volumeattachments"
            | "runtimeclasses"
            | "resourceclaims"
            | "resourceslices"
            | "endpoints"
            | "storageclasses"
            | "certificatesigningrequests"
            | "manifests"
            | "blobs"
            | "tags"
    )
}

/// Other parts of the API's addresses.
pub(super) fn is_api_part(part: &str) -> bool {
    is_collection(part)
        || matches!(
            part,
            "" | "api"
                | "apis"
                | "v1"
                | "v1beta1"
                | "v2"
                | "token"
                | "status"
                | "eviction"
                | "log"
                | "binding"
                | "default"
                | "query"
                | "query_range"
                | "series"
                | "metrics"
                | "metadata"
                | "proxy"
                | "coordination.k8s.io"
                | "storage.k8s.io"
                | "node.k8s.io"
                | "events.k8s.io"
                | "resource.k8s.io"
                | "authentication.k8s.io"
                | "authorization.k8s.io"
                | "certificates.k8s.io"
                | "discovery.k8s.io"
                | "tokenreviews"
                | "subjectaccessreviews"
        )
}

/// Parts of paths that say what a file is and not whose.
pub(super) fn is_plain_part(part: &str) -> bool {
    const PARTS: &[&str] = &[
        "kubelet",
        "kube",
        "containerd",
        "crio",
        "cri",
        "o",
        "runtime",
        "journal",
        "messages",
        "syslog",
        "log",
        "logs",
        "gz",
        "zst",
        "xz",
        "bz2",
        "txt",
        "json",
        "ndjson",
        "parquet",
        "csv",
        "html",
        "metrics",
        "prom",
        "before",
        "after",
        "in",
        "pods",
        "events",
        "stdin",
        "startups",
        "report",
        "var",
        "lib",
        "run",
        "etc",
        "proc",
        "sys",
        "dev",
        "usr",
        "bin",
        "sbin",
        "tmp",
        "opt",
        "home",
        "root",
        "mnt",
        "kubernetes",
        "volumes",
        "plugins",
        "plugin",
        "csi",
        "globalmount",
        "mount",
        "containers",
        "sock",
        "socket",
        "fs",
        "cgroup",
        "net",
        "cni",
        "manifests",
        "pki",
        "config",
        "data",
        "kubepods",
        "burstable",
        "besteffort",
        "slice",
        "service",
        "system",
        "self",
        "ns",
        "fd",
        "rootfs",
        "io",
        "empty",
        "dir",
        "projected",
        "secret",
        "configmap",
        "host",
        "path",
        "subpaths",
        "volume",
    ];
    let number = |word: &str| word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    part.split(['.', '-', '_', '~']).all(|word| word.is_empty() || number(word) || PARTS.contains(&word))
        || part.strip_prefix("kubernetes.io~").is_some_and(|plugin| is_plugin(&format!("kubernetes.io/{plugin}")))
}

/// Disks as Linux calls them.
pub(super) fn is_disk(label: &str) -> bool {
    let stem = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let lettered = ["sd", "vd", "xvd", "hd"].iter().filter_map(|kind| stem.strip_prefix(kind));
    lettered.into_iter().any(|rest| (1..=2).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_lowercase()))
        || matches!(stem, "dm-" | "md" | "loop" | "sr" | "zram" | "ram" | "mmcblk")
            && digits(label.get(stem.len()..).unwrap_or_default())
        || label.strip_prefix("nvme").is_some_and(|rest| rest.split(['n', 'p', 'c']).all(digits))
}

/// Labels whose values are a program's own words. Those of devices and plugins may be anyone's.
pub(super) fn is_programs_label(label: &str) -> bool {
    matches!(
        label,
        "" | "operation_type" | "operation_name" | "operation" | "code" | "container_type" | "pull_required" | "stage"
    )
}
