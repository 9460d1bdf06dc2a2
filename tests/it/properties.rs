//! Properties that hold for any input: spans tile, threads and chunks do not show, no bytes panic.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use podlag::internals::analyze::{Options, analyze};
use podlag::internals::input;
use podlag::internals::render::{self, TextOptions};
use podlag::internals::report::Report;
use podlag::internals::table::Row;
use proptest::prelude::*;

fn report(text: &[u8], threads: usize, chunk: usize) -> Report {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text).expect("it takes the text");
    let (sources, errors) = input::list(&[file.path().to_path_buf()]);
    assert!(errors.is_empty());
    let mut options = Options::new(&std::env::temp_dir()).expect("the built-in grammars load");
    (options.threads, options.chunks.chunk) = (threads, chunk);
    analyze(&sources, &options, &Arc::new(AtomicBool::new(false))).unwrap_or_else(|error| panic!("{error}"))
}

fn all(report: &Report) -> Vec<Row> {
    report.table.rows().collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

/// The rows as text, without the name of the file.
fn rows(report: &Report) -> Vec<String> {
    let strip = |row: &Row| serde_json::to_string(row).expect("a row is JSON").replace(&*row.source, "FILE");
    all(report).iter().map(strip).collect()
}

fn assert_tiles(report: &Report) {
    for row in all(report) {
        let spans = &row.spans;
        assert!(spans.windows(2).all(|pair| pair[0].to == pair[1].from), "{}: a gap or an overlap", row.pod);
        if let (Some(total), Some(first), Some(last)) = (row.total_s, spans.first(), spans.last()) {
            assert!(((last.to - first.from).seconds() - total).abs() < 1e-9, "{}", row.pod);
        }
        assert!(spans.iter().all(|span| {
            let length = (span.to - span.from).seconds();
            span.min_s <= length && length <= span.max_s
        }));
    }
}

fn lines() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/s05-init-sidecars/in/kubelet.log.zst");
    let text = zstd::decode_all(std::fs::File::open(path).expect("the sample")).expect("it unpacks");
    String::from_utf8(text).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn threads_and_chunks_do_not_show() {
    let text = lines().join("\n");
    let expected = rows(&report(text.as_bytes(), 1, 1 << 20));
    assert!(!expected.is_empty());
    for threads in 2..=8 {
        assert_eq!(rows(&report(text.as_bytes(), threads, 1 << 20)), expected, "{threads} threads");
    }
    for chunk in [1, 100, 5_000, 65_537] {
        assert_eq!(rows(&report(text.as_bytes(), 2, chunk)), expected, "chunks of {chunk}");
    }
}

/// Everything the program can say of a log, as bytes.
fn bytes(path: &std::path::Path, threads: usize, chunk: usize) -> Vec<u8> {
    let (sources, _) = input::list(&[path.to_path_buf()]);
    let mut options = Options::new(&std::env::temp_dir()).expect("the built-in grammars load");
    (options.threads, options.chunks.chunk) = (threads, chunk);
    let report =
        analyze(&sources, &options, &Arc::new(AtomicBool::new(false))).unwrap_or_else(|error| panic!("{error}"));
    let mut out = Vec::new();
    for form in ["json", "ndjson", "text"] {
        let form = render::form(form).unwrap_or_else(|error| panic!("{error}"));
        (form.write)(&report, TextOptions::default(), &mut out).unwrap_or_else(|error| panic!("{error}"));
    }
    out
}

#[test]
fn the_same_bytes_come_out_however_it_is_read() {
    let text = lines().join("\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("kubelet.log");
    // Whole, and cut in the middle of lines: of the record, of a list of pods, of a stamp.
    let record = text.rfind("Observed pod startup").expect("a record");
    for cut in [text.len(), record + 100, text.find("SyncLoop ADD").expect("a list") + 40, record - 50] {
        std::fs::write(&path, &text[..cut]).expect("it is written");
        let expected = bytes(&path, 1, 8 << 20);
        for (threads, chunk) in [(2, 8 << 20), (3, 1 << 20), (8, 4099), (3, 100), (2, 1)] {
            assert!(bytes(&path, threads, chunk) == expected, "cut at {cut}, {threads} threads, chunks of {chunk}");
        }
    }
}

#[test]
fn the_cap_lets_startups_leave_and_counts_them() {
    let line = |pod: usize| {
        let (minute, second) = (pod / 60, pod % 60);
        format!(
            "I1123 19:{minute:02}:{second:02}.000000    1 kubelet.go:1] \"SyncLoop ADD\" source=\"api\" pods=[\"shop/web-{pod}\"]\n"
        )
    };
    let text: String = (0..1000).map(line).collect();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it takes the text");
    let (sources, _) = input::list(&[file.path().to_path_buf()]);
    let mut options = Options::new(&std::env::temp_dir()).expect("the built-in grammars load");
    options.limits.open = 80;
    let report =
        analyze(&sources, &options, &Arc::new(AtomicBool::new(false))).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.table.len(), 1000, "none is lost in silence");
    assert!(report.coverage.evicted_limit >= 1000 - 81, "only {} left by the cap", report.coverage.evicted_limit);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        // A NUL near the start makes a file binary, which is another path.
        let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == 0 { 1 } else { byte }).collect();
        assert_tiles(&report(&bytes, 2, 4096));
    }

    #[test]
    fn lines_left_out_cut_or_repeated_still_tile(picks in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..2000), 0..300)) {
        let all = lines();
        let mut picks: Vec<(usize, usize)> = picks.iter().map(|(index, cut)| (index.index(all.len()), *cut)).collect();
        picks.sort_unstable();
        let cut = |(number, cut): (usize, usize)| all[number].chars().take(if cut > 1000 { usize::MAX } else { cut }).collect::<String>();
        let text: Vec<String> = picks.into_iter().map(cut).collect();
        assert_tiles(&report(text.join("\n").as_bytes(), 2, 4096));
    }
}

mod slow {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn a_log_cut_at_any_byte_gives_the_same_bytes(cut: prop::sample::Index, chunk in 1_usize..20_000) {
            let text = lines().join("\n");
            let text = text.get(text.len() / 3..).unwrap_or_default();
            let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
            file.write_all(&text.as_bytes()[..cut.index(text.len())]).expect("it takes the text");
            prop_assert!(bytes(file.path(), 1, 8 << 20) == bytes(file.path(), 3, chunk));
        }
    }
}
