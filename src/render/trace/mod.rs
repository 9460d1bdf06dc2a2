//! A trace for Perfetto and Chrome's viewer, in the trace event format (JSON): a process a node, a thread a startup, a slice
//! the whole startup and one each span within it.
//!
//! Instants are whole microseconds since 1970: numbers that a double holds exactly. Both ends of a span are cut to them, not its
//! length, so slices meet where spans do and nest without a gap. Of two slices that begin at once the first in the file is the
//! outer one.

mod event;
mod flow;

use std::collections::HashMap;
use std::io::Write;

use super::{TextOptions, json};
use crate::breakdown::anomaly;
use crate::causes;
use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::text::sanitize;
use crate::model::time::Time;
use crate::report::Report;
use crate::table::{Finding, Row, Span};
use event::{Args, Event};
use flow::Flows;

/// Writes a trace, startup by startup.
///
/// # Errors
/// When writing fails, or the table cannot be read.
pub(super) fn write(report: &Report, _: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    // The unit is first: Perfetto looks for it in the first piece of the file that it reads.
    out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    let mut trace = Trace { out, events: 0, numbers: 0, nodes: HashMap::new(), flows: Flows::default() };
    for row in report.table.rows() {
        trace.startup(&row?)?;
    }
    let flows = std::mem::take(&mut trace.flows);
    flows.events(&mut |event| trace.event(event))?;
    Ok(trace.out.write_all(b"\n]}\n")?)
}

/// A slice's place: its thread, and from when to when in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    pid: u32,
    tid: u32,
    from: i64,
    to: i64,
}

impl Slice {
    /// So many microseconds before its end, but within it.
    fn before_end(self, micros: i64) -> i64 {
        (self.to - micros).max(self.from)
    }

    /// Where its marks stand: at its end. Perfetto binds an arrow to what began last on the thread, be it a mark that is over.
    fn mark(self) -> Self {
        Slice { from: self.before_end(1), ..self }
    }
}

struct Trace<'a> {
    out: &'a mut dyn Write,
    events: usize,
    /// Given out so far. Processes and threads share the numbers: Perfetto names threads by their number alone, and takes one
    /// that has its process' number for the main thread.
    numbers: u32,
    nodes: HashMap<Option<Box<str>>, u32>,
    flows: Flows,
}

impl Trace<'_> {
    fn event(&mut self, event: &Event<'_>) -> Result<(), Error> {
        self.out.write_all(if self.events == 0 { b"\n" } else { b",\n" })?;
        self.events += 1;
        json::line(self.out, event)
    }

    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// The name of a process or a thread.
    fn name(&mut self, what: &'static str, pid: u32, tid: u32, name: &str) -> Result<(), Error> {
        self.event(&Event {
            name: what,
            cat: "__metadata",
            ph: "M",
            pid,
            tid,
            args: Args::default().text("name", Some(name)),
            ..Event::default()
        })
    }

    fn node(&mut self, node: Option<&str>) -> Result<u32, Error> {
        if let Some(pid) = self.nodes.get(&node.map(Into::into)) {
            return Ok(*pid);
        }
        let pid = self.number();
        self.nodes.insert(node.map(Into::into), pid);
        self.name("process_name", pid, pid, node.filter(|node| !node.is_empty()).unwrap_or("unknown node"))?;
        Ok(pid)
    }

    /// A startup without any instant has no place in a trace and is left out.
    fn startup(&mut self, row: &Row) -> Result<(), Error> {
        let Some(began) = row.began() else { return Ok(()) };
        let pid = self.node(row.node.as_deref())?;
        let tid = self.number();
        let name = sanitize(&row.full_name());
        self.name("thread_name", pid, tid, &name)?;
        let slices = slices(row, pid, tid);
        let from = slices.first().map_or(micros(began), |slice| slice.from);
        let to = slices.last().map_or(from, |slice| slice.to);
        let args = Args::default()
            .text("state", Some(row.state.name()))
            .text("uid", row.uid.as_deref())
            .number("total_s", row.total_s)
            .number("running_s", row.running_s)
            .number("ready_s", row.ready_s)
            .number("slo_s", row.slo_s)
            .text("cause", row.cause.as_deref())
            .text("anomalies", Some(&row.anomalies.join(", ")));
        let whole = Slice { pid, tid, from, to };
        self.slice(&name, "startup", whole, args)?;
        for (span, slice) in row.spans.iter().zip(&slices) {
            let args = Args::default()
                .text("precision", Some(span.precision.name()))
                .number("min_s", Some(span.min_s))
                .number("max_s", Some(span.max_s))
                .text("waited_for", span.waited_for.as_deref())
                .evidence(row, span.evidence.as_ref());
            self.slice(span.phase.words().label, "span", *slice, args)?;
            self.flows.note(span, *slice);
        }
        for finding in &row.findings {
            let about = place(finding, &row.spans).and_then(|at| slices.get(at)).unwrap_or(&whole);
            let args = Args::default()
                .text("title", causes::named(&finding.cause).map(|cause| cause.title))
                .number("lost_s", Some(finding.lost_s))
                .number("lost_min_s", Some(finding.lost_min_s))
                .text("waited_for", finding.waited_for.as_deref())
                .evidence(row, finding.evidence.as_ref());
            self.instant(&sanitize(&finding.cause), "cause", about.mark(), args)?;
        }
        for id in &row.anomalies {
            let args = Args::default().text("title", anomaly(id));
            self.instant(&sanitize(id), "anomaly", whole.mark(), args)?;
        }
        Ok(())
    }

    fn slice(&mut self, name: &str, cat: &'static str, at: Slice, args: Args) -> Result<(), Error> {
        let Slice { pid, tid, from: ts, to } = at;
        self.event(&Event { name, cat, ph: "X", pid, tid, ts: Some(ts), dur: Some(to - ts), args, ..Event::default() })
    }

    /// A mark on a thread.
    fn instant(&mut self, name: &str, cat: &'static str, at: Slice, args: Args) -> Result<(), Error> {
        let Slice { pid, tid, from: ts, .. } = at;
        self.event(&Event { name, cat, ph: "i", pid, tid, ts: Some(ts), s: Some("t"), args, ..Event::default() })
    }
}

fn micros(time: Time) -> i64 {
    time.0.div_euclid(1000)
}

/// The spans as slices, each from where the one before ends or later, and none shorter than nothing: by two clocks a start may end
/// before it began, and tables come from other tools too.
fn slices(row: &Row, pid: u32, tid: u32) -> Vec<Slice> {
    let mut reached = i64::MIN;
    let slice = |span: &Span| {
        let from = micros(span.from).max(reached);
        reached = micros(span.to).max(from);
        Slice { pid, tid, from, to: reached }
    };
    row.spans.iter().map(slice).collect()
}

/// The span a finding is about: that of its evidence, else the longest it may claim.
fn place(finding: &Finding, spans: &[Span]) -> Option<usize> {
    let phases: &[Phase] = causes::named(&finding.cause).map_or(&[], |cause| cause.phases);
    let mine = spans.iter().enumerate().filter(|(_, span)| phases.contains(&span.phase));
    let sure = |span: &Span| span.evidence.is_some() && span.evidence == finding.evidence;
    mine.max_by_key(|(_, span)| (sure(span), span.to - span.from)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
