//! Reads logs that are in memory and prints the three causes that cost the most time: `cargo run --example from_memory`.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::io::Cursor;

use podlag::{Analyzer, Options, Source};

/// A kubelet's and a containerd's log of the same node, compressed; any `Read` will do.
const KUBELET: &[u8] = include_bytes!("../samples/s02-pull-serial/in/kubelet.log.zst");
const CONTAINERD: &[u8] = include_bytes!("../samples/s02-pull-serial/in/containerd.log.zst");

fn main() -> Result<(), podlag::Error> {
    let options = Options::new(&std::env::temp_dir())?.node("worker-1");
    let report = Analyzer::new(options)
        .add(Source::from_reader("kubelet", Cursor::new(KUBELET)))
        .add(Source::from_reader("containerd", Cursor::new(CONTAINERD)))
        .run()?;
    println!("{} startups", report.startup_count());
    for line in report.summary().causes.iter().take(3) {
        println!("{}: {:.1} s in {} pods", line.cause, line.lost_s, line.pods);
    }
    Ok(())
}
