//! The report as a page, used in a real browser: the tests are in `html/`.

use crate::support::{captures, podlag, samples};

mod external {
    #[test]
    fn a_reader_in_a_browser_sees_what_the_report_says() {
        crate::support::node("test.mjs", &[]);
    }
}

mod slow {
    use super::*;

    #[test]
    fn a_page_reads_back_to_the_same_page() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let whole = vec![samples().join("s02-pull-serial")];
        // All captures together are more than a page holds whole.
        let cut: Vec<_> = captures().iter().map(|capture| capture.join("in")).collect();
        for (inputs, name) in [(whole, "whole"), (cut, "cut")] {
            let (first, again) = (at(&format!("{name}.html")), at(&format!("{name}-again.html")));
            let json = podlag().args(&inputs).arg("-o").arg(&first).args(["--format", "json"]).output().unwrap();
            let back = podlag().arg(&first).arg("-o").arg(&again).args(["--format", "json"]).output().unwrap();
            let (first, again) = (std::fs::read(first).unwrap(), std::fs::read(again).unwrap());
            assert!(first == again, "{name}: the same bytes");
            assert!(first.len() < 5_000_000, "{name}: {} bytes", first.len());
            assert_eq!(json.stdout == back.stdout, name == "whole", "{name}");
            let told = String::from_utf8_lossy(&back.stderr).into_owned();
            assert_eq!(told.contains("startups whole and"), name == "cut", "{told}");
        }
    }
}
