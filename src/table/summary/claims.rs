//! What each cause claims of all startups, and how quick they would have been without it.

use std::collections::{BTreeMap, BTreeSet};

use super::{CauseLine, CausePart, Example, Quantiles, Summary};
use crate::causes::Advised;
use crate::causes::evidence::Evidence;
use crate::model::error::Error;
use crate::table::query::{micros, seconds};
use crate::table::row_ref::{RowRef, RowRefs};
use crate::table::startups::Table;

/// Created → running of all startups without what each cause claims before that.
pub(super) struct Counterfactual {
    /// Of each row, by its number over all parts; NaN where it is not known.
    running: Vec<f64>,
    /// The rows that each cause claims of, and how much.
    claims: BTreeMap<Box<str>, Vec<(u32, f32)>>,
}

impl Counterfactual {
    pub(super) fn collect(table: &Table) -> Result<Self, Error> {
        let mut all = Counterfactual { running: Vec::with_capacity(table.len()), claims: BTreeMap::new() };
        table.scan(&["running_s", "findings.cause", "findings.lost_s"], &mut |batch| {
            let first = all.running.len();
            all.running.extend(batch.seconds("running_s")?.iter().map(|running| running.unwrap_or(f64::NAN)));
            let findings = batch.nested("findings")?;
            let (causes, lost) = (findings.items.text("cause")?, findings.items.seconds("lost_s")?);
            for ((row, cause), lost) in findings.rows.iter().zip(causes.iter()).zip(lost.iter()) {
                let (Some(cause), Some(lost)) = (cause, lost) else { continue };
                if crate::causes::named(cause).is_some_and(|cause| !cause.delays_running()) {
                    continue;
                }
                let claim = (u32::try_from(first + row).unwrap_or(u32::MAX), lost as f32);
                match all.claims.get_mut(cause) {
                    Some(claims) => claims.push(claim),
                    None => drop(all.claims.insert(cause.into(), vec![claim])),
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// As it was.
    pub(super) fn running(&self) -> Quantiles {
        Quantiles::of(self.running.iter().copied().filter(|running| !running.is_nan()).collect())
    }

    fn without(&self, cause: &str) -> Quantiles {
        let mut left = self.running.clone();
        for (row, lost) in self.claims.get(cause).into_iter().flatten() {
            if let Some(running) = left.get_mut(*row as usize) {
                *running = (*running - f64::from(*lost)).max(0.0);
            }
        }
        left.retain(|running| !running.is_nan());
        Quantiles::of(left)
    }
}

/// What a cause claims of all startups.
#[derive(Default)]
struct Claims {
    /// Microseconds.
    lost: i64,
    certain: i64,
    pods: u64,
    /// The last row that was counted.
    last: Option<(usize, usize)>,
    nodes: BTreeSet<Box<str>>,
    /// The inputs that cover all of them, where the rows say it.
    given: Option<Vec<Evidence>>,
    parts: BTreeMap<Named, Part>,
    worst: Option<RowRef>,
}

/// What was waited for, and the error.
type Named = (Option<Box<str>>, Option<Box<str>>);

#[derive(Default)]
struct Part {
    pods: u64,
    lost: i64,
}

/// How many parts of a cause are told apart while they are counted, and how many are given.
const PARTS_COUNTED: usize = 65_536;
const PARTS: usize = 10;

impl Claims {
    fn add_part(&mut self, waited_for: Option<&str>, error: Option<&str>, lost: i64) {
        let named = (waited_for.map(Into::into), error.map(Into::into));
        if self.parts.len() >= PARTS_COUNTED && !self.parts.contains_key(&named) {
            return;
        }
        let part = self.parts.entry(named).or_default();
        part.pods += 1;
        part.lost = part.lost.saturating_add(lost);
    }

    /// What is named by a word or an error, that of the most startups first.
    fn parts(&mut self) -> Vec<CausePart> {
        let part = |((waited_for, error), part): (Named, Part)| CausePart {
            waited_for,
            error,
            pods: part.pods,
            lost_s: seconds(part.lost),
        };
        let mut all: Vec<CausePart> = std::mem::take(&mut self.parts).into_iter().map(part).collect();
        all.retain(|part| part.waited_for.is_some() || part.error.is_some());
        all.sort_by(|a, b| b.pods.cmp(&a.pods).then(b.lost_s.total_cmp(&a.lost_s)));
        all.truncate(PARTS);
        all
    }
}

fn claims(table: &Table) -> Result<BTreeMap<Box<str>, Claims>, Error> {
    let mut all: BTreeMap<Box<str>, Claims> = BTreeMap::new();
    let mut columns = vec!["evidence", "findings.cause", "findings.lost_s", "findings.lost_min_s"];
    columns.extend(["findings.waited_for", "findings.error"]);
    columns.extend(RowRefs::COLUMNS);
    table.scan(&columns, &mut |batch| {
        let inputs = batch.text("evidence")?;
        let (rows, nodes, findings) = (RowRefs::of(batch)?, batch.text("node")?, batch.nested("findings")?);
        let items = &findings.items;
        let claimed = items.seconds("lost_s")?.iter().zip(items.seconds("lost_min_s")?.iter());
        let causes = items.text("cause")?.iter().map(Option::unwrap_or_default);
        let named = items.text("waited_for")?.iter().zip(items.text("error")?.iter());
        for (((row, cause), (lost, certain)), (waited_for, error)) in
            findings.rows.iter().zip(causes).zip(claimed).zip(named)
        {
            if !all.contains_key(cause) {
                all.insert(cause.into(), Claims::default());
            }
            let Some(claims) = all.get_mut(cause) else { continue };
            claims.add_part(waited_for, error, lost.map_or(0, micros));
            claims.lost = claims.lost.saturating_add(lost.map_or(0, micros));
            claims.certain = claims.certain.saturating_add(certain.map_or(0, micros));
            // A cause may claim of one startup twice.
            let place = (batch.part, batch.first + row);
            claims.pods += u64::from(claims.last.replace(place) != Some(place));
            if cause == crate::causes::UNEXPLAINED
                && let Some(words) = inputs.get(*row).filter(|words| !words.is_empty())
            {
                let of_row: Vec<Evidence> = Evidence::read(words).collect();
                match &mut claims.given {
                    Some(given) => given.retain(|kind| of_row.contains(kind)),
                    None => claims.given = Some(of_row),
                }
            }
            let node = nodes.get(*row).unwrap_or_default();
            if !claims.nodes.contains(node) {
                claims.nodes.insert(node.into());
            }
            let lost = lost.unwrap_or(0.0);
            if !claims.worst.as_ref().is_some_and(|worst| worst.outranks(batch.part, lost)) {
                let found = rows.get(*row, lost);
                if claims.worst.as_ref().is_none_or(|worst| found.cmp(worst).is_lt()) {
                    claims.worst = Some(found);
                }
            }
        }
        Ok(())
    })?;
    Ok(all)
}

pub(super) fn cause_lines(table: &Table, summary: &Summary, effects: &Counterfactual) -> Result<Vec<CauseLine>, Error> {
    let all = claims(table)?;
    let known = summary.known();
    let versions = || summary.kubelets.iter().map(String::as_str);
    let advised = |cause: &str| crate::causes::named(cause).map(|cause| cause.advised(versions(), &known));
    let worst = RowRef::rows(&all.values().filter_map(|claims| claims.worst.as_ref()).collect::<Vec<_>>(), table)?;
    let mut worst = worst.into_iter();
    let line = |(cause, mut claims): (Box<str>, Claims)| {
        let parts = claims.parts();
        let worst = claims.worst.and_then(|_| worst.next());
        CauseLine {
            without: effects.without(&cause),
            advised: match &claims.given {
                Some(given) => {
                    Advised { set: crate::causes::change_of_unexplained(given), ..advised(&cause).unwrap_or_default() }
                }
                None => advised(&cause).unwrap_or_default(),
            },
            lost_s: seconds(claims.lost),
            lost_min_s: seconds(claims.certain),
            pods: claims.pods,
            nodes: claims.nodes.len() as u64,
            parts,
            example: worst.map(|row| Example::of(&row, Some(&cause))),
            cause: cause.into(),
        }
    };
    let mut lines: Vec<CauseLine> = all.into_iter().map(line).collect();
    // What nobody can act on is never first.
    let last = |line: &CauseLine| line.cause == crate::causes::UNEXPLAINED;
    lines.sort_by(|a, b| {
        // The middle of what is certain and what may be, as a startup's own cause is found: what may have cost much and surely
        // cost little stands behind what surely did.
        let middle = |line: &CauseLine| line.lost_s + line.lost_min_s;
        let by_cost = middle(b).total_cmp(&middle(a)).then_with(|| a.cause.cmp(&b.cause));
        last(a).cmp(&last(b)).then(by_cost)
    });
    Ok(lines)
}
