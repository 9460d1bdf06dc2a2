//! What a pod and a node belong to: the workload that made the pod, the pool the node was made in. Taken from names only
//! ([`by_name`], [`node_pool`]) and, where a dump of the pods is at hand, by the pods' owners ([`Owners`]).
//!
//! Names are a convention, no contract: nothing here is more than a good guess except what [`Owners`] answers. Pods
//! that operators name themselves (Argo Workflows, Tekton, Spark, CI runners) keep whatever does not look like
//! Kubernetes' own suffixes.

mod owners;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

pub use owners::{Owners, Traits, condition};

/// A generated name has at most 63 characters; the base is cut so that the random part fits
/// (`maxNameLength`, `randomLength` in apiserver's `storage/names/generate.go`).
const LONGEST: usize = 63;
const RANDOM: usize = 5;
/// `alphanums` in apimachinery's `util/rand/rand.go`: no vowels, and nothing that looks like one.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// What `SafeEncodeString` makes of the digits 0 to 9, in their order, which is also that of ASCII.
const ENCODED: &[u8; 10] = b"456789bcdf";
/// `u32::MAX` so encoded: no template's hash lies above.
const HIGHEST_HASH: &str = "86f8fbc6f9";
/// Words a person may end a name with that could as well be random. One in 600 000 random parts is among them.
const WORDS: [&str; 24] = [
    "btrfs", "cfssl", "cvmfs", "dhcp4", "dhcp6", "dhcpd", "grpcs", "http2", "httpd", "https", "mqtt5", "mqtts",
    "mssql", "nfsv4", "pgsql", "ppc64", "rtmps", "smtps", "snmpd", "sshfs", "tftpd", "tmpfs", "vsftp", "xhtml",
];

/// The workload's name as the pod's name shows it: the name without what Kubernetes appended. A prefix of `name`, empty
/// only if `name` is.
///
/// `node` is the node the pod runs on, if known: a static pod's name ends with it (`generatePodName` in
/// `pkg/kubelet/config/common.go`) and nothing else shows where the one begins and the other ends.
///
/// Recognised, in this order: `-<node>`; names cut at 63 characters; ReplicaSets' template hash and random part; the
/// decimal hashes of Kubernetes before 1.8; a random part alone (DaemonSet, Job, bare ReplicaSet), for Jobs with a
/// completion index and a CronJob's schedule before it; a number (StatefulSet).
///
/// Where it misleads:
/// * five letters without a vowel count as random unless they are a known word: a bare pod `app-xfspr` becomes `app`;
/// * `migrate-1-x2x9k` is taken for index 1 of `migrate`, though `migrate-1` may be a Job or DaemonSet of its own;
/// * a number at the end is taken off whoever put it there: bare pods `load-01`, `load-02` become one `load`;
/// * of names cut at 63 characters, five or fewer characters of a hash are left (each rollout then shows as a workload
///   of its own), and workloads that differ only in what was cut off cannot be distinguished.
pub fn by_name<'n>(name: &'n str, node: Option<&str>) -> &'n str {
    if let Some(base) = node.and_then(|node| without_node(name, node)) {
        return base;
    }
    if name.len() == LONGEST
        && let Some((base, random)) = name.split_at_checked(LONGEST - RANDOM)
        && !base.ends_with('-')
        && is_random(random)
    {
        return without_cut_part(base);
    }
    let Some((base, last)) = split(name) else { return name };
    if let Some((owner, hash)) = split(base)
        && (is_safe(last) && is_template_hash(hash) || is_old_random(last) && is_decimal_hash(hash))
    {
        return owner;
    }
    if is_random(last) {
        return without_index(base);
    }
    if is_number(last) { base } else { name }
}

/// A static pod's name without the node's; `None` if it does not end with it. The kubelet puts the node's name in lower
/// case.
fn without_node<'n>(name: &'n str, node: &str) -> Option<&'n str> {
    let (base, tail) = name.split_at_checked(name.len().checked_sub(node.len())?)?;
    let base = base.strip_suffix('-')?;
    (!node.is_empty() && !base.is_empty() && tail.eq_ignore_ascii_case(node)).then_some(base)
}

/// A Job's name without the time a CronJob put there: minutes since 1970 (`getJobName` in
/// `pkg/controller/cronjob/cronjob_controllerv2.go`), before Kubernetes 1.21 seconds.
///
/// Only numbers that can be such a time (minutes from 2015 to 2046, seconds to 2033) are taken off, which dates written
/// as 20260131 or 2026013112 are not.
fn without_schedule(job: &str) -> &str {
    match split(job) {
        Some((base, last))
            if matches!(decimal(last), Some(24_000_000..=39_999_999 | 1_400_000_000..=1_999_999_999)) =>
        {
            base
        }
        _ => job,
    }
}

/// Indexed Jobs put `-<index>` before the random part (`podGenerateNameWithIndex` in
/// `pkg/controller/job/indexed_job_utils.go`), OpenShift's DeploymentConfigs the rollout's number.
fn without_index(base: &str) -> &str {
    let job = without_schedule(base);
    if job.len() < base.len() {
        return job;
    }
    match split(base) {
        Some((job, index)) if is_number(index) && (index == "0" || !index.starts_with('0')) => without_schedule(job),
        _ => base,
    }
}

/// A base that was cut at 58 characters, so that the hash or the schedule at its end may be incomplete.
fn without_cut_part(base: &str) -> &str {
    match split(base) {
        Some((owner, last)) if is_template_hash(last) || is_decimal_hash(last) || is_cut_schedule(last) => owner,
        _ => base,
    }
}

/// A CronJob's name has at most 52 characters, so five digits of its schedule are always left.
fn is_cut_schedule(text: &str) -> bool {
    let leading = text.get(..2).and_then(decimal);
    (5..=10).contains(&text.len()) && decimal(text).is_some() && matches!(leading, Some(24..=39 | 14..=19))
}

/// Whether `ComputeHash` in `pkg/controller/controller_utils.go` can have made this: a `u32` in decimal, each digit
/// encoded. Not asked of hashes below 100 000 (one in 43 000), which are as short as people's own words, nor of short
/// ones all of digits, which are people's own numbers.
fn is_template_hash(text: &str) -> bool {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (if all_digits { 9..=10 } else { 6..=10 }).contains(&text.len())
        && text.bytes().all(|byte| ENCODED.contains(&byte))
        && !text.starts_with('4')
        && (text.len() < HIGHEST_HASH.len() || text <= HIGHEST_HASH)
}

/// The hash as Kubernetes before 1.8 printed it. Ten digits beginning with 20 are a date with its hour.
fn is_decimal_hash(text: &str) -> bool {
    !text.starts_with('0')
        && decimal(text).is_some_and(|hash| {
            (100_000_000..=u64::from(u32::MAX)).contains(&hash) && !(2_000_000_000..=2_099_999_999).contains(&hash)
        })
}

/// Five characters such as `rand.String` makes, unless they are a word.
fn is_random(text: &str) -> bool {
    is_safe(text) && !WORDS.contains(&text)
}

fn is_safe(text: &str) -> bool {
    text.len() == RANDOM && text.bytes().all(|byte| SAFE.contains(&byte))
}

/// `rand.String` once used all letters and digits; without a digit such a part is more likely a word.
fn is_old_random(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_safe(text) || text.len() == RANDOM && plain && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// An ordinal or index: longer numbers are dates, builds, times.
fn is_number(text: &str) -> bool {
    text.len() <= 5 && decimal(text).is_some()
}

fn decimal(text: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// At the last dash, if something is on both sides.
fn split(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('-').filter(|(base, last)| !base.is_empty() && !last.is_empty())
}

/// The pool a node belongs to, by its name only: what is left without the part that distinguishes it from similar ones. Never empty
/// unless `node` is.
///
/// * GKE `gke-prod-pool-1-3f2a9c1b-x7kq`: `gke-prod-pool-1`; AKS `aks-nodepool1-12345678-vmss000003`: `aks-nodepool1`,
///   Windows `aksnpwin000003`: `aksnpwin`.
/// * A name made of the address or the instance shows no pool; `*` represents it and what else there is (the region) is
///   kept: EKS `ip-10-0-1-23.eu-west-1.compute.internal` gives `ip-*.eu-west-1.compute.internal`. Nodes of several node
///   groups then show as one.
/// * Others lose one number or a random part or two, and their domain: `worker-17`, `node-03.example.com`,
///   `kind-worker2`, `prod-md-0-g9b6n-qmmkh`. What is left may be less than a pool (`us-east1` ends like `worker1`).
pub fn node_pool(node: &str) -> String {
    let (host, domain) = node.split_once('.').map_or((node, None), |(host, domain)| (host, Some(domain)));
    if host.is_empty() {
        return node.to_owned();
    }
    if node.parse::<Ipv4Addr>().is_ok() {
        return "*".to_owned();
    }
    if let Some(kind) = without_address(host) {
        return domain.map_or_else(|| format!("{kind}-*"), |domain| format!("{kind}-*.{domain}"));
    }
    // Alibaba: the region, then the address or the instance.
    match domain {
        Some(domain) if domain.parse::<Ipv4Addr>().is_ok() => return format!("{host}.*"),
        Some(domain) if domain.starts_with("i-") && !domain.contains('.') => return format!("{host}.i-*"),
        _ => {}
    }
    managed(host).unwrap_or_else(|| without_member(host)).to_owned()
}

/// `ip-10-0-1-23`, `fargate-ip-10-0-1-23`, `i-0123456789abcdef0` without what follows `ip` or `i`.
fn without_address(host: &str) -> Option<&str> {
    if let Some(id) = host.strip_prefix("i-") {
        let hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
        return (hex && (id.len() == 8 || id.len() == 17)).then_some("i");
    }
    let (mut kind, mut octets) = (host, 0);
    while let Some((rest, last)) = split(kind)
        && octets < 4
        && last.parse::<u8>().is_ok()
    {
        kind = rest;
        octets += 1;
    }
    (octets == 4 && (kind == "ip" || kind.ends_with("-ip"))).then_some(kind)
}

/// Names of GKE's and AKS's own making.
fn managed(host: &str) -> Option<&str> {
    let is_code = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if host.starts_with("gke-") || host.starts_with("gk3-") {
        let (rest, member) = split(host)?;
        let (pool, group) = split(rest)?;
        let hex = group.bytes().all(|byte| byte.is_ascii_hexdigit());
        return (is_code(member, 4) && group.len() == 8 && hex).then_some(pool);
    }
    if let Some((set, member)) = host.rsplit_once("vmss").filter(|(set, _)| !set.is_empty()) {
        return is_code(member, 6).then(|| without_cluster(set.strip_suffix('-').unwrap_or(set)));
    }
    if host.starts_with("aks-") {
        let (set, member) = split(host)?;
        return is_number(member).then(|| without_cluster(set));
    }
    // A Windows pool has a name of at most six characters, its members six of base 36.
    let (pool, member) = host.split_at_checked(host.len().checked_sub(6)?)?;
    let windows = pool.len() > 3 && pool.len() <= 9 && pool.starts_with("aks") && !host.contains('-');
    (windows && member.starts_with('0') && is_code(member, 6)).then_some(pool)
}

/// AKS puts eight digits that show the cluster after the pool's name.
fn without_cluster(set: &str) -> &str {
    match split(set) {
        Some((pool, cluster)) if cluster.len() == 8 && decimal(cluster).is_some() => pool,
        _ => set,
    }
}

fn without_member(host: &str) -> &str {
    let (base, last) = split(host).map_or((None, host), |(base, last)| (Some(base), last));
    let stem = last.trim_end_matches(|c: char| c.is_ascii_digit());
    if let Some(base) = base {
        // Cluster API, Gardener, OpenShift: one random part for the machine, often one for its set before it.
        if is_random(last) {
            return match split(base) {
                Some((pool, set)) if is_random(set) || is_template_hash(set) => pool,
                _ => base,
            };
        }
        // minikube's further nodes; the first has the bare name.
        if is_number(last) || stem == "m" && last.starts_with("m0") {
            return base;
        }
    }
    let (count, letters) = (last.len() - stem.len(), stem.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if (1..=3).contains(&count)
        && stem.len() >= 2
        && (letters || last.get(stem.len()..).is_some_and(|n| n.starts_with('0')))
    {
        return host.get(..host.len() - count).unwrap_or(host);
    }
    // DigitalOcean and others use all letters: a digit before a letter is what words do not have.
    let plain = last.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let mixed = stem.bytes().any(|byte| byte.is_ascii_digit());
    base.filter(|_| plain && mixed && (4..=6).contains(&last.len())).unwrap_or(host)
}
