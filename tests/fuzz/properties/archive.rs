//! Archives: a small tar or ZIP archive, at some places of which stands something else.

use std::io::{Cursor, Read};

use podlag::internals::input::{Source, Spool, open, open_with};

const LINE: &str = "I1123 19:08:24.991703 7 a.go:1] \"x\"\n";

/// The first byte says which archive; then three bytes each: where something else stands (two bytes), and what.
pub fn holds(data: &[u8]) {
    let (form, data) = super::led(data);
    let mut archive = if form % 2 == 0 { tar() } else { zip() };
    for patch in data.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]])) % archive.len();
        archive[at] = patch[2];
    }
    // What is left over cuts the file.
    if let Some(cut) = data.chunks_exact(3).remainder().first() {
        archive.truncate(archive.len() * (usize::from(*cut) + 1) / 256);
    }
    let source = Source::from_path("archive");
    let Ok(opened) = open_with(&source, Box::new(Cursor::new(archive))) else { return };
    if !opened.is_archive() {
        assert!(!data.is_empty(), "it is known");
        return;
    }
    let temp = std::env::temp_dir();
    let mut spool = Spool::new(&temp).expect("a temporary file");
    let unpacked = opened.unpack(&mut spool, &temp);
    unpacked.remarks.iter().for_each(|remark| super::assert_printable(remark));
    unpacked.errors.iter().for_each(|error| super::assert_printable(&error.to_string()));
    let mut all = 0;
    for member in &unpacked.members {
        super::assert_printable(&member.name);
        assert!(!member.name.contains("/../"), "{}", member.name);
        let mut text = Vec::new();
        let opened = open(member, &Default::default()).and_then(|opened| opened.text(&temp));
        let _ = opened.map(|mut reader| reader.read_to_end(&mut text));
        all += text.len();
        if data.is_empty() {
            assert_eq!(String::from_utf8_lossy(&text), LINE.repeat(3), "{}", member.name);
        }
    }
    assert!(!data.is_empty() || unpacked.members.len() == 2, "{unpacked:?}");
    assert!(all < 1 << 20, "no more than its members: {all}");
}

/// Two logs and a link.
fn tar() -> Vec<u8> {
    let mut bytes = Vec::new();
    let text = LINE.repeat(3);
    for (name, kind, link, content) in
        [("node-1/a.log", b'0', "", text.as_str()), ("node-1/b.log", b'2', "a.log", ""), ("c.log", b'0', "", &text)]
    {
        let mut header = [0; 512];
        let mut put = |at: usize, field: &[u8]| header[at..at + field.len()].copy_from_slice(field);
        put(0, name.as_bytes());
        put(124, format!("{:011o}", content.len()).as_bytes());
        put(148, &[b' '; 8]);
        put(156, &[kind]);
        put(157, link.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(content.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Two logs, stored as they are.
fn zip() -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    let text = LINE.repeat(3);
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    let (crc, len) = (crc.sum().to_le_bytes(), (text.len() as u32).to_le_bytes());
    for name in ["node-1/a.log", "c.log"] {
        let start = (bytes.len() as u32).to_le_bytes();
        let name_len = (name.len() as u16).to_le_bytes();
        // Version, flags, method, time and date; at the end, how many extra bytes.
        let fields = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &crc, &len, &len, &name_len, &[0, 0]].concat();
        bytes.extend([b"PK\x03\x04", fields.as_slice(), name.as_bytes(), text.as_bytes()].concat());
        list.extend([b"PK\x01\x02\x14\x03", fields.as_slice(), &[0; 10], &start, name.as_bytes()].concat());
    }
    let (at, size) = ((bytes.len() as u32).to_le_bytes(), (list.len() as u32).to_le_bytes());
    bytes.extend(list);
    bytes.extend([&b"PK\x05\x06\0\0\0\0\x02\0\x02\0"[..], &size, &at, &[0, 0]].concat());
    bytes
}
