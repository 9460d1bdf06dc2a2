//! Whose line is it: the startup that a record belongs to.

use std::borrow::Cow;

use super::aliases::Aliases;
use super::{Id, OpenStartup, Tracker, confirms_start, takes_pod};
use crate::model::record::{Fact, Field, Record};

/// Lines from which a startup is made when none is open.
fn begins_startup(record: &Record) -> bool {
    confirms_start(record)
        || takes_pod(record.fact)
        || matches!(record.fact, Fact::PodAdded | Fact::PodRejected | Fact::VolumeMountStarted)
}

impl Tracker {
    /// The startup a line belongs to: by uid, by sandbox or container, by name; made when the line can begin one.
    pub(super) fn startup_for(&mut self, record: &Record, node: usize) -> Option<Id> {
        let uid = record.fields.text(Field::Uid);
        let name = record.fields.text(Field::Pod).map(Cow::Borrowed).or_else(|| {
            let (namespace, name) = (record.fields.text(Field::Namespace)?, record.fields.text(Field::Name)?);
            Some(Cow::Owned([namespace, "/", name].concat()))
        });
        if let Some(uid) = uid {
            if let Some(id) = self.by_uid.get(uid).copied().filter(|id| self.open.contains_key(id)) {
                return Some(id);
            }
            if self.closed.contains(uid) {
                return self.known_before(name.as_deref(), uid);
            }
        }
        let object = [Field::Sandbox, Field::ContainerId]
            .into_iter()
            .find_map(|field| self.by_object.get(record.fields.text(field)?));
        if let Some(id) = object.copied().filter(|id| self.open.contains_key(id)) {
            return Some(id);
        }
        let named = name.as_deref().and_then(|name| self.named(name));
        // Volume errors give the uid and the name without its namespace.
        let (named, name) = match (named, uid, record.fields.text(Field::Name)) {
            (None, Some(_), Some(bare)) if name.is_none() => {
                let found = self.named_without_namespace(bare, node);
                (found, found.and_then(|id| Some(Cow::Owned(self.open.get(&id)?.pod.to_string()))))
            }
            _ => (named, name),
        };
        match (named, uid) {
            (Some(id), None) => Some(id),
            (Some(id), Some(uid)) => Some(self.name_uid(id, uid, name.as_deref()?, node)),
            (None, _) if !begins_startup(record) => None,
            (None, None) if self.already_running.contains(name.as_deref()?) => None,
            (None, _) => {
                let id = self.begin(name.as_deref()?, node);
                if let Some(uid) = uid {
                    self.name_uid(id, uid, name.as_deref()?, node);
                }
                Some(id)
            }
        }
    }

    /// The one open startup of a node that has this name in some namespace, and no uid yet.
    fn named_without_namespace(&self, name: &str, node: usize) -> Option<Id> {
        let has = |open: &OpenStartup| {
            open.uid.is_none() && open.node == node && open.pod.rsplit_once('/').is_some_and(|(_, bare)| bare == name)
        };
        let mut found = self.open.iter().filter(|(_, open)| has(open)).map(|(id, _)| *id);
        found.next().filter(|_| found.next().is_none())
    }

    /// Gives a startup found by name the uid a line shows. Another uid under the same name is another pod, but for
    /// static pods: there the kubelet's own uid (a hash, no dashes) and the mirror's stand for the same pod.
    fn name_uid(&mut self, id: Id, uid: &str, name: &str, node: usize) -> Id {
        let Some(startup) = self.open.get_mut(&id) else { return id };
        let is_static = |uid: &str| !uid.contains('-');
        let id = match startup.uid.as_deref() {
            None => {
                startup.uid = Some(uid.into());
                startup.static_pod |= is_static(uid);
                id
            }
            Some(known) if known == uid => id,
            Some(known) if is_static(known) != is_static(uid) => {
                startup.static_pod = true;
                id
            }
            Some(_) => {
                self.close(id, false);
                let id = self.begin(name, node);
                if let Some(startup) = self.open.get_mut(&id) {
                    startup.uid = Some(uid.into());
                }
                id
            }
        };
        Aliases::link(&mut self.aliases.entry(id).or_default().uids, &mut self.by_uid, uid, id);
        id
    }

    /// A pod that was seen to its end before: what a restarted kubelet says of it begins nothing.
    fn known_before(&mut self, name: Option<&str>, uid: &str) -> Option<Id> {
        let id = self.named(name?)?;
        let startup = self.open.get(&id)?;
        if startup.uid.is_none() && !startup.confirmed {
            self.forget(id);
        } else if startup.uid.as_deref() == Some(uid) {
            return Some(id);
        }
        None
    }
}
