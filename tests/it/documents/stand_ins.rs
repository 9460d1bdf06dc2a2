//! What a reader would have: files, servers, and programs that reach a cluster.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use super::prometheus::Prometheus;
use crate::archives::collected::Collected;
use crate::cluster::api::{Api, Recording};
use crate::cluster::external::kubeconfig;
use crate::stores::{WINDOW, elasticsearch, loki, victorialogs};
use crate::support::{podlag, samples, text, unpacked};
use crate::web::server::Server;

/// The pod that documents ask for, and the sample's that stands for it.
const POD: (&str, &str) = ("checkout-7d9c6b5f4-x2x9k", "app-16");

/// Programs of the system that commands may use as they are.
const REAL: [&str; 13] =
    ["bash", "sh", "cat", "tar", "sed", "mkdir", "head", "base64", "ln", "rm", "sleep", "hostname", "env"];

/// The journal's lines, whatever is asked for; the real journalctl judges the words before.
const JOURNALCTL: &str = r#"
"$JOURNALCTL" --file "$STAND_INS/system.journal" --no-pager "$@" > /dev/null || exit
all=() name=kubelet
while (($#)); do
    case $1 in
        -u)
            case $2 in k3s*) name=k3s ;; snap.*.daemon-kubelite) name=microk8s.daemon-kubelite ;; esac
            all+=(-u kubelet)
            shift 2 ;;
        --since | --until) shift 2 ;;
        *) all+=("$1"); shift ;;
    esac
done
"$JOURNALCTL" --file "$STAND_INS/system.journal" --no-pager "${all[@]}" | sed "s/ kubelet\[/ $name[/""#;

/// As podlag uses it, it is the real one, at a server that replays a recording. The node's commands that come after `--`, `/host` or a host's name run here.
const KUBECTL: &str = r#"
case "$*" in
    'podlag '* | podlag) shift; exec kubectl-podlag "$@" ;;
    *'config view --minify -o json' | *'proxy --unix-socket='* | *'create --raw '*) exec "$KUBECTL" "$@" ;;
    'get --raw /api/v1/nodes/'*'/proxy/metrics')
        if [ -e "$STAND_INS/scraped" ]; then
            cat "$STAND_INS/after.prom"
            rm "$STAND_INS/scraped"
        else
            cat "$STAND_INS/before.prom"
            : > "$STAND_INS/scraped"
        fi ;;
    'get --raw /api/v1/nodes/'*'/proxy/logs/?query=kubelet') journalctl -u kubelet ;;
    'get --raw /api/v1/nodes/'*'/proxy/configz') cat "$STAND_INS/kubelet-config.json" ;;
    'get pods -A -o json' | 'get pods,events -A -o json') cat "$STAND_INS/pods.json" ;;
    'describe pods -A') cat "$STAND_INS/describe.txt" ;;
    'get events -A -o wide') cat "$STAND_INS/events-wide.txt" ;;
    'get nodes -o name') echo node/node-1; echo node/node-2 ;;
    'debug node/NODE -i '*' -- chroot /host '*) while [ "$1" != /host ]; do shift; done; shift; "$@" ;;
    '-n monitoring port-forward svc/prometheus 9090') ;;
    *) echo "no stand-in for: kubectl $*" >&2; exit 64 ;;
esac"#;

const OC: &str = r#"
case "$*" in
    'adm node-logs NODE -u kubelet -u crio') cat "$STAND_INS/node-logs.txt" ;;
    'adm node-logs --role=worker --since='*' -u kubelet -u crio') sed 's/^/worker-0 /' "$STAND_INS/node-logs.txt" ;;
    'debug node/NODE -- chroot /host '*) shift 5; "$@" ;;
    'whoami -t') echo secret ;;
    'get route thanos-querier -n openshift-monitoring -o jsonpath={.spec.host}') echo "$PROMETHEUS" ;;
    'get --raw '*) kubectl "$@" ;;
    *) echo "no stand-in for: oc $*" >&2; exit 64 ;;
esac"#;

/// Programs that reach further than a test may, as scripts.
const PROGRAMS: [(&str, &str); 14] = [
    ("journalctl", JOURNALCTL),
    ("kubectl", KUBECTL),
    ("oc", OC),
    // ssh gives the words to a shell, which expands them.
    ("ssh", r#"[ "$1 $2" = 'NODE sudo' ] || exit 64; shift 2; bash -c "$*""#),
    (
        "gcloud",
        r#"case "$*" in
            'auth print-access-token') echo secret ;;
            'logging read resource.type="k8s_node" '*' --format json') cat "$STAND_INS/gcloud.json" ;;
            'compute ssh NODE --zone ZONE --command sudo '*) bash -c "${!#}" ;;
            *) echo "no stand-in for: gcloud $*" >&2; exit 64 ;;
        esac"#,
    ),
    (
        "logcli",
        r#"[ "$1 $4 ${!#}" = 'query --limit {unit=~"(kubelet|containerd).service"}' ] && cat "$STAND_INS/logcli.jsonl""#,
    ),
    (
        "curl",
        r#"case "$*" in
            *'/select/logsql/query -d query='*) cat "$STAND_INS/victorialogs.ndjson" ;;
            *'/_search?size=10000 -d {'*) cat "$STAND_INS/elasticsearch.json" ;;
            *'/services/search/jobs/export -d output_mode=json -d search='*) cat "$STAND_INS/splunk.ndjson" ;;
            *) echo "no stand-in for: curl $*" >&2; exit 64 ;;
        esac"#,
    ),
    (
        "aws",
        r#"case "$*" in
            'logs filter-log-events --log-group-name '*' --output json') cat "$STAND_INS/cloudwatch.json" ;;
            'logs tail '*' --since 2h') cat "$STAND_INS/tail.log" ;;
            *) echo "no stand-in for: aws $*" >&2; exit 64 ;;
        esac"#,
    ),
    ("az", r#"[ "$1 $2 $3" = 'monitor log-analytics query' ] && cat "$STAND_INS/azure.json""#),
    ("sudo", r#""$@""#),
    ("minikube", r#"[ "$*" = 'logs --length 100000' ] && cat "$STAND_INS/kubelet.log""#),
    (
        "kind",
        r#"[ "$1 $2" = 'export logs' ] && mkdir -p "$3/node" && cat "$STAND_INS/kubelet.log" > "$3/node/kubelet.log""#,
    ),
    // What builds is built elsewhere: here only the words after it are tried.
    (
        "cargo",
        r#"case "$*" in
            'run -- '*) shift 2; podlag "$@" ;;
            'install --locked --path .' | 'deb --no-build') ;;
            *) echo "no stand-in for: cargo $*" >&2; exit 64 ;;
        esac"#,
    ),
    (
        "podman",
        r#"case "$*" in
            'build -t podlag .') ;;
            'run --rm -i podlag') podlag ;;
            *) echo "no stand-in for: podman $*" >&2; exit 64 ;;
        esac"#,
    ),
];

/// A folder with all of it.
pub struct StandIns {
    folder: tempfile::TempDir,
    server: Prometheus,
    /// Log stores, by their hosts.
    stores: [(&'static str, Server); 3],
    journalctl: PathBuf,
    kubectl: PathBuf,
}

impl StandIns {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for made in ["here/logs/node-1", "here/home", "bin", "given", "rancher"] {
            std::fs::create_dir_all(at(made)).expect("a folder");
        }
        files(&at("given"));
        logs(&at("given"), &at("here"), &at("rancher"));
        archives(&at("here"));
        exports(&at("given"), &at("here"));
        tables(&at("here"));
        programs(&at("bin"));
        symlink(samples(), at("here/samples")).expect("a link");
        let packed = samples().join("s07-pull-backoff/journal/system.journal.zst");
        let machine = at("here/copied-journals/0123456789abcdef0123456789abcdef");
        std::fs::create_dir_all(&machine).expect("a folder");
        std::fs::write(machine.join("system.journal"), unpacked(&packed)).expect("a file");
        std::fs::copy(packed, at("here/system.journal.zst")).expect("a file");
        let stores = [
            ("loki", loki::server(loki::Quirks::default())),
            ("victorialogs", victorialogs::server(victorialogs::journald, false, "")),
            ("elastic", elasticsearch::server(elasticsearch::Shape { index: "filebeat-*", ..elasticsearch::ECS })),
        ];
        let recording = Recording::load();
        let api = Api::start(move |request| recording.answer(request));
        kubeconfig(&at("given"), api.port);
        let (journalctl, kubectl) = (real("journalctl", "systemd"), real("kubectl", "kubernetes-client"));
        StandIns { stores, server: Prometheus::start(), journalctl, kubectl, folder }
    }

    /// Runs a line as a reader would type it; gives what it prints, or what went wrong.
    pub fn run(&self, line: &str) -> Result<String, String> {
        let here = self.folder.path().join("here");
        let address = Regex::new(
            r"https?://((prometheus|mimir|grafana)\.example|localhost:\d+|monitoring\.googleapis\.com)[^\s\x22']*",
        );
        let line = address.expect("a pattern").replace_all(line, format!("http://{}", self.server.address));
        let line = self.stores.iter().fold(line.into_owned(), |line, (host, server)| {
            let address = Regex::new(&format!(r"^podlag https?://{host}\.example(:\d+)?")).expect("a pattern");
            let found = address.replace(&line, format!("podlag {}", server.url("")));
            // What they hold is not of the last hours.
            if found == line { line } else { found.replace("--window 2h", &WINDOW.join(" ")) }
        });
        let line = line.replace("\"https://$(", "\"http://$(");
        let line = line.replace("/var/lib/rancher", &self.folder.path().join("rancher").to_string_lossy());
        let line = line.replace("/var/log/journal", &here.join("copied-journals").to_string_lossy());
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &line])
            .current_dir(&here)
            .env_clear()
            .env("PATH", self.folder.path().join("bin"))
            .env("HOME", here.join("home"))
            .env("STAND_INS", self.folder.path().join("given"))
            .env("JOURNALCTL", &self.journalctl)
            .env("KUBECTL", &self.kubectl)
            .env("KUBECONFIG", self.folder.path().join("given/kubeconfig"))
            .env("PROMETHEUS", &self.server.address)
            .env("TZ", "UTC")
            // As a terminal shows it.
            .env("COLUMNS", "80")
            .stdin(std::process::Stdio::null())
            .output()
            .expect("bash runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        // A gate's verdict is its code.
        let codes: &[i32] = if line.contains("--fail-if") { &[0, 1, 4] } else { &[0] };
        if !output.status.code().is_some_and(|code| codes.contains(&code)) {
            return Err(format!("{}: {told}", output.status));
        }
        let silent =
            !line.contains("podlag") || line.contains('>') || line.contains("podlag man") || line.contains("ln -s");
        if printed.is_empty() && !silent && !line.starts_with("podman build") {
            return Err(format!("it prints nothing: {told}"));
        }
        Ok(printed)
    }
}

/// What programs of a cluster print.
fn files(given: &Path) {
    let put = |name: &str, bytes: &[u8]| std::fs::write(given.join(name), bytes).expect("a file");
    let sample = samples().join("s02-pull-serial");
    put("before.prom", &unpacked(&sample.join("metrics-before.txt.zst")));
    put("after.prom", &unpacked(&sample.join("metrics-after.txt.zst")));
    put("pods.json", &unpacked(&sample.join("pods.json.zst")));
    let three_nodes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects/three-nodes");
    for name in ["describe.txt", "events-wide.txt"] {
        put(name, &unpacked(&three_nodes.join(format!("{name}.zst"))));
    }
    put("kubelet-config.json", br#"{"kubeletconfig":{"serializeImagePulls":true}}"#);
    let crio = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crio/pull-serial");
    put("node-logs.txt", crate::crio::node_logs(&crio).as_bytes());
    put("system.journal", &unpacked(&samples().join("s07-pull-backoff/journal/system.journal.zst")));
}

/// What log stores give, in the folder of what programs print; and a saved one.
fn exports(given: &Path, here: &Path) {
    for (file, way) in [
        ("logcli.jsonl", "logcli jsonl"),
        ("victorialogs.ndjson", "VictoriaLogs"),
        ("elasticsearch.json", "Elasticsearch hits"),
        ("cloudwatch.json", "CloudWatch filter-log-events"),
        ("tail.log", "aws logs tail"),
        ("gcloud.json", "gcloud JSON"),
        ("azure.json", "Azure CLI"),
        ("splunk.ndjson", "Splunk export"),
    ] {
        std::fs::write(given.join(file), crate::exports::export(way)).expect("a file");
    }
    std::fs::write(here.join("exported.csv"), crate::exports::export("Datadog CSV")).expect("a file");
}

/// The logs of a node, with the pod that documents ask for.
fn logs(given: &Path, here: &Path, rancher: &Path) {
    let sample = samples().join("s02-pull-serial/in");
    for (name, k3s) in [("kubelet.log", "rke2/agent/logs"), ("containerd.log", "rke2/agent/containerd")] {
        let log = text(&sample.join(format!("{name}.zst"))).replace(POD.1, POD.0);
        for folder in [given.to_path_buf(), here.to_path_buf(), here.join("logs/node-1"), rancher.join(k3s)] {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join(name), &log).expect("a file");
        }
    }
    let k3s = rancher.join("k3s/agent/containerd");
    std::fs::create_dir_all(&k3s).expect("a folder");
    std::fs::copy(here.join("containerd.log"), k3s.join("containerd.log")).expect("a file");
    for page in ["before.prom", "after.prom", "describe.txt"] {
        std::fs::copy(given.join(page), here.join(page)).expect("a file");
    }
}

/// Archives of a node's logs.
fn archives(here: &Path) {
    let log = |name: &str| std::fs::read(here.join(name)).expect("a log");
    let collected = Collected::default()
        .file("node-1/kubelet.log", log("kubelet.log"))
        .file("node-1/containerd.log", log("containerd.log"));
    for (name, form) in [
        ("sosreport-node-1.tar.xz", "tar.xz"),
        ("must-gather.tar.gz", "tar.gz"),
        ("eks_i-0123456789abcdef0.tar.gz", "tar.gz"),
        ("aks_logs.zip", "zip"),
        ("inspection-report.tar.gz", "tar.gz"),
        ("rancher-logs.tar.gz", "tar.gz"),
        ("kind-logs.tar.gz", "tar.gz"),
    ] {
        std::fs::write(here.join(name), collected.archive(form)).expect("an archive");
    }
}

/// Tables, a grammar and a program of these sources.
fn tables(here: &Path) {
    let serial = ["serial", "before", "startups"].map(|name| (name, "s02-pull-serial"));
    let parallel = ["parallel", "after", "node-2"].map(|name| (name, "s03-pull-parallel3"));
    for (name, sample) in serial.into_iter().chain(parallel) {
        let made = podlag()
            .arg(samples().join(sample).join("in"))
            .arg("-o")
            .arg(here.join(format!("{name}.parquet")))
            .output();
        assert!(made.expect("podlag runs").status.success(), "{name}");
    }
    let own = "title = 't'\ndescription = 'd'\ndefined-in = 'x'\nversions = '1'\ncomponent = 'kubelet'\n[[message]]\nname = 'own'\n\
               about = 'a'\nliteral = 'Our agent took'\ntext = 'Our agent took the pod'\nyields = 'pod-admitted'\n[[message.example]]\n\
               line = '''I1123 19:00:56.024962   25917 agent.go:1] \"Our agent took the pod\" pod=\"a/b\"'''\ngives = { pod = 'a/b' }\n";
    std::fs::write(here.join("own.toml"), own).expect("a file");
    script(&here.join("test"), "");
}

fn programs(bin: &Path) {
    for name in ["podlag", "kubectl-podlag"] {
        symlink(env!("CARGO_BIN_EXE_podlag"), bin.join(name)).expect("a link");
    }
    for program in REAL {
        symlink(real(program, "coreutils"), bin.join(program)).expect("a link");
    }
    for (name, text) in PROGRAMS {
        script(&bin.join(name), text);
    }
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!{}\n{text}\n", real("bash", "bash").display())).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Where a program of the system is.
fn real(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{program} is missing: install the Debian package {package} (./test does)"))
}
