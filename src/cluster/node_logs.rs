//! Logs of nodes, through the API server: by a log query, else journal files, else text files in `/var/log`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::error::{message, of_read};
use super::feed::is_name;
use super::log_query::{Gap, Refusal, rfc3339};
use super::node_journals::{JOURNALS, Journals};
use super::node_log_file::NodeLogFile;
use super::node_pages::{MAX_NAMED, ask_nodes};
use super::{Cluster, Found};
use crate::model::time::Time;
use crate::web::{HttpError, HttpErrorKind};

/// How much of the end of a file is read, in bytes.
const MAX_TAIL: u64 = 64 << 20;
/// Files that hold the lines of all services, where the kubelet has none of its own.
const SYSTEM_FILES: [&str; 2] = ["messages", "syslog"];
/// What to do where log queries are of no use.
const HELP: &str = "set enableSystemLogQuery: true in the kubelet's configuration (before 1.36 with the feature gate NodeLogQuery), or \
                    name journals or logs of the nodes as further inputs (docs/journald.md)";

/// What to do where a node has lines, and none of the window.
const OTHER_TIME: &str = "ask for another time with --window, or --from and --to";

/// Lines of a node, in a file.
pub struct NodeLog {
    /// The node.
    pub node: String,
    /// Where they were asked for, as a path of its kubelet: `logs`, or that of a file.
    pub path: String,
    /// Where they are now. It is gone with the [`Cluster`].
    pub file: PathBuf,
}

impl NodeLog {
    /// Whether they are of a journal file.
    pub fn is_of_journal(&self) -> bool {
        self.path.starts_with(JOURNALS)
    }
}

/// What reading a node's logs brought.
pub(super) struct NodeAnswer {
    pub(super) node: String,
    logs: Vec<NodeLog>,
    /// What is said of each node that it is so with: what, and what to do.
    pub(super) alike: Vec<(String, &'static str)>,
    gaps: Vec<Gap>,
    /// Not all that was asked for came.
    pub(super) is_partial: bool,
}

impl Cluster {
    /// Reads the logs of these nodes, some at a time. Returns of how many not all could be read.
    pub(super) fn node_logs(
        &self,
        nodes: &[String],
        crio: &BTreeSet<String>,
        range: &Range<Time>,
        each: &mut dyn FnMut(Found),
        remarks: &mut Vec<String>,
    ) -> usize {
        let (mut partial, mut gaps) = (0, BTreeMap::new());
        let mut alike: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
        let ask = |node: &str, give: &mut dyn FnMut(NodeAnswer) -> bool| {
            let runtime = if crio.contains(node) { "crio" } else { "containerd" };
            give(self.node_log(node, runtime, range));
        };
        let mut answered = 0;
        each(Found::Answered(answered, nodes.len()));
        ask_nodes(nodes, ask, &mut |answer: NodeAnswer| {
            answered += 1;
            each(Found::Answered(answered, nodes.len()));
            answer.logs.into_iter().for_each(|log| each(Found::Log(log)));
            partial += usize::from(answer.is_partial);
            for what in answer.alike {
                alike.entry(what).or_default().push(answer.node.clone());
            }
            if !answer.gaps.is_empty() {
                gaps.insert(answer.node, answer.gaps);
            }
        });
        // What was interrupted is told of the whole analysis.
        if self.stop.load(Ordering::Relaxed) {
            return partial;
        }
        if nodes.is_empty() {
            remarks.push("--node-logs: no node is known\n  help: name nodes with --node".to_owned());
        }
        for ((what, help), mut named) in alike {
            named.sort_unstable();
            let (count, more) = (named.len(), named.len().saturating_sub(MAX_NAMED));
            named.truncate(MAX_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let help = if help.is_empty() { String::new() } else { format!("\n  help: {help}") };
            remarks.push(format!(
                "--node-logs: {count} of {} nodes ({}{more}): {what}{help}",
                nodes.len(),
                named.join(", ")
            ));
        }
        for (node, gaps) in gaps.iter().take(MAX_NAMED) {
            for Gap { range, why } in gaps.iter().take(MAX_NAMED) {
                let (from, to) = (rfc3339(range.start), rfc3339(range.end));
                remarks.push(format!("--node-logs: {node}: lines from {from} to {to} are missing: {why}"));
            }
        }
        if gaps.len() > MAX_NAMED || gaps.values().any(|gaps| gaps.len() > MAX_NAMED) {
            let count: usize = gaps.values().map(Vec::len).sum();
            remarks.push(format!("--node-logs: in all {count} stretches of time are missing, of {} nodes", gaps.len()));
        }
        partial
    }

    fn node_log(&self, node: &str, runtime: &str, range: &Range<Time>) -> NodeAnswer {
        let mut answer = NodeAnswer {
            node: node.to_owned(),
            logs: Vec::new(),
            alike: Vec::new(),
            gaps: Vec::new(),
            is_partial: false,
        };
        if !is_name(node) {
            answer.node = "?".to_owned();
            answer.is_partial = true;
            answer.alike.push(("a node has no name that can be asked for".to_owned(), ""));
        } else if let Err(error) = self.ask_log(runtime, range, &mut answer) {
            answer.is_partial = true;
            answer.alike.push((format!("lines cannot be kept: {error}"), ""));
        }
        answer
    }

    fn ask_log(&self, runtime: &str, range: &Range<Time>, answer: &mut NodeAnswer) -> io::Result<()> {
        let mut services = vec!["kubelet", runtime];
        let refusal = loop {
            let mut file = self.log_file(&answer.node)?;
            match self.query_log(&answer.node, &services, range, &mut file)? {
                Ok(gaps) => {
                    answer.is_partial |= !gaps.is_empty();
                    answer.gaps = gaps;
                    if !file.is_empty() {
                        return self.keep(answer, "logs", file);
                    }
                    if answer.gaps.is_empty() {
                        let what = format!("no line of {} is of this time", services.join(" or "));
                        answer.alike.push((what, OTHER_TIME));
                    }
                    return Ok(());
                }
                // The runtime may run under another name.
                Err(Refusal::Said(said))
                    if services.len() > 1
                        && said.contains("not found")
                        && !said.contains("kubelet")
                        && said.contains(runtime) =>
                {
                    answer.is_partial = true;
                    answer.alike.push((format!("only the kubelet's lines are read: {said}"), ""));
                    services.truncate(1);
                }
                Err(refusal) => break refusal,
            }
        };
        let why = match refusal {
            Refusal::Off => "log queries are off".to_owned(),
            Refusal::InFiles => {
                let why = "the kubelet finds its log in files, of which log queries know no times";
                return self.text_files(runtime, (why, ""), answer);
            }
            Refusal::Said(said) => format!("the kubelet answers: {said}"),
            Refusal::Failed(error) => {
                answer.is_partial = true;
                let help = if error.kind == HttpErrorKind::Status(403) {
                    "a rule that allows it: examples/rbac.yaml"
                } else {
                    ""
                };
                answer.alike.push((format!("logs are not read: {}", message(&error)), help));
                return Ok(());
            }
        };
        let folder = "journal files in /var/log/journal";
        let (why, help) = match self.journals(range, answer)? {
            Journals::Read { whole } => {
                let how = if whole { " as a whole, since the kubelet gives no parts of files" } else { "" };
                answer.alike.push((format!("{why}, so the {folder} are read{how}"), ""));
                return Ok(());
            }
            Journals::NoLine => {
                (format!("{why}, the {folder} have no line of kubelet or runtime of this time"), OTHER_TIME)
            }
            Journals::Unlisted => (why, HELP),
            Journals::None => (format!("{why}, there are no {folder}"), HELP),
        };
        self.text_files(runtime, (&why, help), answer)
    }

    /// Reads the files that hold the lines, as far as there are any.
    fn text_files(&self, runtime: &str, (why, help): (&str, &'static str), answer: &mut NodeAnswer) -> io::Result<()> {
        let own = ["kubelet.log".to_owned(), format!("{runtime}.log")];
        let mut read = Vec::new();
        for name in own.iter().map(String::as_str).chain(SYSTEM_FILES) {
            if SYSTEM_FILES.contains(&name) && read.contains(&"kubelet.log") {
                break;
            }
            let mut file = self.log_file(&answer.node)?;
            match self.tail(&answer.node, name, &mut file)? {
                Ok(()) if file.is_empty() => {}
                Ok(()) => {
                    if file.len() >= MAX_TAIL {
                        answer.is_partial = true;
                        answer.alike.push((format!("of {name} only the last {} MiB are read", MAX_TAIL >> 20), ""));
                    }
                    self.keep(answer, &format!("logs/{name}"), file)?;
                    read.push(name);
                }
                Err(error) if matches!(error.kind, HttpErrorKind::Status(404 | 405 | 416)) => {}
                Err(error) => {
                    answer.is_partial = true;
                    answer.alike.push((format!("{name} is not read to its end: {}", message(&error)), ""));
                    if !file.is_empty() {
                        self.keep(answer, &format!("logs/{name}"), file)?;
                        read.push(name);
                    }
                }
            }
        }
        if read.is_empty() {
            answer.is_partial = true;
            answer.alike.push((format!("{why}, and no log is found as a text file in /var/log"), help));
        } else {
            answer.alike.push((format!("{why}, so all lines of {} in /var/log are read", read.join(", ")), ""));
        }
        Ok(())
    }

    /// The last bytes of a file.
    fn tail(&self, node: &str, name: &str, file: &mut NodeLogFile) -> io::Result<Result<(), HttpError>> {
        let url = self.kubelet_url(node, &format!("logs/{name}"));
        let mut response = match self.client.open_range(&url, &format!("bytes=-{MAX_TAIL}")) {
            Ok(response) => response,
            Err(error) => return Ok(Err(error)),
        };
        let mut buffer = vec![0; 1 << 16];
        loop {
            match response.read(&mut buffer) {
                Ok(0) => return Ok(Ok(())),
                Ok(read) => file.write_all(buffer.get(..read).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(of_read(error))),
            }
        }
    }

    pub(super) fn log_file(&self, node: &str) -> io::Result<NodeLogFile> {
        NodeLogFile::new(node, self.folder(), &self.log_bytes)
    }

    pub(super) fn keep(&self, answer: &mut NodeAnswer, path: &str, file: NodeLogFile) -> io::Result<()> {
        let (node, path) = (answer.node.clone(), path.to_owned());
        answer.logs.push(NodeLog { node, path, file: file.close()? });
        Ok(())
    }
}
