//! What the user gave to read: a file, standard input, a URL, a reader.

use std::fmt;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::archive::Member;
use super::error::display_name;
use super::file::FileIdentity;
use super::journal::JournalSelection;
use super::layout::node_folder;

/// How a cluster is spelled as an input: alone, or with a colon and its context.
pub(super) const CLUSTER: &str = "cluster";

/// A named stream of bytes: a file, also one in an archive, standard input, what a server answers, or a reader.
#[derive(Clone, Debug)]
pub struct Source {
    /// As shown to the user: the path as it was given or found, with control characters replaced; `stdin` for `-`; of a file in an
    /// archive the archive's name, a slash and its path there.
    pub name: String,
    pub(super) origin: Origin,
    /// The folder that stands for the file's node, as part of its path (empty for a bare file name): mostly the one it is in. `None` for
    /// what is no file. Of a file in an archive it is as if the archive were unpacked into a folder of its name without the extension.
    pub folder: Option<PathBuf>,
    /// Size on disk in bytes, compressed as it is; `None` if it has no known size (pipe, device, standard input).
    pub bytes: Option<u64>,
    /// Whether the user named this very file. What is found in a folder and is no log is skipped instead.
    pub explicit: bool,
    /// Which file it was when it was listed.
    pub(super) identity: Option<FileIdentity>,
    /// Not held open between reads.
    pub(super) reopen_each_read: bool,
    /// What is read of it if it is a journal.
    pub(super) journal: Arc<JournalSelection>,
    pub(super) read: Arc<AtomicU64>,
    pub(super) queries: Arc<[AtomicU64; 2]>,
    pub(super) objects: Arc<AtomicU64>,
}

/// Where its bytes come from.
#[derive(Clone)]
pub(super) enum Origin {
    Stdin,
    File(PathBuf),
    Url(String),
    /// A cluster, by its context; none: the current one.
    Cluster(Option<String>),
    /// A file in an archive.
    Member(Arc<Member>),
    /// Taken by the first who reads it.
    Reader(Arc<Mutex<Option<Box<dyn Read + Send>>>>),
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Stdin => f.write_str("Stdin"),
            Origin::File(path) => f.debug_tuple("File").field(path).finish(),
            // A URL may hold a password.
            Origin::Url(_) => f.write_str("Url"),
            Origin::Cluster(context) => f.debug_tuple("Cluster").field(context).finish(),
            Origin::Member(member) => f.debug_tuple("Member").field(member).finish(),
            Origin::Reader(_) => f.write_str("Reader"),
        }
    }
}

impl Source {
    pub(super) fn new(name: String, origin: Origin) -> Self {
        Source {
            name,
            origin,
            folder: None,
            bytes: None,
            explicit: true,
            identity: None,
            reopen_each_read: false,
            journal: Arc::default(),
            read: Arc::default(),
            queries: Arc::default(),
            objects: Arc::default(),
        }
    }

    /// Standard input.
    #[must_use]
    pub fn stdin() -> Self {
        Source::new("stdin".into(), Origin::Stdin)
    }

    /// A file, a named pipe or a device; a folder is an error of the analysis. Nothing is opened: a file that is not there is an
    /// error of the analysis.
    #[must_use]
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        match fs::metadata(&path) {
            Ok(about) => Source::file(path, &about),
            Err(_) => Source::new(display_name(&path), Origin::File(path)),
        }
    }

    /// A file whose metadata is known.
    pub(super) fn file(path: PathBuf, about: &Metadata) -> Self {
        let about = Some(about).filter(|about| about.is_file());
        Source {
            folder: path.parent().map(node_folder),
            bytes: about.map(Metadata::len),
            identity: about.map(FileIdentity::of),
            ..Source::new(display_name(&path), Origin::File(path))
        }
    }

    /// What a reader gives; `name` is what the report and errors call it. It can be read once, on a thread of its own.
    #[must_use]
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Self {
        let reader: Box<dyn Read + Send> = Box::new(reader);
        Source::new(crate::model::text::sanitize(name), Origin::Reader(Arc::new(Mutex::new(Some(reader)))))
    }

    /// A URL, of a page of metrics, of a server with Prometheus' API or of a log store. Nothing is requested yet.
    #[must_use]
    pub fn from_url(url: &str) -> Self {
        Source::new(crate::web::redact_url(url), Origin::Url(url.into()))
    }

    /// A cluster, by the name of its context in the kubeconfig; `None` for the current one. It is reached through kubectl, and nothing
    /// is requested yet.
    #[must_use]
    pub fn from_cluster(context: Option<&str>) -> Self {
        let name = context
            .map_or(CLUSTER.to_owned(), |context| format!("{CLUSTER}:{}", crate::model::text::sanitize(context)));
        Source::new(name, Origin::Cluster(context.map(str::to_owned)))
    }

    /// The same source, of which these entries are read if it is a journal. Default: those of kubelets and container runtimes.
    #[must_use]
    pub fn with_journal_selection(mut self, selection: &Arc<JournalSelection>) -> Self {
        self.journal = Arc::clone(selection);
        self
    }

    /// The path, if it is a file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        if let Origin::File(path) = &self.origin { Some(path) } else { None }
    }

    /// The URL, if it is one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        if let Origin::Url(url) = &self.origin { Some(url) } else { None }
    }

    /// The context, if it is a cluster; none in it: the current one.
    #[must_use]
    pub fn cluster(&self) -> Option<Option<&str>> {
        if let Origin::Cluster(context) = &self.origin { Some(context.as_deref()) } else { None }
    }

    /// When the file was changed last.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        match &self.origin {
            Origin::File(path) => path.metadata().ok()?.modified().ok(),
            Origin::Member(member) => member.modified,
            _ => None,
        }
    }

    /// In how many archives it is.
    pub(super) fn depth(&self) -> u8 {
        if let Origin::Member(member) = &self.origin { member.depth } else { 0 }
    }

    /// Copies a file in an archive to a temporary one in the folder `temp`; `None` for what is in no archive.
    pub(crate) fn copy_from_archive(&self, temp: &Path) -> Option<io::Result<NamedTempFile>> {
        let Origin::Member(member) = &self.origin else { return None };
        let copy = || {
            let mut file = NamedTempFile::new_in(temp)?;
            io::copy(&mut member.reader(), &mut file)?;
            Ok(file)
        };
        Some(copy())
    }

    /// Whether it is standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        matches!(self.origin, Origin::Stdin)
    }

    /// Of a server: how many queries are done, and of how many. Of a cluster: how many nodes' kubelets have answered, and of how many.
    #[must_use]
    pub fn queries(&self) -> (u64, u64) {
        let [done, of] = &*self.queries;
        (done.load(Ordering::Relaxed), of.load(Ordering::Relaxed))
    }

    /// Records how many queries are done, and of how many.
    pub fn set_queries(&self, done: u64, of: u64) {
        let [mine, all] = &*self.queries;
        mine.store(done, Ordering::Relaxed);
        all.store(of, Ordering::Relaxed);
    }

    /// Of a cluster: how many objects were read.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// Records how many objects were read.
    pub fn set_objects(&self, count: u64) {
        self.objects.store(count, Ordering::Relaxed);
    }

    /// What [`Source::bytes_read`] shows, to be counted by who reads it in another way: of a cluster the logs of nodes.
    pub(crate) fn read_counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Bytes read of it so far, before decompression: comparable with `bytes`. Clones share it, so a progress bar may keep one.
    /// Opening a source sets it back to 0.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}
