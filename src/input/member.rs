//! One member of a packed stream: a thin, uniform face over four decoders. Finding members is `packing`'s work.
//!
//! The decoders are driven by hand, not through the readers of their crates, because those lose what a call had already
//! written when the same call then meets an error, and a torn log is read for what stands before the tear. Two things are
//! needed for that. Inflate keeps a window of 32 KiB, which an error discards: every step must have more room than that
//! ([`WINDOW`](super::window::WINDOW) is). zstd does not say how much it wrote when it fails: it is fed one block at a time.

use std::io::{self, BufRead};

use flate2::{Crc, Decompress, FlushDecompress};
use liblzma::stream::{Action, Stream};
use memchr::memchr;
use zstd::stream::raw::{Decoder, Operation};

use super::packing::{Fault, Packing};
use super::window::Window;

/// Memory an xz stream may ask for, in bytes. `xz -9` needs 65 MiB to unpack; a hostile header could ask for 4 GiB.
/// (zstd's own limit, windows of 128 MiB, is kept; gzip and bzip2 need less than 4 MiB by design.)
const XZ_MEMORY: u64 = 256 << 20;
/// Bytes zstd wants to see first: the mark and the frame's descriptor (`ZSTD_startingInputLength`).
const ZSTD_FIRST: usize = 5;

/// Why a member could not go on.
pub(super) enum Failure {
    Read(io::Error),
    Data(Fault),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// What one step did.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) then: Then,
}

/// What is to be done after a step.
pub(super) enum Then {
    More,
    End,
    Fault(Fault),
}

/// A member being unpacked.
pub(super) enum Member {
    Gzip { inflate: Decompress, crc: Crc },
    Zstd { decoder: Decoder<'static>, wanted: usize },
    Xz(Stream),
    Bzip2(bzip2::Decompress),
}

impl Member {
    /// The member of this packing at the front of `input`. Takes what stands before its packed data (gzip's header).
    pub(super) fn begin(packing: Packing, input: &mut Window) -> Result<Self, Failure> {
        Ok(match packing {
            Packing::Gzip => {
                gzip_header(input)?;
                Self::Gzip { inflate: Decompress::new(false), crc: Crc::new() }
            }
            Packing::Zstd => Self::Zstd { decoder: Decoder::new()?, wanted: ZSTD_FIRST },
            Packing::Xz => Self::Xz(Stream::new_stream_decoder(XZ_MEMORY, 0).map_err(io::Error::from)?),
            Packing::Bzip2 => Self::Bzip2(bzip2::Decompress::new(false)),
        })
    }

    /// Decodes some of `input` into some of `output`. An empty `input` asks for what is still held inside.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Gzip { inflate, crc } => {
                let before = (inflate.total_in(), inflate.total_out());
                let then = match inflate.decompress(input, output, FlushDecompress::None) {
                    Ok(flate2::Status::StreamEnd) => Then::End,
                    Ok(_) => Then::More,
                    Err(error) => corrupt(&error),
                };
                let step = Step::between(before, (inflate.total_in(), inflate.total_out()), then);
                crc.update(output.get(..step.produced).unwrap_or_default());
                step
            }
            Self::Zstd { decoder, wanted } => {
                let block = input.get(..*wanted).unwrap_or(input);
                match decoder.run_on_buffers(block, output) {
                    Ok(status) => {
                        *wanted = status.remaining.max(1);
                        let then = if status.remaining == 0 { Then::End } else { Then::More };
                        Step { consumed: status.bytes_read, produced: status.bytes_written, then }
                    }
                    // The crate hands on zstd's words only, not its number.
                    Err(error) if error.to_string().contains("too much memory") => Step::fault(Fault::TooLarge),
                    Err(error) => Step { consumed: 0, produced: 0, then: corrupt(&error) },
                }
            }
            Self::Xz(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let then = match stream.process(input, output, Action::Run) {
                    Ok(liblzma::stream::Status::StreamEnd) => Then::End,
                    Ok(_) => Then::More,
                    Err(liblzma::stream::Error::MemLimit) => Then::Fault(Fault::TooLarge),
                    Err(error) => corrupt(&error),
                };
                Step::between(before, (stream.total_in(), stream.total_out()), then)
            }
            Self::Bzip2(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let then = match stream.decompress(input, output) {
                    Ok(bzip2::Status::StreamEnd) => Then::End,
                    Ok(bzip2::Status::MemNeeded) => Then::Fault(Fault::TooLarge),
                    Ok(_) => Then::More,
                    Err(error) => corrupt(&error),
                };
                Step::between(before, (stream.total_in(), stream.total_out()), then)
            }
        }
    }

    /// Takes what stands behind the packed data and holds it against what was decoded (gzip's trailer; the others check
    /// themselves).
    pub(super) fn finish(self, input: &mut Window) -> Result<(), Failure> {
        let Self::Gzip { inflate, crc } = self else {
            return Ok(());
        };
        let sum = u32::from_le_bytes(take(input)?);
        let length = u32::from_le_bytes(take(input)?);
        // RFC 1952: the length is kept modulo 2^32.
        if sum == crc.sum() && u64::from(length) == inflate.total_out() & u64::from(u32::MAX) {
            Ok(())
        } else {
            Err(Failure::Data(Fault::Corrupt("its checksum does not fit".into())))
        }
    }
}

impl Step {
    /// From a decoder's running totals (in, out) before and after.
    fn between(before: (u64, u64), after: (u64, u64), then: Then) -> Self {
        let span = |from: u64, to: u64| usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        Self { consumed: span(before.0, after.0), produced: span(before.1, after.1), then }
    }

    fn fault(fault: Fault) -> Self {
        Self { consumed: 0, produced: 0, then: Then::Fault(fault) }
    }
}

fn corrupt(error: &dyn std::error::Error) -> Then {
    Then::Fault(Fault::Corrupt(error.to_string()))
}

/// Takes a gzip member's header (RFC 1952 2.3): ten bytes, then the optional parts its flags name, of any length.
fn gzip_header(input: &mut Window) -> Result<(), Failure> {
    const HEADER_SUM: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    let [_, _, _, flags, ..] = take::<10>(input)?;
    if flags & 0xE0 != 0 {
        return Err(Failure::Data(Fault::Corrupt("its header has unknown flags".into())));
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
fn take<const N: usize>(input: &mut Window) -> Result<[u8; N], Failure> {
    let Some(bytes) = input.peek(N).first_chunk::<N>().copied() else {
        return Err(input.take_fault().map_or(Failure::Data(Fault::Truncated), Failure::Read));
    };
    input.consume(N);
    Ok(bytes)
}

fn skip_past_nul(input: &mut Window) -> Result<(), Failure> {
    loop {
        let ready = input.fill_buf()?;
        if ready.is_empty() {
            return Err(Failure::Data(Fault::Truncated));
        }
        let nul = memchr(0, ready);
        let count = nul.map_or(ready.len(), |at| at + 1);
        input.consume(count);
        if nul.is_some() {
            return Ok(());
        }
    }
}
