//! The API server of a cluster, through `kubectl proxy`: lists and watches of pods, events and nodes, pages of
//! kubelets, and logs of nodes.
//!
//! ```text
//! kubectl --config view--> Context --proxy--> socket --web--> pages, watches, lines --> Found
//! ```
//!
//! kubectl knows how a cluster is reached (contexts, credentials, plugins, proxies); podlag asks only what [`ClusterOptions`]
//! need, and the proxy that it starts lets nothing else pass: see [`kubectl`].

mod error;
mod feed;
mod journal_line;
mod kubectl;
mod list;
mod log_query;
mod node_file;
mod node_journals;
mod node_log_file;
mod node_logs;
mod node_pages;
mod watch;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select, tick};

use crate::model::error::{Error, ErrorKind};
use crate::model::object::Object;
use crate::model::time::Time;
use crate::web::{Client, ClientOptions, HttpError};

pub use feed::{Feed, Kind};
use kubectl::{Context, Kubectl, Proxy};
pub use node_logs::NodeLog;
pub use node_pages::NodePage;

/// How many requests are made at once; watches, which wait, do not count.
const MAX_REQUESTS: usize = 5;
/// How often something is asked again that broke off, or was replaced while it was read.
const MAX_ATTEMPTS: u32 = 3;
/// How many objects wait for who takes them.
const WAITING: usize = 256;
/// How soon a watch notices that it is to end.
const POLL: Duration = Duration::from_millis(50);

/// What of a cluster is read. The default: pods, events and nodes as they are now, of the context's namespace.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// Only these namespaces; none: that of the context.
    pub namespaces: Vec<String>,
    /// All namespaces, whatever stands in `namespaces`.
    pub all_namespaces: bool,
    /// Only pods of these nodes; none: of all.
    pub nodes: Vec<String>,
    /// A label selector of pods, as kubectl takes it.
    pub pod_selector: Option<String>,
    /// For how long changes are watched; none: not at all.
    pub watch: Option<Duration>,
    /// Whether metrics and settings of kubelets are read, through the proxy of the API server.
    pub node_metrics: bool,
    /// Of which window of time the nodes' logs are read, through the proxy of the API server; with a watch also those of its time.
    /// None: they are not read.
    pub node_logs: Option<Range<Time>>,
    /// Units and programs whose entries of nodes' journals are read, besides the built-in ones.
    pub units: Vec<String>,
}

/// What a cluster gives.
pub enum Found {
    /// An object of a feed, by its number in [`Cluster::feeds`].
    Object(usize, Object),
    /// A page of a kubelet.
    Page(NodePage),
    /// Lines of a node.
    Log(NodeLog),
    /// Of how many nodes kubelets have answered, and of how many.
    Answered(usize, usize),
}

/// Who takes what is found.
type Take<'t> = dyn FnMut(Found) + 't;

/// What of a cluster could not be read.
pub struct Unread {
    /// In words.
    pub remarks: Vec<String>,
    /// How many parts: feeds of pods and events, logs of nodes.
    pub parts: usize,
}

/// A feed of which not all could be read.
struct Failed<'f> {
    feed: &'f Feed,
    error: HttpError,
    /// It was listed, and then could not be watched.
    listed: bool,
}

impl Failed<'_> {
    fn words(&self) -> String {
        if self.listed { error::unwatched(self.feed, &self.error) } else { error::refused(self.feed, &self.error) }
    }
}

/// A cluster that can be asked.
pub struct Cluster {
    options: ClusterOptions,
    kubectl: Kubectl,
    context: Context,
    proxy: Proxy,
    client: Client,
    /// For watches, which are silent for long.
    watcher: Client,
    feeds: Vec<Feed>,
    stop: Arc<AtomicBool>,
    /// Watches are over.
    ended: Arc<AtomicBool>,
    /// How many bytes of nodes' logs were read.
    log_bytes: Arc<AtomicU64>,
    /// Feeds that are not yet listed to their ends.
    listing: AtomicUsize,
    permits: (Sender<()>, Receiver<()>),
}

impl Cluster {
    /// Reaches the cluster of a context of the kubeconfig, of the current one if none is given. Asks the API server nothing yet.
    /// `log_bytes` counts what is read of nodes' logs, for whoever watches.
    ///
    /// # Errors
    /// When there is no kubectl, no such context, or the proxy does not start.
    pub fn open(
        context: Option<&str>,
        options: &ClusterOptions,
        access: &ClientOptions,
        temp: &Path,
        stop: &Arc<AtomicBool>,
        log_bytes: &Arc<AtomicU64>,
    ) -> Result<Self, Error> {
        if cfg!(not(unix)) {
            let message = "clusters are read on Linux and macOS only";
            return Err(
                Error::new(ErrorKind::Setting, message).help("kubectl get pods,events,nodes -A -o json > objects.json")
            );
        }
        let kubectl = Kubectl::new(context);
        let context = kubectl.context()?;
        let proxy = Proxy::start(&kubectl, &context, options, temp, stop)?;
        let ended: Arc<AtomicBool> = Arc::default();
        let access = ClientOptions {
            unix_socket: Some(proxy.socket.clone()),
            timeout: access.timeout,
            retries: access.retries,
            max_bytes: access.max_bytes,
            stop: Arc::clone(stop),
            ..ClientOptions::default()
        };
        let patient = ClientOptions {
            timeout: access.timeout.max(watch::SILENCE),
            max_bytes: u64::MAX,
            retries: 0,
            stop: Arc::clone(&ended),
            ..access.clone()
        };
        let failed = |error: HttpError| error::plain(&error);
        Ok(Cluster {
            feeds: feed::feeds(options, &context.namespace)?,
            options: options.clone(),
            kubectl,
            context,
            client: Client::new(&access).map_err(failed)?,
            watcher: Client::new(&patient).map_err(failed)?,
            proxy,
            stop: Arc::clone(stop),
            ended,
            log_bytes: Arc::clone(log_bytes),
            listing: AtomicUsize::new(0),
            permits: bounded(MAX_REQUESTS),
        })
    }

    /// What is listed, nodes first.
    pub fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    /// The private folder of the proxy's socket and of the nodes' logs, which is gone with the value.
    pub fn folder(&self) -> &Path {
        self.proxy.folder()
    }

    /// Reads everything that the options say, and gives it to `each`. Returns what could not be read.
    ///
    /// # Errors
    /// When neither pods nor events could be read.
    pub fn read(&self, each: &mut dyn FnMut(Found)) -> Result<Unread, Error> {
        let (mut remarks, mut nodes, mut crio) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (mine, others): (Vec<_>, Vec<_>) =
            self.feeds.iter().enumerate().partition(|(_, feed)| feed.kind == Kind::Nodes);
        for (number, feed) in mine {
            let listed = self.list(feed, &mut |object| {
                let name = object.text(&["metadata", "name"]);
                if object.text(&["status", "nodeInfo", "containerRuntimeVersion"]).starts_with("cri-o:") {
                    crio.insert(name.to_owned());
                }
                nodes.push(name.to_owned());
                each(Found::Object(number, object));
                true
            });
            remarks.extend(listed.err().map(|error| error::refused(feed, &error)));
        }
        // A list that was begun anew has some of them twice; who may not list them may name them.
        nodes.extend(self.options.nodes.iter().cloned());
        nodes.sort_unstable();
        nodes.dedup();
        let asks = self.options.node_metrics || self.options.node_logs.is_some();
        let may = asks && self.may_ask_kubelets(&mut remarks);
        let pages = may && self.options.node_metrics;
        let (mut partial, mut pods) = (0, false);
        if pages && self.options.watch.is_some() {
            self.node_pages(&nodes, each, &mut remarks);
        }
        let mut counted = |found: Found| {
            let number = if let Found::Object(number, _) = &found { self.feeds.get(*number) } else { None };
            pods |= number.is_some_and(|feed| feed.kind == Kind::Pods);
            each(found);
        };
        let failed = self.follow(&others, &mut counted, &mut |each| {
            if pages {
                self.node_pages(&nodes, each, &mut remarks);
            }
            if let Some(range) = self.options.node_logs.clone().filter(|_| may) {
                let range = range.start..self.end_of_logs(range.end);
                partial = self.node_logs(&nodes, &crio, &range, each, &mut remarks);
            }
        });
        // What was interrupted is told of the whole analysis.
        if self.stop.load(Ordering::Relaxed) {
            return Ok(Unread { remarks, parts: 0 });
        }
        remarks.extend(failed.iter().map(Failed::words));
        match failed.first() {
            Some(first) if failed.len() == others.len() && failed.iter().all(|failed| !failed.listed) => {
                Err(error::nothing(first.feed, &first.error))
            }
            _ => {
                let lists: Vec<Feed> = self.feeds.iter().filter(|feed| feed.kind == Kind::Pods).cloned().collect();
                // What logs show says it all.
                if !pods
                    && self.options.node_logs.is_none()
                    && !failed.iter().any(|failed| failed.feed.kind == Kind::Pods)
                {
                    remarks.push(error::no_pods(&self.options, &lists));
                }
                Ok(Unread { remarks, parts: failed.len() + partial })
            }
        }
    }

    /// Lines of the time that was watched are wanted too.
    fn end_of_logs(&self, end: Time) -> Time {
        let watched = self.options.watch.unwrap_or_default();
        Time(end.0.saturating_add(i64::try_from(watched.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// Lists feeds side by side, and watches them as long as that is wanted. Returns those that failed.
    /// `last` still has the proxy, whose end ends the watches.
    fn follow<'f>(
        &self,
        feeds: &[(usize, &'f Feed)],
        each: &mut Take<'_>,
        last: &mut dyn FnMut(&mut Take<'_>),
    ) -> Vec<Failed<'f>> {
        let (give, take) = bounded(WAITING);
        self.listing.store(feeds.len(), Ordering::Relaxed);
        std::thread::scope(|scope| {
            let threads: Vec<_> = feeds
                .iter()
                .map(|(number, feed)| {
                    let give = give.clone();
                    scope.spawn(move || {
                        let mut send = |object| give.send(Found::Object(*number, object)).is_ok();
                        self.list_and_watch(feed, &mut send).err()
                    })
                })
                .collect();
            drop(give);
            let end = self.options.watch.map_or_else(never, after);
            let poll = tick(POLL);
            loop {
                select! {
                    recv(take) -> found => match found {
                        Ok(found) => each(found),
                        Err(_) => break,
                    },
                    recv(end) -> _ => self.ended.store(true, Ordering::Relaxed),
                    recv(poll) -> _ => self.check_interrupt(),
                }
                if self.ended.load(Ordering::Relaxed) && self.listing.load(Ordering::Relaxed) == 0 {
                    // Watches wait for what may not come for a minute.
                    break;
                }
            }
            take.try_iter().for_each(&mut *each);
            drop(take);
            last(each);
            self.proxy.end();
            threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect()
        })
    }

    /// Who interrupts a watch wants to see what it saw: that is no interruption of the analysis. One of a list is.
    fn check_interrupt(&self) {
        let watches = self.options.watch.is_some() && self.listing.load(Ordering::Relaxed) == 0;
        if watches && self.stop.swap(false, Ordering::Relaxed) {
            self.ended.store(true, Ordering::Relaxed);
        } else if self.stop.load(Ordering::Relaxed) {
            self.proxy.end();
        }
    }
}
