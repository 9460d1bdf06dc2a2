use proptest::prelude::*;

use super::text::Known;
use super::*;
use crate::table::{Finding, Line, Pull, Span, Volume};

fn anonymizer() -> Anonymizer {
    Anonymizer::new(*b"0123456789abcdef")
}

#[test]
fn the_same_name_is_the_same_everywhere_and_another_key_gives_another() {
    let names = anonymizer();
    let (column, text) = (names.name(Kind::Pod, "web-1"), names.text("pod=\"shop/web-1\""));
    assert_eq!(text, format!("pod=\"{}/{column}\"", names.name(Kind::Namespace, "shop")));
    assert!(column.starts_with("pod-") && column.len() == 16, "{column}");
    assert_ne!(column, names.name(Kind::Pod, "web-2"));
    assert_ne!(column, Anonymizer::new([7; 16]).name(Kind::Pod, "web-1"));
    assert_eq!(names.name(Kind::Other, "web-1").get(2..), column.get(4..), "the kind changes the first letters only");
}

#[test]
fn a_config_map_has_one_name_whoever_it_belongs_to() {
    let names = anonymizer();
    let error = r#"Error: configmap "late-cm" not found"#;
    let beside = names.text_with(error, &Known::from([("late-cm", Kind::Workload)]));
    assert_eq!(beside, names.text(error));
    assert!(beside.contains(&format!("configmap \"{}\"", names.name(Kind::Object, "late-cm"))), "{beside}");
}

#[test]
fn what_every_cluster_has_stays() {
    let names = anonymizer();
    for namespace in ["kube-system", "kube-public", "kube-node-lease", "default", ""] {
        assert_eq!(names.name(Kind::Namespace, namespace), namespace);
    }
    for registry in ["docker.io", "registry.k8s.io", "quay.io", "ghcr.io", "gcr.io"] {
        assert_eq!(names.name(Kind::Registry, registry), registry);
    }
    assert_eq!(names.plugin("kubernetes.io/configmap"), "kubernetes.io/configmap");
    assert_eq!(names.plugin("kubernetes.io/csi/ebs.csi.aws.com"), "kubernetes.io/csi/ebs.csi.aws.com");
    assert!(!names.plugin("kubernetes.io/csi/disk.shop.example").contains("shop"));
}

/// What programs say of themselves is readable, and names beside it are not.
#[test]
fn what_programs_say_stays() {
    let names = anonymizer();
    for text in [
        "\"Container runtime network not ready\" networkReady=\"NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized\"",
        "\"Error syncing pod, skipping\" err=\"network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized\"",
        "\"Probe failed\" probeType=\"Readiness\" probeResult=\"failure\" output=\"connection refused\"",
        "\"SyncLoop (probe)\" probe=\"readiness\" status=\"ready\"",
    ] {
        assert_eq!(names.text(text), text);
    }
    for (text, name) in
        [("networkReady=\"shop-net\"", "shop"), ("probeResult=\"shop\"", "shop"), ("status=\"shop\"", "shop")]
    {
        assert!(!names.text(text).contains(name), "{}", names.text(text));
    }
}

#[test]
fn an_image_keeps_its_parts() {
    let names = anonymizer();
    let image = names.name(Kind::Image, "registry.shop.example:5000/team/app:v1");
    assert!(
        image.starts_with(&format!("{}/image-", names.name(Kind::Registry, "registry.shop.example:5000"))),
        "{image}"
    );
    assert_eq!(
        names.text("pulling image \"registry.shop.example:5000/team/app:v1\""),
        format!("pulling image \"{image}\"")
    );
    assert!(names.name(Kind::Image, "quay.io/team/app:latest").starts_with("quay.io/image-"));
    let tag = |image: &str| names.name(Kind::Image, image).rsplit(':').next().map(str::to_owned);
    assert_ne!(tag("a/b:v1"), tag("a/c:v1"), "tags of two images tell nothing of each other");
    let digest = "0123456789abcdef".repeat(4);
    let hidden = names.name(Kind::Image, &format!("app@sha256:{digest}"));
    assert!(hidden.contains("@sha256:") && !hidden.contains(&digest) && !hidden.contains("app"), "{hidden}");
}

#[test]
fn uids_keep_their_form() {
    let names = anonymizer();
    assert!(name::is_uuid(&names.name(Kind::Uid, "3e3d740c-a4cb-4672-8626-a4a7709068b8")));
    let hash = names.name(Kind::Uid, "3e3d740ca4cb46728626a4a7709068b8");
    assert!(hash.len() == 32 && name::is_id(&hash), "{hash}");
    assert!(!names.name(Kind::Uid, "odd").contains("odd"));
}

#[test]
fn nodes_of_a_pool_stay_in_one() {
    let names = anonymizer();
    let pool = |node: &str| crate::model::workload::node_pool(&names.name(Kind::Node, node));
    for (one, other) in [
        ("gke-prod-pool-1-3f2a9c1b-x7kq", "gke-prod-pool-1-3f2a9c1b-ab12"),
        ("ip-10-0-1-23.eu-west-1.compute.internal", "ip-10-0-9-9.eu-west-1.compute.internal"),
        ("worker-17", "worker-3"),
    ] {
        assert_ne!(names.name(Kind::Node, one), names.name(Kind::Node, other));
        assert_eq!(pool(one), pool(other));
        assert_ne!(pool(one), pool("other-3"));
    }
    for node in (0..2000).map(|n| format!("alone{}", "x".repeat(n % 40 + 1)) + &"y".repeat(n / 40)) {
        let hidden = names.name(Kind::Node, &node);
        assert_eq!(crate::model::workload::node_pool(&hidden), hidden, "a node of no pool is its own");
    }
}

#[test]
fn addresses_paths_and_urls_keep_their_form_only() {
    let names = anonymizer();
    let text = names.text("dial tcp 192.0.2.7:443: lookup registry.shop.example on [2001:db8::1]:53: no such host");
    assert!(
        text.starts_with("dial tcp 10.") && text.contains(":443: lookup host-") && text.contains("[fd00::"),
        "{text}"
    );
    assert!(text.ends_with("]:53: no such host"), "{text}");
    assert_eq!(names.text("127.0.0.1:6443"), "127.0.0.1:6443");
    let url = names.text("GET:https://api.shop.example:6443/api/v1/namespaces/shop/secrets/token?limit=500");
    assert!(url.starts_with("GET:https://host-") && url.contains(":6443/api/v1/namespaces/ns-"), "{url}");
    assert!(url.contains("/secrets/x-") && url.ends_with("?limit=500") && !url.contains("shop"), "{url}");
    let path = names.name(Kind::Path, "logs/node-a/kubelet.log.zst");
    assert!(path.starts_with("logs/path-") && path.ends_with("/kubelet.log.zst"), "{path}");
    assert_eq!(names.name(Kind::Path, "/var/log/kubelet.log"), "/var/log/kubelet.log");
    let volume =
        names.text("/var/lib/kubelet/pods/3e3d740c-a4cb-4672-8626-a4a7709068b8/volumes/kubernetes.io~secret/job");
    assert!(volume.contains("/volumes/kubernetes.io~secret/vol-") && !volume.contains("3e3d740c"), "{volume}");
}

#[test]
fn a_line_keeps_what_its_program_says() {
    let names = anonymizer();
    let line = "I1123 19:02:46.140456    4685 util.go:34] \"No sandbox for pod can be found. Need to start a new one\" pod=\"default/web\"";
    assert_eq!(names.text(line).split("web").next().map(str::len), Some(names.text(line).len()), "web is hidden");
    assert!(names.text(line).starts_with(line.strip_suffix("web\"").unwrap()));
    let line = r#"{"ts":1795460400317.032,"caller":"kubelet/kubelet.go:2724","msg":"SyncLoop ADD","v":2,"source":"api","pods":[{"name":"web","namespace":"shop"}]}"#;
    let hidden = names.text(line);
    assert!(hidden.starts_with(line.split("web").next().unwrap()), "{hidden}");
    assert!(hidden.ends_with(&format!("\"namespace\":\"{}\"}}]}}", names.name(Kind::Namespace, "shop"))), "{hidden}");
}

#[test]
fn words_are_hidden_where_names_stand() {
    let names = anonymizer();
    for (text, name) in [
        (
            r#"err="failed to \"StartContainer\" for \"image\" with CreateContainerConfigError: \"secret \\\"node\\\" not found\"""#,
            "\"node",
        ),
        (r#"err="failed to \"StartContainer\" for \"image\" with CreateContainerConfigError""#, "\"image"),
        ("Couldn't get secret pod/volume: not found", "pod/volume"),
        ("configmap \"ready\" not found", "ready"),
        ("volumes=[data]", "data"),
        ("event=&{ID:x Type:ContainerStarted Data:cache}", "cache"),
        ("for &ContainerMetadata{Name:proxy,Attempt:0,}", "proxy"),
        ("password=pull", "pull"),
        ("start failed in pod web_shop(3e3d740c-a4cb-4672-8626-a4a7709068b8): Error: secret", "web_shop"),
    ] {
        let hidden = names.text(text);
        assert!(!hidden.contains(name), "{hidden}");
    }
    assert_eq!(names.text("the job of checkout").split(' ').filter(|word| word.starts_with("x-")).count(), 2);
}

#[test]
fn half_a_word_at_the_cut_is_left_out() {
    assert_eq!(anonymizer().text("pod=\"shop/check…\"").find("check"), None);
    assert!(anonymizer().text("volume \"dat…").ends_with("volume \"…"));
}

#[test]
fn a_row_joins_with_itself() {
    let names = anonymizer();
    let pod = "checkout-7d9c6b5f4-x2x9k";
    let mut row = Row {
        namespace: "shop".into(),
        pod: pod.into(),
        workload: "shop/checkout".into(),
        node: Some("worker-17".into()),
        image_pulls: vec![Pull { image: Some("nginx".into()), registry: Some("docker.io".into()), ..Pull::default() }],
        volume_mounts: vec![Volume {
            volume: "data".into(),
            error: Some("secret \"token\" not found".into()),
            ..Volume::default()
        }],
        findings: vec![Finding { cause: "image-pull".into(), waited_for: Some("nginx".into()), ..Finding::default() }],
        spans: vec![
            Span { phase: Phase::ImagePull, waited_for: Some("nginx".into()), ..Span::default() },
            Span { phase: Phase::Sandbox, waited_for: Some("the node's network".into()), ..Span::default() },
            Span { phase: Phase::Init, waited_for: Some("migrate".into()), ..Span::default() },
        ],
        lines: vec![Line {
            source: "a.log".into(),
            line: 1,
            text: format!("pulled \"nginx\" pod=\"shop/{pod}\"").into(),
        }],
        ..Row::default()
    };
    names.row(&mut row);
    let image = names.name(Kind::Image, "nginx");
    assert_eq!(row.image_pulls[0].image.as_deref(), Some(&*image));
    assert_eq!(
        (row.findings[0].waited_for.as_deref(), row.spans[0].waited_for.as_deref()),
        (Some(&*image), Some(&*image))
    );
    assert_eq!(row.spans[1].waited_for.as_deref(), Some("the node's network"));
    assert_eq!(row.spans[2].waited_for.as_deref(), Some(&*names.name(Kind::Container, "migrate")));
    assert_eq!(&*row.lines[0].text, format!("pulled \"{image}\" pod=\"{}\"", row.full_name()));
    assert_eq!(row.workload.split_once('/').map(|(namespace, _)| namespace), Some(&*row.namespace));
    assert!(!row.volume_mounts[0].error.as_deref().unwrap().contains("token"));
    let once = row.clone();
    names.row(&mut row);
    assert_eq!(row, once, "pseudonyms of the same key stay");
}

#[test]
fn coverage_says_whose_pseudonyms_they_are() {
    let mut coverage = Coverage {
        sources: vec!["my logs/shop node.log".into()],
        source_errors: vec!["my logs/shop node.log: it ends early".into()],
        filters: vec![
            "namespace shop or sh*".into(),
            "since 2026-11-23".into(),
            "cause image-*".into(),
            "not node shop-1".into(),
        ],
        ..Coverage::default()
    };
    anonymizer().coverage(&mut coverage, &[]);
    let shown = format!("{coverage:?}");
    assert!(!shown.contains("shop") && !shown.contains("sh*"), "{shown}");
    assert_eq!(coverage.filters[1..3], ["since 2026-11-23", "cause image-*"]);
    assert!(coverage.filters[3].starts_with("not node node-"), "{:?}", coverage.filters);
    assert!(coverage.pseudonyms[0].starts_with("key "));
    assert!(Anonymizer::ephemeral([1; 16]).key_description().starts_with("this run only"));
}

#[test]
fn a_short_key_is_refused() {
    assert!(Anonymizer::of_file(b"secret\n").is_err());
    let (one, other) =
        (Anonymizer::of_file(b"0123456789abcdef0").unwrap(), Anonymizer::of_file(b"0123456789abcdef0\n").unwrap());
    assert_eq!(one.key, other.key);
    assert!(!format!("{one:?}").contains(&format!("{:?}", one.key)), "the key is not shown");
}

proptest! {
    #[test]
    fn any_text_is_hidden_once_and_for_all(text in "([a-z\"'=/:.,{}\\[\\]\\\\ A-Z0-9…é-]|pod|\\\\n){0,60}") {
        let names = anonymizer();
        let once = names.text(&text);
        prop_assert_eq!(&once, &names.text(&text));
        prop_assert!(!once.is_empty() || text.is_empty() || text.contains('…'));
    }

    #[test]
    fn no_name_is_left(name in "[a-z][a-z0-9]{2,8}-[a-z0-9]{3,9}", before in "[ \"=/:(\\[{]", after in "[ \"/:)\\]},]") {
        let hidden = anonymizer().text(&format!("failed{before}{name}{after}not found"));
        prop_assert!(!hidden.contains(&name) || words::is_known(&name), "{}", hidden);
    }
}
