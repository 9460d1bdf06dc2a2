use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::arrival_order::ArrivalOrder;
use super::workload;
use super::*;
use crate::analyze::{Options, analyze};
use crate::report::Report;

fn sample(name: &str) -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("in");
    let (sources, errors) = crate::input::list(&[folder]);
    assert!(errors.is_empty(), "{errors:?}");
    let options = Options::new(&std::env::temp_dir()).unwrap();
    analyze(&sources, &options, &Arc::new(AtomicBool::new(false))).unwrap()
}

#[test]
fn the_replay_of_what_was_gives_what_was() {
    for name in [
        "s02-pull-serial",
        "s02-pull-serial-v4",
        "v1.28-s02-pull-serial",
        "s03-pull-parallel3",
        "v1.34-s03-pull-parallel3",
    ] {
        let report = sample(name);
        let workload = workload::of(&report.table, &Scenario::of("maxParallelImagePulls=2").unwrap()).unwrap();
        let observed = workload.figures(&vec![0; workload.starts.len()]);
        for model in workload.ways() {
            let replayed = workload.figures(&workload.shifts(None, model, ArrivalOrder::Observed));
            for (observed, replayed) in observed.iter().zip(replayed) {
                assert!((observed - replayed).abs() <= 0.02 * observed, "{name} {model:?}: {replayed}, not {observed}");
            }
        }
        assert_eq!(close(observed, observed), Ok(()));
        let twice = observed.map(|figure| 2.0 * figure);
        assert!(close(observed, twice).is_err_and(|reason| reason.contains("original settings")));
    }
}
