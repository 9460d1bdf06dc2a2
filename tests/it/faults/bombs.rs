//! Input that is far larger than it looks, lines without an end, junk: memory stays bounded and an interrupt ends it.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::damage::packed;
use super::process::{Running, log, run};
use crate::support::podlag;

const GIB: u64 = 1 << 30;
/// What unpacking and reading may hold, in MiB, by any such input. The program holds some 60 before it reads.
const BOUND: u64 = 160;

/// A file that unpacks to so many times a piece: members one after another are one stream.
fn bomb(folder: &Path, word: &str, piece: &[u8], times: u64) -> PathBuf {
    let path = folder.join(format!("bomb.{word}"));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    (0..times).for_each(|_| file.write_all(piece).unwrap());
    file.flush().unwrap();
    path
}

#[test]
fn bytes_that_are_no_text_hide_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubelet.log");
    let mut junk = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                junk = junk.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (junk >> 56) as u8
            })
            .collect()
    };
    let mut bytes = Vec::new();
    for line in log().lines() {
        bytes.extend(b"\0\0 NUL \0\n");
        bytes.extend(noise(100));
        bytes.push(b'\n');
        bytes.extend(line.as_bytes());
        bytes.push(b'\n');
    }
    std::fs::write(&path, &bytes).unwrap();
    let ended = run([path.as_os_str(), "--format".as_ref(), "json".as_ref()]);
    let report = ended.json();
    assert_eq!((ended.code, report["startups"].as_array().unwrap().len()), (Some(0), 20), "{}", ended.err);
    assert_eq!(report["coverage"]["bytes"], bytes.len() as u64);
    // Junk alone is no log: it is read to its end, and said to hold nothing.
    std::fs::write(&path, noise(8 << 20)).unwrap();
    let ended = run([&path]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(ended.out.starts_with("no pod startups found\n"), "{}", ended.out);
}

mod slow {
    use super::*;

    #[test]
    fn a_bomb_takes_little_memory_and_an_interrupt_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let piece = 16 << 20;
        for byte in [0, b'\n'] {
            let all = if byte == 0 { 10 * GIB } else { 4 * GIB };
            for (word, packed) in packed(&vec![byte; piece]) {
                let path = bomb(folder.path(), word, &packed, all / piece as u64);
                assert!(std::fs::metadata(&path).unwrap().len() < all / 100, "{word}: it is no bomb");
                for signal in ["INT", "TERM"] {
                    let mut running = Running::of(podlag().args(["--format", "json"]).arg(&path));
                    running.worked(20);
                    running.signal(signal);
                    let ended = running.end();
                    assert_eq!(ended.code, Some(3), "{word} {signal}: {}", ended.err);
                    assert!(ended.err.contains("the result is partial"), "{word} {signal}: {}", ended.err);
                    let report = ended.json();
                    assert_eq!(report["coverage"]["partial"], true, "{word} {signal}");
                    assert_eq!(
                        report["coverage"]["source_errors"].as_array().unwrap().len(),
                        0,
                        "stopped is not damaged"
                    );
                    assert!(ended.peak > 10 && ended.peak < BOUND, "{word} {signal}: {} MiB", ended.peak);
                }
            }
        }
    }

    #[test]
    fn a_bomb_is_counted_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let piece = vec![0; 16 << 20];
        let packed = zstd::encode_all(piece.as_slice(), 1).unwrap();
        let path = bomb(folder.path(), "zst", &packed, 10 * GIB / piece.len() as u64);
        let ended = run([path.as_os_str(), "--format".as_ref(), "json".as_ref()]);
        let coverage = &ended.json()["coverage"];
        assert_eq!((ended.code, &coverage["bytes"], &coverage["lines"]), (Some(3), &(10 * GIB).into(), &1.into()));
        assert!(ended.peak < BOUND, "{} MiB", ended.peak);
    }

    #[test]
    fn a_line_of_two_gigabytes_hides_nothing_around_it() {
        const LENGTH: u64 = 2_000_000_000;
        let (before, after) = (log(), "the last line\n");
        let all = before.len() as u64 + LENGTH + 1 + after.len() as u64;
        let lines = before.lines().count() as u64;
        let ended = Running::fed(podlag().args(["--format", "json"]), move |pipe| {
            pipe.write_all(before.as_bytes())?;
            let mut left = LENGTH;
            let piece = vec![b'x'; 1 << 20];
            while left > 0 {
                let some = left.min(piece.len() as u64);
                pipe.write_all(&piece[..some as usize])?;
                left -= some;
            }
            pipe.write_all(b"\n")?;
            pipe.write_all(after.as_bytes())
        })
        .end();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let report = ended.json();
        assert_eq!(report["startups"].as_array().unwrap().len(), 20);
        let coverage = &report["coverage"];
        assert_eq!(coverage["long_lines"], 1);
        assert_eq!((&coverage["bytes"], &coverage["lines"]), (&all.into(), &(lines + 2).into()));
        let place =
            coverage["unused_lines"].as_array().unwrap().iter().find(|place| place["why"] == "long_lines").unwrap();
        assert_eq!((&place["source"], &place["line"]), (&"stdin".into(), &(lines + 1).into()));
        assert!(ended.peak < BOUND, "{} MiB", ended.peak);
    }

    #[test]
    fn a_value_without_an_end_in_a_stored_report_is_refused() {
        for (head, most) in [(r#"{"podlag_report": 1, "run": ""#, 900), (r#"{"node":"a","kubelet_version":""#, 300)] {
            let mut running = Running::fed(&mut podlag(), move |pipe| {
                pipe.write_all(head.as_bytes())?;
                let piece = vec![b'a'; 1 << 20];
                // Without a bound it would take all the memory there is; this is enough to see that it does.
                (0..4096).try_for_each(|_| pipe.write_all(&piece))
            });
            running.until("it reads", |_| true);
            let ended = running.end();
            assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{head}");
            assert!(ended.err.contains("one part of it is larger than"), "{head}: {}", ended.err);
            assert!(ended.peak < most, "{head}: {} MiB", ended.peak);
        }
    }
}
