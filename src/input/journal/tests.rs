//! Files that are no more than their front; whole ones are read in `tests/it/journal`.

use super::*;

fn text(bytes: Vec<u8>) -> (String, Option<String>) {
    let source = JournalBytes::Stream { stream: Box::new(io::empty()), temp: std::env::temp_dir() };
    let mut journal = JournalText::new(source, Arc::default(), Arc::default(), Arc::default());
    journal.bytes = None;
    let opened = journal.open_blocks(Blocks::new(Box::new(bytes), true));
    let mut text = String::new();
    let read = opened.and_then(|()| journal.read_to_string(&mut text));
    (text, read.err().map(|error| error.to_string()))
}

/// A header as systemd 252 writes it, with these incompatible flags.
fn header(flags: u32) -> Vec<u8> {
    let mut bytes = [MAGIC, &[0; 264]].concat();
    bytes[12..16].copy_from_slice(&flags.to_le_bytes());
    bytes[88..96].copy_from_slice(&272_u64.to_le_bytes());
    bytes
}

#[test]
fn a_newer_layout_is_refused_by_its_flags() {
    let error = "it is a systemd journal of a newer layout (incompatible flags 0x60)";
    assert_eq!(text(header(0x7c)), (String::new(), Some(error.into())));
}

#[test]
fn a_file_that_ends_in_its_header_says_where() {
    let error = "the journal is damaged in 1 place, first at byte 100; no entry of a kubelet or container runtime was found in it";
    assert_eq!(text(header(4)[..100].to_vec()), (String::new(), Some(error.into())));
}

#[test]
fn an_index_that_is_none_is_damage() {
    let error = "the journal is damaged in 1 place, first at byte 104; no entry of a kubelet or container runtime was found in it";
    assert_eq!(text(header(4)), (String::new(), Some(error.into())));
    let mut cut = header(4);
    cut[96..104].copy_from_slice(&4096_u64.to_le_bytes());
    assert_eq!(
        text(cut).1.as_deref(),
        Some("the journal has 272 of 4368 bytes; no entry of a kubelet or container runtime was found in it")
    );
}
