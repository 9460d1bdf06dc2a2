//! The first stage: from what the user named to chunks of whole lines.
//!
//! ```text
//! paths --list--> Source --open--> decoded bytes --Chunks--> Chunk
//! ```
//!
//! Everything about files, folders, standard input, packings (gzip, zstd, xz, bzip2) and encodings (UTF-16, byte order
//! marks) ends here; the stages after it take bytes. What a source holds is decided by its first bytes, never by its name.
//! It knows nothing of what a line means, and it neither prints nor reads the environment or the clock.
//!
//! Memory: one open source holds a read buffer of at most chunk + lookahead + line limit + 64 KiB (about 1.4 MiB by
//! default), 64 KiB for each packing around it, and what its unpacker needs (zstd and xz are held to 128 MiB and 256 MiB).

mod chunk;
mod chunks;
mod content;
mod error;
mod list;
mod member;
mod open;
mod packing;
mod pipe;
mod regular;
mod stop;
mod window;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use chunk::{Chunk, Cut, Limits};
pub use chunks::Chunks;
pub use content::Content;
pub use error::{SourceError, SourceErrorKind};
pub use list::list;
pub use open::{Opened, decode, look, look_at, open};
pub use pipe::Pipe;
use regular::Identity;

/// Of more files than this each is opened anew for each read: there may be more than can be open at once, and as many threads
/// as files would each hold buffers.
pub(crate) const HELD: usize = 32;

/// A named stream of bytes the user gave: a file, a file found in a folder, or standard input.
#[derive(Clone, Debug)]
pub struct Source {
    /// As shown to the user: the path as it was given or found, with control characters replaced; `stdin` for `-`.
    pub name: String,
    /// The file to open; without it and without `url` it is standard input.
    pub path: Option<PathBuf>,
    /// The address to ask instead.
    pub url: Option<String>,
    /// The folder the file lies in, as part of `path` (empty for a bare file name); `None` for standard input.
    pub folder: Option<PathBuf>,
    /// Size on disk in bytes, packed as it is; `None` where there is none to know (pipe, device, standard input).
    pub bytes: Option<u64>,
    /// Whether the user named this very file. What is found in a folder and is no log is passed over instead.
    pub named: bool,
    /// Which file it was when it was listed.
    identity: Option<Identity>,
    /// Not held open between reads.
    sparing: bool,
    read: Arc<AtomicU64>,
    queries: Arc<[AtomicU64; 2]>,
}

impl Source {
    /// Standard input.
    #[must_use]
    pub fn stdin() -> Self {
        let (read, queries) = (Arc::default(), Arc::default());
        let (identity, sparing) = (None, false);
        Self {
            name: "stdin".into(),
            path: None,
            url: None,
            folder: None,
            bytes: None,
            named: true,
            identity,
            sparing,
            read,
            queries,
        }
    }

    /// A file. `bytes` is its size on disk where that is known, `named` whether the user named it. Nothing is opened.
    #[must_use]
    pub fn file(path: PathBuf, bytes: Option<u64>, named: bool) -> Self {
        let folder = path.parent().map(PathBuf::from);
        let (read, queries) = (Arc::default(), Arc::default());
        let (name, identity, sparing) = (error::shown(&path), None, false);
        Self { name, folder, path: Some(path), url: None, bytes, named, identity, sparing, read, queries }
    }

    /// Whether it is standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.path.is_none() && self.url.is_none()
    }

    /// An address. Nothing is asked.
    #[must_use]
    pub fn url(url: &str) -> Self {
        Self { name: crate::web::redact_url(url), url: Some(url.into()), ..Self::stdin() }
    }

    /// Of a server: how many queries are done, and of how many.
    #[must_use]
    pub fn queries(&self) -> (u64, u64) {
        let [done, of] = &*self.queries;
        (done.load(Ordering::Relaxed), of.load(Ordering::Relaxed))
    }

    /// Tells how many queries are done, and of how many.
    pub fn asked(&self, done: u64, of: u64) {
        let [mine, all] = &*self.queries;
        mine.store(done, Ordering::Relaxed);
        all.store(of, Ordering::Relaxed);
    }

    /// Bytes read of it so far, before unpacking: comparable with `bytes`. Clones share it, so a progress bar may keep one.
    /// Opening a source sets it back to 0.
    #[must_use]
    pub fn read_so_far(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Opens it and gives its chunks; `id` is what `Chunk::source` will say.
    ///
    /// # Errors
    /// As [`open`]; trouble met later comes from the iterator.
    pub fn chunks(&self, id: u32, limits: Limits) -> Result<Chunks, SourceError> {
        Ok(Chunks::new(id, &self.name, open(self)?, limits))
    }

    /// The first text of a file (up to 64 KiB decoded, whole lines where possible), for ordering many files by what they
    /// say without holding them all open. Empty for an empty file, and for standard input, which cannot be read twice:
    /// use [`Chunks::peek`] for that.
    ///
    /// # Errors
    /// As [`open`], and what went wrong if not one byte could be decoded.
    pub fn first_text(&self) -> Result<Vec<u8>, SourceError> {
        if self.is_stdin() || self.url.is_some() {
            return Ok(Vec::new());
        }
        let mut chunks = self.chunks(0, Limits::default())?;
        if let Some(text) = chunks.peek() {
            return Ok(text.to_vec());
        }
        chunks.next().map_or(Ok(Vec::new()), |chunk| chunk.map(|chunk| chunk.text))
    }
}
