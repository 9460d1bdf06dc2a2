//! The first stage: from what the user named to chunks of whole lines.
//!
//! ```text
//! paths --list--> Source --open--> decoded bytes --Chunks--> Chunk
//!                   ^-----unpack----- archive
//! ```
//!
//! Everything about files, folders, archives (tar, zip), standard input, compression (gzip, zstd, xz, bzip2), journald's own files,
//! encodings (UTF-16, byte order marks) and exports of log stores that are no lines ends here; the stages after it take bytes.
//! What a source holds is decided by its first bytes, never by its name.
//! It knows nothing of what a line means, and it neither prints nor reads the environment or the clock.
//!
//! Memory: one open source holds a read buffer of at most chunk + lookahead + line limit + 64 KiB (about 1.4 MiB by
//! default), 64 KiB for each layer of compression, and what its decompressor needs (zstd and xz are held to 128 MiB and 256 MiB),
//! a journal 2 MiB of blocks and what one entry needs.

mod archive;
mod cancel;
mod chunk;
mod chunks;
mod compression;
mod error;
mod export;
mod file;
mod journal;
mod layout;
mod list;
mod open;
mod peek_reader;
mod pipe;
mod rereadable;
mod signature;
mod source;
mod spool;
mod stream_decoder;
mod unsupported_text;

pub use archive::Unpacked;
pub use chunk::{Chunk, ChunkLimits};
pub use chunks::Chunks;
pub use error::SourceError;
pub use export::Export;
pub use journal::{BytesAt, JournalHead, JournalSelection, JournalText, is_unit_or_program};
pub use layout::node_folder;
pub use list::list;
pub use open::{OpenSource, open, open_with};
pub use rereadable::Rereadable;
pub use signature::has_first_key;
use source::Origin;
pub use source::Source;
pub use spool::Spool;
pub use unsupported_text::UnsupportedText;

/// If there are more files than this, each is opened anew for each read: there may be more than can be open at once, and as
/// many threads as files would each hold buffers.
pub(crate) const MAX_OPEN_FILES: usize = 32;
