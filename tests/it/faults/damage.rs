//! Packed logs that are cut or damaged, at many places: what stands before is reported, and where it ends is said.

use std::io::Write;
use std::path::Path;

use super::process::{Ended, log, run};

/// A text in each packing, with the packing's word.
pub fn packed(text: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text).unwrap();
    let mut zst = zstd::Encoder::new(Vec::new(), 1).unwrap();
    zst.include_checksum(true).unwrap();
    zst.write_all(text).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(text).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(text).unwrap();
    [
        ("gzip", gzip.finish().unwrap()),
        // With a checksum, as the program `zstd` writes it: without one, damage may go on as other text.
        ("zstd", zst.finish().unwrap()),
        ("xz", xz.finish().unwrap()),
        ("bzip2", bzip2.finish().unwrap()),
    ]
}

fn report(path: &Path, bytes: &[u8]) -> Ended {
    std::fs::write(path, bytes).unwrap();
    run([path.as_os_str(), "--format".as_ref(), "json".as_ref()])
}

/// The log as a member of its own, which is there in any case, and in the same packing lines that are none of a log. Gives where
/// the second begins.
fn members() -> Vec<(&'static str, usize, Vec<u8>)> {
    let mut number = 1_u64;
    let mut line = |_| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("a line of no log, {number:x}\n")
    };
    let others: String = (0..5000).map(&mut line).collect();
    let (logs, others) = (packed(log().as_bytes()), packed(others.as_bytes()));
    logs.into_iter().zip(others).map(|((word, log), (_, other))| (word, log.len(), [log, other].concat())).collect()
}

#[test]
fn a_gate_does_not_judge_half_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubelet.log.gz");
    let [(_, piece), ..] = packed(log().as_bytes());
    std::fs::write(&path, &piece[..piece.len() * 3 / 4]).unwrap();
    let ended = run(["check", "--fail-if", "p99(running_s) > 1h", &path.to_string_lossy()]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("ends early"), "{}", ended.err);
}

mod slow {
    use super::*;

    #[test]
    fn what_stands_before_a_cut_is_reported_and_the_cut_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let text = log();
        for (word, first, whole) in members() {
            let path = folder.path().join(format!("kubelet.log.{word}"));
            for part in 1..8 {
                let left = first + (whole.len() - first) * part / 8;
                let ended = report(&path, &whole[..left]);
                assert_eq!(ended.code, Some(0), "{word} cut at {left}: {}", ended.err);
                let told = format!("its {word} data ends early, at byte {left}");
                assert!(ended.err.contains(&told), "{word} cut at {left}: {}", ended.err);
                let report = ended.json();
                assert_eq!(report["startups"].as_array().unwrap().len(), 20, "{word} cut at {left}");
                assert_eq!(report["coverage"]["unread_sources"], 1);
                assert!(report["coverage"]["source_errors"][0].as_str().unwrap().contains(&told));
                assert!(report["coverage"]["bytes"].as_u64().unwrap() >= text.len() as u64);
            }
            // Of the head alone nothing can be read: that is an error.
            let ended = report(&path, &whole[..11]);
            assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{word}");
            assert!(ended.err.contains(&format!("its {word} data ends early, at byte 11")), "{word}: {}", ended.err);
        }
    }

    #[test]
    fn what_stands_before_damage_is_reported_and_the_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for (word, first, sound) in members() {
            let path = folder.path().join(format!("kubelet.log.{word}"));
            for part in 1..8 {
                let mut whole = sound.clone();
                let at = first + (whole.len() - first) * part / 8;
                let end = (at + 48).min(whole.len());
                whole[at..end].iter_mut().for_each(|byte| *byte = !*byte);
                let ended = report(&path, &whole);
                assert_eq!(ended.code, Some(0), "{word} at {at}: {}", ended.err);
                let place = ended.err.split(" at byte ").nth(1).or(ended.err.split(" near byte ").nth(1));
                let place: String = place.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
                let place: usize = place.parse().unwrap_or_else(|_| panic!("{word} at {at}: no place: {}", ended.err));
                assert!(place >= first && place <= whole.len(), "{word} at {at}: {}", ended.err);
                assert!(ended.err.contains(&format!("its {word} data")), "{}", ended.err);
                assert_eq!(ended.json()["startups"].as_array().unwrap().len(), 20, "{word} at {at}");
            }
        }
    }
}
