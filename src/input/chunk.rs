//! What a chunk is: a stretch of whole lines with its place in the source. How it is cut is in `chunks`.

/// How a stream is cut. A 0 in `chunk` or `line` counts as 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Bytes of a chunk's own text, at most, unless one line alone is longer. Default 1 MiB: large enough that handing it
    /// to a thread costs nothing compared with parsing it, small enough to stay in a core's cache.
    pub chunk: usize,
    /// Bytes of the following text that a chunk shows as well, at most. Default 16 KiB, several times what a journal record
    /// of many lines takes.
    pub lookahead: usize,
    /// Bytes of one line, its end not counted; of a longer one only the head is kept. Default 256 KiB: journald and the
    /// container runtimes split lines far below that.
    pub line: usize,
}

impl Default for ChunkLimits {
    fn default() -> Self {
        Self { chunk: 1 << 20, lookahead: 16 << 10, line: 256 << 10 }
    }
}

/// A line that was longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruncatedLine {
    /// Where in the chunk's text its kept head ends: at its line feed, or at the end of the text.
    pub at: usize,
    /// Its number in the chunk's own text, from 1.
    pub line: u64,
    /// Bytes left out there.
    pub dropped: u64,
}

/// A stretch of whole lines of one source.
///
/// `text[..end]` is its own. `text[end..]` is the beginning of the next chunk's text, shown so that a record over several
/// lines can be completed without joining chunks; it is whole lines unless its first line alone is longer than
/// [`ChunkLimits::lookahead`]. The own texts of a source's chunks, joined, are the stream, less what [`TruncatedLine`] says. Where chunks are
/// cut depends on the bytes and the limits, not on how the bytes arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Which source, as given to [`Chunks::new`](super::Chunks::new).
    pub source: u32,
    /// Position of its first byte in the decoded stream, from 0 (after a byte order mark).
    pub offset: u64,
    /// Own text and lookahead. Own text ends with a line feed unless the source ended without one.
    pub text: Vec<u8>,
    /// Where the own text ends.
    pub end: usize,
    /// Lines of the own text that were truncated, in order; hardly ever any.
    pub truncated_lines: Vec<TruncatedLine>,
    /// Whether a read error broke off its last line, which may so end in the middle of a value.
    pub broken_off: bool,
}

impl Chunk {
    /// The text that belongs to this chunk.
    #[cfg(any(test, feature = "internals"))]
    #[must_use]
    pub fn own(&self) -> &[u8] {
        self.text.get(..self.end).unwrap_or(&self.text)
    }

    /// The text that follows it, as far as it is shown.
    #[cfg(any(test, feature = "internals"))]
    #[must_use]
    pub fn lookahead(&self) -> &[u8] {
        self.text.get(self.end..).unwrap_or_default()
    }

    /// Position of the own byte `at` in the decoded stream, including what was left out before it.
    #[cfg(any(test, feature = "internals"))]
    #[must_use]
    pub fn offset_of(&self, at: usize) -> u64 {
        let dropped: u64 = self
            .truncated_lines
            .iter()
            .take_while(|truncated| truncated.at <= at)
            .map(|truncated| truncated.dropped)
            .sum();
        self.offset + at as u64 + dropped
    }
}
