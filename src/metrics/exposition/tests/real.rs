//! What real nodes said: kubelets of several versions.

use super::{all, read};
use crate::metrics::exposition::is_exposition;

fn pages() -> Vec<(String, Vec<u8>)> {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
    let files = std::fs::read_dir(samples).unwrap().flat_map(|sample| {
        let sample = sample.unwrap().path();
        if sample.is_dir() {
            std::fs::read_dir(sample).unwrap().map(|file| file.unwrap().path()).collect()
        } else {
            vec![]
        }
    });
    let metrics = files.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("metrics-") && name.ends_with(".txt.zst")
    });
    metrics
        .map(|path| (path.display().to_string(), zstd::decode_all(std::fs::File::open(&path).unwrap()).unwrap()))
        .collect()
}

#[test]
fn every_sample_is_read() {
    let pages = pages();
    assert!(pages.len() >= 80, "{} pages", pages.len());
    for (path, page) in pages {
        let lines = page.split(|&byte| byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count();
        let (samples, seen) = all(&page);
        assert_eq!((seen.invalid, seen.invalid_lines.as_slice(), seen.truncated), (0, &[][..], false), "{path}");
        assert_eq!((samples.len(), seen.samples), (lines, lines as u64), "{path}");
        assert!(is_exposition(&page[..page.len().min(8192)]), "{path}");
        let passed = read(page.as_slice(), |_| false, |_| panic!("not wanted")).unwrap();
        assert_eq!((passed.skipped, passed.invalid), (lines as u64, 0), "{path}");
    }
}
