//! A cluster as an input: its objects go the way of a dump's, the pages of its kubelets that of saved ones.

use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Options;
use super::inputs::Inputs;
use crate::causes::setting::Settings;
use crate::cluster::{Cluster, Found, Kind, NodeLog, NodePage};
use crate::input::Source;
use crate::model::error::Error;
use crate::model::hash::{HashSet, RandomState};
use crate::model::object::Object;

impl Inputs {
    /// Reads a cluster: everything of it comes before logs are read. Gives the logs of its nodes.
    pub(super) fn read_cluster(
        &mut self,
        source: &Source,
        context: Option<&str>,
        options: &Options,
        stop: &Arc<AtomicBool>,
    ) -> Vec<Source> {
        self.count += 1;
        match self.ask_cluster(source, context, options, stop) {
            Ok(logs) => return logs,
            Err(error) if !stop.load(Ordering::Relaxed) => self.fail(format!("{}: {error}", source.name)),
            Err(_) => {}
        }
        Vec::new()
    }

    fn ask_cluster(
        &mut self,
        source: &Source,
        context: Option<&str>,
        options: &Options,
        stop: &Arc<AtomicBool>,
    ) -> Result<Vec<Source>, Error> {
        let temp = &options.budget.temp;
        let bytes = source.read_counter();
        let cluster = Cluster::open(context, &options.cluster, &options.servers.access, temp, stop, &bytes)?;
        options.budget.made.add(cluster.folder());
        let names = cluster.feeds().iter().map(|feed| format!("{}/{}", source.name, feed.name()));
        let numbers: Vec<u32> = names.map(|name| self.objects.begin(name)).collect();
        let mut taken = Taken { seen: HashSet::default(), hasher: RandomState::default(), failed: None };
        let mut logs = Vec::new();
        let unread = cluster.read(&mut |found| match found {
            Found::Object(feed, object) => {
                let kind = cluster.feeds().get(feed).map(|feed| feed.kind);
                if let (Some(kind), Some(number)) = (kind, numbers.get(feed)) {
                    self.take_object(kind, &object, *number, options, &mut taken);
                    source.set_objects(taken.seen.len() as u64);
                }
            }
            Found::Page(page) => self.take_page(source, &page),
            Found::Log(log) => {
                self.has_node_journals |= log.is_of_journal();
                logs.push(log_source(source, &log));
            }
            Found::Answered(nodes, of) => source.set_queries(nodes as u64, of as u64),
        })?;
        self.clusters.push(cluster);
        self.damaged += unread.parts;
        self.errors.extend(unread.remarks.into_iter().map(|remark| format!("{}: {remark}", source.name)));
        self.note_left_out(&source.name);
        // Names of nodes are in them.
        self.members.extend(logs.iter().map(|log| log.name.clone()));
        // Which node answers first does not show.
        logs.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        taken.failed.map_or(Ok(logs), Err)
    }

    fn take_object(&mut self, kind: Kind, object: &Object, number: u32, options: &Options, taken: &mut Taken) {
        // What is listed anew, or changes, is one object.
        let is_new = taken.seen.insert(taken.hasher.hash_one(object.text(&["metadata", "uid"])));
        // Of a pod that is being deleted the status shows its end, not its start.
        let ends = kind == Kind::Pods && object.at(&["metadata", "deletionTimestamp"]).is_some();
        if ends && !is_new {
            return;
        }
        if is_new {
            self.objects.count(object);
        }
        if options.cluster.pod_selector.is_some() && kind != Kind::Nodes {
            self.objects.select(object, number);
        }
        if taken.failed.is_none() {
            taken.failed = self.objects.add(object, number, options, &mut self.owners).err();
        }
    }

    fn take_page(&mut self, source: &Source, page: &NodePage) {
        let name = format!("{}/nodes/{}/{}", source.name, page.node, page.path);
        if page.path == NodePage::SETTINGS {
            match Settings::of_config(&String::from_utf8_lossy(&page.bytes)) {
                Ok(settings) => {
                    if let Some(facts) = self.objects.nodes.facts(&page.node) {
                        facts.settings = settings;
                    }
                }
                Err(error) => self.errors.push(format!("{name}: {error}")),
            }
            return;
        }
        let mut named = Source::from_reader(&name, std::io::empty());
        // Only the kubelet's own page names its node: the others are of the node whose page lies beside them.
        named.folder = Some(PathBuf::from(format!("{}/nodes/{}", source.name, page.node)));
        let mut told = Vec::new();
        let read = self.scrapes.read(&named, page.bytes.as_slice(), &mut told);
        // That nothing of a start is in the page of containers is no fault: only throttling is looked for there.
        self.errors.extend(told.into_iter().filter(|_| page.path == NodePage::METRICS));
        self.errors.extend(read.err().map(|error| format!("{name}: {error}")));
    }
}

/// A node's log as a file of a folder of its own.
fn log_source(cluster: &Source, log: &NodeLog) -> Source {
    let folder = format!("{}/nodes/{}", cluster.name, log.node);
    let mut source = Source::from_path(&log.file);
    source.name = format!("{folder}/{}", log.path);
    source.folder = Some(PathBuf::from(folder));
    source
}

/// What has been taken of a cluster.
struct Taken {
    /// The uids of its objects, hashed.
    seen: HashSet<u64>,
    hasher: RandomState,
    /// Why no more could be kept.
    failed: Option<Error>,
}
