//! Compressed streams: known by their first bytes, decompressed member after member. How one member is decoded is in
//! `stream_decoder`.
//!
//! gzip, zstd, xz and bzip2 files may all be several streams one after another (rotated logs joined with `cat`, pigz,
//! pbzip2, pzstd), even of different formats; zeros behind them are padding. Whatever was decoded before a break is
//! delivered before the error is.

use std::fmt;
use std::io::{self, BufRead, Read};

use super::peek_reader::PeekReader;
use super::stream_decoder::{Decoder, DecoderFailure, StepOutcome};

/// Bytes needed to know a format: bzip2's mark is the longest.
const MAGIC_LEN: usize = 10;

/// A compression format that podlag reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Compression {
    /// The format whose mark is next in `reader`.
    pub(super) fn detect(reader: &mut PeekReader) -> Option<Self> {
        Self::from_magic(reader.peek(MAGIC_LEN))
    }

    /// Marks from RFC 1952 2.3.1 (with the one method there is, deflate), RFC 8878 3.1.1 and 3.1.2 (skippable frames, with
    /// which pzstd begins), the .xz file format 2.1.1.1, and bzip2 (`BZh`, level, then the mark of a block or of the end).
    pub(super) fn from_magic(head: &[u8]) -> Option<Self> {
        match head {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstd),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Self::Bzip2),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// What is wrong with compressed data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DecodeErrorKind {
    Truncated,
    /// With the decoder's message.
    Corrupt(String),
    TrailingData,
    MemoryLimit,
}

/// What is wrong and where; travels inside an `io::Error`.
#[derive(Clone, Debug)]
pub(super) struct DecodeError {
    compression: Compression,
    at: u64,
    pub(super) kind: DecodeErrorKind,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (compression, at) = (self.compression.name(), self.at);
        match &self.kind {
            DecodeErrorKind::Truncated => write!(f, "its {compression} data ends early, at byte {at}"),
            DecodeErrorKind::Corrupt(how) => write!(f, "its {compression} data is damaged near byte {at} ({how})"),
            DecodeErrorKind::TrailingData => write!(f, "other data follows its {compression} data at byte {at}"),
            DecodeErrorKind::MemoryLimit => {
                write!(f, "decompressing its {compression} data needs more memory than is allowed")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

enum State {
    /// Before the first member, or behind one.
    Between,
    Inside(Decoder),
    Failed(io::Error),
    Done,
}

/// Reads what a compressed stream holds.
pub(super) struct Decompressor {
    input: PeekReader,
    compression: Compression,
    state: State,
    /// The last step filled all the room it had, so the member may hold more without being fed.
    pending_output: bool,
}

impl Decompressor {
    /// `compression` is what is next in `input`.
    pub(super) fn new(input: PeekReader, compression: Compression) -> Self {
        Self { input, compression, state: State::Between, pending_output: false }
    }

    fn error(&self, kind: DecodeErrorKind) -> io::Error {
        io::Error::other(DecodeError { compression: self.compression, at: self.input.position(), kind })
    }

    fn failed(&self, failure: DecoderFailure) -> State {
        State::Failed(match failure {
            DecoderFailure::Read(error) => error,
            DecoderFailure::Data(kind) => self.error(kind),
        })
    }

    /// The state at a place where a member may begin.
    fn begin(&mut self) -> io::Result<State> {
        let start = self.input.position();
        if start > 0 {
            self.skip_zeros()?;
        }
        let Some(compression) = Compression::detect(&mut self.input) else {
            let over = self.input.fill_buf()?.is_empty();
            return Ok(if over { State::Done } else { State::Failed(self.error(DecodeErrorKind::TrailingData)) });
        };
        self.compression = compression;
        Ok(match Decoder::new(compression, &mut self.input) {
            Ok(decoder) => State::Inside(decoder),
            Err(failure) => self.failed(failure),
        })
    }

    fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let ready = self.input.fill_buf()?;
            let zeros = ready.iter().take_while(|byte| **byte == 0).count();
            let all = zeros == ready.len();
            self.input.consume(zeros);
            if zeros == 0 || !all {
                return Ok(());
            }
        }
    }

    /// One step of a member: bytes written to `into`, and the state after it.
    fn advance(&mut self, mut decoder: Decoder, into: &mut [u8]) -> io::Result<(usize, State)> {
        let pending_output = std::mem::take(&mut self.pending_output);
        let input = if pending_output { &[] } else { self.input.fill_buf()? };
        let fed = input.len();
        let step = decoder.step(input, into);
        self.input.consume(step.consumed);
        self.pending_output = step.produced == into.len();
        let state = match step.outcome {
            StepOutcome::More if !pending_output && fed == 0 && step.produced == 0 => {
                State::Failed(self.error(DecodeErrorKind::Truncated))
            }
            // No decoder does this on purpose; going on would never end.
            StepOutcome::More if !pending_output && step.consumed == 0 && step.produced == 0 => {
                State::Failed(self.error(DecodeErrorKind::Corrupt("decompression makes no progress".into())))
            }
            StepOutcome::More => State::Inside(decoder),
            StepOutcome::Error(kind) => State::Failed(self.error(kind)),
            StepOutcome::End => match decoder.finish(&mut self.input) {
                Ok(()) => State::Between,
                Err(failure) => self.failed(failure),
            },
        };
        Ok((step.produced, state))
    }
}

impl Read for Decompressor {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Failed(error) => return Err(error),
                State::Between => self.state = self.begin()?,
                State::Inside(decoder) => {
                    let (produced, state) = self.advance(decoder, into)?;
                    self.state = state;
                    if produced > 0 {
                        return Ok(produced);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::error::SourceErrorKind;
    use super::super::open::tests::all;
    use super::*;

    const COMPRESSIONS: [Compression; 4] = [Compression::Gzip, Compression::Zstd, Compression::Xz, Compression::Bzip2];

    /// Lines that do not pack to nothing: more than any decoder's window holds at once.
    fn log(lines: u64) -> Vec<u8> {
        let mut text = Vec::new();
        let mut seed = 7_u64;
        for at in 0..lines {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let pod = format!("shop/web-{:x}-{:05x}", seed >> 32, seed as u32 & 0xf_ffff);
            let slo = seed >> 40;
            writeln!(
                text,
                "I1123 18:59:27.{at:06}      77 pod_startup_latency_tracker.go:104] \"Observed pod startup duration\" \
                 pod=\"{pod}\" podStartSLOduration=4.{slo} podStartE2EDuration=\"4.{slo}s\""
            )
            .unwrap();
        }
        text
    }

    fn pack(compression: Compression, text: &[u8]) -> Vec<u8> {
        match compression {
            Compression::Gzip => {
                let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(text).unwrap();
                gzip.finish().unwrap()
            }
            Compression::Zstd => {
                let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
                zstd.include_checksum(true).unwrap();
                zstd.write_all(text).unwrap();
                zstd.finish().unwrap()
            }
            Compression::Xz => {
                let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
                xz.write_all(text).unwrap();
                xz.finish().unwrap()
            }
            Compression::Bzip2 => {
                let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                bzip2.write_all(text).unwrap();
                bzip2.finish().unwrap()
            }
        }
    }

    #[test]
    fn each_format_is_decompressed_however_it_arrives() {
        let (large, small) = (log(5000), log(20));
        for compression in COMPRESSIONS {
            assert!(all(&pack(compression, &large), 100_000, false) == (large.clone(), None), "{compression:?}");
            assert!(all(&pack(compression, &small), 1, false) == (small.clone(), None), "{compression:?} byte by byte");
            assert!(all(&pack(compression, b""), 3, false) == (Vec::new(), None), "{compression:?} of nothing");
        }
    }

    #[test]
    fn members_follow_each_other_with_padding_and_in_any_format() {
        let text = log(300);
        let mut mixed = Vec::new();
        for compression in COMPRESSIONS {
            let one = pack(compression, &text);
            mixed.extend_from_slice(&one);
            let three = [one.as_slice(), &pack(compression, b""), &one, &[0; 512]].concat();
            for step in [1, 65_536] {
                assert!(all(&three, step, true) == (text.repeat(2), None), "{compression:?}");
            }
        }
        assert!(all(&mixed, 1000, true) == (text.repeat(4), None));
        let skippable = [&b"\x50\x2a\x4d\x18\x04\0\0\0abcd"[..], &pack(Compression::Zstd, &text)].concat();
        assert!(all(&skippable, 1000, true) == (text, None), "as pzstd writes it");
    }

    #[test]
    fn torn_data_gives_all_that_stands_before_the_tear() {
        let text = log(3000);
        for compression in COMPRESSIONS {
            let first = pack(compression, &text);
            let both = first.repeat(2);
            for left in [first.len() + 12, first.len() + 40, both.len() * 3 / 4, both.len() - 9, both.len() - 1] {
                let (got, error) = all(&both[..left], 5000, true);
                assert_eq!(error, Some(SourceErrorKind::Truncated), "{compression:?} {left} of {}", both.len());
                assert!(got.len() >= text.len() && text.repeat(2).starts_with(&got), "{compression:?} {left}");
                if left == both.len() - 1 {
                    assert_eq!(got.len(), 2 * text.len(), "{compression:?}: only the check is missing");
                }
            }
        }
    }

    #[test]
    fn damaged_data_gives_what_stands_before_the_damage() {
        let text = log(6000);
        for compression in COMPRESSIONS {
            let sound = pack(compression, &text);
            // bzip2 gives whole blocks (100 kB here), zstd 128 KiB, the others nearly every byte.
            for (part, least) in [(2, 3), (4, 6)] {
                let mut compressed = sound.clone();
                for byte in &mut compressed[sound.len() / part..][..64] {
                    *byte = !*byte;
                }
                for step in [900, 1 << 20] {
                    let (got, error) = all(&compressed, step, true);
                    assert!(
                        matches!(error, Some(SourceErrorKind::Corrupt | SourceErrorKind::TrailingData)),
                        "{compression:?} {error:?}"
                    );
                    // The damage may decode to nonsense for a while before it shows.
                    let same = got.iter().zip(&text).take_while(|(a, b)| a == b).count();
                    assert!(
                        same > text.len() / least,
                        "{compression:?}: {same} of {} with damage at 1/{part}",
                        text.len()
                    );
                }
            }
        }
        let mut sum = pack(Compression::Gzip, &text);
        let at = sum.len() - 6;
        sum[at] ^= 1;
        assert!(all(&sum, 1000, true) == (text, Some(SourceErrorKind::Corrupt)), "the checksum is verified");
    }

    #[test]
    fn trailing_data_is_an_error() {
        let text = log(50);
        for compression in COMPRESSIONS {
            let compressed = [pack(compression, &text), b"\0\0plain text".to_vec()].concat();
            for step in [1, 65_536] {
                assert!(
                    all(&compressed, step, true) == (text.clone(), Some(SourceErrorKind::TrailingData)),
                    "{compression:?}"
                );
            }
        }
    }

    #[test]
    fn two_layers_are_decompressed_and_no_more() {
        let text = log(50);
        let twice = pack(Compression::Gzip, &pack(Compression::Zstd, &text));
        assert!(all(&twice, 100, true) == (text, None));
        assert_eq!(all(&pack(Compression::Xz, &twice), 100, true).1, Some(SourceErrorKind::TooManyLayers));
        let torn = pack(Compression::Gzip, &pack(Compression::Zstd, &log(9000)));
        let (got, error) = all(&torn[..torn.len() / 2], 100, true);
        assert!(error == Some(SourceErrorKind::Truncated) && got.len() > 300_000, "{error:?} {}", got.len());
    }

    #[test]
    fn a_gzip_header_with_everything_in_it() {
        let mut gzip = flate2::GzBuilder::new()
            .filename("kubelet.log")
            .comment("rotated")
            .extra(vec![0; 40_000])
            .write(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"a line\n").unwrap();
        let compressed = gzip.finish().unwrap();
        assert_eq!(all(&compressed, 1000, true), (b"a line\n".to_vec(), None));
        assert_eq!(all(&compressed[..20_000], 1000, true), (Vec::new(), Some(SourceErrorKind::Truncated)));
        assert_eq!(all(&compressed[..40_020], 1000, true), (Vec::new(), Some(SourceErrorKind::Truncated)));
    }

    #[test]
    fn a_header_cannot_ask_for_any_memory() {
        // A frame with a window of 2 GiB (RFC 8878 3.1.1.1.2: exponent 21) and one empty last block.
        let frame = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";
        assert_eq!(all(&[&frame[..], &[0; 8]].concat(), 100, true).1, Some(SourceErrorKind::MemoryLimit));
    }

    #[test]
    fn an_error_names_format_and_position() {
        let compressed = pack(Compression::Gzip, &log(50));
        let mut reader = Decompressor::new(
            PeekReader::new(Box::new(io::Cursor::new(compressed[..100].to_vec()))),
            Compression::Gzip,
        );
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        let error = super::super::SourceError::from_io("node-1.log.gz", &error);
        assert!(error.to_string().starts_with("node-1.log.gz: its gzip data ends early, at byte 100. The"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_damage_makes_it_panic_or_run_on(
            which in 0..COMPRESSIONS.len(),
            damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            left: prop::sample::Index,
            step in 1_usize..3000,
        ) {
            let mut compressed = pack(COMPRESSIONS[which], &log(30)).repeat(2);
            for (at, byte) in damage {
                let at = at.index(compressed.len());
                compressed[at] = byte;
            }
            compressed.truncate(left.index(compressed.len()) + 1);
            all(&compressed, step, true);
        }
    }
}
