//! Journald's own files: a small one, at some places of which stands something else.

use std::io::{Cursor, Read};
use std::sync::Arc;

use podlag::internals::input::{JournalSelection, Source, open_with};
use podlag::internals::model::time::Time;

/// What the index has of `_SYSTEMD_UNIT=kubelet.service`, by lookup3.
const HASH: u64 = 0x0493_7711_ddef_b5ae;
/// And of `_PID` as the name of fields.
const NAME_HASH: u64 = 0xa791_f8f1_b06b_ab70;
/// When its entries were received, in microseconds since 1970.
const RECEIVED: u64 = 1_795_460_904_991_853;
const LINE: &str = "2026-11-23T19:08:24.991853+00:00 node-1 kubelet[7]: I1123 19:08:24.991703 7 a.go:1] \"x\"\n";

/// Three bytes each: where something else stands (two bytes), and what.
pub fn holds(data: &[u8]) {
    let mut journal = journal();
    for patch in data.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]]));
        let end = journal.len();
        // Without its first bytes it is another file.
        if at % end >= 8 {
            journal[at % end] = patch[2];
        }
    }
    // What is left over cuts the file.
    if let Some(cut) = data.chunks_exact(3).remainder().first() {
        journal.truncate((journal.len() * (usize::from(*cut) + 1) / 256).max(8));
    }
    let day = 86_400_000_000_000_i64;
    let received = Time(RECEIVED as i64 * 1000);
    let later = Time(received.0 + 3 * day);
    // All; all of a window; the start of a process before one; none, after one.
    let windows = [(None, None, 3), (Some(received), Some(later), 3), (Some(later), None, 3), (None, Some(Time(0)), 0)];
    for (since, until, lines) in windows {
        let selection = Arc::new(JournalSelection::new(&[], since, until));
        let source = Source::from_path("system.journal").with_journal_selection(&selection);
        let opened = open_with(&source, Box::new(Cursor::new(journal.clone()))).expect("it is not compressed");
        let mut text = Vec::new();
        let read = opened.text(&std::env::temp_dir()).map(|mut reader| reader.read_to_end(&mut text));
        if data.is_empty() {
            assert_eq!(String::from_utf8_lossy(&text), LINE.repeat(lines));
            assert!(matches!(read, Ok(Ok(_))), "{read:?}");
        }
        assert!(text.len() < 1 << 20, "no more than its entries: {}", text.len());
        assert!(text.is_empty() || text.ends_with(b"\n"), "whole lines");
        if let Ok(Err(error)) = read {
            super::assert_printable(&error.to_string());
        }
    }
}

/// A header, an index of one bucket for fields and one for their names, the fields, and three entries that have them all, two of them in a list.
fn journal() -> Vec<u8> {
    let mut bytes = vec![0; 272];
    bytes[..8].copy_from_slice(b"LPKSHHRH");
    let table = object(&mut bytes, 4, &[0; 16]);
    let message = LINE.split_once("]: ").expect("a message").1.trim_end();
    let fields = ["_SYSTEMD_UNIT=kubelet.service", "_HOSTNAME=node-1", "SYSLOG_IDENTIFIER=kubelet", "_PID=7"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("MESSAGE={message}")]);
    let fields: Vec<u64> = fields.map(|field| object(&mut bytes, 1, &[&[0; 48], field.as_bytes()].concat())).collect();
    let entries = [1_u64, 2, 3].map(|number| {
        let mut body = [&number.to_le_bytes()[..], &RECEIVED.to_le_bytes(), &[0; 32]].concat();
        fields.iter().for_each(|at| body.extend([at.to_le_bytes(), [0; 8]].concat()));
        object(&mut bytes, 3, &body)
    });
    let list = object(&mut bytes, 6, &[[0; 8], entries[1].to_le_bytes(), entries[2].to_le_bytes(), [0; 8]].concat());
    let names = object(&mut bytes, 5, &[0; 16]);
    let (unit, process) = (fields[0], fields[3]);
    let name =
        object(&mut bytes, 2, &[&NAME_HASH.to_le_bytes()[..], &[0; 8], &process.to_le_bytes(), b"_PID"].concat());
    let end = bytes.len() as u64;
    for (at, number) in [
        (88, 272),
        (96, end - 272),
        (104, table + 16),
        (112, 16),
        (120, names + 16),
        (128, 16),
        (table + 16, unit),
        (table + 24, unit),
        (unit + 16, HASH),
        (unit + 40, entries[0]),
        (unit + 48, list),
        (unit + 56, 3),
        (names + 16, name),
        (names + 24, name),
        (process + 40, entries[0]),
    ] {
        let at = at as usize;
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// Adds an object and gives its place.
fn object(bytes: &mut Vec<u8>, kind: u8, body: &[u8]) -> u64 {
    let at = bytes.len() as u64;
    bytes.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend((body.len() as u64 + 16).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    at
}
