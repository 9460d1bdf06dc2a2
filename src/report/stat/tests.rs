use super::*;
use rand_distr::LogNormal;

type Seeded = Xoshiro256PlusPlus;

/// Latencies of the usual shape: median 1, heavy right tail.
fn latencies(rng: &mut Seeded, count: usize, median: f64) -> Vec<f64> {
    let mut values: Vec<f64> = LogNormal::new(median.ln(), 1.0).unwrap().sample_iter(rng).take(count).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Whole seconds, of which a given share is nothing at all.
fn mostly_zero(rng: &mut Seeded, count: usize, zeros: f64) -> Vec<f64> {
    let values = latencies(rng, count, 3.0);
    values.iter().map(|value| if rng.random::<f64>() < zeros { 0.0 } else { value.ceil() }).collect()
}

fn share(rounds: usize, mut holds: impl FnMut(usize) -> bool) -> f64 {
    (0..rounds).filter(|&round| holds(round)).count() as f64 / rounds as f64
}

#[track_caller]
fn assert_close(got: f64, want: f64, relative: f64) {
    assert!((got - want).abs() <= want.abs() * relative, "{got} is not {want}");
}

#[test]
fn rank_is_the_inverse_of_the_empirical_distribution() {
    let qs = [0.0, 0.5, 0.95, 0.99, 1.0];
    assert_eq!(qs.map(|q| rank(1, q)), [0, 0, 0, 0, 0]);
    assert_eq!(qs.map(|q| rank(2, q)), [0, 0, 1, 1, 1]);
    assert_eq!(qs.map(|q| rank(20, q)), [0, 9, 18, 19, 19]);
    assert_eq!(qs.map(|q| rank(100, q)), [0, 49, 94, 98, 99]);
    assert_eq!(qs.map(|q| rank(0, q)), [0; 5]);
    assert_eq!([-1.0, 2.0, f64::NAN].map(|q| rank(10, q)), [0, 9, 0]);
    for count in [100, 1_000, 100_000, 5_000_000] {
        for percent in 1..=100 {
            assert_eq!(rank(count, percent as f64 / 100.0), count / 100 * percent - 1, "{percent} % of {count}");
        }
    }
    assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.0));
    assert_eq!(quantile(&[], 0.5), None);
}

#[test]
fn quantile_interval_takes_the_order_statistics_of_the_binomial() {
    // Ranks from scipy.stats.binom; 0 and n + 1 stand for no bound.
    let known = [
        (5, 0.5, None, None),
        (6, 0.5, Some(1), Some(6)),
        (10, 0.5, Some(2), Some(9)),
        (20, 0.5, Some(6), Some(15)),
        (100, 0.5, Some(40), Some(61)),
        (100, 0.95, Some(90), Some(100)),
        (20, 0.99, Some(19), None),
        (1_000, 0.99, Some(983), Some(997)),
        (1_000_000, 0.99, Some(989_805), Some(990_196)),
        (7, 0.0, None, Some(1)),
        (7, 1.0, Some(7), None),
        (0, 0.5, None, None),
    ];
    for (count, q, low, high) in known {
        let ranks: Vec<f64> = (1..=count).map(f64::from).collect();
        let want = Interval { low: low.map(f64::from), high: high.map(f64::from) };
        assert_eq!(quantile_interval(&ranks, q, 0.95), want, "{q} of {count}");
    }
    assert_eq!(quantile_interval(&[1.0; 50], 0.5, 1.0), Interval { low: None, high: None });
}

#[test]
fn quantile_interval_covers() {
    let mut rng = Seeded::seed_from_u64(1);
    for count in [10, 30, 100, 300] {
        // 1.644853626951 is the 95 % point of the normal that the latencies are the exponential of.
        for (q, truth) in [(0.5, 1.0), (0.95, 1.644_853_626_951_f64.exp())] {
            let covered = share(2_000, |_| {
                let Interval { low, high } = quantile_interval(&latencies(&mut rng, count, 1.0), q, 0.95);
                low.is_none_or(|low| low <= truth) && high.is_none_or(|high| truth <= high)
            });
            assert!(covered >= 0.94, "{covered} at {q} of {count}");
        }
    }
}

#[test]
fn share_interval_is_that_of_clopper_and_pearson() {
    // scipy.stats.beta.ppf, of which these are percentiles.
    let known = [
        (0, 10, 0.0, 0.308_497_107_818_760_7),
        (3, 10, 0.066_739_511_177_734_47, 0.652_452_850_059_997_3),
        (10, 10, 0.691_502_892_181_239_2, 1.0),
        (50, 100, 0.398_321_129_503_301, 0.601_678_870_496_699),
        (7, 1_000, 0.002_818_858_759_620_524, 0.014_369_194_978_918_632),
        (1, 5_000_000, 5.063_561_584_038_147e-9, 1.114_328_168_777_682_3e-6),
    ];
    for (hits, count, low, high) in known {
        let got = share_interval(hits, count, 0.95);
        assert_close(got.0, low, 1e-8);
        assert_close(got.1, high, 1e-8);
    }
    assert_eq!(share_interval(0, 0, 0.95), (0.0, 1.0));
    assert_eq!(share_interval(9, 3, 0.95), share_interval(3, 3, 0.95));
    assert_eq!(share_interval(1, 3, 1.0), (0.0, 1.0));
}

#[test]
fn mean_interval_covers_and_is_near_the_normal_one_for_large_samples() {
    let mut rng = Seeded::seed_from_u64(2);
    let covered = share(100, |_| {
        let mut values: Vec<f64> = (0..40).map(|_| rng.random()).collect();
        values.sort_by(f64::total_cmp);
        mean_interval(&values, 0.95).is_some_and(|(low, high)| low <= 0.5 && 0.5 <= high)
    });
    assert!(covered >= 0.89, "{covered}");
    let values = latencies(&mut rng, 50_000, 1.0);
    let mean = values.iter().sum::<f64>() / 5e4;
    let error = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()).sqrt() / 5e4;
    let (low, high) = mean_interval(&values, 0.95).unwrap();
    assert_close(mean - low, 1.96 * error, 0.05);
    assert_close(high - mean, 1.96 * error, 0.05);
    assert_eq!(mean_interval(&values, 0.95), Some((low, high)));
    assert_eq!(mean_interval(&[3.0; 2_000], 0.95), Some((3.0, 3.0)));
    assert_eq!(mean_interval(&[3.0], 0.95), None);
}

#[test]
fn mann_whitney_gives_known_p_values() {
    // scipy.stats.mannwhitneyu, exact; the second pair is the example of its manual.
    let (a, b) = ([1.1, 2.2, 3.3, 4.4, 5.5], [4.5, 5.6, 6.7, 7.8, 8.9, 9.0]);
    assert_close(mann_whitney_p(&a, &b), 0.008_658_008_658_008_658, 1e-12);
    let (a, b) = ([19.0, 22.0, 16.0, 29.0, 24.0], [20.0, 11.0, 17.0, 12.0]);
    assert_close(mann_whitney_p(&a, &b), 0.111_111_111_111_111_1, 1e-12);
    // With ties: all combinations of scipy.stats.rankdata, twice the smaller tail.
    let (a, b) = ([0.0, 0.0, 0.0, 1.0, 2.0, 5.0], [0.0, 3.0, 4.0, 4.0, 7.0, 9.0, 9.0]);
    assert_close(mann_whitney_p(&a, &b), 0.053_613_053_613_053_616, 1e-12);
    // scipy.stats.mannwhitneyu, asymptotic.
    let span = |count: u32, from: f64| -> Vec<f64> { (0..count).map(|i| f64::from(i) + from).collect() };
    assert_close(mann_whitney_p(&span(40, 0.0), &span(35, 7.5)), 0.068_559_708_141_030_57, 1e-12);
    assert_close(mann_whitney_p(&span(3_000, 0.0), &span(2_500, 600.0)), 8.393_054_866_646_659e-50, 1e-9);
    let a: Vec<f64> = (0..60).map(|i| f64::from(i * i % 7)).collect();
    let b: Vec<f64> = (0..50).map(|i| f64::from(i * i % 7 + i32::from(i % 3 == 0))).collect();
    assert_close(mann_whitney_p(&a, &b), 0.252_622_325_651_353_1, 1e-12);
    // Fisher's exact test, which this is for two values: 6 of 100 against 0 of 100.
    let b: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i < 6))).collect();
    assert_close(mann_whitney_p(&[0.0; 100], &b), 0.028_930_282_023_157_568, 0.15);
}

#[test]
fn normal_tail_is_precise_on_both_sides_of_the_switch() {
    let known = [(0.0, 0.5), (0.5, 0.308_537_538_725_986_9), (1.96, 0.024_997_895_148_220_435)];
    let far =
        [(2.999, 0.001_354_336_533_727_105_7), (3.0, 0.001_349_898_031_630_093_3), (30.0, 4.906_713_927_148e-198)];
    for (z, tail) in known.into_iter().chain(far) {
        assert_close(normal_tail(z), tail, 1e-11);
    }
}

#[test]
fn mann_whitney_says_one_without_values() {
    assert_eq!(mann_whitney_p(&[], &[1.0]), 1.0);
    assert_eq!(mann_whitney_p(&[], &[]), 1.0);
    assert_eq!(mann_whitney_p(&[1.0], &[2.0]), 1.0);
    assert_eq!(mann_whitney_p(&[5.0; 3], &[5.0; 4]), 1.0);
    assert_eq!(mann_whitney_p(&[5.0; 300], &[5.0; 4]), 1.0);
    assert_eq!(mann_whitney_p(&[-0.0; 100], &[0.0; 100]), 1.0);
    // No result is promised for what is no number, only that there is one.
    mann_whitney_p(&[f64::NAN, 1.0, -f64::NAN], &[f64::INFINITY; 60]);
}

#[test]
fn same_distribution_is_symmetric_and_repeatable() {
    let mut rng = Seeded::seed_from_u64(3);
    for (n, m, zeros) in [(8, 9, 0.3), (12, 12, 0.5), (100, 100, 0.9), (60, 700, 0.97), (200, 200, 0.2), (11, 900, 0.0)]
    {
        let (a, b) = (mostly_zero(&mut rng, n, zeros), mostly_zero(&mut rng, m, zeros / 2.0));
        let p = mann_whitney_p(&a, &b);
        assert_eq!(p, mann_whitney_p(&b, &a), "{n} and {m}");
        assert!(p > 0.0 && p <= 1.0, "{p}");
    }
}

#[test]
fn same_distribution_keeps_its_level() {
    let mut rng = Seeded::seed_from_u64(4);
    // Counted without ties, counted with ties, normal without, normal with.
    for (n, m, zeros) in [(12, 13, None), (12, 14, Some(0.3)), (60, 80, None), (100, 120, Some(0.6))] {
        let mut draw = |count| match zeros {
            None => latencies(&mut rng, count, 1.0),
            Some(zeros) => mostly_zero(&mut rng, count, zeros),
        };
        let p: Vec<f64> = (0..2_000).map(|_| mann_whitney_p(&draw(n), &draw(m))).collect();
        let rejected = share(2_000, |round| p[round] < 0.05);
        assert!((0.03..=0.07).contains(&rejected), "{rejected} of {n} and {m}, zeros {zeros:?}");
        let half = share(2_000, |round| p[round] < 0.5);
        assert!((0.45..=0.55).contains(&half), "{half} of {n} and {m}, zeros {zeros:?}");
    }
    // Drawn: few values that are not zero, and a side of few values.
    for (n, m, zeros) in [(100, 120, 0.97), (10, 2_000, 0.5)] {
        let rejected =
            share(100, |_| mann_whitney_p(&mostly_zero(&mut rng, n, zeros), &mostly_zero(&mut rng, m, zeros)) < 0.05);
        assert!(rejected <= 0.1, "{rejected} of {n} and {m}");
    }
}

#[test]
fn same_distribution_sees_a_doubled_median() {
    let mut rng = Seeded::seed_from_u64(5);
    for (count, least) in [(20, 0.45), (50, 0.85), (200, 0.99)] {
        let seen =
            share(100, |_| mann_whitney_p(&latencies(&mut rng, count, 1.0), &latencies(&mut rng, count, 2.0)) < 0.05);
        assert!(seen >= least, "{seen} with {count} values");
    }
}

#[test]
fn a_beta_draw_is_the_quantile_of_a_resample() {
    let mut rng = Seeded::seed_from_u64(6);
    for (count, q) in [(1, 0.5), (40, 0.5), (40, 0.95), (3, 0.99)] {
        let below = rank(count, q);
        let mut got = vec![0.0; count];
        for share in resampled_share(count, q).unwrap().sample_iter(&mut rng).take(20_000) {
            got[rank(count, share)] += 1.0 / 20_000.0;
        }
        // The quantile is at most the r-th value if more than `below` of the resample's values are.
        let mut sum = 0.0;
        for (r, mass) in got.iter().enumerate() {
            sum += mass;
            let (first, masses) = binomial(count, (r + 1) as f64 / count as f64);
            let want: f64 = masses.iter().skip((below + 1).saturating_sub(first)).sum();
            assert!((sum - want).abs() < 0.015, "{sum} for {want} at {r} of {count}");
        }
    }
    let n = 5_000_000;
    let draws: Vec<f64> = resampled_share(n, 0.99).unwrap().sample_iter(&mut rng).take(20_000).collect();
    let mean = draws.iter().sum::<f64>() / 2e4;
    assert_close(mean, 0.99, 1e-6);
    let variance = draws.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / 2e4;
    assert_close(variance, 0.99 * 0.01 / n as f64, 0.05);
}

#[test]
fn quantile_change_covers_and_is_repeatable() {
    let mut rng = Seeded::seed_from_u64(7);
    for (n, m, q, truth) in [(30, 40, 0.5, 1.0), (100, 90, 0.95, 1.644_853_626_951_f64.exp())] {
        let covered = share(150, |_| {
            let (before, after) = (latencies(&mut rng, n, 1.0), latencies(&mut rng, m, 2.0));
            let change = quantile_change(&before, &after, q, 0.95).unwrap();
            assert_eq!(change.change, change.after - change.before);
            change.low.unwrap() <= truth && truth <= change.high.unwrap()
        });
        assert!(covered >= 0.9, "{covered} at {q} of {n} and {m}");
    }
    let (before, after) = (latencies(&mut rng, 200, 1.0), latencies(&mut rng, 300, 1.0));
    let once = quantile_change(&before, &after, 0.9, 0.95).unwrap();
    assert_eq!(quantile_change(&before, &after, 0.9, 0.95), Some(once));
    assert!(once.low <= Some(once.change) && Some(once.change) <= once.high);
}

#[test]
fn quantile_change_gives_no_bound_the_samples_cannot_give() {
    let long: Vec<f64> = (0..1_000).map(f64::from).collect();
    let change = quantile_change(&long, &[7.0; 20], 0.99, 0.95).unwrap();
    assert!(change.low.is_some() && change.high.is_none());
    let change = quantile_change(&[7.0; 20], &long, 0.99, 0.95).unwrap();
    assert!(change.low.is_none() && change.high.is_some());
    assert_eq!(quantile_change(&[], &long, 0.5, 0.95), None);
    assert_eq!(quantile_change(&long, &[], 0.5, 0.95), None);
}

#[test]
fn holm_steps_down() {
    // Ascending 0.005 * 4, 0.01 * 3, 0.03 * 2 and 0.04 * 1, the last raised to the one before it.
    let got = holm(&[0.01, 0.04, 0.03, 0.005]);
    for (got, want) in got.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        assert_close(*got, want, 1e-12);
    }
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    assert_eq!(holm(&[0.2]), [0.2]);
    assert!(holm(&[]).is_empty());
}

#[test]
fn so_many_values_bound_a_quantile() {
    for q in [0.01, 0.5, 0.9, 0.95, 0.99, 0.999] {
        let needed = values_needed(q, 0.95).unwrap();
        assert!(rank_interval(needed, q, 0.95).1.is_some(), "{q}: {needed}");
        assert!(needed == 1 || rank_interval(needed - 1, q, 0.95).1.is_none(), "{q}: {needed}");
    }
    assert_eq!([values_needed(0.0, 0.95), values_needed(1.0, 0.95), values_needed(f64::NAN, 0.95)], [None; 3]);
}
