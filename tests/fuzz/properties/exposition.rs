//! Pages of metrics in text.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::BufReader;

use podlag::internals::metrics::exposition::{ReadStats, is_exposition, read};

/// A sample: name, labels, value as bits (a NaN is itself), time.
type Kept = (String, Vec<(String, String)>, u64, Option<i64>);

pub fn holds(data: &[u8]) {
    let (first, text) = super::led(data);
    let _ = is_exposition(text);
    let (kept, seen) = all(text, 64 << 10);
    assert_eq!((seen.bytes, seen.samples), (text.len() as u64, kept.len() as u64));
    assert!(seen.samples + seen.skipped + seen.invalid <= seen.lines, "each line counts once: {seen:?}");
    assert_eq!(seen.invalid_lines.len() as u64, seen.invalid.min(5));
    for bad in &seen.invalid_lines {
        super::assert_printable(&bad.text);
        assert!(!bad.text.contains('\n') && bad.text.chars().count() <= 80 && (1..=seen.lines).contains(&bad.number));
    }
    for (name, labels, ..) in &kept {
        let names: BTreeSet<&String> = labels.iter().map(|(name, _)| name).collect();
        assert!(!name.is_empty() && names.len() == labels.len(), "no name stands twice: {name} {labels:?}");
    }
    assert_eq!(all(text, 1 + usize::from(first)), (kept.clone(), seen), "however it is buffered");
    let cut = text.len() * usize::from(first) / 256;
    let (part, _) = all(&text[..cut], 64 << 10);
    assert!(kept.starts_with(&part), "a page that is cut is its whole lines");
    let written: String = kept.iter().map(written).collect();
    let (again, seen) = all(written.as_bytes(), 64 << 10);
    let untimed = |kept: &[Kept]| {
        kept.iter().map(|(name, labels, value, _)| (name.clone(), labels.clone(), *value)).collect::<Vec<_>>()
    };
    assert_eq!(untimed(&again), untimed(&kept), "what is written is read: {written} {seen:?}");
}

fn all(text: &[u8], room: usize) -> (Vec<Kept>, ReadStats) {
    let mut kept = Vec::new();
    let reader = BufReader::with_capacity(room, text);
    let seen = read(
        reader,
        |_| true,
        |sample| {
            if let Ok(sample) = sample {
                let labels = sample.labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
                let value = if sample.value.is_nan() { f64::NAN } else { sample.value };
                kept.push((sample.name.to_owned(), labels, value.to_bits(), sample.at));
            }
        },
    );
    let seen = seen.expect("bytes at hand are read");
    (kept, seen)
}

/// The sample as a line, names that are no words in quotes.
fn written((name, labels, value, _): &Kept) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    let word = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !text.starts_with(|c: char| c.is_ascii_digit())
    };
    let mut inside: Vec<String> = Vec::new();
    let mut line = String::new();
    if word(name) {
        line.push_str(name);
    } else {
        inside.push(quoted(name));
    }
    for (label, value) in labels {
        let label = if word(label) { label.clone() } else { quoted(label) };
        inside.push(format!("{label}={}", quoted(value)));
    }
    writeln!(line, "{{{}}} {}", inside.join(","), f64::from_bits(*value)).expect("a string takes it");
    line
}
