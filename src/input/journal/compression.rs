//! A field that is compressed by itself: xz, LZ4 or zstd.

use std::io::Read;

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::{self, DCtx, ResetDirective};

const XZ: u8 = 1;
const LZ4: u8 = 2;
const ZSTD: u8 = 4;
/// Memory an xz stream may ask for, in bytes.
const XZ_MEMORY_LIMIT: u64 = 64 << 20;
/// The most that LZ4 makes of a byte; more is announced only by damage.
const LZ4_MAX_RATIO: usize = 255;
/// The longest field that LZ4 decompresses, which it does as a whole.
const LZ4_MAX_FIELD: usize = 64 << 20;

/// Decompresses fields, one after another.
#[derive(Default)]
pub(super) struct Decompressor {
    /// Made for the first field that needs it: making one costs more than decompressing a field.
    zstd: Option<DCtx<'static>>,
}

impl Decompressor {
    /// At most `most` bytes of a field, instead of what is in `field`; whether it is whole that far.
    pub(super) fn decompress(&mut self, flag: u8, bytes: &[u8], most: usize, field: &mut Vec<u8>) -> bool {
        field.clear();
        let done = match flag {
            XZ => xz(bytes, most, field),
            LZ4 => lz4(bytes, most, field),
            ZSTD => self.zstd(bytes, most, field),
            _ => None,
        };
        done.is_some()
    }

    fn zstd(&mut self, bytes: &[u8], most: usize, field: &mut Vec<u8>) -> Option<()> {
        let context = match &mut self.zstd {
            Some(context) => context,
            None => self.zstd.insert(DCtx::try_create()?),
        };
        // The last field may have been damaged, or longer than what was wanted of it.
        context.reset(ResetDirective::SessionOnly).ok()?;
        // With room for all of it there is no copy between.
        let announced = zstd_safe::get_frame_content_size(bytes).ok().flatten().unwrap_or(0);
        field.reserve(usize::try_from(announced).unwrap_or(most).min(most));
        first(Decoder::with_context(bytes, context), most, field)
    }
}

fn xz(bytes: &[u8], most: usize, field: &mut Vec<u8>) -> Option<()> {
    let stream = Stream::new_stream_decoder(XZ_MEMORY_LIMIT, 0).ok()?;
    first(XzDecoder::new_stream(bytes, stream), most, field)
}

fn lz4(bytes: &[u8], most: usize, field: &mut Vec<u8>) -> Option<()> {
    let (size, block) = bytes.split_first_chunk::<8>()?;
    let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
    if size > LZ4_MAX_FIELD || size / LZ4_MAX_RATIO > block.len() {
        return None;
    }
    *field = lz4::block::decompress(block, Some(i32::try_from(size).ok()?)).ok()?;
    field.truncate(most);
    Some(())
}

fn first(reader: impl Read, most: usize, field: &mut Vec<u8>) -> Option<()> {
    reader.take(most as u64).read_to_end(field).ok().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_compressing_is_read_and_bounded() {
        let field = b"MESSAGE=".iter().copied().chain((0..9000_u32).flat_map(u32::to_le_bytes)).collect::<Vec<u8>>();
        let mut xz = Vec::new();
        liblzma::read::XzEncoder::new(&field[..], 1).read_to_end(&mut xz).unwrap();
        let block = lz4::block::compress(&field, None, false).unwrap();
        let lz4 = [&(field.len() as u64).to_le_bytes()[..], &block].concat();
        let mut decompressor = Decompressor::default();
        let mut decompress = |flag, bytes: &[u8], most| {
            let mut into = b"what was there".to_vec();
            decompressor.decompress(flag, bytes, most, &mut into).then_some(into)
        };
        for (flag, bytes) in [(XZ, xz), (LZ4, lz4), (ZSTD, zstd::encode_all(&field[..], 1).unwrap())] {
            // Each after one that was left before its end, and one that was damaged.
            for _ in 0..2 {
                assert_eq!(decompress(flag, &bytes, 1 << 20).as_ref(), Some(&field), "{flag}");
                assert_eq!(decompress(flag, &bytes, 100).unwrap(), &field[..100], "{flag}");
                assert_eq!(decompress(flag, &bytes[..bytes.len() / 2], 1 << 20), None, "{flag}");
                assert_eq!(decompress(7, &bytes, 100), None, "two ways at once");
            }
        }
        let bomb = [&(1_u64 << 25).to_le_bytes()[..], &[0; 9]].concat();
        assert_eq!(decompress(LZ4, &bomb, 100), None, "more than nine bytes can hold");
    }
}
