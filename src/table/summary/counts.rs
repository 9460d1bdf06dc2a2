//! What is counted of all startups in one scan: states, nodes, versions, evidence, settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::SettingLine;
use crate::causes::evidence::Evidence;
use crate::causes::setting::{SETTINGS, Setting, Settings};
use crate::input::node_folder;
use crate::model::error::Error;
use crate::model::hash::HashMap;
use crate::model::startup::STATES;
use crate::model::time::Nanos;
use crate::table::held_rows::BEGAN;
use crate::table::query::ByName;
use crate::table::startups::Table;

/// So many startups of a source must have waited for a pull before it says something that none shows parallel ones: the first to
/// wait on a node does not show them.
const QUEUED: u64 = 4;

/// What is counted in one scan.
pub(super) struct Counts {
    /// Startups of each state, in the order of [`STATES`].
    states: [u64; STATES.len()],
    pub(super) evidence: ByName<u64>,
    pub(super) kubelets: BTreeSet<Box<str>>,
    /// Nodes that are named, with what their rows say is set and when that was last said.
    settings: ByName<HashMap<Box<str>, Option<i64>>>,
    /// Sources of named nodes in which pulls waited: of how many startups that was the main cause, and whether any of the source
    /// shows that pulls ran beside each other.
    queued: ByName<HashMap<Box<str>, (u64, bool)>>,
    /// The folders of sources that name no node, and which of them stand for a node.
    folders: HashMap<Box<str>, PathBuf>,
    /// The first creation, and the last instant.
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
}

impl Counts {
    const COLUMNS: [&str; 12] = [
        "state",
        "evidence",
        "kubelet_version",
        "node",
        "settings",
        "source",
        "cause",
        BEGAN,
        "watched",
        "running",
        "seen",
        "total_s",
    ];

    pub(super) fn collect(table: &Table) -> Result<Self, Error> {
        let mut counts = Counts {
            states: [0; STATES.len()],
            evidence: ByName::new(),
            kubelets: BTreeSet::new(),
            settings: ByName::new(),
            queued: ByName::new(),
            folders: HashMap::default(),
            first: None,
            last: None,
        };
        table.scan(&Self::COLUMNS, &mut |batch| {
            for state in batch.text("state")?.iter() {
                let known = STATES.iter().zip(&mut counts.states).find(|((_, name), _)| state == Some(name));
                known.into_iter().for_each(|(_, count)| *count += 1);
            }
            batch.text("evidence")?.iter().for_each(|word| *counts.evidence.entry(word) += 1);
            for version in batch.text("kubelet_version")?.iter().flatten() {
                if !counts.kubelets.contains(version) {
                    counts.kubelets.insert(version.into());
                }
            }
            let began = batch.integers(BEGAN)?;
            let rows = batch.text("node")?.iter().zip(batch.text("settings")?.iter()).zip(batch.text("source")?.iter());
            let evidence = batch.text("evidence")?;
            let causes = batch.text("cause")?;
            let rows = rows.zip(began.iter()).zip(evidence.iter()).zip(causes.iter());
            for (((((node, settings), source), began), evidence), cause) in rows {
                counts.first = counts.first.into_iter().chain(began).min();
                counts.pulls(node, source, cause, settings);
                let (known, settings) = (counts.settings.entry(node), settings.unwrap_or_default());
                match known.get_mut(settings) {
                    Some(last) => *last = began.max(*last),
                    None => drop(known.insert(settings.into(), began)),
                }
                // Of objects it is known that they have no node.
                let objects = evidence.is_some_and(|words| Evidence::read(words).any(|kind| kind == Evidence::Events));
                let folder = source.map(|source| source.rsplit_once('/').map_or("", |(folder, _)| folder));
                if let Some(folder) =
                    folder.filter(|folder| !objects && node.is_none() && !counts.folders.contains_key(*folder))
                {
                    counts.folders.insert(folder.into(), node_folder(Path::new(folder)));
                }
            }
            let (watched, running, seen) =
                (batch.integers("watched")?, batch.integers("running")?, batch.integers("seen")?);
            let ends = watched.iter().zip(running.iter()).zip(seen.iter());
            let marked = ends.map(|((watched, running), seen)| watched.or(running).or(seen));
            // Of what has not run, and of what objects show, only the length is known.
            let totals = batch.seconds("total_s")?;
            let took = began.iter().zip(totals.iter());
            let took = took.map(|(began, total)| Some(began? + Nanos::from_seconds(total?).0));
            let last = marked.zip(took).filter_map(|(marked, took)| marked.max(took)).max();
            counts.last = counts.last.max(last);
            Ok(())
        })?;
        Ok(counts)
    }

    fn pulls(&mut self, node: Option<&str>, source: Option<&str>, cause: Option<&str>, settings: Option<&str>) {
        let queued = cause == Some(crate::causes::IMAGE_PULL_QUEUED);
        let parallel = settings.is_some_and(|words| Settings::read(words).pull_concurrency().is_some());
        if queued || parallel {
            let sources = self.queued.entry(node);
            let source = source.unwrap_or_default();
            if !sources.contains_key(source) {
                sources.insert(source.into(), (0, false));
            }
            let known = sources.get_mut(source).into_iter();
            known.for_each(|(count, shown)| (*count, *shown) = (*count + u64::from(queued), *shown || parallel));
        }
    }

    pub(super) fn states(&self) -> Vec<(&'static str, u64)> {
        STATES.iter().zip(self.states).map(|((_, name), count)| (*name, count)).collect()
    }

    /// Nodes are counted by name; where no line names them, the files of one folder are of one node.
    pub(super) fn nodes(&self) -> usize {
        self.settings.names() + self.folders.values().collect::<BTreeSet<_>>().len()
    }

    /// What is known to be set: a line for each value of a setting that some node's lines show.
    pub(super) fn settings(&self) -> Vec<SettingLine> {
        let nodes: Vec<Settings> = self
            .settings
            .values()
            .map(|said| {
                // In the order of time: what was reported later holds.
                let mut said: Vec<(Option<i64>, &str)> = said.iter().map(|(words, last)| (*last, &**words)).collect();
                said.sort_unstable();
                said.iter().fold(Settings::default(), |known, (_, words)| Settings::read(words).over(&known))
            })
            .collect();
        let mut lines = Vec::new();
        for (knob, name) in SETTINGS {
            let mut values: BTreeMap<Option<&str>, u64> = BTreeMap::new();
            nodes.iter().for_each(|known| *values.entry(known.get(*knob)).or_default() += 1);
            if *knob == Setting::SerializeImagePulls && values.contains_key(&Some("false")) {
                // A kubelet whose pulls only ever waited is another than one whose pulls ran beside each other.
                let serial = |(queued, parallel): &&(u64, bool)| *queued >= QUEUED && !*parallel;
                let serial = self.queued.values().filter(|sources| sources.values().any(|one| serial(&one))).count();
                if serial > 0 {
                    *values.entry(None).or_default() += serial as u64;
                }
            }
            if values.keys().any(Option::is_some) {
                lines.extend(values.into_iter().map(|(value, nodes)| SettingLine {
                    name,
                    value: value.map(str::to_owned),
                    nodes,
                }));
            }
        }
        lines
    }
}
