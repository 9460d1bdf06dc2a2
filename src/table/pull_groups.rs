//! Pulls grouped by image or registry, with the back-off that follows the failed ones.

use super::batch::{Batch, Nested};
use super::group_names::{Names, split};
use super::groups::{Group, Key, Lost};
use super::phase_seconds::phase_column;
use super::query::{ByName, micros};
use super::startups::Table;
use crate::model::error::Error;
use crate::model::phase::Phase;

/// The pulls of a group, in microseconds.
#[derive(Debug, Default)]
struct Pulls {
    took: Lost,
    waited: i64,
    pulled: i64,
    backed_off: i64,
}

pub(super) fn by_pull(table: &Table, keys: &[Key]) -> Result<Vec<Group>, Error> {
    let backoff = phase_column(Phase::ImageBackoff);
    let mut columns = Names::columns(keys);
    columns.extend(["image_pulls", backoff.as_str()]);
    let mut groups: ByName<Pulls> = ByName::new();
    table.scan(&columns, &mut |batch| {
        let pulls = batch.nested("image_pulls")?;
        let took = pulls.items.seconds("took_s")?;
        let (waited, pulled) = (pulls.items.seconds("wait_s")?, pulls.items.seconds("pull_s")?);
        let backed_off = backed_off(&pulls, batch, &backoff)?;
        let mut names = Names::of(batch, &pulls.items, keys)?;
        let seconds = took.iter().zip(waited.iter()).zip(pulled.iter()).zip(backed_off);
        for ((item, row), (((took, waited), pulled), backed_off)) in pulls.rows.iter().enumerate().zip(seconds) {
            let group = groups.entry(names.get(*row, item, ""));
            group.took.add(took);
            group.took.lose(backed_off);
            let (waited, pulled) = (waited.map_or(0, micros), pulled.map_or(0, micros));
            for (sum, micros) in
                [(&mut group.waited, waited), (&mut group.pulled, pulled), (&mut group.backed_off, backed_off)]
            {
                *sum = sum.saturating_add(micros);
            }
        }
        Ok(())
    })?;
    let group = |(name, pulls): (Option<Box<str>>, Pulls)| {
        let phases = [
            (pulls.backed_off, Phase::ImageBackoff),
            (pulls.waited, Phase::ImageWait),
            (pulls.pulled, Phase::ImagePull),
        ];
        // Of equal ones the last.
        let phase = phases.into_iter().max_by_key(|(micros, _)| *micros).map(|(_, phase)| phase.name());
        Group { phase, ..pulls.took.group(split(name, keys.len())) }
    };
    Ok(groups.into_sorted().map(group).collect())
}

/// How long each pull kept its pod in back-off, microseconds: from its failure to the next pull of the image, or, of the last one that
/// failed, what is left of the startup's back-off.
fn backed_off(pulls: &Nested, batch: &Batch, backoff: &str) -> Result<Vec<i64>, Error> {
    let (images, outcomes) = (pulls.items.text("image")?, pulls.items.text("outcome")?);
    let (requested, started) = (pulls.items.integers("requested")?, pulls.items.integers("started")?);
    let ended = pulls.items.integers("ended")?;
    let all = batch.seconds(backoff)?;
    let mut found = vec![0; pulls.rows.len()];
    let mut first = 0;
    for of_row in pulls.rows.chunk_by(|row, next| row == next) {
        let items = first..first + of_row.len();
        first = items.end;
        let mut left = of_row.first().and_then(|row| all.get(*row)).map_or(0, micros);
        let mut open = None;
        for item in items.clone().filter(|item| outcomes.get(*item) == Some("failed")) {
            let next = (item + 1..items.end).find(|next| images.get(*next) == images.get(item));
            let began = next.and_then(|next| requested.get(next).or(started.get(next)));
            match began.zip(ended.get(item)) {
                Some((began, ended)) => {
                    let waited = (began.saturating_sub(ended) / 1000).clamp(0, left);
                    found[item] = waited;
                    left -= waited;
                }
                None => open = Some(item),
            }
        }
        if let Some(item) = open {
            found[item] = left;
        }
    }
    Ok(found)
}
