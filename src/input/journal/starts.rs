//! When the processes of the wanted units began to write in a file, by its index: what they log then (versions, settings, the node's
//! name) holds for all that follows.

use super::blocks::{Blocks, Fault, Found, u64_at};
use super::hash::{IndexedField, newest_value};
use super::object::{DATA, Header, Object, entry};

/// Fields with a value of its own for each start of a unit: systemd's number of it, and where there is none, the process'.
const NAMES: [&[u8]; 2] = [b"_SYSTEMD_INVOCATION_ID", b"_PID"];

/// The instants, in microseconds since 1970, of the first entries of processes that wrote before an instant and with a wanted field.
pub(super) fn process_starts(
    blocks: &mut Blocks,
    header: &Header,
    wanted: &[IndexedField],
    before: u64,
) -> Found<Vec<u64>> {
    let (mut starts, mut bytes) = (Vec::new(), Vec::new());
    for name in NAMES {
        let Some(newest) = newest_value(blocks, header, name)? else { continue };
        let (mut at, mut last) = (newest, u64::MAX);
        while at != 0 {
            // Each value leads to the one before it, so that the list ends.
            if at >= last {
                return Err(Fault::Damaged(last));
            }
            Object::of(blocks, at, DATA)?;
            let fixed: [u8; 64] = blocks.array(at)?;
            let first = u64_at(&fixed, 40);
            if first != 0 {
                let (received, fields) = entry(blocks, header, first, &mut bytes)?;
                if received < before && wanted.iter().any(|field| fields.contains(&field.at)) {
                    starts.push(received);
                }
            }
            (last, at) = (at, u64_at(&fixed, 32));
        }
        break;
    }
    Ok(starts)
}
