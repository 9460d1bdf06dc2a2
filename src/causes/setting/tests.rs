use super::*;

fn flags(all: &[(&str, &str)]) -> BTreeMap<Box<str>, Box<str>> {
    all.iter().map(|(flag, value)| ((*flag).into(), (*value).into())).collect()
}

#[test]
fn a_flags_default_proves_something_only_without_a_file() {
    let default = [("serialize-image-pulls", "true"), ("kube-api-qps", "50")];
    let with = |config| Settings::of_flags(&flags(&[&default[..], &[("config", config)]].concat()));
    assert_eq!(with("/var/lib/kubelet/config.yaml").words(), "");
    assert_eq!(with("").words(), "serializeImagePulls=true kubeAPIQPS=50");
    assert_eq!(Settings::of_flags(&flags(&default)).words(), "", "whether there is a file is not known");
    let set =
        flags(&[("config", "x"), ("serialize-image-pulls", "false"), ("feature-gates", "MemoryQoS=true,Other=false")]);
    assert_eq!(Settings::of_flags(&set).words(), "serializeImagePulls=false featureGates.MemoryQoS=true");
}

#[test]
fn configurations_are_read_in_every_form_people_have() {
    let expected = "serializeImagePulls=false maxParallelImagePulls=3 featureGates.EventedPLEG=true";
    let yaml = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nserializeImagePulls: false\n\
                maxParallelImagePulls: 3\nfeatureGates:\n  EventedPLEG: true\nclusterDNS: [10.0.0.10]\n";
    let json = r#"{"kind":"KubeletConfiguration","serializeImagePulls":false,"maxParallelImagePulls":3,"featureGates":{"EventedPLEG":true}}"#;
    let configz = r#"{"kubeletconfig":{"serializeImagePulls":false,"maxParallelImagePulls":3,"featureGates":{"EventedPLEG":true}}}"#;
    let indented: String = yaml.lines().map(|line| format!("    {line}\n")).collect();
    let map = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  kubelet: |\n{indented}");
    for text in [yaml, json, configz, &map] {
        assert_eq!(Settings::of_config(text).unwrap().words(), expected, "{text}");
        assert_eq!(Settings::read(expected), Settings::of_config(text).unwrap());
    }
    for text in [
        "",
        "just text",
        "kind: Pod",
        "a: [",
        "kind: KubeletConfiguration\nmaxParallelImagePulls: three",
        "{\"kind\":\"KubeletConfiguration\"",
    ] {
        assert!(Settings::of_config(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_is_set_is_not_advised() {
    let has = |known: &str, setting, wanted| Settings::read(known).has(setting, wanted);
    assert!(has("maxParallelImagePulls=5", Setting::MaxParallelImagePulls, "3"));
    assert!(!has("maxParallelImagePulls=2", Setting::MaxParallelImagePulls, "3"));
    assert!(has("serializeImagePulls=false", Setting::MaxParallelImagePulls, "3"), "no limit at all");
    assert!(has("kubeAPIQPS=60", Setting::KubeApiQps, "50") && !has("kubeAPIQPS=5", Setting::KubeApiQps, "50"));
    assert!(
        !has("serializeImagePulls=true maxParallelImagePulls=5", Setting::MaxParallelImagePulls, "3"),
        "the kubelet rejects it"
    );
    assert!(has("registryPullQPS=0", Setting::RegistryPullQps, "0") && !has("", Setting::RegistryPullQps, "0"));
}

#[test]
fn conflicts_are_named() {
    let conflicts = |known: &str| Settings::read(known).conflicts().len();
    assert_eq!(conflicts("serializeImagePulls=true maxParallelImagePulls=3"), 1);
    assert_eq!(conflicts("serializeImagePulls=true maxParallelImagePulls=1"), 0);
    assert_eq!(conflicts("serializeImagePulls=false maxParallelImagePulls=3"), 0);
    assert_eq!(conflicts("featureGates.EventedPLEG=true featureGates.PLEGOnDemandRelist=true"), 1);
}
