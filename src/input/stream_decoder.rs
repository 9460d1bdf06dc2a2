//! One member of a compressed stream: a thin, uniform interface to four decoders. Finding members is `compression`'s work.
//!
//! The decoders are driven by hand, not through the readers of their crates, because those lose what a call had already
//! written when the same call then meets an error, and a torn log is read for what is before the tear. Two things are
//! needed for that. Inflate keeps a window of 32 KiB, which an error discards: every step must have more room than that
//! ([`BUFFER_SIZE`](super::peek_reader::WINDOW) is). zstd does not say how much it wrote when it fails: it is fed one block at a time.

use std::io::{self, BufRead};

use flate2::{Crc, Decompress, FlushDecompress};
use liblzma::stream::{Action, Stream};
use memchr::memchr;
use zstd::stream::raw::{Decoder as ZstdDecoder, Operation};

use super::compression::{Compression, DecodeErrorKind};
use super::peek_reader::PeekReader;

/// Memory an xz stream may ask for, in bytes. `xz -9` needs 65 MiB to decompress; a hostile header could ask for 4 GiB.
/// (zstd's own limit, windows of 128 MiB, is kept; gzip and bzip2 need less than 4 MiB by design.)
const XZ_MEMORY_LIMIT: u64 = 256 << 20;
/// Bytes zstd wants to see first: the mark and the frame's descriptor (`ZSTD_startingInputLength`).
const ZSTD_FIRST_READ: usize = 5;

/// Why a member could not go on.
pub(super) enum DecoderFailure {
    Read(io::Error),
    Data(DecodeErrorKind),
}

impl From<io::Error> for DecoderFailure {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// What one step did.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) outcome: StepOutcome,
}

/// What is to be done after a step.
pub(super) enum StepOutcome {
    More,
    End,
    Error(DecodeErrorKind),
}

/// A member being decoded.
pub(super) enum Decoder {
    Gzip { inflate: Decompress, crc: Crc },
    Zstd { decoder: ZstdDecoder<'static>, wanted: usize },
    Xz(Stream),
    Bzip2(bzip2::Decompress),
}

impl Decoder {
    /// The member of this format at the front of `input`. Takes what is before its compressed data (gzip's header).
    pub(super) fn new(compression: Compression, input: &mut PeekReader) -> Result<Self, DecoderFailure> {
        Ok(match compression {
            Compression::Gzip => {
                gzip_header(input)?;
                Self::Gzip { inflate: Decompress::new(false), crc: Crc::new() }
            }
            Compression::Zstd => Self::Zstd { decoder: ZstdDecoder::new()?, wanted: ZSTD_FIRST_READ },
            Compression::Xz => Self::Xz(Stream::new_stream_decoder(XZ_MEMORY_LIMIT, 0).map_err(io::Error::from)?),
            Compression::Bzip2 => Self::Bzip2(bzip2::Decompress::new(false)),
        })
    }

    /// Decodes some of `input` into some of `output`. An empty `input` asks for what is still held inside.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Gzip { inflate, crc } => {
                let before = (inflate.total_in(), inflate.total_out());
                let outcome = match inflate.decompress(input, output, FlushDecompress::None) {
                    Ok(flate2::Status::StreamEnd) => StepOutcome::End,
                    Ok(_) => StepOutcome::More,
                    Err(error) => corrupt(&error),
                };
                let step = Step::between(before, (inflate.total_in(), inflate.total_out()), outcome);
                crc.update(output.get(..step.produced).unwrap_or_default());
                step
            }
            Self::Zstd { decoder, wanted } => {
                let block = input.get(..*wanted).unwrap_or(input);
                match decoder.run_on_buffers(block, output) {
                    Ok(status) => {
                        *wanted = status.remaining.max(1);
                        let outcome = if status.remaining == 0 { StepOutcome::End } else { StepOutcome::More };
                        Step { consumed: status.bytes_read, produced: status.bytes_written, outcome }
                    }
                    // The crate hands on zstd's words only, not its number.
                    Err(error) if error.to_string().contains("too much memory") => {
                        Step::error(DecodeErrorKind::MemoryLimit)
                    }
                    Err(error) => Step { consumed: 0, produced: 0, outcome: corrupt(&error) },
                }
            }
            Self::Xz(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let outcome = match stream.process(input, output, Action::Run) {
                    Ok(liblzma::stream::Status::StreamEnd) => StepOutcome::End,
                    Ok(_) => StepOutcome::More,
                    Err(liblzma::stream::Error::MemLimit) => StepOutcome::Error(DecodeErrorKind::MemoryLimit),
                    Err(error) => corrupt(&error),
                };
                Step::between(before, (stream.total_in(), stream.total_out()), outcome)
            }
            Self::Bzip2(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let outcome = match stream.decompress(input, output) {
                    Ok(bzip2::Status::StreamEnd) => StepOutcome::End,
                    Ok(bzip2::Status::MemNeeded) => StepOutcome::Error(DecodeErrorKind::MemoryLimit),
                    Ok(_) => StepOutcome::More,
                    Err(error) => corrupt(&error),
                };
                Step::between(before, (stream.total_in(), stream.total_out()), outcome)
            }
        }
    }

    /// Takes what follows the compressed data and compares it with what was decoded (gzip's trailer; the others check
    /// themselves).
    pub(super) fn finish(self, input: &mut PeekReader) -> Result<(), DecoderFailure> {
        let Self::Gzip { inflate, crc } = self else {
            return Ok(());
        };
        let sum = u32::from_le_bytes(take(input)?);
        let length = u32::from_le_bytes(take(input)?);
        // RFC 1952: the length is kept modulo 2^32.
        if sum == crc.sum() && u64::from(length) == inflate.total_out() & u64::from(u32::MAX) {
            Ok(())
        } else {
            Err(DecoderFailure::Data(DecodeErrorKind::Corrupt("checksum mismatch".into())))
        }
    }
}

impl Step {
    /// From a decoder's running totals (in, out) before and after.
    fn between(before: (u64, u64), after: (u64, u64), outcome: StepOutcome) -> Self {
        let span = |from: u64, to: u64| usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        Self { consumed: span(before.0, after.0), produced: span(before.1, after.1), outcome }
    }

    fn error(kind: DecodeErrorKind) -> Self {
        Self { consumed: 0, produced: 0, outcome: StepOutcome::Error(kind) }
    }
}

fn corrupt(error: &dyn std::error::Error) -> StepOutcome {
    StepOutcome::Error(DecodeErrorKind::Corrupt(error.to_string()))
}

/// Takes a gzip member's header (RFC 1952 2.3): ten bytes, then the optional parts its flags name, of any length.
fn gzip_header(input: &mut PeekReader) -> Result<(), DecoderFailure> {
    const HEADER_SUM: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    let [_, _, _, flags, ..] = take::<10>(input)?;
    if flags & 0xE0 != 0 {
        return Err(DecoderFailure::Data(DecodeErrorKind::Corrupt("unknown flags in its header".into())));
    }
    if flags & EXTRA != 0 {
        for _ in 0..u16::from_le_bytes(take(input)?) {
            take::<1>(input)?;
        }
    }
    for _ in [NAME, COMMENT].iter().filter(|part| flags & **part != 0) {
        skip_past_nul(input)?;
    }
    if flags & HEADER_SUM != 0 {
        take::<2>(input)?;
    }
    Ok(())
}

/// Takes the next `N` bytes.
fn take<const N: usize>(input: &mut PeekReader) -> Result<[u8; N], DecoderFailure> {
    let Some(bytes) = input.peek(N).first_chunk::<N>().copied() else {
        return Err(input.take_error().map_or(DecoderFailure::Data(DecodeErrorKind::Truncated), DecoderFailure::Read));
    };
    input.consume(N);
    Ok(bytes)
}

fn skip_past_nul(input: &mut PeekReader) -> Result<(), DecoderFailure> {
    loop {
        let ready = input.fill_buf()?;
        if ready.is_empty() {
            return Err(DecoderFailure::Data(DecodeErrorKind::Truncated));
        }
        let nul = memchr(0, ready);
        let count = nul.map_or(ready.len(), |at| at + 1);
        input.consume(count);
        if nul.is_some() {
            return Ok(());
        }
    }
}
