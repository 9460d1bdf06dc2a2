//! Reads logs that are in memory and prints the three causes that cost the most time: `cargo run --example from_memory`.

use std::io::{Cursor, Write};

use podlag::{Analyzer, Error, Options, Source};

/// A kubelet's and a containerd's log of the same node, compressed; any `Read` will do.
const KUBELET: &[u8] = include_bytes!("../samples/s02-pull-serial/in/kubelet.log.zst");
const CONTAINERD: &[u8] = include_bytes!("../samples/s02-pull-serial/in/containerd.log.zst");

fn main() -> Result<(), Error> {
    print_causes(&mut std::io::stdout())
}

/// Prints how many startups there are, and a line for each of the three costliest causes.
pub fn print_causes(out: &mut dyn Write) -> Result<(), Error> {
    let options = Options::new(&std::env::temp_dir())?.node("worker-1");
    let report = Analyzer::new(options)
        .add(Source::from_reader("kubelet", Cursor::new(KUBELET)))
        .add(Source::from_reader("containerd", Cursor::new(CONTAINERD)))
        .run()?;
    writeln!(out, "{} startups", report.startup_count())?;
    for line in report.summary().causes.iter().take(3) {
        writeln!(out, "{}: {:.1} s in {} pods", line.cause, line.lost_s, line.pods)?;
    }
    Ok(())
}
