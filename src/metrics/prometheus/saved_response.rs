//! A response of the HTTP API that was saved to a file, as `curl …/api/v1/query` prints it.

use std::io::Read;

use super::response::{self, Matrix};
use crate::metrics::ScrapeCollector;
use crate::model::time::{SECOND, Time};
use crate::web::Body;

/// The longest response that is read, in bytes: it is held as a whole.
const MAX_BYTES: u64 = 64 << 20;

/// What was read.
#[derive(Debug, Default)]
pub struct SavedResponse {
    /// Bytes of the text.
    pub bytes: u64,
    /// Numbers of all series.
    pub samples: u64,
    /// Series without a name: a query that computes something leaves none.
    pub nameless: u64,
}

/// Reads the response to an instant query or a range query: each instant of each node is a page.
///
/// # Errors
/// When it is too long or no such response.
pub fn read(reader: impl Read, pages: &mut ScrapeCollector) -> Result<SavedResponse, String> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| format!("reading failed: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("the response is longer than 64 MiB; query a shorter range or fewer series".into());
    }
    let mut read = SavedResponse { bytes: bytes.len() as u64, ..SavedResponse::default() };
    let body = Body { bytes, content_type: None, url: String::new(), status: 200 };
    let (matrix, _): (Matrix, _) = response::read(&body).map_err(|error| error.message)?;
    for series in &matrix.result {
        let Some(name) = series.metric.get("__name__") else {
            read.nameless += 1;
            continue;
        };
        let labels: Vec<(&String, &String)> = series.metric.iter().filter(|(label, _)| *label != "__name__").collect();
        for (seconds, value) in series.numbers() {
            read.samples += 1;
            pages.take_at(name, &labels, value, Time((seconds * SECOND as f64) as i64));
        }
    }
    Ok(read)
}
