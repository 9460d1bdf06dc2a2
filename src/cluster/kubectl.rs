//! kubectl, which knows how a cluster is reached, and its proxy: a child on a socket in a folder of podlag's own, which lets pass
//! what podlag asks and nothing else.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use serde_json::Value;
use tempfile::TempDir;

use super::{ClusterOptions, POLL};
use crate::model::error::{Error, ErrorKind};
use crate::model::text::sanitize;

/// The address of the proxy: all requests go through its socket. It accepts this host only.
const ORIGIN: &str = "http://localhost";
/// What the proxy lets pass, as regular expressions of paths below that of the server.
const LISTS: [&str; 2] = ["/api/v1/(namespaces/[^/]+/)?(pods|events)$", "/api/v1/nodes$"];
/// The same of kubelets. Without these nobody who finds the socket can use `nodes/proxy`.
const NODE_PAGES: &str = "/api/v1/nodes/[^/]+/proxy/(metrics|metrics/cadvisor|configz)$";
const NODE_LOGS: &str =
    "/api/v1/nodes/[^/]+/proxy/logs/((kubelet|containerd|crio).log|messages|syslog|journal/([^/]+/(system[^/]*)?)?)?$";
const REJECTED: &str = "POST,PUT,PATCH,DELETE,OPTIONS,CONNECT";
/// Ends the proxy when podlag closes the pipe, which the system does for it should it be killed. A proxy that has ended by itself is
/// not killed later, when its number may be another's.
const GUARD: &str = r#"exec 3<&0; kubectl "$@" 3<&- </dev/null & child=$!
{ read -r _ <&3; kill "$child"; } >/dev/null 2>&1 & guard=$!
exec 3<&-; wait "$child"; kill "$guard""#;
/// How long the proxy may take until it serves.
const START: Duration = Duration::from_secs(30);
/// How long the line may be by which it says so, in bytes.
const MAX_LINE: u64 = 1 << 12;
/// How much of kubectl's words is shown, in bytes.
const MAX_WORDS: usize = 400;
/// Where a pod finds its namespace.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// kubectl with a context.
pub(super) struct Kubectl {
    context: Option<String>,
}

/// What the kubeconfig says of a context.
pub(super) struct Context {
    pub(super) namespace: String,
    /// The path of its server's address, as that of Rancher has; mostly empty.
    path: String,
}

impl Context {
    /// The address that all requests begin with: the proxy passes paths on as they are.
    pub(super) fn origin(&self) -> String {
        format!("{ORIGIN}{}", self.path)
    }

    /// The path of the server as a part of a regular expression in a list: neither may have a comma of its own.
    fn pattern(&self) -> String {
        self.path.replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '-' | '_'), ".")
    }
}

impl Kubectl {
    /// With this context, or the current one.
    pub(super) fn new(context: Option<&str>) -> Self {
        Kubectl { context: context.map(str::to_owned) }
    }

    fn context_flag(&self) -> Option<String> {
        self.context.as_ref().map(|context| format!("--context={context}"))
    }

    /// What kubectl prints.
    fn run(&self, words: &[&str], input: &str) -> Result<String, Error> {
        let mut child = Command::new("kubectl")
            .args(self.context_flag())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| not_started(&error))?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may end without reading.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(|error| not_started(&error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Error::new(ErrorKind::Source, short(&output.stderr)))
    }

    /// What the kubeconfig says; a pod of the cluster needs none.
    pub(super) fn context(&self) -> Result<Context, Error> {
        let shown = match self.run(&["config", "view", "--minify", "-o", "json"], "") {
            Ok(shown) => shown,
            Err(error) => return self.without_kubeconfig(error),
        };
        let config: Value = serde_json::from_str(&shown).unwrap_or_default();
        let text = |pointer: &str| config.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let namespace = text("/contexts/0/context/namespace");
        let (_, after) = text("/clusters/0/cluster/server").split_once("://").unwrap_or_default();
        Ok(Context {
            namespace: if namespace.is_empty() { "default" } else { namespace }.to_owned(),
            path: after.find('/').and_then(|at| after.get(at..)).unwrap_or_default().trim_end_matches('/').to_owned(),
        })
    }

    fn without_kubeconfig(&self, error: Error) -> Result<Context, Error> {
        let words = error.to_string();
        if words.contains("kubectl is not installed") {
            return Err(error);
        }
        if let Some(context) = &self.context {
            let message = format!("no context {context:?}: {words}");
            return Err(Error::new(ErrorKind::Source, message).help("kubectl config get-contexts lists all"));
        }
        if let Ok(namespace) = std::fs::read_to_string(OWN_NAMESPACE) {
            return Ok(Context { namespace: namespace.trim().to_owned(), path: String::new() });
        }
        Err(Error::new(ErrorKind::Source, format!("the kubeconfig names no cluster to read: {words}"))
            .help("set KUBECONFIG, or name a context: cluster:CONTEXT (kubectl config get-contexts lists all)"))
    }

    /// Whether the user may do something to a resource, as the API server says.
    pub(super) fn may(&self, context: &Context, verb: &str, resource: &str, subresource: &str) -> Result<bool, Error> {
        let review = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": verb, "resource": resource, "subresource": subresource}},
        });
        // kubectl takes such a path as it is, without that of the server.
        let path = format!("{}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", context.path);
        let answer = self.run(&["create", "--raw", &path, "-f", "-", "--request-timeout=30s"], &review.to_string())?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        Ok(answer.pointer("/status/allowed").and_then(Value::as_bool).unwrap_or(false))
    }
}

/// The beginning of what kubectl said, without its own word for it.
fn short(stderr: &[u8]) -> String {
    let text = sanitize(String::from_utf8_lossy(stderr).trim());
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.get(..text.floor_char_boundary(MAX_WORDS)).unwrap_or_default().to_owned()
}

fn not_started(error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Error::new(ErrorKind::Source, "kubectl is not installed, and podlag reaches clusters through it")
            .help("put kubectl into a folder of PATH; or on another machine: kubectl get pods,events -A -o json > objects.json");
    }
    Error::new(ErrorKind::Source, format!("kubectl cannot be started: {error}"))
}

/// `kubectl proxy`, until the value is dropped.
pub(super) struct Proxy {
    /// The socket that it serves on.
    pub(super) socket: PathBuf,
    child: Mutex<Child>,
    /// It runs until this is closed.
    guard: Mutex<Option<ChildStdin>>,
    _stdout: Option<ChildStdout>,
    folder: TempDir,
}

impl Proxy {
    /// Starts it, and waits until it serves.
    pub(super) fn start(
        kubectl: &Kubectl,
        context: &Context,
        options: &ClusterOptions,
        temp: &Path,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Source, format!("kubectl proxy cannot be started in {}: {error}", temp.display()))
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix("podlag-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir_in(temp).map_err(failed)?;
        let socket = folder.path().join("api");
        let mut said = tempfile::tempfile_in(folder.path()).map_err(failed)?;
        let pages = options.node_metrics.then_some(NODE_PAGES);
        let logs = options.node_logs.is_some().then_some(NODE_LOGS);
        let paths = LISTS.into_iter().chain(pages).chain(logs);
        let paths: Vec<String> = paths.map(|path| format!("^{}{path}", context.pattern())).collect();
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD, "kubectl"])
            .args(kubectl.context_flag())
            .arg("proxy")
            .arg(format!("--unix-socket={}", socket.display()))
            .arg(format!("--accept-paths={}", paths.join(",")))
            .arg(format!("--reject-methods={REJECTED}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said.try_clone().map_err(failed)?);
        // Ctrl-C is podlag's to hear, which still has something to ask then.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(failed)?;
        let (guard, stdout) = (child.stdin.take(), child.stdout.take());
        let mut proxy = Proxy { socket, child: Mutex::new(child), guard: Mutex::new(guard), _stdout: None, folder };
        let Some(stdout) = stdout else { return Err(not_serving(&mut said)) };
        let (serves, stdout) = first_line(stdout, stop);
        proxy._stdout = stdout;
        if serves { Ok(proxy) } else { Err(not_serving(&mut said)) }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it, and every request that is under way.
    pub(super) fn end(&self) {
        if let Ok(mut guard) = self.guard.lock() {
            drop(guard.take());
        }
        if let Ok(mut child) = self.child.lock() {
            let _ = child.wait();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for the line by which kubectl says that it serves.
fn first_line(stdout: ChildStdout, stop: &AtomicBool) -> (bool, Option<ChildStdout>) {
    let (give, take) = bounded(1);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stdout.take(MAX_LINE));
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line);
        let serves = read.is_ok() && line.starts_with(b"Starting to serve");
        let _ = give.send((serves, reader.into_inner().into_inner()));
    });
    let mut left = START;
    while !left.is_zero() && !stop.load(Ordering::Relaxed) {
        match take.recv_timeout(POLL) {
            Ok((serves, stdout)) => return (serves, Some(stdout)),
            Err(RecvTimeoutError::Timeout) => left = left.saturating_sub(POLL),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    (false, None)
}

fn not_serving(said: &mut File) -> Error {
    let mut text = Vec::new();
    let read = said.rewind().and_then(|()| said.take(1 << 12).read_to_end(&mut text));
    let words = if read.is_ok() { short(&text) } else { String::new() };
    if words.contains("kubectl: not found") || words.contains("kubectl: command not found") {
        return not_started(&std::io::ErrorKind::NotFound.into());
    }
    Error::new(ErrorKind::Source, format!("kubectl proxy does not serve: {words}"))
        .help("check that kubectl get pods works")
}
