//! An answer while it is read, within its limits.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::blocking::Response;

use super::cause::About;
use super::trouble::{HttpError, Kind};

/// An answer that is there and not read yet. Reading gives it unpacked; an error within it is a [`HttpError`] in the
/// [`io::Error`], which [`io::Error::downcast`] gets out.
pub struct Answer {
    /// Its status, from 200 to 299.
    pub status: u16,
    /// What the server says that it is, such as `application/json`.
    pub content_type: Option<String>,
    /// Where it came from after all redirects, as [`shown`](super::shown).
    pub url: String,
    pub(super) response: Response,
    pub(super) about: About,
    /// Bytes that may still come.
    pub(super) left: u64,
    pub(super) max_bytes: u64,
    pub(super) stop: Arc<AtomicBool>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
    /// What the server says that it is, such as `application/json`.
    pub content_type: Option<String>,
    /// Where it came from after all redirects, as [`shown`](super::shown).
    pub url: String,
    /// Its status, from 200 to 299.
    pub status: u16,
}

impl Read for Answer {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other(self.about.trouble(Kind::Stopped, "stopped within the answer", "")));
        }
        let read = match self.response.read(room) {
            // The caller's loops would go round for ever on this one.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            read => read.map_err(|error| io::Error::other(self.about.cut(&error)))?,
        };
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(self.too_large())),
        }
        Ok(read)
    }
}

impl Answer {
    /// All of it.
    ///
    /// # Errors
    ///
    /// When it is too large, ends early, takes too long or is stopped.
    pub fn whole(mut self) -> Result<Body, HttpError> {
        let mut bytes = Vec::new();
        match self.read_to_end(&mut bytes) {
            Ok(_) => Ok(Body { bytes, content_type: self.content_type, url: self.url, status: self.status }),
            Err(error) => Err(error.downcast().unwrap_or_else(|error| self.about.cut(&error))),
        }
    }

    fn too_large(&self) -> HttpError {
        let message = format!("the answer is larger than {} bytes", self.max_bytes);
        self.about.trouble(Kind::TooLarge, message, "Ask for less, or allow more (--max-response).")
    }
}
