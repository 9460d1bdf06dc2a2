//! The report as a page, used in a real browser: the tests are in `html/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

#[test]
fn a_reader_in_a_browser_sees_what_the_report_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/html");
    assert!(
        folder.join("node_modules").exists(),
        "npm ci --prefix tests/html installs what the page's tests need (./test does)"
    );
    let output = Command::new("node")
        .args(["--test", "--test-concurrency=1", "test.mjs"])
        .current_dir(&folder)
        .env("PODLAG", env!("CARGO_BIN_EXE_podlag"))
        .env("SAMPLES", root.join("samples"))
        .output()
        .expect("node cannot be started: install the Debian package nodejs (./test does)");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<&str> = said.split("\nnot ok").skip(1).collect();
    assert!(output.status.success(), "{}\n{}", failed.join("\n"), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("# fail 0") && !said.contains("# pass 0"), "{said}");
}
