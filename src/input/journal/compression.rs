//! A field that is compressed by itself: xz, LZ4 or zstd.

use std::io::Read;

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

const XZ: u8 = 1;
const LZ4: u8 = 2;
const ZSTD: u8 = 4;
/// Memory an xz stream may ask for, in bytes.
const XZ_MEMORY_LIMIT: u64 = 64 << 20;
/// The most that LZ4 makes of a byte; more is announced only by damage.
const LZ4_MAX_RATIO: usize = 255;
/// The longest field that LZ4 decompresses, which it does as a whole.
const LZ4_MAX_FIELD: usize = 64 << 20;

/// At most `most` bytes of a field; none if it is damaged before that.
pub(super) fn decompress(flag: u8, bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    match flag {
        XZ => first(XzDecoder::new_stream(bytes, Stream::new_stream_decoder(XZ_MEMORY_LIMIT, 0).ok()?), most),
        ZSTD => first(zstd::stream::read::Decoder::with_buffer(bytes).ok()?, most),
        LZ4 => {
            let (size, block) = bytes.split_first_chunk::<8>()?;
            let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
            if size > LZ4_MAX_FIELD || size / LZ4_MAX_RATIO > block.len() {
                return None;
            }
            let mut field = lz4::block::decompress(block, Some(i32::try_from(size).ok()?)).ok()?;
            field.truncate(most);
            Some(field)
        }
        _ => None,
    }
}

fn first(reader: impl Read, most: usize) -> Option<Vec<u8>> {
    let mut field = Vec::new();
    reader.take(most as u64).read_to_end(&mut field).ok()?;
    Some(field)
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
        for (flag, bytes) in [(XZ, xz), (LZ4, lz4), (ZSTD, zstd::encode_all(&field[..], 1).unwrap())] {
            assert_eq!(decompress(flag, &bytes, 1 << 20).as_ref(), Some(&field), "{flag}");
            assert_eq!(decompress(flag, &bytes, 100).unwrap(), &field[..100], "{flag}");
            assert_eq!(decompress(flag, &bytes[..bytes.len() / 2], 1 << 20), None, "{flag}");
            assert_eq!(decompress(7, &bytes, 100), None, "two ways at once");
        }
        let bomb = [&(1_u64 << 25).to_le_bytes()[..], &[0; 9]].concat();
        assert_eq!(decompress(LZ4, &bomb, 100), None, "more than nine bytes can hold");
    }
}
