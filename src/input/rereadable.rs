//! A text that can be had but once (a pipe's), kept in a temporary file as it is read, so that it can be read again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compression::DecodeError;
use super::journal::JournalError;

/// The longest text that is kept, in bytes. What is out of order shows it early; of what shows it later nothing is lost, it
/// is counted.
const MAX_KEPT_BYTES: u64 = 256 << 20;

/// The text. Clones share it.
#[derive(Clone)]
pub struct Rereadable {
    state: Arc<Mutex<State>>,
    /// Beside the state, which whoever waits for the text holds.
    is_kept: Arc<AtomicBool>,
}

struct State {
    text: Box<dyn Read + Send>,
    /// What was read of it; none once it is too long, or cannot be written.
    kept: Option<File>,
    length: u64,
    limit: u64,
    /// How it ended, if not well.
    error: Option<io::Error>,
}

impl Rereadable {
    /// A text, to be kept in a file without a name in the folder `temp`. Where no file can be made, it is not kept.
    #[must_use]
    pub fn new(text: Box<dyn Read + Send>, temp: &Path) -> Self {
        Self::with_limit(text, temp, MAX_KEPT_BYTES)
    }

    fn with_limit(text: Box<dyn Read + Send>, temp: &Path, limit: u64) -> Self {
        let kept = tempfile::tempfile_in(temp).ok();
        let is_kept = Arc::new(AtomicBool::new(kept.is_some()));
        Rereadable { state: Arc::new(Mutex::new(State { text, kept, length: 0, limit, error: None })), is_kept }
    }

    /// Whether [`Self::read_again`] still gives all of it.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Relaxed)
    }

    /// The text from its beginning, as far as it is kept. Only the reader made last gives all of it.
    #[must_use]
    pub fn read_again(&self) -> impl Read + Send + use<> {
        if let Some(kept) = &mut self.lock().kept {
            // A file that cannot be read fails at its first read.
            let _ = kept.seek(SeekFrom::Start(0));
        }
        RereadableReader { shared: self.clone(), at: 0 }
    }

    /// A reader that panicked leaves a state that is as good as any: each byte was kept before it was given.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct RereadableReader {
    shared: Rereadable,
    at: u64,
}

impl Read for RereadableReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.shared.lock();
        let state = &mut *state;
        if let (true, Some(kept)) = (self.at < state.length, &mut state.kept) {
            let left = usize::try_from(state.length - self.at).unwrap_or(usize::MAX).min(into.len());
            let read = kept.read(into.get_mut(..left).unwrap_or_default())?;
            self.at += read as u64;
            return if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) };
        }
        if let Some(error) = &state.error {
            return Err(same(error));
        }
        let read = match state.text.read(into) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(same(state.error.insert(error))),
            read => read?,
        };
        state.keep(into.get(..read).unwrap_or_default());
        self.shared.is_kept.store(state.kept.is_some(), Ordering::Relaxed);
        self.at += read as u64;
        Ok(read)
    }
}

impl State {
    fn keep(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let Some(kept) = &mut self.kept else { return };
        if self.length > self.limit || kept.write_all(bytes).is_err() {
            self.kept = None;
        }
    }
}

/// The same error once more.
fn same(error: &io::Error) -> io::Error {
    let inner = error.get_ref();
    let journal = inner.and_then(|inner| inner.downcast_ref::<JournalError>());
    match inner.and_then(|inner| inner.downcast_ref::<DecodeError>()) {
        Some(inner) => io::Error::new(error.kind(), inner.clone()),
        None if let Some(journal) = journal => io::Error::new(error.kind(), journal.clone()),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &'static [u8], limit: u64) -> Rereadable {
        Rereadable::with_limit(Box::new(bytes), &std::env::temp_dir(), limit)
    }

    #[test]
    fn what_was_read_and_what_was_not_is_read_again() {
        let text = text(b"one two three", 100);
        for part in [4, 0, 9] {
            let mut bytes = vec![0; part];
            text.read_again().read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, &b"one two three"[..part]);
        }
        let mut all = String::new();
        text.read_again().read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), text.is_kept()), ("one two three", true));
    }

    #[test]
    fn a_text_over_the_limit_is_read_to_its_end_but_once() {
        let text = text(b"one two three", 12);
        let mut all = String::new();
        text.read_again().read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), text.is_kept()), ("one two three", false));
    }

    #[test]
    fn without_a_folder_it_is_read_but_once() {
        let text = Rereadable::new(Box::new(&b"text"[..]), Path::new("/nowhere"));
        let mut all = String::new();
        text.read_again().read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), text.is_kept()), ("text", false));
    }

    #[test]
    fn an_error_comes_again_where_it_came() {
        let cut = b"one".chain(FailingReader);
        let text = Rereadable::with_limit(Box::new(cut), &std::env::temp_dir(), 100);
        for _ in 0..2 {
            let mut all = Vec::new();
            let error = text.read_again().read_to_end(&mut all).unwrap_err();
            assert_eq!((all.as_slice(), error.to_string().as_str()), (&b"one"[..], "the cable"));
        }
    }

    struct FailingReader;

    impl Read for FailingReader {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable"))
        }
    }
}
