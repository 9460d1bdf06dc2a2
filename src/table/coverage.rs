//! What was read, and what could not be: counters, examples of unused lines, errors. It is kept with every table.

pub use super::unused_line::UnusedLine;
use super::unused_line::keep_first;

/// The record of what was read: some fields, and counters that are added up. A counter declared here is summed, and shown by the
/// outputs where it has a label (of one, and of several).
macro_rules! coverage {
    (
        { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }
        counters { $(#[doc = $about:literal] $counter:ident $(= $one:literal | $many:literal)?,)* }
    ) => {
        /// What was read, and what could not be.
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default)]
        pub struct Coverage {
            $($(#[$attribute])* pub $field: $type,)*
            $(#[doc = $about] pub $counter: u64,)*
        }

        impl Coverage {
            /// Every counter of another run is added.
            fn add_counters(&mut self, other: &Coverage) {
                $(self.$counter += other.$counter;)*
            }

            /// The counters that outputs show, with their label.
            #[must_use]
            pub fn counters(&self) -> Vec<Counter> {
                vec![$($(Counter {
                    name: stringify!($counter),
                    count: self.$counter,
                    label: if self.$counter == 1 { $one } else { $many },
                },)?)*]
            }
        }
    };
}

/// A counter as outputs show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counter {
    /// The field's name.
    pub name: &'static str,
    /// Its value.
    pub count: u64,
    /// What is counted.
    pub label: &'static str,
}

coverage! {
    {
        /// The inputs, by name.
        sources: Vec<String>,
        /// What is to be said of inputs: why one is unread or partly read (`unread_sources` counts these), which files of a
        /// folder are no logs, how a time zone was found.
        source_errors: Vec<String>,
        /// Inputs of lines of which no line was used: text of something else, or logs that say nothing of startups.
        unused_sources: Vec<String>,
        /// The first few lines that were not used, or only partly.
        unused_lines: Vec<UnusedLine>,
        /// The log has no time zone: UTC was assumed.
        zone_assumed: bool,
        /// The filters, as text; times in UTC.
        filters: Vec<String>,
        /// Names are pseudonyms: the id of the key they are made with. Equal keys make equal pseudonyms.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pseudonyms: Vec<String>,
        /// The run was interrupted before the end of the input.
        partial: bool,
    }
    counters {
        /// How many inputs are unread or partly read.
        unread_sources = "unread or partly read input" | "unread or partly read inputs",
        /// Bytes read, decompressed.
        bytes,
        /// Lines read.
        lines,
        /// Lines used.
        records,
        /// Pods read, as API objects.
        pods,
        /// Events read, as API objects.
        events,
        /// Metric samples used.
        samples,
        /// Startups that were filtered out.
        filtered,
        /// Lines that contain a known word but are not recognised.
        unknown_lines = "unrecognised line" | "unrecognised lines",
        /// Lines among metrics that are invalid.
        invalid_samples = "invalid sample" | "invalid samples",
        /// Records on truncated lines.
        truncated_records = "truncated line" | "truncated lines",
        /// Lines longer than the limit.
        long_lines = "over-long line" | "over-long lines",
        /// Records without a timestamp.
        undated = "line without a timestamp" | "lines without a timestamp",
        /// Lines of a pipe more than two seconds after later ones, not sorted as the text before was not kept.
        out_of_order = "line of a pipe out of order, not sorted: give a file instead" | "lines of a pipe out of order, not sorted: give a file instead",
        /// Lines given twice, which count once.
        duplicate_records = "line given twice: counted once" | "lines given twice: counted once",
        /// Duplicate startups (the same node and uid) merged.
        duplicate_startups = "duplicate startup merged" | "duplicate startups merged",
        /// Pods that are older than the log, or than the kubelet's start.
        existing_pods = "pod older than the log" | "pods older than the log",
        /// Startups reported before their end because they were idle too long.
        evicted_idle = "startup reported early: idle too long" | "startups reported early: idle too long",
        /// Startups reported before their end because too many were open at once.
        evicted_limit = "startup reported early: over the limit of open startups" | "startups reported early: over the limit of open startups",
        /// Duplicate events of startups dropped.
        dropped_events = "duplicate event dropped" | "duplicate events dropped",
        /// Messages that journald reports as dropped.
        suppressed_messages = "message dropped by journald" | "messages dropped by journald",
    }
}

impl Coverage {
    /// Adds a line that was not used.
    pub fn add_unused_line(&mut self, line: UnusedLine) {
        self.unused_lines.push(line);
        if self.unused_lines.len() > 1000 {
            keep_first(&mut self.unused_lines);
        }
    }

    /// Adds what another run read.
    pub fn add(&mut self, other: Coverage) {
        self.add_counters(&other);
        let Coverage {
            sources,
            source_errors,
            unused_sources,
            unused_lines,
            zone_assumed,
            filters,
            pseudonyms,
            partial,
            ..
        } = other;
        for (mine, theirs) in [
            (&mut self.sources, sources),
            (&mut self.source_errors, source_errors),
            (&mut self.unused_sources, unused_sources),
            (&mut self.filters, filters),
            (&mut self.pseudonyms, pseudonyms),
        ] {
            mine.extend(theirs);
            mine.sort_unstable();
            mine.dedup();
        }
        self.unused_lines.extend(unused_lines);
        keep_first(&mut self.unused_lines);
        self.zone_assumed |= zone_assumed;
        self.partial |= partial;
    }
}
