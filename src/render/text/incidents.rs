//! Pods that someone waits for now: they come right under the head.

use std::io::{self, Write};

use super::{Page, named, plural};
use crate::model::text::sanitize;
use crate::table::{Example, Incidents, Summary};

/// How many pods of a kind are named.
const NAMED: usize = 5;

impl Page<'_> {
    pub(super) fn incidents(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        let all = plural(summary.startups, "pod", "pods");
        let did_not_come_up = format!("did not come up: {} of {all}", summary.did_not_come_up.count);
        self.kind(&did_not_come_up, &summary.did_not_come_up, out)?;
        // Those that did not come up may have restarted too: they are named once, above.
        let all = match summary.did_not_come_up.count {
            0 => all,
            never => format!("the other {}", plural(summary.startups.saturating_sub(never as usize), "pod", "pods")),
        };
        let restarted = format!("containers restarted: {} of {all}", summary.restarted.count);
        self.kind(&restarted, &summary.restarted, out)
    }

    fn kind(&self, head: &str, incidents: &Incidents, out: &mut dyn Write) -> io::Result<()> {
        if incidents.count == 0 {
            return Ok(());
        }
        writeln!(out, "{}", self.strong(head))?;
        for example in incidents.of.iter().take(self.many(NAMED)) {
            writeln!(out, "{}", self.clipped(&format!("  {}  {}", sanitize(&example.pod), because(example))))?;
        }
        match incidents.count.saturating_sub(self.many(NAMED).min(incidents.of.len()) as u64) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more"),
        }
    }
}

/// What keeps a pod from running: the error, the object in it, what was tried.
pub(in crate::render) fn because(example: &Example) -> String {
    let Some(cause) = &example.cause else { return format!("{}: the input does not show why", example.state.words()) };
    let named = named(example);
    let named = if named.is_empty() { named } else { format!(": {named}") };
    format!("{}{named}", sanitize(cause))
}
