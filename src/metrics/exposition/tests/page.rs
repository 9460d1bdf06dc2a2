//! Texts as a whole.

use std::io::{self, BufRead, BufReader, Read};

use super::{ReadStats, all, kept, read};
use crate::metrics::exposition::lines::LIMIT;

#[test]
fn pages_as_they_are_saved() {
    let text = "\u{feff}\r\n \n# HELP a_b Text, # and {.\r\n# TYPE a_b gauge\r\na_b{c=\"d\"} 1\r\n\
                \u{feff}# HELP a_b\na_b 2\n\
                command terminated with exit code 1\n";
    let (samples, seen) = all(text);
    assert_eq!(samples, [kept("a_b", &[("c", "d")], 1.0), kept("a_b", &[], 2.0)]);
    assert_eq!((seen.bytes, seen.lines, seen.samples, seen.invalid), (text.len() as u64, 8, 2, 1));
    let bad = &seen.invalid_lines[0];
    assert_eq!((bad.number, bad.text.as_str()), (8, "command terminated with exit code 1"));
    assert_eq!(bad.reason, "more than a value and a timestamp");
    assert!(!seen.truncated && !seen.openmetrics);
    assert_eq!(all("").1, ReadStats::default());
}

#[test]
fn names_that_are_not_wanted_are_only_counted() {
    let text = "a_b{c=\"\\\"} 1\nb_c 1\nc_d{c=\"d\"} 3\n{\"e.f\",x=\"y\"} 4\nb_c words\ntime=\"x\"\nb_c 1 # {} 1\n";
    let mut names = Vec::new();
    let mut samples = 0;
    let wanted = |name: &str| {
        names.push(name.to_owned());
        name == "c_d"
    };
    let seen = read(text.as_bytes(), wanted, |_| samples += 1).unwrap();
    assert_eq!(names, ["a_b", "b_c", "c_d", "e.f", "b_c", "time", "b_c"]);
    assert_eq!((samples, seen.samples, seen.skipped, seen.invalid), (1, 1, 4, 2));
}

#[test]
fn only_five_bad_lines_are_shown_and_none_acts_on_a_terminal() {
    let long = format!("\u{1b}[2J\u{7}é{}\n", "é".repeat(200));
    let (_, seen) = all(long.repeat(7));
    assert_eq!((seen.invalid, seen.invalid_lines.len()), (7, 5));
    assert_eq!(seen.invalid_lines[4].text, format!("\u{fffd}[2J\u{fffd}{}", "é".repeat(75)));
    assert_eq!(seen.invalid_lines[4].number, 5);
}

#[test]
fn broken_utf8_is_bad_and_not_mended() {
    let (samples, seen) = all(b"a_b{c=\"\xff\"} 1\na_b{c=\"d\"} 2\n# HELP a_b \xff\n");
    assert_eq!(samples, [kept("a_b", &[("c", "d")], 2.0)]);
    assert_eq!((seen.invalid, seen.invalid_lines[0].reason), (1, "not UTF-8"));
}

#[test]
fn pages_in_a_row() {
    let page = "a_b 1\n# EOF\n";
    let (samples, seen) = all(page.repeat(3));
    assert_eq!((samples.len(), seen.openmetrics, seen.truncated), (3, true, false));
    assert!(all(format!("{page}a_b 2\n")).1.truncated, "the second page has no end");
    assert!(!all(format!("{page}$ \n")).1.truncated, "a prompt is no page");
    assert!(!all("a_b 1\n# EOF").1.truncated, "which the OpenMetrics text allows");
}

#[test]
fn a_last_line_without_its_end_is_not_read() {
    for rest in ["a_b 12", "a_b{c=\"d", "# HELP a_b Te", "# EO", "a", "a_b 1 # {} 1 1"] {
        let (samples, seen) = all(format!("a_b 1\n{rest}"));
        assert_eq!((samples.len(), seen.invalid, seen.lines, seen.truncated), (1, 0, 2, true), "{rest}");
    }
    assert!(!all("a_b 1\n \t").1.truncated);
}

#[test]
fn too_long_a_line_is_not_held() {
    let line = |length: usize| format!("a_b{{c=\"{}\"}} 1\n", "x".repeat(length - 11));
    let text = format!("{}{}a_b 3\n", line(LIMIT), line(LIMIT + 1));
    for size in [16, 8192, 4 * LIMIT] {
        let mut values = Vec::new();
        let reader = BufReader::with_capacity(size, text.as_bytes());
        let seen = read(reader, |_| true, |sample| values.push((sample.labels.len(), sample.value))).unwrap();
        assert_eq!(values, [(1, 1.0), (0, 3.0)], "{size}");
        assert_eq!((seen.invalid, seen.invalid_lines[0].reason), (1, "longer than 1 MiB"));
        assert_eq!(seen.bytes, text.len() as u64);
    }
    let (samples, seen) = all(format!("{}a_b 1\n# EOF{}x\n", " ".repeat(LIMIT), " ".repeat(LIMIT)));
    assert_eq!((samples.len(), seen.invalid, seen.openmetrics), (0, 2, false), "its end is not known");
    let endless = all(vec![b'a'; 3 * LIMIT]).1;
    assert_eq!((endless.lines, endless.invalid, endless.truncated), (1, 1, true));
}

/// Gives a byte a time, is interrupted before each, and fails at the end.
struct Grudging(&'static [u8], bool);

impl Read for Grudging {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        unreachable!()
    }
}

impl BufRead for Grudging {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.1 = !self.1;
        match self.0.get(..1) {
            _ if self.1 => Err(io::ErrorKind::Interrupted.into()),
            Some(byte) => Ok(byte),
            None => Err(io::Error::other("gone")),
        }
    }

    fn consume(&mut self, count: usize) {
        self.0 = &self.0[count..];
    }
}

#[test]
fn interruptions_pass_and_errors_do_not() {
    let mut values = Vec::new();
    let error =
        read(Grudging(b"a_b 1\na_b 2\na_b 3", false), |_| true, |sample| values.push(sample.value)).unwrap_err();
    assert_eq!((values, error.to_string().as_str()), (vec![1.0, 2.0], "gone"));
}

#[test]
fn the_labels_room_is_kept() {
    let mut labels = Vec::with_capacity(40);
    labels.push(("a".into(), "b".into()));
    let room = super::super::reuse_memory(labels);
    assert_eq!((room.len(), room.capacity()), (0, 40));
}
