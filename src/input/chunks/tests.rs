use proptest::collection::vec;
use proptest::prelude::*;

use super::super::open::tests::Steps;
use super::*;

fn chunked(text: &[u8], step: usize, limits: ChunkLimits) -> Vec<Chunk> {
    Chunks::new(5, "t", Steps(text.to_vec(), step), limits).map(Result::unwrap).collect()
}

const fn limits(chunk: usize, lookahead: usize, line: usize) -> ChunkLimits {
    ChunkLimits { chunk, lookahead, line }
}

/// Bytes kept, each with its place in the input; lines cut, each with what was dropped.
type Kept = (Vec<(u8, u64)>, Vec<(u64, u64)>);

/// What must come out for a limit of a line, worked out line by line.
fn model(text: &[u8], limit: usize) -> Kept {
    let (mut kept, mut truncated_lines, mut at) = (Vec::new(), Vec::new(), 0);
    for (number, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
        let length = line.len() - usize::from(line.ends_with(b"\n"));
        let head = length.min(limit);
        kept.extend((0..line.len()).filter(|i| *i < head || *i >= length).map(|i| (line[i], (at + i) as u64)));
        if length > limit {
            truncated_lines.push((number as u64 + 1, (length - limit) as u64));
        }
        at += line.len();
    }
    (kept, truncated_lines)
}

#[test]
fn lines_are_kept_whole() {
    let text = b"one\ntwo\r\n\nfour\nfive";
    let chunks = chunked(text, 100, limits(9, 6, 100));
    let seen: Vec<_> = chunks.iter().map(|c| (c.offset, c.own(), c.lookahead())).collect();
    assert_eq!(seen, [(0, &b"one\ntwo\r\n"[..], &b"\nfour\n"[..]), (9, b"\nfour\n", b"five"), (15, b"five", b"")]);
    assert_eq!(chunked(b"", 1, ChunkLimits::default()), []);
    let empty = chunked(b"\n\n\n", 1, limits(1, 0, 9));
    assert_eq!(empty.iter().map(Chunk::own).collect::<Vec<_>>(), [b"\n"; 3]);
    let whole = chunked(b"\n\n\n", 1, ChunkLimits::default());
    assert_eq!(whole.iter().map(|c| (c.end, c.broken_off)).collect::<Vec<_>>(), [(3, false)]);
}

#[test]
fn lookahead_is_whole_lines_unless_one_is_longer() {
    let chunks = chunked(b"a\nbb\nccc\ndddddddddd\n", 100, limits(2, 7, 100));
    assert_eq!(chunks.iter().map(Chunk::lookahead).collect::<Vec<_>>(), [&b"bb\nccc\n"[..], b"ccc\n", b"ddddddd", b""]);
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
    let limits = ChunkLimits::default();
    let mut chunks = Chunks::new(0, "t", Endless { length, at: 0, largest: 0 }, limits);
    let chunk = chunks.next().unwrap().unwrap();
    let bound = limits.chunk + limits.lookahead + limits.line + READ_MARGIN + 2;
    assert!(chunk.text.capacity() <= bound && chunks.text.capacity() <= bound && chunks.reader.largest <= bound);
    assert_eq!(chunk.end, 5 + limits.line + 6);
    let line = limits.line as u64;
    assert_eq!(chunk.truncated_lines, [TruncatedLine { at: 5 + limits.line, line: 2, dropped: length - line }]);
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
        lines += chunk.truncated_lines.len();
        assert!(
            chunk.text.capacity() <= limits.chunk + limits.lookahead + limits.line + 2 * READ_MARGIN
                && chunk.end <= 1000
        );
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
    let texts: Vec<_> = chunks.by_ref().take(3).map(|c| c.map(|c| (c.own().to_vec(), c.broken_off)).unwrap()).collect();
    assert_eq!(texts, [(b"one\n".to_vec(), false), (b"two\n".to_vec(), false), (b"th".to_vec(), true)]);
    let error = chunks.next().unwrap().unwrap_err();
    assert_eq!((error.name.as_str(), error.message.as_str()), ("node-1.log", "read error: the disk is gone"));
    assert!(chunks.next().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_any_limits_any_reads(
        text in vec(prop::sample::select(b"abc\n\n\r\0\xff".to_vec()), 0..300),
        (chunk, lookahead, line) in (1_usize..80, 0_usize..40, prop_oneof![1_usize..12, Just(1000), Just(usize::MAX)]),
        step in 1_usize..50,
        recycle: bool,
    ) {
        let limits = limits(chunk, lookahead, line);
        let (kept, truncated_lines) = model(&text, line);
        let (mut at, mut seen) = (0, Vec::new());
        let mut chunks = Chunks::new(5, "t", Steps(text.clone(), step), limits);
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next() {
            let chunk = chunk.unwrap();
            let own = &kept[at..at + chunk.end];
            prop_assert!(chunk.own().iter().eq(own.iter().map(|k| &k.0)));
            let before = kept[..at].iter().filter(|k| k.0 == b'\n').count() as u64;
            prop_assert_eq!(chunk.offset, own[0].1);
            prop_assert!((0..chunk.end).all(|i| chunk.offset_of(i) == own[i].1));
            at += chunk.end;
            let shown = chunk.lookahead();
            prop_assert!(shown.len() <= lookahead && shown.iter().eq(kept[at..at + shown.len()].iter().map(|k| &k.0)));
            prop_assert!(!shown.is_empty() || lookahead == 0 || at == kept.len());
            prop_assert!(chunk.own().ends_with(b"\n") || at == kept.len());
            prop_assert!(chunk.end <= limits.chunk || memchr(b'\n', &chunk.own()[..chunk.end - 1]).is_none());
            seen.extend(chunk.truncated_lines.iter().map(|truncated| (before + truncated.line, truncated.dropped)));
            all.push(chunk.clone());
            if recycle {
                chunks.recycle(chunk.text);
            }
        }
        prop_assert_eq!(at, kept.len());
        prop_assert_eq!(seen, truncated_lines);
        prop_assert_eq!(all, chunked(&text, usize::MAX, limits), "however the bytes arrive");
    }
}
