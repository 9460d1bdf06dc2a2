//! Watches: a list, and from its version on every change.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::error::{is_gone, of_stream, unexpected};
use super::feed::Feed;
use super::{Cluster, Failed, POLL};
use crate::model::object::{self, Object};
use crate::web::{HttpError, HttpErrorKind};

/// How long a watch may be silent: the API server writes a bookmark about every minute.
pub(super) const SILENCE: Duration = Duration::from_secs(90);
/// The pause before a watch is begun again, so that a server that ends each at once is not asked without end.
const PAUSE: Duration = Duration::from_secs(1);
/// How often in a row a watch may fail.
const MAX_FAILURES: u32 = 5;

impl Cluster {
    /// Lists a feed, and watches it if that is wanted, until [`Cluster::ended`] is set or `each` says false.
    pub(super) fn list_and_watch<'f>(
        &self,
        feed: &'f Feed,
        each: &mut dyn FnMut(Object) -> bool,
    ) -> Result<(), Failed<'f>> {
        let listed = self.list(feed, each);
        self.listing.fetch_sub(1, Ordering::Relaxed);
        let mut version = listed.map_err(|error| Failed { feed, error, listed: false })?;
        let mut failures = 0;
        while self.options.watch.is_some() && !self.ended.load(Ordering::Relaxed) {
            let before = version.clone();
            match self.watch(feed, &mut version, each) {
                Ok(false) => return Ok(()),
                Ok(true) => failures = 0,
                // It was silent, or broke off after it had given something.
                Err(error) if error.kind == HttpErrorKind::Timeout => failures = 0,
                Err(error) if version != before && !is_gone(&error) => failures = 0,
                Err(error) => {
                    let is_refused = matches!(error.kind, HttpErrorKind::Status(400 | 401 | 403 | 404 | 405));
                    failures = if is_refused { MAX_FAILURES } else { failures + 1 };
                    let again = if is_gone(&error) { self.list(feed, each) } else { Ok(version) };
                    version = match again {
                        _ if self.ended.load(Ordering::Relaxed) => return Ok(()),
                        Ok(version) if failures < MAX_FAILURES => version,
                        Ok(_) => return Err(Failed { feed, error, listed: true }),
                        Err(error) => return Err(Failed { feed, error, listed: true }),
                    };
                }
            }
            self.pause(PAUSE);
        }
        Ok(())
    }

    /// One watch, until the server ends it. Returns whether `each` wants more.
    fn watch(
        &self,
        feed: &Feed,
        version: &mut String,
        each: &mut dyn FnMut(Object) -> bool,
    ) -> Result<bool, HttpError> {
        let selectors = feed.query();
        let mut query: Vec<(&str, &str)> = selectors.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.extend([("watch", "1"), ("allowWatchBookmarks", "true"), ("resourceVersion", version.as_str())]);
        let url = format!("{}{}", self.context.origin(), feed.path());
        let response = self.watcher.open(&url, &query, false)?;
        let (mut gone, mut goes_on, mut newest) = (None, true, None);
        let read = object::read(response, &mut |object| {
            let text = |path: &[&str]| object.text(path).to_owned();
            if object.text(&["kind"]) == "Status" {
                // An error comes as the last object.
                let message = format!("the watch failed: {} ({})", text(&["message"]), text(&["reason"]));
                let expired = matches!(object.text(&["reason"]), "Expired" | "Gone");
                gone = Some((expired, message));
                return;
            }
            let now = text(&["metadata", "resourceVersion"]);
            if !now.is_empty() {
                newest = Some(now);
            }
            // A bookmark has no name, and what wraps an object has neither.
            if !object.text(&["metadata", "name"]).is_empty() {
                goes_on &= each(object);
            }
        });
        if let Some(newest) = newest {
            *version = newest;
        }
        match gone {
            Some((true, message)) => {
                Err(HttpError { kind: HttpErrorKind::Status(410), ..unexpected(&feed.path(), message) })
            }
            Some((false, message)) => Err(unexpected(&feed.path(), message)),
            None => read.map_err(|error| of_stream(&feed.path(), error)).map(|()| goes_on),
        }
    }

    fn pause(&self, mut left: Duration) {
        while !left.is_zero() && !self.ended.load(Ordering::Relaxed) {
            std::thread::sleep(left.min(POLL));
            left = left.saturating_sub(POLL);
        }
    }
}
