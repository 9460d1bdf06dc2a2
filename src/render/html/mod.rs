//! The report as a page: one file that asks nothing of any network, with its data as JSON, which podlag reads back.
//!
//! Script and style are files of their own in this folder; the page lets no other run (a Content-Security-Policy by their
//! hashes). Data stand in an element that is no script to the browser, and every `<` in it is written as an escape.

mod data;
mod sample;
mod startup;
mod tables;

use std::io::{self, Write};

use base64::Engine;
use sha2::{Digest, Sha256};

use super::{TextOptions, format_count, palette};
use crate::model::error::Error;
use crate::report::Report;

/// A page is smaller than so many bytes.
const LIMIT: usize = 5_000_000;
/// What startups have of it at least, however much the report has beside them.
const LEAST: usize = 500_000;

/// The page around style, script and data.
const PAGE: &str = include_str!("page.html");
/// Parts of the page, by their names in a folder.
macro_rules! parts {
    ($folder:literal: $($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!($folder, "/", $name)))),*] };
}

/// The style; of rules of the same weight the later wins.
const STYLE: &[(&str, &str)] = parts![
    "style": "base.css",
    "filter.css",
    "summary.css",
    "tables.css",
    "causes.css",
    "charts.css",
    "waterfall.css",
    "notes.css",
    "narrow.css",
    "paper.css",
];

/// The script, in the order its parts build on each other.
const SCRIPT: &[(&str, &str)] = parts![
    "script": "format.js",
    "dom.js",
    "data.js",
    "state.js",
    "figures.js",
    "charts.js",
    "tables.js",
    "filter.js",
    "sections/incidents.js",
    "sections/summary.js",
    "sections/causes.js",
    "sections/distribution.js",
    "sections/timeline.js",
    "sections/waterfall.js",
    "sections/lists.js",
    "sections/stores.js",
    "sections/metrics.js",
    "sections/notes.js",
    "main.js",
];

pub(super) fn write(report: &Report, _: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    let joined = |parts: &[(&str, &str)]| parts.iter().map(|(_, part)| *part).collect::<String>();
    let (script, style) = (joined(SCRIPT), joined(STYLE) + &palette::of_page());
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(&style)
    );
    let startups = report.page.as_deref().and_then(data::startups).unwrap_or(report.table.len());
    let measured = report.metrics.as_ref().filter(|_| startups == 0).map(|metrics| metrics.fleet.startups.round());
    let title = match measured {
        Some(starts) => format!("podlag: {} pod starts, by metrics", format_count(starts as usize)),
        None => format!("podlag: {} pod starts", format_count(startups)),
    };
    let (before, after) = PAGE.split_once("{{data}}").unwrap_or((PAGE, ""));
    let filled = |part: &str| {
        let part = part.replace("{{csp}}", &policy).replace("{{title}}", &title).replace("{{style}}", &style);
        part.replace("{{script}}", &script)
    };
    out.write_all(filled(before).as_bytes())?;
    match &report.page {
        // What was cut when the page was made cannot be made again: it goes on as it is.
        Some(page) => Escaped(&mut *out).write_all(page.as_bytes())?,
        None => {
            let around = before.len() + after.len() + title.len() + policy.len() + style.len() + script.len();
            write_data(report, LIMIT.saturating_sub(around), out)?;
        }
    }
    Ok(out.write_all(filled(after).as_bytes())?)
}

/// Writes the data of a page that has so many bytes for them.
fn write_data(report: &Report, bytes: usize, out: &mut dyn Write) -> Result<(), Error> {
    let head = json_bytes(&data::Data::of(report, &sample::Sample::default(), None))?;
    // Figures of the head that are longer with startups than without.
    let room = bytes.saturating_sub(head + 200).max(LEAST);
    let (mut candidates, mut sums) = (sample::Candidates::new(report, room), tables::Summing::new());
    for row in report.table.rows() {
        candidates.take(&row?, &mut sums)?;
    }
    let tables = (!candidates.all_fit()).then(|| sums.tables());
    let taken = tables.as_ref().map_or(Ok(0), json_bytes)?;
    let listed = candidates.fit(taken)?;
    let data = data::Data::of(report, &listed, tables.as_ref());
    Ok(serde_json::to_writer(Escaped(&mut *out), &data).map_err(io::Error::from)?)
}

/// How many bytes something takes in the page.
fn json_bytes(value: &impl serde::Serialize) -> Result<usize, Error> {
    struct Counted(usize);
    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    serde_json::to_writer(Escaped(&mut counted), value).map_err(io::Error::from)?;
    Ok(counted.0)
}

fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text)))
}

/// JSON in which no text can end the element it is in: `<` occurs in strings only, where its escape means the same.
struct Escaped<'a>(&'a mut dyn Write);

impl Write for Escaped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'<') {
            match part.strip_suffix(b"<") {
                Some(plain) => {
                    self.0.write_all(plain)?;
                    self.0.write_all(b"\\u003c")?;
                }
                None => self.0.write_all(part)?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The files below a folder, by their paths in it.
    fn files(folder: &Path, within: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(within).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files(folder, &path, found),
                false => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }

    #[test]
    fn every_part_is_in_the_page() {
        for (name, parts) in [("script", SCRIPT), ("style", STYLE)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/html").join(name);
            let mut found = Vec::new();
            files(&folder, &folder, &mut found);
            let mut listed: Vec<String> = parts.iter().map(|(name, _)| (*name).to_owned()).collect();
            found.sort();
            listed.sort();
            assert_eq!(found, listed);
        }
    }

    #[test]
    fn data_cannot_end_their_element() {
        let mut out = Vec::new();
        Escaped(&mut out).write_all(br#"{"a":"</script><!--","b":1}"#).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains('<'), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["a"], "</script><!--");
    }
}
