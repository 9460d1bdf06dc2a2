//! What a figure is of: values of startups, or histograms of metrics. It knows how sure the figure is.

use super::expression::{Expression, Function};
use super::filter::{Filter, takes_until_ready, takes_until_running};
use super::metrics::Buckets;
use super::{CONFIDENCE, measured};
use crate::model::error::Error;
use crate::model::startup::State;
use crate::report::Report;
use crate::report::stat::{self, Interval};
use crate::table::{Batch, Table};

/// What an expression's figure is of.
pub(super) struct Sample {
    pub(super) values: Values,
    /// How many startups the figure is of.
    pub(super) count: usize,
    /// How many of these did not come up: they count as longer than any bound.
    pub(super) did_not_come_up: usize,
    /// How many of the startups that pass the filters have no value yet, for they are still on their way.
    pub(super) open: usize,
}

pub(super) enum Values {
    /// Sorted values.
    Of(Vec<f64>),
    /// So many that fit a condition.
    Share(usize),
    /// So many.
    Count(usize),
    /// A histogram; with a bound, the share of it that lies at or below (or above) that.
    Buckets(Buckets, Option<(f64, bool)>),
}

/// Which startups did not come up and so have no value in this column.
fn did_not_come_up(batch: &Batch, column: &str) -> Result<Vec<bool>, Error> {
    let states = State::DID_NOT_COME_UP.map(State::name);
    let ended = batch.text("state")?.iter().map(|state| state.is_some_and(|state| states.contains(&state)));
    Ok(ended.zip(batch.nulls(column)?).map(|(ended, unknown)| ended && unknown).collect())
}

impl Sample {
    /// Of startups where there are any, else of metrics.
    pub(super) fn given(limit: &Expression, report: &Report) -> Result<Self, Error> {
        match measured(report) {
            Some(measured) => Sample::measured(limit, measured),
            None => Sample::of(limit, &report.table),
        }
    }

    pub(super) fn of(limit: &Expression, table: &Table) -> Result<Self, Error> {
        let filters = limit.filters.iter().map(Filter::new).collect::<Result<Vec<_>, Error>>()?;
        let condition = limit.condition.as_ref().map(Filter::new).transpose()?;
        let of = limit.column.as_ref().map(|column| column.name.as_str());
        let looked_at = condition.as_ref().map(Filter::column).or(of);
        let mut columns: Vec<&str> = filters.iter().map(Filter::column).chain(looked_at).chain(["state"]).collect();
        columns.sort_unstable();
        columns.dedup();
        let (mut sample, mut hits, mut values) = (Sample::empty(), 0, Vec::new());
        table.scan(&columns, &mut |batch| {
            let mut keep = vec![true; batch.len()];
            for filter in &filters {
                let before = keep.clone();
                keep.iter_mut().zip(filter.fits(batch)?).for_each(|(keep, fits)| *keep &= fits == Some(true));
                // A pod that did not come up took longer than any bound that is counted by.
                if filter.fits_unbounded() == Some(true) {
                    let never = did_not_come_up(batch, filter.column())?;
                    keep.iter_mut()
                        .zip(&before)
                        .zip(never)
                        .for_each(|((keep, before), never)| *keep |= *before && never);
                }
            }
            let kept = keep.iter().filter(|keep| **keep).count();
            if let Some(condition) = &condition {
                // Startups of which the condition says nothing are no part of the share.
                let fits =
                    condition.fits(batch)?.into_iter().zip(&keep).filter_map(|(fits, keep)| fits.filter(|_| *keep));
                for fits in fits {
                    sample.count += 1;
                    hits += usize::from(fits);
                }
            } else if let Some(of) = of {
                let known = values.len();
                values.extend(
                    batch.numbers(of)?.into_iter().zip(&keep).filter_map(|(value, keep)| value.filter(|_| *keep)),
                );
                sample.count += values.len() - known;
            } else {
                hits += kept;
            }
            let unbounded = match &condition {
                Some(condition) => condition.fits_unbounded(),
                None => of.filter(|of| takes_until_running(of)).map(|_| true),
            };
            if let (Some(fits), Some(name)) = (unbounded, looked_at) {
                let never = did_not_come_up(batch, name)?
                    .into_iter()
                    .zip(&keep)
                    .filter(|(never, keep)| *never && **keep)
                    .count();
                sample.did_not_come_up += never;
                sample.count += never;
                hits += if fits { never } else { 0 };
                if condition.is_none() {
                    values.extend(std::iter::repeat_n(f64::INFINITY, never));
                }
            }
            // A condition on a value that comes with running says nothing of those that do not run yet.
            if let Some(name) = looked_at.filter(|_| condition.as_ref().is_none_or(Filter::comes_with_running)) {
                // A pod that runs may not be ready yet.
                let not_yet = |state: &str| {
                    state == State::Starting.name() || state == State::Running.name() && takes_until_ready(name)
                };
                let state = batch.text("state")?.iter().map(|state| state.is_some_and(not_yet));
                let open = state
                    .zip(batch.nulls(name)?)
                    .zip(&keep)
                    .filter(|((starting, unknown), keep)| *starting && *unknown && **keep);
                sample.open += open.count();
            }
            Ok(())
        })?;
        sample.values = match (&condition, of) {
            (Some(_), _) => Values::Share(hits),
            (None, Some(_)) => {
                values.sort_by(f64::total_cmp);
                Values::Of(values)
            }
            (None, None) => {
                sample.count = table.len();
                Values::Count(hits)
            }
        };
        Ok(sample)
    }

    pub(super) fn empty() -> Self {
        Sample { values: Values::Count(0), count: 0, did_not_come_up: 0, open: 0 }
    }

    /// The figure, and between what it lies. Startups still on their way may come to have any value: low ones at one end,
    /// high ones at the other.
    pub(super) fn figure(&self, function: Function) -> (Option<f64>, Interval) {
        let interval = |low: Option<f64>, high: Option<f64>| Interval { low, high };
        let settled = self.open == 0;
        // Nothing adds up to 0, not to -0.
        let sum = |values: &[f64]| values.iter().fold(0.0, |sum, value| sum + value);
        match (&self.values, function) {
            (Values::Buckets(buckets, Some((bound, above))), _) => buckets.share(*bound, *above),
            (Values::Buckets(buckets, None), Function::Quantile(q)) => buckets.quantile(q),
            (Values::Buckets(..), _) => (None, interval(None, None)),
            (Values::Count(count), _) => (Some(*count as f64), interval(Some(*count as f64), Some(*count as f64))),
            (Values::Share(_), _) if self.count == 0 => (None, interval(None, None)),
            (Values::Share(hits), _) => {
                let all = self.count + self.open;
                let (low, _) = stat::share_interval(*hits, all, CONFIDENCE);
                let (_, high) = stat::share_interval(hits + self.open, all, CONFIDENCE);
                (Some(*hits as f64 / self.count as f64), interval(Some(low), Some(high)))
            }
            (Values::Of(values), Function::Quantile(q)) => {
                let with = |value: f64| {
                    let mut all = values.clone();
                    all.extend(std::iter::repeat_n(value, self.open));
                    all.sort_by(f64::total_cmp);
                    stat::quantile_interval(&all, q, CONFIDENCE)
                };
                let finite = |end: Option<f64>| end.filter(|end| end.is_finite());
                let (low, high) = (finite(with(f64::NEG_INFINITY).low), finite(with(f64::INFINITY).high));
                (stat::quantile(values, q), interval(low, high))
            }
            (Values::Of(_), Function::Mean | Function::Sum) if self.did_not_come_up > 0 => {
                (Some(f64::INFINITY), interval(Some(f64::INFINITY), Some(f64::INFINITY)))
            }
            (Values::Of(values), Function::Mean) => {
                let known = stat::mean_interval(values, CONFIDENCE).filter(|_| settled).unzip();
                ((!values.is_empty()).then(|| sum(values) / values.len() as f64), interval(known.0, known.1))
            }
            (Values::Of(values), Function::Min) => {
                let least = values.first().copied();
                (least, interval(least.filter(|_| settled), least))
            }
            (Values::Of(values), Function::Max) => {
                let most = values.last().copied();
                (most, interval(most, most.filter(|most| settled || most.is_infinite())))
            }
            (Values::Of(values), _) => {
                let sum = Some(sum(values));
                (sum, interval(sum, sum.filter(|_| settled)))
            }
        }
    }
}
