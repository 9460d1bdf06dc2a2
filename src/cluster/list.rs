//! Lists, page by page.

use super::error::{is_gone, of_stream, unexpected};
use super::feed::Feed;
use super::{Cluster, MAX_ATTEMPTS};
use crate::model::object::{self, Object};
use crate::web::{HttpError, HttpErrorKind};

/// How many objects a page holds.
const PAGE: &str = "500";
/// A server that gives more pages, or the same place twice, goes round in a circle.
const MAX_PAGES: u32 = 100_000;

/// What a list says of itself.
#[derive(Debug, Default)]
struct Page {
    /// Where the next page begins; empty: this was the last.
    next: String,
    /// The version that the list is of.
    version: String,
}

impl Cluster {
    /// Lists a feed. Returns the version from which it can be watched. Objects may come more than once. `each` ends the list by
    /// false.
    pub(super) fn list(&self, feed: &Feed, each: &mut dyn FnMut(Object) -> bool) -> Result<String, HttpError> {
        let (mut next, mut anew, mut again) = (String::new(), 0, 0);
        for _ in 0..MAX_PAGES {
            match self.page(feed, &next, each) {
                Ok(page) if page.next.is_empty() => return Ok(page.version),
                Ok(page) if page.next == next => break,
                Ok(page) => (next, again) = (page.next, 0),
                // Between two pages it has forgotten the version that the list is of.
                Err(error) if is_gone(&error) && !next.is_empty() && anew < MAX_ATTEMPTS => {
                    anew += 1;
                    next.clear();
                }
                Err(error) if error.kind == HttpErrorKind::Truncated && again < MAX_ATTEMPTS => again += 1,
                Err(error) => return Err(error),
            }
        }
        Err(unexpected(&feed.path(), "the list does not end"))
    }

    fn page(&self, feed: &Feed, next: &str, each: &mut dyn FnMut(Object) -> bool) -> Result<Page, HttpError> {
        let mut query = feed.query();
        query.push(("limit", PAGE.to_owned()));
        if !next.is_empty() {
            query.push(("continue", next.to_owned()));
        }
        // Waits while others ask.
        let _ = self.permits.0.send(());
        let page = self.ask_page(feed, &query, each);
        let _ = self.permits.1.try_recv();
        page
    }

    fn ask_page(
        &self,
        feed: &Feed,
        query: &[(&str, String)],
        each: &mut dyn FnMut(Object) -> bool,
    ) -> Result<Page, HttpError> {
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = format!("{}{}", self.context.origin(), feed.path());
        let response = self.client.open(&url, &query, false)?;
        let mut page = None;
        let read = object::read(response, &mut |object| {
            if object.text(&["kind"]).ends_with("List") {
                let text = |key| object.text(&["metadata", key]).to_owned();
                page = Some(Page { next: text("continue"), version: text("resourceVersion") });
            } else {
                each(object);
            }
        });
        read.map_err(|error| of_stream(&feed.path(), error))?;
        page.ok_or_else(|| unexpected(&feed.path(), "the answer is no list of Kubernetes objects"))
    }
}
