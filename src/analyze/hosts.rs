//! The hosts that the records of an export name. A store leaves out what it takes for known: logcli the labels that all lines of a
//! batch share, so that the host comes and goes within one file. Then no line's host can be trusted to tell nodes apart.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::model::record::Record;

/// Whether the records of one source name their hosts.
#[derive(Default)]
pub(super) struct Hosts {
    is_export: bool,
    /// They are not looked at: some records name none.
    ignored: bool,
    named: u64,
    unnamed: u64,
    /// The kubelets' processes, two at most.
    kubelets: BTreeSet<u32>,
}

impl Hosts {
    pub(super) fn new(is_export: bool, ignored: bool) -> Self {
        Hosts { is_export, ignored, ..Hosts::default() }
    }

    /// The host of a record, as far as it counts.
    pub(super) fn take(&mut self, record: &Record, host: Option<Rc<str>>) -> Option<Rc<str>> {
        if !self.is_export {
            return host;
        }
        self.named += u64::from(host.is_some());
        self.unnamed += u64::from(host.is_none());
        if !record.from_runtime && self.kubelets.len() < 2 {
            self.kubelets.extend(record.pid);
        }
        host.filter(|_| !self.ignored)
    }

    /// Whether some records name a host and others none, which was not known.
    pub(super) fn are_incomplete(&self) -> bool {
        self.named > 0 && self.unnamed > 0 && !self.ignored
    }

    /// Whether hosts are not to be looked at.
    pub(super) fn are_ignored(&self) -> bool {
        self.ignored || self.are_incomplete()
    }

    /// The remark at the end: that machines cannot be distinguished.
    pub(super) fn remark(&self) -> Option<String> {
        match (self.named, self.unnamed) {
            (0, 1..) if self.kubelets.len() > 1 => {
                Some("no record names its host: lines of several machines would be taken for one's".to_owned())
            }
            (1.., unnamed @ 1..) => Some(format!(
                "{unnamed} of the records used name no host, so all are taken for one machine's; with logcli, \
                 --include-common-labels keeps it"
            )),
            _ => None,
        }
    }
}
