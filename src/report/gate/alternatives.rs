//! What a limit needs for a verdict, and similar limits that the startups at hand decide.

use super::expression::{Bound, Comparison, Expression, Function};
use super::{CONFIDENCE, Outcome, Verdict, measured, one};
use crate::model::error::Error;
use crate::report::{Report, stat};

/// A limit that the same startups decide.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Alternative {
    /// The expression.
    pub limit: String,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The quantiles that people ask for, from the highest.
const QUANTILES: [f64; 6] = [0.999, 0.99, 0.95, 0.9, 0.75, 0.5];

/// With fewer startups the interval of a quantile or a share has no end on the side of the bound, or never comes below it.
pub(super) fn starts_needed(limit: &Expression) -> Option<usize> {
    // So many of all startups lie on the good side, where the limit just passes.
    let good = match (limit.function, limit.bound) {
        (Function::Quantile(q), _) => q,
        (Function::Share, Bound::Value(bound)) => 1.0 - bound,
        _ => return None,
    };
    match limit.comparison {
        Comparison::Greater | Comparison::AtLeast => stat::values_needed(good, CONFIDENCE),
        Comparison::Less | Comparison::AtMost => stat::values_needed(1.0 - good, CONFIDENCE),
        Comparison::Equal | Comparison::Unequal => None,
    }
}

/// Similar limits with a verdict: the next lower quantile that has one, and what is exact of these startups.
pub(super) fn decided(
    limit: &Expression,
    undecided: &Verdict,
    report: &Report,
    baseline: Option<&Report>,
) -> Result<Vec<Alternative>, Error> {
    let with = |function: Function| Expression { function, ..limit.clone() };
    let is_upper = matches!(limit.comparison, Comparison::Greater | Comparison::AtLeast);
    let (mut quantiles, mut exact) = (Vec::new(), None);
    match (limit.function, limit.bound) {
        (Function::Quantile(q), _) if is_upper => {
            quantiles
                .extend(QUANTILES.into_iter().filter(|lower| *lower < q).map(|lower| with(Function::Quantile(lower))));
            // The maximum of another sample is no yardstick.
            exact = (!limit.needs_baseline()).then(|| with(Function::Max));
        }
        (Function::Share, Bound::Value(share)) if is_upper => {
            let (filters, most) =
                (limit.condition.iter().chain(&limit.filters).cloned(), share * undecided.count as f64);
            let (condition, filters, bound) = (None, filters.collect(), Bound::Value(most.floor()));
            exact = Some(Expression {
                condition,
                filters,
                bound,
                comparison: Comparison::Greater,
                ..with(Function::Count)
            });
        }
        _ => {}
    }
    // A histogram has no exact figures of single startups.
    let exact = exact.filter(|_| measured(report).is_none());
    let mut found = Vec::new();
    let verdict = |limit: &Expression| -> Result<Option<Alternative>, Error> {
        let outcome = one(limit, report, baseline)?.outcome;
        Ok((outcome != Outcome::Unknown).then(|| Alternative { limit: limit.to_string(), outcome }))
    };
    for limit in &quantiles {
        if let Some(alternative) = verdict(limit)? {
            found.push(alternative);
            break;
        }
    }
    if let Some(limit) = &exact {
        found.extend(verdict(limit)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::gate::limits;

    #[test]
    fn a_high_quantile_needs_many_starts() {
        let needed = |text: &str| starts_needed(&limits(&[text.to_owned()], true).unwrap()[0]);
        for (limit, starts) in [
            ("p50(slo_s) > 5s", Some(6)),
            ("p95(slo_s) >= 5s", Some(72)),
            ("p99(slo_s) > 5s", Some(368)),
            ("p99(running_s) > baseline + 5%", Some(368)),
            ("p1(slo_s) < 5s", Some(368)),
            ("share(slo_s > 5s) > 1%", Some(368)),
            ("share(slo_s > 5s) > baseline + 0.01", None),
            ("p100(slo_s) > 5s", None),
            ("max(slo_s) > 5s", None),
            ("mean(slo_s) > 5s", None),
            ("count() < 5", None),
        ] {
            assert_eq!(needed(limit), starts, "{limit}");
        }
    }
}
