//! Log stores that are asked directly: which kind of store is at an address, which of its labels name units, and the lines of
//! kubelets and container runtimes as a record a line, which are then read as an export of the store is.
//!
//! ```text
//! URL --detect--> Store --select--> Selection --StoreText--> a record a line, in the order of time
//! ```
//!
//! To add a store: a file here that says how it is recognised and asked, its row in [`STORES`], and a server that stands for it
//! in `tests/it/stores`.

mod elasticsearch;
mod loki;
mod matcher;
mod paging;
mod units;
mod victorialogs;

use std::ops::Range;

use chrono::{DateTime, SecondsFormat};
use serde::de::DeserializeOwned;

use crate::model::time::{SECOND, Time};
use crate::web::{Body, Client, HttpError, HttpErrorKind};
use matcher::Matcher;
pub use paging::{StoreOutcome, StoreText};

/// A kind of store.
pub struct StoreKind {
    /// What it is called.
    pub name: &'static str,
    /// The store at a base URL, if it is of this kind: found out by asking for the labels of a window of time.
    recognise: fn(&Client, &str, &Range<Time>) -> Recognised,
}

/// The store at an address; none if something else is there.
type Recognised = Result<Option<Box<dyn Store>>, HttpError>;

/// All of them; the first that is recognised counts.
pub const STORES: &[StoreKind] = &[
    StoreKind { name: "Loki", recognise: loki::recognise },
    StoreKind { name: "VictoriaLogs", recognise: victorialogs::recognise },
    StoreKind { name: "Elasticsearch", recognise: elasticsearch::recognise },
];

/// A store that is asked for lines.
trait Store: Send {
    /// The names of the labels that its lines have in the window of time.
    fn labels(&mut self) -> Result<Vec<String>, HttpError>;

    /// The values of a label in the window of time.
    fn values(&mut self, label: &str) -> Result<Vec<String>, HttpError>;

    /// The oldest lines of a stretch of time, as many as it gives at once. The end is not part of the stretch. It may give lines
    /// before it.
    fn page(&mut self, selection: &Selection, range: &Range<Time>) -> Result<Page, HttpError>;
}

/// Which lines are wanted.
#[derive(Default)]
struct Selection {
    matchers: Vec<Matcher>,
    /// Every line that is used holds one of these; none: any line may be.
    words: Vec<String>,
}

/// A part of a store's lines.
#[derive(Default)]
struct Page {
    /// In any order.
    lines: Vec<Line>,
    /// It has as many lines as were asked for: there may be more.
    is_full: bool,
    /// What the store said beside them.
    warnings: Vec<String>,
}

/// A line of a log, as a store has it.
struct Line {
    at: Time,
    /// A JSON object on one line.
    record: String,
}

/// What is asked of a store.
#[derive(Clone, Debug)]
pub struct StoreQuery {
    /// The window: from and to.
    pub window: (Time, Time),
    /// The user's own matchers, as `unit="kubelet.service"`, which are then the only ones; empty: units are found.
    pub selector: String,
    /// Every line that is used holds one of these, in any form of the line.
    pub words: Vec<String>,
}

/// Parts of URLs that only log stores have: what stands before is the base URL.
const PATHS: [&str; 4] = ["/loki/api/", "/select/logsql", "/select/vmui", "/_search"];

/// Whether a URL names a log store's API, so that it is asked for that first.
#[must_use]
pub fn is_named(url: &str) -> bool {
    let base = without_query(url);
    base.ends_with("/loki") || PATHS.iter().any(|path| base.contains(path))
}

/// Finds out whether a store is at an address, and which of its lines are wanted.
///
/// # Errors
/// When it cannot be reached, does not let us in, or none of its labels names the units of kubelets.
pub fn detect(client: &Client, url: &str, query: &StoreQuery) -> Result<Option<StoreText>, HttpError> {
    let address = without_query(url);
    let base = PATHS.iter().find_map(|path| Some(address.rsplit_once(path)?.0)).unwrap_or(address);
    // Elasticsearch rounds to milliseconds: bounds are whole seconds.
    let (from, to) = query.window;
    let to = Time(to.0.saturating_add(SECOND - 1).div_euclid(SECOND).saturating_mul(SECOND));
    let window = Time(from.0.div_euclid(SECOND).saturating_mul(SECOND))..to;
    for kind in STORES {
        if let Some(mut store) = (kind.recognise)(client, base, &window)? {
            let matchers = if query.selector.is_empty() {
                vec![units::find(&mut *store, kind.name, base)?]
            } else {
                matcher::parse(&query.selector)?
            };
            let selection = Selection { matchers, words: query.words.clone() };
            return Ok(Some(StoreText::new(store, selection, window)));
        }
    }
    Ok(None)
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/')
}

/// Whether an error says that something else is at an address.
fn is_elsewhere(error: &HttpError) -> bool {
    matches!(error.kind, HttpErrorKind::Status(400 | 404 | 405 | 406 | 410 | 422 | 501) | HttpErrorKind::Truncated)
}

/// Reads a store's answer.
fn read_json<T: DeserializeOwned>(client: &Client, body: &Body) -> Result<T, HttpError> {
    serde_json::from_slice(&body.bytes).map_err(|error| client.mask_error(no_answer(&body.url, &error.to_string())))
}

/// What is answered is not what was asked for.
fn no_answer(url: &str, why: &str) -> HttpError {
    HttpError::new(
        HttpErrorKind::Truncated,
        without_query(url),
        format!("the response is not a log store's JSON ({why})"),
        "Check the URL: a login page, a proxy or another service may respond there.",
    )
}

/// An instant as in RFC 3339, to the nanosecond.
fn rfc3339(time: Time) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// JSON without line breaks: in its strings there are none.
fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_name_a_store_are_known() {
        for url in [
            "http://h:3100/loki/api/v1/query_range?query=x",
            "http://h/loki/",
            "http://h:9428/select/logsql/query",
            "http://h:9200/filebeat-*/_search?size=1",
        ] {
            assert!(is_named(url), "{url}");
        }
        for url in ["http://h:9090", "http://h/api/v1/query", "http://loki.example/metrics"] {
            assert!(!is_named(url), "{url}");
        }
    }

    #[test]
    fn instants_are_written_to_the_nanosecond() {
        assert_eq!(rfc3339(Time(1_795_460_456_380_731_001)), "2026-11-23T19:00:56.380731001Z");
    }
}
