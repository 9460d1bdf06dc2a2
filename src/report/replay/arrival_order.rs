//! The race for the queue: pulls that are asked for at about the same time come into it in an order that differs from run to run.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// When a pod asks for its image depends on how long its sandbox took, which differs by about this much either way from run to
/// run (captures of bursts of 20: pulls were asked for within 1.1 to 1.8 s, in another order each time).
pub(super) const ARRIVAL_JITTER: f64 = 1.0;

/// In which order pulls that were asked for at about the same time come into the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ArrivalOrder {
    /// As observed.
    Observed,
    /// The quick ones first: the luckiest race for most pods.
    QuickFirst,
    /// The slow ones first.
    SlowFirst,
    /// Drawn, by this number.
    Random(u64),
}

impl ArrivalOrder {
    /// By how much each of a node's pulls is asked for later, given how much of its own time it takes.
    pub(super) fn jitters(self, node: usize, own: &[f64]) -> Vec<f64> {
        let by_length = |sign: f64| {
            let mut ranked: Vec<usize> = (0..own.len()).collect();
            ranked.sort_by(|a, b| {
                own.get(*a).partial_cmp(&own.get(*b)).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
            });
            let mut jitters = vec![0.0; own.len()];
            for (rank, at) in ranked.into_iter().enumerate() {
                if let Some(jitter) = jitters.get_mut(at) {
                    *jitter = sign * ARRIVAL_JITTER * (2.0 * rank as f64 / own.len().max(1) as f64 - 1.0);
                }
            }
            jitters
        };
        match self {
            ArrivalOrder::Observed => Vec::new(),
            ArrivalOrder::QuickFirst => by_length(1.0),
            ArrivalOrder::SlowFirst => by_length(-1.0),
            ArrivalOrder::Random(number) => {
                let mut random = Xoshiro256PlusPlus::seed_from_u64((number << 32) | node as u64);
                own.iter().map(|_| random.random_range(-ARRIVAL_JITTER..=ARRIVAL_JITTER)).collect()
            }
        }
    }
}
