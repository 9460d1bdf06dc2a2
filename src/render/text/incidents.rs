//! Pods that someone waits for now: they come right under the head.

use std::io::{self, Write};

use super::{Page, format_count, named, plural, without_registries};
use crate::model::text::sanitize;
use crate::table::{Example, Incidents, Summary};

/// How many pods of a kind are named.
const NAMED: usize = 5;
/// Where a reason stands for which there is no room behind its pod.
const BELOW: &str = "      ";

impl Page<'_> {
    pub(super) fn incidents(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        let all = plural(summary.startups, "pod", "pods");
        let did_not_come_up = format!("did not come up: {} of {all}", summary.did_not_come_up.count);
        self.kind(&did_not_come_up, &summary.did_not_come_up, out)?;
        // Those that did not come up may have restarted too: they are named once, above.
        let restarted = format!("containers restarted: {} of {}", summary.restarted.count, others(summary));
        self.kind(&restarted, &summary.restarted, out)
    }

    fn kind(&self, head: &str, incidents: &Incidents, out: &mut dyn Write) -> io::Result<()> {
        if incidents.count == 0 {
            return Ok(());
        }
        writeln!(out, "{}", self.strong(head))?;
        let (named, more) = named_once(incidents, self.many(NAMED));
        for (pod, because) in named {
            let pod = sanitize(&pod);
            let [whole, short] = [format!("  {pod}  {because}"), without_registries(&format!("  {pod}  {because}"))];
            if let Some(line) = [whole, short].iter().find(|line| self.fits(line)) {
                writeln!(out, "{line}")?;
                continue;
            }
            writeln!(out, "{}", self.clipped(&format!("  {pod}")))?;
            let short = without_registries(&because);
            self.words(out, BELOW, if self.fits(&format!("{BELOW}{short}")) { &short } else { &because })?;
        }
        match more {
            0 => Ok(()),
            more => writeln!(out, "  and {} more", format_count(more as usize)),
        }
    }
}

/// The pods of which it is said how many restarted: `the other 3 pods`, or all of them.
pub(in crate::render) fn others(summary: &Summary) -> String {
    let other = if summary.did_not_come_up.count > 0 { "the other " } else { "" };
    format!("{other}{}", plural(summary.others(), "pod", "pods"))
}

/// The first so many names of pods with what keeps them, and of how many more nothing is said. Pods of one name, one after the
/// other or in several clusters, are named once.
pub(in crate::render) fn named_once(incidents: &Incidents, most: usize) -> (Vec<(String, String)>, u64) {
    let mut named: Vec<(&Example, u64)> = Vec::new();
    for example in &incidents.of {
        match named.iter_mut().find(|(known, _)| known.pod == example.pod && known.cause == example.cause) {
            Some((_, count)) => *count += 1,
            None => named.push((example, 1)),
        }
    }
    named.truncate(most);
    let more = incidents.count.saturating_sub(named.iter().map(|(_, count)| count).sum());
    let said = |(example, count): (&Example, u64)| match count {
        1 => (example.pod.clone(), because(example)),
        count => (example.pod.clone(), format!("({count} pods of this name) {}", because(example))),
    };
    (named.into_iter().map(said).collect(), more)
}

/// What keeps a pod from running: the error, the object in it, what was tried.
fn because(example: &Example) -> String {
    let Some(cause) = &example.cause else { return format!("{}: the input does not show why", example.state.words()) };
    let named = named(example);
    let named = if named.is_empty() { named } else { format!(": {named}") };
    format!("{}{named}", sanitize(cause))
}
