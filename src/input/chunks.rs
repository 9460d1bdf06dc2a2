//! Cuts a stream into chunks of whole lines, with a bound on memory whatever the bytes are.
//! It knows lines, not what they contain; NUL bytes and lone carriage returns are bytes like others.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::chunk::{Chunk, ChunkLimits, TruncatedLine};
use super::error::SourceError;
use super::peek_reader::read_retrying;

/// Room offered to a read beyond what is wanted, in bytes: reads of less cost more in calls than in copying.
const READ_MARGIN: usize = 64 * 1024;

/// The chunks of one source, in order. Ends after the first error, before which comes all text there was.
pub struct Chunks<R = Box<dyn Read + Send>> {
    reader: R,
    id: u32,
    name: String,
    limits: ChunkLimits,
    /// `text[..filled]` is text not handed out yet, with the cuts made; the rest is room to read into.
    text: Vec<u8>,
    filled: usize,
    /// The start of some line in `text`, from which the length of the last one is measured.
    line: usize,
    /// In the part of a line that is left out.
    skipping: bool,
    /// Lines truncated in `text[..filled]`; their numbers are set when they are handed out.
    truncated_lines: Vec<TruncatedLine>,
    offset: u64,
    ended: bool,
    pending_error: Option<io::Error>,
    recycled: Option<Vec<u8>>,
}

impl<R: Read> Chunks<R> {
    /// Chunks of what `reader` gives. `id` is what [`Chunk::source`] will say, `name` what errors say.
    pub fn new(id: u32, name: &str, reader: R, limits: ChunkLimits) -> Self {
        Self {
            reader,
            id,
            name: name.to_owned(),
            limits: ChunkLimits { chunk: limits.chunk.max(1), line: limits.line.max(1), ..limits },
            text: Vec::new(),
            filled: 0,
            line: 0,
            skipping: false,
            truncated_lines: Vec::new(),
            offset: 0,
            ended: false,
            pending_error: None,
            recycled: None,
        }
    }

    /// Whether all of it was handed out, as far as is known without reading on.
    pub fn is_over(&self) -> bool {
        self.ended && self.filled == 0 && self.pending_error.is_none()
    }

    /// Takes back a chunk's text when it is done with, to be filled again. Never needed, saves clearing a megabyte.
    pub fn recycle(&mut self, text: Vec<u8>) {
        self.recycled = Some(text);
    }

    /// The text from `from` on, up to `most` bytes: where its last complete line ends, or where it ends if it has none or if
    /// it is all there is.
    fn whole_lines(&self, from: usize, most: usize) -> usize {
        let end = self.filled.min(from.saturating_add(most));
        if self.ended && end == self.filled {
            return end;
        }
        let text = self.text.get(from..end).unwrap_or_default();
        memrchr(b'\n', text).map_or(end, |at| from + at + 1)
    }

    /// Reads until `wanted` bytes are held, or all there are.
    fn fill(&mut self, wanted: usize) {
        while self.filled < wanted && !self.ended {
            // Doubling, so that a small file costs little and a large one the full size only once.
            let size = wanted
                .saturating_add(READ_MARGIN)
                .min(self.text.len().saturating_mul(2))
                .max(self.filled + READ_MARGIN);
            if self.text.is_empty() {
                // The system hands it out cleared.
                self.text = vec![0; size];
            } else if self.text.len() < size {
                self.text.reserve_exact(size - self.text.len());
                self.text.resize(size, 0);
            }
            match read_retrying(&mut self.reader, self.text.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(read) => self.absorb(read),
                Err(error) => {
                    self.ended = true;
                    self.pending_error = Some(error);
                }
            }
        }
    }

    /// Takes in `read` bytes that follow `filled`, leaving out what is over the limit of a line. One pass: what is
    /// kept moves to the front as soon as something before it was dropped.
    fn absorb(&mut self, read: usize) {
        let (mut from, end) = (self.filled, self.filled + read);
        while from < end {
            let fresh = self.text.get(from..end).unwrap_or_default();
            if self.skipping {
                let dropped = memchr(b'\n', fresh);
                self.skipping = dropped.is_none();
                let dropped = dropped.unwrap_or(fresh.len());
                if let Some(truncated) = self.truncated_lines.last_mut() {
                    truncated.dropped += dropped as u64;
                }
                from += dropped;
                if !self.skipping {
                    self.keep(from, 1);
                    from += 1;
                    self.line = self.filled;
                }
                continue;
            }
            // Within `room` bytes the line must have ended. That is checked for stretches of the limit's size, not for lines.
            let room = self.limits.line.saturating_add(1).saturating_sub(self.filled - self.line);
            let Some(stretch) = fresh.get(..room) else {
                self.keep(from, end - from);
                break;
            };
            if let Some(at) = memrchr(b'\n', stretch) {
                self.keep(from, at + 1);
                from += at + 1;
                self.line = self.filled;
            } else if let Some(at) = memrchr(b'\n', self.text.get(self.line..self.filled).unwrap_or_default()) {
                self.line += at + 1;
            } else {
                self.keep(from, room - 1);
                from += room - 1;
                self.skipping = true;
                self.truncated_lines.push(TruncatedLine { at: self.filled, line: 0, dropped: 0 });
            }
        }
    }

    /// Adds `count` bytes at `from` (never before `filled`, never past the end of `text`) to the text held.
    fn keep(&mut self, from: usize, count: usize) {
        if from != self.filled {
            self.text.copy_within(from..from + count, self.filled);
        }
        self.filled += count;
    }

    /// Where the next chunk's own text ends: after the last line that fits, else after the first line.
    fn own_end(&mut self) -> usize {
        let chunk = self.limits.chunk;
        // One byte more than wanted distinguishes the end of the source from the end of what was read.
        self.fill(chunk.saturating_add(1));
        if self.filled <= chunk {
            return self.filled;
        }
        if let Some(at) = self.text.get(..chunk).and_then(|text| memrchr(b'\n', text)) {
            return at + 1;
        }
        let mut seen = chunk;
        loop {
            if let Some(at) = self.text.get(seen..self.filled).and_then(|text| memchr(b'\n', text)) {
                return seen + at + 1;
            }
            if self.ended {
                return self.filled;
            }
            seen = self.filled;
            self.fill(seen + 1);
        }
    }

    /// Hands out `text[..end]` as own text, with the lookahead, and keeps what comes after `end`.
    fn hand_out(&mut self, end: usize) -> Chunk {
        self.fill(end.saturating_add(self.limits.lookahead).saturating_add(1));
        let shown = self.whole_lines(end, self.limits.lookahead);
        let rest = self.text.get(end..self.filled).unwrap_or_default();
        let mut next = self.recycled.take().unwrap_or_default();
        if next.len() < rest.len() {
            // The size of the buffer handed out, which was enough; `vec!` gets it cleared by the system.
            next = if self.ended { vec![0; rest.len()] } else { vec![0; self.text.len()] };
        }
        if let Some(front) = next.get_mut(..rest.len()) {
            front.copy_from_slice(rest);
        }
        let kept = rest.len();
        let mut text = std::mem::replace(&mut self.text, next);
        text.truncate(shown);
        let own = text.get(..end).unwrap_or_default();

        let later =
            self.truncated_lines.split_off(self.truncated_lines.partition_point(|truncated| truncated.at <= end));
        let mut truncated_lines = std::mem::replace(&mut self.truncated_lines, later);
        let (mut line, mut counted) = (1, 0);
        for truncated in &mut truncated_lines {
            line += lines(own.get(counted..truncated.at).unwrap_or_default());
            counted = truncated.at;
            truncated.line = line;
        }
        let offset = self.offset;
        self.offset += end as u64 + truncated_lines.iter().map(|truncated| truncated.dropped).sum::<u64>();
        for truncated in &mut self.truncated_lines {
            truncated.at -= end;
        }
        self.line = self.line.saturating_sub(end);
        self.filled = kept;
        let broken_off = self.pending_error.is_some() && kept == 0 && own.last() != Some(&b'\n');
        Chunk { source: self.id, offset, text, end, truncated_lines, broken_off }
    }
}

impl<R: Read> Iterator for Chunks<R> {
    type Item = Result<Chunk, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.own_end() {
            0 => self.pending_error.take().map(|error| Err(SourceError::from_io(&self.name, &error))),
            end => Some(Ok(self.hand_out(end))),
        }
    }
}

fn lines(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests;
