//! `BLESS=1`: what documents quote is renewed in place, where it is no longer what is printed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Several tests renew the same files.
static WRITING: Mutex<()> = Mutex::new(());

pub fn wanted() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Puts one text in place of another, which must be there.
pub fn replace(path: &Path, old: &str, new: &str) {
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text.contains(old), "{}: changed while it was renewed", path.display());
    std::fs::write(path, text.replacen(old, new, 1)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// What a quote becomes when its lines and the printed ones are aligned: a line takes the words of the one most like it, lines that
/// are new between two of them come in, and `…` goes on standing for any number.
pub fn renewed(quoted: &[String], printed: &[&str]) -> Vec<String> {
    const OFF: f64 = 0.1; // the price of a line that is left out or comes in: less than that of a poor likeness
    const LIKE: f64 = 0.35;
    let is_gap = |i: usize| quoted[i].trim() == "…";
    let (rows, columns) = (quoted.len(), printed.len());
    let mut best = vec![vec![0.0_f64; columns + 1]; rows + 1];
    let step = |best: &[Vec<f64>], i: usize, j: usize| -> (f64, Step) {
        let mut all = Vec::new();
        if i < rows && is_gap(i) {
            all.push((best[i + 1][j], Step::Leave));
            if j < columns {
                all.push((best[i][j + 1], Step::Swallow));
            }
        } else {
            if i < rows {
                all.push((best[i + 1][j] - OFF, Step::Leave));
            }
            if j < columns {
                all.push((best[i][j + 1] - OFF, Step::Insert));
            }
            if i < rows && j < columns {
                let like = likeness(&quoted[i], printed[j]);
                if like >= LIKE {
                    all.push((best[i + 1][j + 1] + like, Step::Match));
                }
            }
        }
        all.into_iter().max_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or((0.0, Step::Leave))
    };
    for i in (0..=rows).rev() {
        for j in (0..=columns).rev() {
            if (i, j) != (rows, columns) {
                best[i][j] = step(&best, i, j).0;
            }
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while (i, j) != (rows, columns) {
        match step(&best, i, j).1 {
            Step::Leave => {
                if is_gap(i) {
                    lines.push(quoted[i].clone());
                }
                i += 1;
            }
            Step::Swallow => j += 1,
            taken @ (Step::Insert | Step::Match) => {
                lines.push(printed[j].to_owned());
                j += 1;
                i += usize::from(taken == Step::Match);
            }
        }
    }
    lines.dedup_by(|one, other| one.trim() == "…" && other.trim() == "…");
    lines
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Match,
    Insert,
    Swallow,
    Leave,
}

/// From 0 to 1: the pairs of characters that two lines share.
fn likeness(one: &str, other: &str) -> f64 {
    if one == other {
        return 1.0;
    }
    let pairs = |line: &str| {
        let letters: Vec<char> = line.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
        let mut counts: BTreeMap<(char, char), usize> = BTreeMap::new();
        letters.windows(2).for_each(|pair| *counts.entry((pair[0], pair[1])).or_default() += 1);
        counts
    };
    let (one, other) = (pairs(one), pairs(other));
    let all: usize = one.values().chain(other.values()).sum();
    let shared: usize = one.iter().map(|(pair, count)| *count.min(other.get(pair).unwrap_or(&0))).sum();
    if all == 0 { 0.0 } else { 2.0 * shared as f64 / all as f64 }
}

#[test]
fn a_quote_follows_what_is_printed() {
    let lines = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
    let printed = ["20 pod starts", "p50 32 s", "", "causes", "  example app-1", "  change nothing", "end"];
    for (was, is) in [
        ("20 pods start|p50 32 s|…", "20 pod starts|p50 32 s|…"),
        ("…|causes|  worst app-1|…", "…|causes|  example app-1|…"),
        ("20 pod starts|…|causes|  change nothing|…", "20 pod starts|…|causes|  example app-1|  change nothing|…"),
        ("…|causes|  gone entirely|  example app-1|…", "…|causes|  example app-1|…"),
        ("…|the end", "…|end"),
    ] {
        assert_eq!(renewed(&lines(was), &printed), lines(is), "{was}");
    }
}
