use std::fs::File;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{ENCODED, Owners, SAFE, WORDS, by_name, is_template_hash, node_pool};

/// Names whose workload is known, by what makes them.
const NAMES: &[(&str, &str)] = &[
    // Deployments.
    ("checkout-7d9c6b5f4-x2x9k", "checkout"),
    ("coredns-5d78c9869d-2pkmd", "coredns"),
    ("coredns-668d6bf9bc-7xkzv", "coredns"),
    ("coredns-787d4945fb-hx6zs", "coredns"),
    ("coredns-64897985d-s2jtc", "coredns"),
    ("coredns-66bff467f8-jzblc", "coredns"),
    ("coredns-597584b69b-t5rzs", "coredns"),
    ("calico-kube-controllers-5fbfc9dfb6-2ttkk", "calico-kube-controllers"),
    ("istio-citadel-67f6594c46-g59xf", "istio-citadel"),
    ("ingress-nginx-controller-d46976f8f-w48ln", "ingress-nginx-controller"),
    ("local-path-provisioner-79f67d76f8-7qnmp", "local-path-provisioner"),
    ("productpage-v1-84975bc778-pxz2w", "productpage-v1"),
    ("redis-secondary-5bdcfd74c7-22ljj", "redis-secondary"),
    ("rollouts-demo-f9f55456-bcdfg", "rollouts-demo"),
    ("nginx-b4cdcb7f7-64966", "nginx"),
    ("rook-ceph-osd-1-fffc695ff-nsrps", "rook-ceph-osd-1"),
    ("deployment2-5c6b485699-mnkrm", "deployment2"),
    ("web-567894567-x2x9k", "web"),
    ("nginx-deployment-86dcfdf4c6-https", "nginx-deployment"),
    // Deployments of Kubernetes before 1.8.
    ("nginx-deployment-1564180365-khku8", "nginx-deployment"),
    ("kubernetes-dashboard-1280404318-n5mqh", "kubernetes-dashboard"),
    ("myapp-4146221093-w27o2", "myapp"),
    ("frontend-235231823-qrw7p", "frontend"),
    // DaemonSets, Jobs, bare ReplicaSets, ReplicationControllers.
    ("fluentd-x2x9k", "fluentd"),
    ("kube-flannel-ds-cp4sh", "kube-flannel-ds"),
    ("calico-node-5vfcb", "calico-node"),
    ("kube-proxy-86vlr", "kube-proxy"),
    ("svclb-traefik-a4e4ab03-bz7mb", "svclb-traefik-a4e4ab03"),
    ("helm-install-traefik-crd-lxgwd", "helm-install-traefik-crd"),
    ("ingress-nginx-admission-patch-r59hq", "ingress-nginx-admission-patch"),
    ("istio-init-crd-10-1.3.3-fp979", "istio-init-crd-10-1.3.3"),
    ("rook-ceph-osd-prepare-test1.tcce.local-txdmp", "rook-ceph-osd-prepare-test1.tcce.local"),
    ("backup-20260131-x2x9k", "backup-20260131"),
    ("backup-2026013112-x2x9k", "backup-2026013112"),
    ("build-578945-x2x9k", "build-578945"),
    ("nightly-01-x2x9k", "nightly-01"),
    ("blog-django-py-1-sck9b", "blog-django-py"),
    // StatefulSets.
    ("db-0", "db"),
    ("db-12", "db"),
    ("kafka-2-0", "kafka-2"),
    ("elasticsearch-master-100", "elasticsearch-master"),
    // CronJobs, by minutes and by seconds; with an index; a Job's index.
    ("backup-28391520-x2x9k", "backup"),
    ("backup-30000000-x2x9k", "backup"),
    ("hello-1485411600-g2swn", "hello"),
    ("backup-28391520-3-x2x9k", "backup"),
    ("train-3-x2x9k", "train"),
    ("train-0-x2x9k", "train"),
    ("train-1234-x2x9k", "train"),
    // What is no suffix.
    ("kube-dns", "kube-dns"),
    ("web-prd", "web-prd"),
    ("app-tst", "app-tst"),
    ("svc-grpc", "svc-grpc"),
    ("web-https", "web-https"),
    ("envoy-http2", "envoy-http2"),
    ("apache-httpd", "apache-httpd"),
    ("my-nginx", "my-nginx"),
    ("kube-proxy", "kube-proxy"),
    ("nginx", "nginx"),
    ("x2x9k", "x2x9k"),
    ("5d78c9869d-x2x9k", "5d78c9869d"),
    ("-x2x9k", "-x2x9k"),
    ("0", "0"),
    ("etcd-k-master", "etcd-k-master"),
    ("report-20260131", "report-20260131"),
    ("app-v2.4.8", "app-v2.4.8"),
    ("spark-pi-driver", "spark-pi-driver"),
    ("ci-1234567890-build", "ci-1234567890-build"),
    ("web-cafe9876-x2x9k", "web-cafe9876"),
    ("web-9999999999-x2x9k", "web-9999999999"),
    // The encoding of a number above `u32::MAX`, and one with a leading zero.
    ("web-97c6b5f49d-x2x9k", "web-97c6b5f49d"),
    ("web-4d9c6b5f4-x2x9k", "web-4d9c6b5f4"),
    // Known to mislead.
    ("app-xfspr", "app"),
    ("migrate-1-x2x9k", "migrate"),
    ("load-01", "load"),
    ("kube-apiserver-ip-172-31-81-185", "kube-apiserver-ip-172-31-81"),
];

#[test]
fn names_lose_what_kubernetes_appended() {
    for (name, workload) in NAMES {
        assert_eq!(by_name(name, None), *workload, "{name}");
        assert_eq!(by_name(name, Some("elsewhere-7")), *workload, "{name}");
    }
}

#[test]
fn static_pods_lose_their_node() {
    for (name, node, workload) in [
        ("etcd-node-1", "node-1", "etcd"),
        ("kube-apiserver-ip-10-0-1-2.ec2.internal", "ip-10-0-1-2.ec2.internal", "kube-apiserver"),
        ("kube-proxy-gke-prod-pool-1-3f2a9c1b-x7kq", "gke-prod-pool-1-3f2a9c1b-x7kq", "kube-proxy"),
        ("kube-scheduler-master.example.com", "Master.Example.com", "kube-scheduler"),
        ("etcd-node-1", "node-2", "etcd-node"),
        ("etcd-node-1", "", "etcd-node"),
        ("node-1", "node-1", "node"),
        ("-node-1", "node-1", "-node"),
    ] {
        assert_eq!(by_name(name, Some(node)), workload, "{name} on {node}");
    }
}

/// As `SimpleNameGenerator` does.
fn generated(base: &str, random: &str) -> String {
    format!("{}{random}", base.get(..58).unwrap_or(base))
}

#[test]
fn cut_names_lose_what_is_left_of_a_suffix() {
    let long = "a-deployment-with-a-name-much-longer-than-anybody-should-use-it";
    let of = |length: usize| long[..length].trim_end_matches('-').to_owned();
    for length in 20..=51 {
        let name = generated(&format!("{}-7d9c6b5f4d-", of(length)), "x2x9k");
        assert_eq!(by_name(&name, None), of(length), "{name}");
    }
    // Too little of the hash is left to know it.
    let name = generated(&format!("{}-7d9c6b5f4d-", of(54)), "x2x9k");
    assert_eq!(by_name(&name, None), format!("{}-7d9", of(54)));
    assert_eq!(by_name(&generated(&format!("{long}-"), "x2x9k"), None), &long[..58]);
    // CronJobs have at most 52 characters.
    for (length, time) in (20..=52).flat_map(|length| [(length, "28391520"), (length, "1607000400")]) {
        let name = generated(&format!("{}-{time}-", of(length)), "x2x9k");
        assert_eq!(by_name(&name, None), of(length), "{name}");
    }
    // 63 characters of somebody's own.
    let own = "one-two-three-four-five-six-seven-eight-nine-ten-eleven-tuesday";
    assert_eq!((own.len(), by_name(own, None)), (63, own));
}

fn encoded(hash: u32) -> String {
    hash.to_string().bytes().map(|digit| char::from(ENCODED[usize::from(digit - b'0')])).collect()
}

#[test]
fn the_ten_characters_of_a_hash_are_what_the_encoding_gives() {
    for (digit, encoded) in (b'0'..=b'9').zip(ENCODED) {
        assert_eq!(SAFE[usize::from(digit) % SAFE.len()], *encoded);
    }
    assert_eq!(encoded(u32::MAX), super::HIGHEST_HASH);
    assert!(WORDS.is_sorted());
    for word in WORDS {
        assert!(super::is_safe(word), "{word} needs no mention");
    }
}

#[test]
fn nodes_lose_what_tells_them_from_their_like() {
    for (node, pool) in [
        ("gke-prod-pool-1-3f2a9c1b-x7kq", "gke-prod-pool-1"),
        ("gke-test-cluster-default-pool-9bf27fcd-vqvz", "gke-test-cluster-default-pool"),
        ("gk3-auto-pool-2-0a1b2c3d-9xzq", "gk3-auto-pool-2"),
        ("aks-nodepool1-12345678-vmss000003", "aks-nodepool1"),
        ("aks-wlnp1-17983182-vmss00000a", "aks-wlnp1"),
        ("aks-nodepool1-12345678-0", "aks-nodepool1"),
        ("aksnpwin000003", "aksnpwin"),
        ("ip-10-0-1-23.eu-west-1.compute.internal", "ip-*.eu-west-1.compute.internal"),
        ("ip-10-0-1-23.ec2.internal", "ip-*.ec2.internal"),
        ("fargate-ip-10-0-1-23.eu-west-1.compute.internal", "fargate-ip-*.eu-west-1.compute.internal"),
        ("i-0123456789abcdef0.eu-west-1.compute.internal", "i-*.eu-west-1.compute.internal"),
        ("ip-172-31-81-185", "ip-*"),
        ("10.0.1.23", "*"),
        ("cn-hangzhou.10.0.1.23", "cn-hangzhou.*"),
        ("cn-hangzhou.i-bp1abcdefg", "cn-hangzhou.i-*"),
        ("worker-17", "worker"),
        ("node-03.example.com", "node"),
        ("node01", "node"),
        ("kind-worker", "kind-worker"),
        ("kind-worker2", "kind-worker"),
        ("kind-control-plane", "kind-control-plane"),
        ("k3d-dev-agent-0", "k3d-dev-agent"),
        ("rig-node-1", "rig-node"),
        ("minikube", "minikube"),
        ("minikube-m02", "minikube"),
        ("k-node1", "k-node"),
        ("capi-quickstart-md-0-g9b6n-qmmkh", "capi-quickstart-md-0"),
        ("workers-5d78c9869d-x2x9k", "workers"),
        ("ocp-x7kq2-worker-us-east-1a-x2x9k", "ocp-x7kq2-worker-us-east-1a"),
        ("pool-4wfr8d5tz-3bz3o", "pool-4wfr8d5tz"),
        ("nodes-us-east1-b-x7kq", "nodes-us-east1-b"),
        ("prod-k8s01", "prod-k8s"),
        ("gpu-h100-3", "gpu-h100"),
        ("gpu-a100", "gpu-a100"),
        ("7", "7"),
        (".x", ".x"),
        ("", ""),
    ] {
        assert_eq!(node_pool(node), pool, "{node}");
    }
}

fn read(json: &str) -> (Owners, usize) {
    let mut owners = Owners::default();
    let pods = Owners::read(json.as_bytes(), &mut owners).expect("reads");
    (owners, pods)
}

/// A pod as `kubectl` prints it; `more` are further members of its metadata.
fn pod(name: &str, more: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"shop","uid":"u-{name}"{more}}},
           "spec":{{"containers":[{{"name":"c","env":[{{"value":1.5}}]}}],"nodeName":"Node-1"}},"status":{{}}}}"#
    )
}

fn owned(name: &str, kind: &str, owner: &str, more: &str) -> String {
    let references = format!(
        r#","ownerReferences":[{{"kind":"Other","name":"no","controller":false}},
            {{"controller":true,"name":"{owner}","kind":"{kind}","uid":"1"}},{{"name":"none","kind":"Other"}}]{more}"#
    );
    pod(name, &references)
}

fn label(hash: &str) -> String {
    format!(r#","labels":{{"app":"x","pod-template-hash":"{hash}"}}"#)
}

#[test]
fn owners_tell_the_workload() {
    let mirror = r#","annotations":{"kubernetes.io/config.mirror":"4f1a9d"}"#;
    let config = r#","annotations":{"openshift.io/deployment-config.name":"router-1"}"#;
    let argo = r#","labels":{"rollouts-pod-template-hash":"db465c966"}"#;
    for (name, kind, owner, more, workload, as_by_name) in [
        ("web-7d9c6b5f4-x2x9k", "ReplicaSet", "web-7d9c6b5f4", &*label("7d9c6b5f4"), "web", true),
        // 1.8 to 1.11: the label has the number.
        ("web-858b6654f7-x2x9k", "ReplicaSet", "web-858b6654f7", &label("4146221093"), "web", true),
        // A label that is not the name's.
        ("web-7d9c6b5f4-x2x9k", "ReplicaSet", "web-7d9c6b5f4", &label("858b6654f7"), "web-7d9c6b5f4", false),
        ("web-1564180365-khku8", "ReplicaSet", "web-1564180365", &label("1564180365"), "web", true),
        ("demo-db465c966-x2x9k", "ReplicaSet", "demo-db465c966", argo, "demo", true),
        ("bare-x2x9k", "ReplicaSet", "bare", "", "bare", true),
        ("bare-x2x9k", "ReplicaSet", "bare", &label("7d9c6b5f4"), "bare", true),
        ("fluentd-x2x9k", "DaemonSet", "fluentd", "", "fluentd", true),
        ("db-12", "StatefulSet", "db", "", "db", true),
        ("backup-28391520-x2x9k", "Job", "backup-28391520", "", "backup", true),
        ("hello-1485411600-g2swn", "Job", "hello-1485411600", "", "hello", true),
        ("train-3-x2x9k", "Job", "train", "", "train", true),
        ("backup-20260131-x2x9k", "Job", "backup-20260131", "", "backup-20260131", true),
        ("migrate-1-x2x9k", "Job", "migrate-1", "", "migrate-1", false),
        ("router-1-1-w27o2", "ReplicationController", "router-1-1", config, "router-1", false),
        ("old-x2x9k", "ReplicationController", "old", "", "old", true),
        ("etcd-node-1", "Node", "Node-1", mirror, "etcd", true),
        ("hello-x2x9k-say-123", "Workflow", "hello-x2x9k", "", "hello-x2x9k", false),
    ] {
        let (owners, pods) = read(&owned(name, kind, owner, more));
        assert_eq!((pods, owners.workload("shop", name, None)), (1, Some(workload)), "{name} of {kind} {owner}");
        assert_eq!(by_name(name, Some("node-1")) == workload, as_by_name, "{name}");
    }
    // A mirror pod before 1.17 had no owner; the kubelet's logs have the static pod's uid.
    let (owners, _) = read(&pod("etcd-node-1", mirror));
    assert_eq!(owners.workload("", "", Some("4f1a9d")), Some("etcd"));
    assert_eq!(owners.workload("", "", Some("u-etcd-node-1")), Some("etcd"));
    // A bare pod is its own workload, whatever its name looks like.
    let (owners, _) = read(&pod("web-7d9c6b5f4-x2x9k", r#","ownerReferences":null,"labels":null"#));
    assert_eq!(owners.workload("shop", "web-7d9c6b5f4-x2x9k", Some("unheard of")), Some("web-7d9c6b5f4-x2x9k"));
    assert_eq!(owners.workload("other", "web-7d9c6b5f4-x2x9k", None), None);
}

#[test]
fn dumps_come_in_many_forms() {
    let (a, b) = (owned("a-0", "StatefulSet", "a", ""), owned("b-x2x9k", "DaemonSet", "b", ""));
    let no_kind = a.replace(r#""kind":"Pod","#, "");
    let node = r#"{"kind":"Node","metadata":{"name":"n"},"spec":{"podCIDR":"10.0.0.0/24"}}"#;
    let odd = r#"{"metadata":{"name":["x"],"labels":7,"ownerReferences":{"a":1}},"spec":"text","kind":"Widget"}"#;
    for (dump, pods) in [
        (format!(r#"{{"apiVersion":"v1","items":[{a},{node},{odd},{b}],"kind":"List","metadata":{{}}}}"#), 2),
        (format!(r#"{{"kind":"PodList","items":[{no_kind},{b}]}}"#), 2),
        (format!("{a}\n{b}\n"), 2),
        (format!("{a}{b}"), 2),
        (format!("[{a},{b}]"), 2),
        (format!(r#"{{"type":"ADDED","object":{a}}} {{"type":"ADDED","object":{b}}}"#), 2),
        (format!(r#"{node} {{"items":null,"kind":"List"}} 1 null "x" [] [[{a}]] {b}"#), 2),
    ] {
        let (owners, read) = read(&dump);
        assert_eq!(read, pods, "{dump}");
        assert_eq!(owners.workload("shop", "a-0", None), Some("a"), "{dump}");
        assert_eq!(owners.workload("", "", Some("u-b-x2x9k")), Some("b"), "{dump}");
    }
    assert_eq!(read("").1, 0);
    assert_eq!(read(" \n").1, 0);
}

#[test]
fn what_a_broken_dump_had_before_is_kept() {
    let a = owned("a-0", "StatefulSet", "a", "");
    for broken in [format!(r#"{{"items":[{a},{{"kind""#), format!("{a}\nerror: no such host"), format!("{a} {{")] {
        let mut owners = Owners::default();
        assert!(Owners::read(broken.as_bytes(), &mut owners).is_err(), "{broken}");
        assert_eq!(owners.workload("shop", "a-0", None), Some("a"), "{broken}");
    }
    let mut owners = Owners::default();
    assert!(Owners::read("[".repeat(100_000).as_bytes(), &mut owners).is_err());
    let long = "x".repeat(254);
    assert_eq!(read(&pod(&long, "")).1, 0);
}

#[test]
fn more_pods_than_there_can_be_are_left_out() {
    let pod = |i: usize| format!(r#"{{"kind":"Pod","metadata":{{"name":"web-{i}","namespace":"shop","uid":"{i}"}}}}"#);
    let mut owners = Owners::default();
    let dump: String = (0..1003).map(pod).chain([pod(7)]).collect();
    assert_eq!(Owners::read(dump.as_bytes(), &mut owners).expect("reads"), 1004);
    assert_eq!(owners.left_out(), 3);
    assert_eq!(owners.workload("shop", "web-999", None), Some("web-999"));
    assert_eq!(owners.workload("shop", "web-1000", Some("1000")), None);
}

fn dumps(file: &str) -> Vec<PathBuf> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let cases = std::fs::read_dir(samples).expect("samples").map(|case| case.expect("a case").path().join(file));
    cases.filter(|dump| dump.exists()).collect()
}

fn unpacked(path: &Path) -> impl std::io::Read {
    zstd::Decoder::new(File::open(path).expect("opens")).expect("zstd")
}

/// The samples' pods have no owners so far; the comparison is made should some get any.
#[test]
fn real_dumps_agree_with_the_names() {
    let dumps = dumps("pods.json.zst");
    assert!(!dumps.is_empty());
    for path in dumps {
        let mut owners = Owners::default();
        let read = Owners::read(unpacked(&path), &mut owners).expect("reads");
        let tree: serde_json::Value = serde_json::from_reader(unpacked(&path)).expect("is JSON");
        let items = tree["items"].as_array().expect("is a list");
        assert!(!items.is_empty());
        assert_eq!(read, items.len(), "{}", path.display());
        for item in items {
            let metadata = &item["metadata"];
            let text = |key: &str| metadata[key].as_str().expect("is there");
            let (namespace, name, uid) = (text("namespace"), text("name"), text("uid"));
            let workload = owners.workload(namespace, name, None).expect("is known");
            assert_eq!(owners.workload("", "", Some(uid)), Some(workload));
            let expected = if metadata["ownerReferences"].is_array() {
                by_name(name, item["spec"]["nodeName"].as_str())
            } else {
                name
            };
            assert_eq!(workload, expected, "{}", path.display());
        }
    }
    for path in self::dumps("events.json.zst") {
        assert_eq!(Owners::read(unpacked(&path), &mut Owners::default()).expect("reads"), 0, "{}", path.display());
    }
}

/// Strings near to names.
fn any_name() -> impl Strategy<Value = String> {
    let near = prop::collection::vec(
        prop_oneof![
            "[bcdfghjklmnpqrstvwxz2456789]{5}",
            "[456789bcdf]{1,11}",
            "[0-9]{1,10}",
            "[a-z0-9.]{1,30}",
            "[-é.]{0,3}",
        ],
        1..5,
    );
    prop_oneof![near.prop_map(|parts| parts.join("-")), ".{1,70}", "[a-z-]{54,58}[-4-9bé]{0,4}[bcdf2]{5}"]
}

proptest! {
    #[test]
    fn a_workload_is_what_its_pods_begin_with(name in any_name(), node in prop::option::of("[a-z0-9-]{0,6}")) {
        let workload = by_name(&name, node.as_deref());
        prop_assert!(name.starts_with(workload));
        prop_assert_eq!(workload.is_empty(), name.is_empty());
        prop_assert_eq!(node_pool(&name).is_empty(), name.is_empty());
    }

    #[test]
    fn every_long_hash_is_known(hash in 100_000_000..=u32::MAX, random in "[bcdfghjklmnpqrstvwxz2456789]{5}") {
        let hash = encoded(hash);
        prop_assert!(is_template_hash(&hash));
        let name = format!("my-app-{hash}-{random}");
        prop_assert_eq!(by_name(&name, None), "my-app");
        let pod = owned(&name, "ReplicaSet", &format!("my-app-{hash}"), &label(&hash));
        let (owners, _) = read(&pod);
        prop_assert_eq!(owners.workload("shop", &name, None), Some("my-app"));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Owners::read(&*bytes, &mut Owners::default());
    }

    #[test]
    fn a_dump_may_be_broken_anywhere(at in 0..600_usize, byte in any::<u8>()) {
        let pod = owned("a-0", "StatefulSet", "a", &label("7d9c6b5f4"));
        let mut dump = format!(r#"{{"items":[{pod}]}}"#).into_bytes();
        let at = at % dump.len();
        dump[at] = byte;
        let _ = Owners::read(&*dump, &mut Owners::default());
    }
}
