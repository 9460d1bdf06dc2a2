//! Cuts a stream into chunks of whole lines, with exact line numbers and a bound on memory whatever the bytes are.
//! It knows lines, not what stands in them; NUL bytes and lone carriage returns are bytes like others.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::chunk::{Chunk, Cut, Limits};
use super::error::SourceError;
use super::window::read_on;

/// Text that [`Chunks::peek`] shows at most, in bytes.
const PEEK: usize = 64 * 1024;
/// Room offered to a read beyond what is wanted, in bytes: reads of less cost more in calls than in copying.
const ROOM: usize = 64 * 1024;

/// The chunks of one source, in order. Ends after the first error, before which comes all text there was.
pub struct Chunks<R = Box<dyn Read + Send>> {
    reader: R,
    id: u32,
    name: String,
    limits: Limits,
    /// `text[..filled]` is text not handed out yet, with the cuts made; the rest is room to read into.
    text: Vec<u8>,
    filled: usize,
    /// The start of some line in `text`, from which the length of the last one is measured.
    line: usize,
    /// In the part of a line that is left out.
    dropping: bool,
    /// Lines cut in `text[..filled]`; their numbers are set when they are handed out.
    cuts: Vec<Cut>,
    offset: u64,
    first_line: u64,
    ended: bool,
    fault: Option<io::Error>,
    spare: Option<Vec<u8>>,
}

impl<R: Read> Chunks<R> {
    /// Chunks of what `reader` gives. `id` is what [`Chunk::source`] will say, `name` what errors say.
    pub fn new(id: u32, name: &str, reader: R, limits: Limits) -> Self {
        Self {
            reader,
            id,
            name: name.to_owned(),
            limits: Limits { chunk: limits.chunk.max(1), line: limits.line.max(1), ..limits },
            text: Vec::new(),
            filled: 0,
            line: 0,
            dropping: false,
            cuts: Vec::new(),
            offset: 0,
            first_line: 1,
            ended: false,
            fault: None,
            spare: None,
        }
    }

    /// The next text, up to 64 KiB and whole lines where possible, without taking it; reads only as far as that needs.
    /// `None` at the end, and before an error, which the iterator then gives.
    pub fn peek(&mut self) -> Option<&[u8]> {
        self.fill(PEEK + 1);
        let end = self.whole_lines(0, PEEK);
        self.text.get(..end).filter(|text| !text.is_empty())
    }

    /// Whether all of it was handed out, as far as is known without reading on.
    pub fn is_over(&self) -> bool {
        self.ended && self.filled == 0 && self.fault.is_none()
    }

    /// Takes back a chunk's text when it is done with, to be filled again. Never needed, saves clearing a megabyte.
    pub fn recycle(&mut self, text: Vec<u8>) {
        self.spare = Some(text);
    }

    /// The text from `from` on, up to `most` bytes: where its last whole line ends, or where it ends if it has none or if
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
            let size = wanted.saturating_add(ROOM).min(self.text.len().saturating_mul(2)).max(self.filled + ROOM);
            if self.text.is_empty() {
                // The system hands it out cleared.
                self.text = vec![0; size];
            } else if self.text.len() < size {
                self.text.reserve_exact(size - self.text.len());
                self.text.resize(size, 0);
            }
            match read_on(&mut self.reader, self.text.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(read) => self.absorb(read),
                Err(error) => {
                    self.ended = true;
                    self.fault = Some(error);
                }
            }
        }
    }

    /// Takes in `read` bytes that stand behind `filled`, leaving out what is over the limit of a line. One pass: what is
    /// kept moves to the front as soon as something before it was dropped.
    fn absorb(&mut self, read: usize) {
        let (mut from, end) = (self.filled, self.filled + read);
        while from < end {
            let fresh = self.text.get(from..end).unwrap_or_default();
            if self.dropping {
                let dropped = memchr(b'\n', fresh);
                self.dropping = dropped.is_none();
                let dropped = dropped.unwrap_or(fresh.len());
                if let Some(cut) = self.cuts.last_mut() {
                    cut.dropped += dropped as u64;
                }
                from += dropped;
                if !self.dropping {
                    self.keep(from, 1);
                    from += 1;
                    self.line = self.filled;
                }
                continue;
            }
            // Within `room` bytes the line must have ended. That is asked for stretches of the limit's size, not for lines.
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
                self.dropping = true;
                self.cuts.push(Cut { at: self.filled, line: 0, dropped: 0 });
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
        // One byte more than wanted tells the end of the source from the end of what was read.
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
        self.fill(end.saturating_add(self.limits.ahead).saturating_add(1));
        let shown = self.whole_lines(end, self.limits.ahead);
        let rest = self.text.get(end..self.filled).unwrap_or_default();
        let mut next = self.spare.take().unwrap_or_default();
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

        let later = self.cuts.split_off(self.cuts.partition_point(|cut| cut.at <= end));
        let mut cuts = std::mem::replace(&mut self.cuts, later);
        let (mut line, mut counted) = (self.first_line, 0);
        for cut in &mut cuts {
            line += lines(own.get(counted..cut.at).unwrap_or_default());
            counted = cut.at;
            cut.line = line;
        }
        let (first_line, offset) = (self.first_line, self.offset);
        self.first_line = line + lines(own.get(counted..).unwrap_or_default());
        self.offset += end as u64 + cuts.iter().map(|cut| cut.dropped).sum::<u64>();
        for cut in &mut self.cuts {
            cut.at -= end;
        }
        self.line = self.line.saturating_sub(end);
        self.filled = kept;
        let torn = self.fault.is_some() && kept == 0 && own.last() != Some(&b'\n');
        Chunk { source: self.id, first_line, offset, text, end, cuts, torn }
    }
}

impl<R: Read> Iterator for Chunks<R> {
    type Item = Result<Chunk, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.own_end() {
            0 => self.fault.take().map(|error| Err(SourceError::from_io(&self.name, &error))),
            end => Some(Ok(self.hand_out(end))),
        }
    }
}

fn lines(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::open::tests::Steps;
    use super::*;

    fn cut(text: &[u8], step: usize, limits: Limits) -> Vec<Chunk> {
        Chunks::new(5, "t", Steps(text.to_vec(), step), limits).map(Result::unwrap).collect()
    }

    const fn limits(chunk: usize, ahead: usize, line: usize) -> Limits {
        Limits { chunk, ahead, line }
    }

    /// Bytes kept, each with its place in the input; lines cut, each with what was dropped.
    type Kept = (Vec<(u8, u64)>, Vec<(u64, u64)>);

    /// What must come out for a limit of a line, worked out line by line.
    fn model(text: &[u8], limit: usize) -> Kept {
        let (mut kept, mut cuts, mut at) = (Vec::new(), Vec::new(), 0);
        for (number, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
            let length = line.len() - usize::from(line.ends_with(b"\n"));
            let head = length.min(limit);
            kept.extend((0..line.len()).filter(|i| *i < head || *i >= length).map(|i| (line[i], (at + i) as u64)));
            if length > limit {
                cuts.push((number as u64 + 1, (length - limit) as u64));
            }
            at += line.len();
        }
        (kept, cuts)
    }

    #[test]
    fn lines_are_kept_whole_and_counted() {
        let text = b"one\ntwo\r\n\nfour\nfive";
        let chunks = cut(text, 100, limits(9, 6, 100));
        let seen: Vec<_> = chunks.iter().map(|c| (c.first_line, c.offset, c.own(), c.ahead())).collect();
        assert_eq!(
            seen,
            [(1, 0, &b"one\ntwo\r\n"[..], &b"\nfour\n"[..]), (3, 9, b"\nfour\n", b"five"), (5, 15, b"five", b"")]
        );
        assert_eq!(cut(b"", 1, Limits::default()), []);
        let empty = cut(b"\n\n\n", 1, limits(1, 0, 9));
        assert_eq!(
            empty.iter().map(|c| (c.first_line, c.own())).collect::<Vec<_>>(),
            [(1, &b"\n"[..]), (2, b"\n"), (3, b"\n")]
        );
        let whole = cut(b"\n\n\n", 1, Limits::default());
        assert_eq!(whole.iter().map(|c| (c.end, c.torn)).collect::<Vec<_>>(), [(3, false)]);
    }

    #[test]
    fn lookahead_is_whole_lines_unless_one_is_longer() {
        let chunks = cut(b"a\nbb\nccc\ndddddddddd\n", 100, limits(2, 7, 100));
        assert_eq!(chunks.iter().map(Chunk::ahead).collect::<Vec<_>>(), [&b"bb\nccc\n"[..], b"ccc\n", b"ddddddd", b""]);
    }

    /// `head\n`, then a line of `length` bytes, then `tail\n`; nothing of it exists before it is asked for.
    struct Endless {
        length: u64,
        at: u64,
        largest: usize,
    }

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.largest = self.largest.max(into.len());
            let end = 5 + self.length;
            let rest: &[u8] = match self.at {
                0..5 => &b"head\n"[usize::try_from(self.at).unwrap()..],
                at if at < end => {
                    let count = into.len().min(usize::try_from(end - at).unwrap());
                    into[..count].fill(b'x');
                    self.at += count as u64;
                    return Ok(count);
                }
                at => b"\ntail\n".get(usize::try_from(at - end).unwrap()..).unwrap_or_default(),
            };
            let count = rest.len().min(into.len());
            into[..count].copy_from_slice(&rest[..count]);
            self.at += count as u64;
            Ok(count)
        }
    }

    #[test]
    fn a_line_of_two_gigabytes_runs_in_constant_memory() {
        let length = 2 << 30;
        let limits = Limits::default();
        let mut chunks = Chunks::new(0, "t", Endless { length, at: 0, largest: 0 }, limits);
        let chunk = chunks.next().unwrap().unwrap();
        let bound = limits.chunk + limits.ahead + limits.line + ROOM + 2;
        assert!(chunk.text.capacity() <= bound && chunks.text.capacity() <= bound && chunks.reader.largest <= bound);
        assert_eq!(chunk.end, 5 + limits.line + 6);
        let line = limits.line as u64;
        assert_eq!(chunk.cuts, [Cut { at: 5 + limits.line, line: 2, dropped: length - line }]);
        assert_eq!(chunk.offset_of(chunk.end - 5), 5 + length + 1);
        assert!(chunk.own().ends_with(b"x\ntail\n"));
        assert!(chunks.next().is_none());
    }

    #[test]
    fn chunks_stay_within_the_bound_when_every_line_is_too_long() {
        let text = [vec![b'y'; 70], vec![b'\n']].concat().repeat(20_000);
        let limits = limits(1000, 100, 50);
        let mut lines = 0;
        for chunk in Chunks::new(0, "t", text.as_slice(), limits).map(Result::unwrap) {
            lines += chunk.cuts.len();
            assert!(chunk.text.capacity() <= limits.chunk + limits.ahead + limits.line + 2 * ROOM && chunk.end <= 1000);
        }
        assert_eq!(lines, 20_000);
    }

    #[test]
    fn an_error_comes_after_the_text_before_it() {
        struct Failing(u8);
        impl Read for Failing {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(io::ErrorKind::Interrupted.into()),
                    2 => (&b"one\ntwo\nth"[..]).read(into),
                    _ => Err(io::Error::other("the disk is gone")),
                }
            }
        }
        let mut chunks = Chunks::new(0, "node-1.log", Failing(0), limits(5, 0, 100));
        assert_eq!(chunks.peek(), Some(&b"one\ntwo\nth"[..]));
        let texts: Vec<_> = chunks.by_ref().take(3).map(|c| c.map(|c| (c.own().to_vec(), c.torn)).unwrap()).collect();
        assert_eq!(texts, [(b"one\n".to_vec(), false), (b"two\n".to_vec(), false), (b"th".to_vec(), true)]);
        let error = chunks.next().unwrap().unwrap_err();
        assert_eq!((error.name.as_str(), error.message.as_str()), ("node-1.log", "reading failed: the disk is gone"));
        assert!(chunks.next().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_bytes_any_limits_any_reads(
            text in vec(prop::sample::select(b"abc\n\n\r\0\xff".to_vec()), 0..300),
            (chunk, ahead, line) in (1_usize..80, 0_usize..40, prop_oneof![1_usize..12, Just(1000), Just(usize::MAX)]),
            step in 1_usize..50,
            peek: bool,
            recycle: bool,
        ) {
            let limits = limits(chunk, ahead, line);
            let (kept, cuts) = model(&text, line);
            let (mut at, mut seen) = (0, Vec::new());
            let mut chunks = Chunks::new(5, "t", Steps(text.clone(), step), limits);
            if peek {
                prop_assert_eq!(chunks.peek().unwrap_or_default(), kept.iter().map(|k| k.0).collect::<Vec<_>>());
            }
            let mut all = Vec::new();
            while let Some(chunk) = chunks.next() {
                let chunk = chunk.unwrap();
                let own = &kept[at..at + chunk.end];
                prop_assert!(chunk.own().iter().eq(own.iter().map(|k| &k.0)));
                prop_assert_eq!(chunk.first_line, 1 + kept[..at].iter().filter(|k| k.0 == b'\n').count() as u64);
                prop_assert_eq!(chunk.offset, own[0].1);
                prop_assert!((0..chunk.end).all(|i| chunk.offset_of(i) == own[i].1));
                at += chunk.end;
                let shown = chunk.ahead();
                prop_assert!(shown.len() <= ahead && shown.iter().eq(kept[at..at + shown.len()].iter().map(|k| &k.0)));
                prop_assert!(!shown.is_empty() || ahead == 0 || at == kept.len());
                prop_assert!(chunk.own().ends_with(b"\n") || at == kept.len());
                prop_assert!(chunk.end <= limits.chunk || memchr(b'\n', &chunk.own()[..chunk.end - 1]).is_none());
                seen.extend(chunk.cuts.iter().map(|cut| (cut.line, cut.dropped)));
                all.push(chunk.clone());
                if recycle {
                    chunks.recycle(chunk.text);
                }
            }
            prop_assert_eq!(at, kept.len());
            prop_assert_eq!(seen, cuts);
            prop_assert_eq!(all, cut(&text, usize::MAX, limits), "however the bytes arrive");
        }
    }
}
