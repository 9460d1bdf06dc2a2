//! Journal files of a node, which its kubelet serves below `/logs/journal/`: read by ranges, so that of a file of 128 MiB only what
//! the lines of the kubelet and the container runtime need is asked for.

use std::io::{self, BufReader, Read, Write};
use std::ops::Range;
use std::sync::Arc;

use super::Cluster;
use super::MAX_ATTEMPTS;
use super::error::message;
use super::journal_line;
use super::log_query::MAX_FILE;
use super::node_file::{NodeFile, Opened};
use super::node_log_file::NodeLogFile;
use super::node_logs::NodeAnswer;
use crate::input::{BytesAt, JournalHead, JournalSelection, JournalText};
use crate::model::time::Time;
use crate::web::{HttpError, HttpErrorKind};

/// Where journals are, as a path of a kubelet.
pub(super) const JOURNALS: &str = "logs/journal/";
/// How long a listing may be, in bytes, and of how many folders and files of a node something is read.
const MAX_LISTING: u64 = 1 << 20;
const MAX_FOLDERS: usize = 64;
const MAX_FILES: usize = 1024;
/// How long a journal may be, in bytes; journald's own end at 4 GiB. A longer one that is damaged would be looked through for days.
const MAX_JOURNAL: u64 = 8 << 30;
/// How many digits the identity of a machine has, which its folder is called by.
const MACHINE: usize = 32;

/// What reading the journals of a node brought.
pub(super) enum Journals {
    /// There are none.
    None,
    /// They cannot be listed, which is said.
    Unlisted,
    /// There are some, without a line of this time.
    NoLine,
    /// Lines. `whole`: files were read as a whole, since the kubelet gives no parts.
    Read { whole: bool },
}

/// What reading one file brought.
enum Outcome {
    /// Its lines, as far as there are any; whether it was read as a whole; what of it could not be read.
    Lines { whole: bool, failed: Option<String> },
    /// Another file has its name now, or none: journald has begun a new one.
    Replaced,
}

impl Cluster {
    /// Reads the journal files of a node that have lines of this time.
    pub(super) fn journals(&self, range: &Range<Time>, answer: &mut NodeAnswer) -> io::Result<Journals> {
        let selection = Arc::new(JournalSelection::within(&self.options.units, range));
        let mut attempt = 0;
        loop {
            let paths = match self.journal_paths(&answer.node) {
                Ok(paths) => paths,
                Err(error) if matches!(error.kind, HttpErrorKind::Status(404 | 405)) => return Ok(Journals::None),
                Err(error) => {
                    answer.is_partial = true;
                    answer.alike.push((format!("journal files cannot be listed: {}", message(&error)), ""));
                    return Ok(Journals::Unlisted);
                }
            };
            match self.read_journals(&paths, &selection, answer)? {
                Some(read) => return Ok(read),
                None if attempt == MAX_ATTEMPTS => {
                    answer.is_partial = true;
                    answer.alike.push(("journal files are replaced faster than they can be read".to_owned(), ""));
                    return Ok(Journals::NoLine);
                }
                None => attempt += 1,
            }
        }
    }

    /// None: a file was replaced meanwhile, so that what was read may be of two.
    fn read_journals(
        &self,
        paths: &[String],
        selection: &Arc<JournalSelection>,
        answer: &mut NodeAnswer,
    ) -> io::Result<Option<Journals>> {
        let (mut files, mut is_whole, mut said, mut size) = (Vec::new(), false, Vec::new(), 0);
        for path in paths.iter().take(MAX_FILES) {
            let mut file = self.log_file(&answer.node)?;
            match self.read_journal(&answer.node, path, selection, MAX_FILE.saturating_sub(size), &mut file)? {
                Outcome::Replaced => return Ok(None),
                Outcome::Lines { whole, failed } => {
                    is_whole |= whole && !file.is_empty();
                    // The machine's identity, which its folder is named by, is no help.
                    let name = path.rsplit('/').next().unwrap_or_default();
                    said.extend(failed.map(|why| format!("{name} is not read to its end: {why}")));
                }
            }
            size += file.len();
            if !file.is_empty() {
                files.push((path, file));
            }
        }
        if paths.len() > MAX_FILES {
            said.push(format!("only {MAX_FILES} of {} journal files are read", paths.len()));
        }
        answer.is_partial |= !said.is_empty();
        answer.alike.extend(said.into_iter().map(|said| (said, "")));
        let outcome = match files.as_slice() {
            _ if paths.is_empty() => Journals::None,
            [] => Journals::NoLine,
            _ => Journals::Read { whole: is_whole },
        };
        for (path, file) in files {
            self.keep(answer, path, file)?;
        }
        Ok(Some(outcome))
    }

    /// The system's journal files: those of users hold no lines of services.
    fn journal_paths(&self, node: &str) -> Result<Vec<String>, HttpError> {
        let mut paths = Vec::new();
        let machines = self.listed(node, JOURNALS)?;
        let machines = machines.iter().filter_map(|name| name.strip_suffix('/')).filter(|name| is_machine(name));
        for name in machines.take(MAX_FOLDERS) {
            let folder = format!("{JOURNALS}{name}/");
            let names = self.listed(node, &folder)?;
            paths.extend(names.iter().filter(|name| is_journal(name)).map(|name| format!("{folder}{name}")));
        }
        Ok(paths)
    }

    /// The names in a folder, as Go's file server lists them: folders end in a slash.
    fn listed(&self, node: &str, folder: &str) -> Result<Vec<String>, HttpError> {
        let response = self.client.open(&self.kubelet_url(node, folder), &[], false)?;
        let mut bytes = Vec::new();
        response.take(MAX_LISTING).read_to_end(&mut bytes).map_err(super::error::of_read)?;
        let html = String::from_utf8_lossy(&bytes);
        let links = html.split("<a href=\"").skip(1).filter_map(|link| link.split('"').next());
        let mut names: Vec<String> = links.map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn read_journal(
        &self,
        node: &str,
        path: &str,
        selection: &Arc<JournalSelection>,
        max: u64,
        file: &mut NodeLogFile,
    ) -> io::Result<Outcome> {
        let url = self.kubelet_url(node, path);
        let nothing = |failed| Ok(Outcome::Lines { whole: false, failed });
        let opened = match NodeFile::open(&self.client, url.clone(), JournalHead::LENGTH) {
            Ok(opened) => opened,
            Err(error) if error.kind == HttpErrorKind::Status(404) => return Ok(Outcome::Replaced),
            // It is empty.
            Err(error) if error.kind == HttpErrorKind::Status(416) => return nothing(None),
            Err(error) => return nothing(Some(message(&error))),
        };
        let (Opened::Parts(_, first) | Opened::Whole(first, _)) = &opened;
        let Some(head) = JournalHead::of(first) else { return nothing(Some("it is no journal file".to_owned())) };
        if head.received.is_some_and(|received| !selection.reaches(received)) {
            return nothing(None);
        }
        let (text, whole) = match opened {
            Opened::Parts(parts, _) if parts.size() > MAX_JOURNAL => {
                return nothing(Some(format!("it is longer than {} GiB", MAX_JOURNAL >> 30)));
            }
            Opened::Parts(parts, _) => (JournalText::placed(parts, selection, &self.stop), false),
            Opened::Whole(first, rest) => {
                let stream = io::Cursor::new(first).chain(rest);
                (JournalText::streamed(stream, self.folder(), selection, &self.stop), true)
            }
        };
        let failed = copy_lines(text, max, file)?;
        // An archived file, which has an @ in its name, stays as it is.
        if !whole && !path.contains('@') {
            match NodeFile::open(&self.client, url, JournalHead::LENGTH) {
                Ok(Opened::Parts(_, first))
                    if JournalHead::of(&first).is_some_and(|now| now.file_id == head.file_id) => {}
                Ok(_) => return Ok(Outcome::Replaced),
                Err(error) if matches!(error.kind, HttpErrorKind::Status(404 | 416)) => return Ok(Outcome::Replaced),
                Err(error) => return Ok(Outcome::Lines { whole, failed: failed.or(Some(message(&error))) }),
            }
        }
        Ok(Outcome::Lines { whole, failed })
    }
}

/// Copies lines to a file, with the node's name in the place of the host's. Returns why not all came.
fn copy_lines(text: JournalText, max: u64, file: &mut NodeLogFile) -> io::Result<Option<String>> {
    let (mut text, mut buffer, mut ended) = (BufReader::new(text), Vec::new(), true);
    loop {
        let line = match journal_line::next(&mut text, &mut buffer) {
            Ok([]) => return Ok(None),
            Ok(line) => line,
            Err(error) => return Ok(Some(words(error))),
        };
        if file.len() > max {
            return Ok(Some(format!("no more than {} GiB of a node are read", MAX_FILE >> 30)));
        }
        match with_host(line).filter(|_| ended) {
            Some((date, rest)) => file.add_dated(date, rest)?,
            None => file.write_all(line)?,
        }
        ended = line.ends_with(b"\n");
    }
}

/// The date of a line, and what stands behind its host; further lines of a message, which are indented, have neither.
fn with_host(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let date = line.iter().position(|byte| *byte == b' ').filter(|length| *length > 0)?;
    let (date, rest) = (line.get(..date)?, line.get(date + 1..)?);
    let host = rest.iter().position(|byte| *byte == b' ')?;
    // Without a host the program follows, with a colon.
    let behind = if rest.get(..host)?.ends_with(b":") { rest } else { rest.get(host + 1..)? };
    Some((date, behind))
}

fn words(error: io::Error) -> String {
    match error.downcast::<HttpError>() {
        Ok(error) => message(&error),
        Err(error) => error.to_string(),
    }
}

/// Whether a folder has the journals of a machine, or of one of its namespaces.
fn is_machine(name: &str) -> bool {
    let (machine, namespace) = name.split_once('.').unwrap_or((name, "n"));
    machine.len() == MACHINE
        && machine.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !namespace.is_empty()
        && namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether a file is a journal of the system: being written (`system.journal`), archived (`system@….journal`), or left open (`…~`).
fn is_journal(name: &str) -> bool {
    let name = name.strip_suffix('~').unwrap_or(name);
    let middle = name.strip_prefix("system").and_then(|name| name.strip_suffix(".journal"));
    middle.is_some_and(|middle| middle.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_journals_of_the_system_are_read() {
        for name in ["system.journal", "system@0006-5f.journal", "system@0006-5f.journal~"] {
            assert!(is_journal(name), "{name}");
        }
        for name in ["user-1000.journal", "system.journal/", "system@../../x.journal", "system@%2e%2e.journal", "fss"] {
            assert!(!is_journal(name), "{name}");
        }
        let machine = "0f5e3c1d2b4a49788796a5b4c3d2e1f0";
        assert!(is_machine(machine) && is_machine(&format!("{machine}.kubelet")));
        for name in ["remote", "..", "0f5e", &format!("{machine}."), &format!("{machine}./.."), &format!("{machine}a")]
        {
            assert!(!is_machine(name), "{name}");
        }
    }

    #[test]
    fn the_host_of_a_line_is_behind_its_date() {
        let split = |line: &'static str| with_host(line.as_bytes());
        let (date, rest) = (&b"2026-11-28T23:08:15.763706+00:00"[..], &b"kubelet[7]: I1128 a b"[..]);
        assert_eq!(split("2026-11-28T23:08:15.763706+00:00 n1 kubelet[7]: I1128 a b"), Some((date, rest)));
        assert_eq!(split("2026-11-28T23:08:15.763706+00:00 kubelet[7]: I1128 a b"), Some((date, rest)));
        assert_eq!(split("      more of it"), None);
    }
}
