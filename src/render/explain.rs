//! What a cause or an anomaly means.

use std::io::Write;

use crate::breakdown;
use crate::causes;
use crate::causes::setting::Settings;
use crate::model::error::{Error, ErrorKind};

/// Lists the causes by group.
///
/// # Errors
/// When writing fails.
pub fn list(out: &mut dyn Write) -> Result<(), Error> {
    for (group, causes) in causes::by_group() {
        writeln!(out, "{group}")?;
        causes.iter().try_for_each(|cause| writeln!(out, "  {:<24} {}", cause.id, cause.title))?;
    }
    Ok(())
}

/// Explains a cause, or an anomaly of a startup, by its id.
///
/// # Errors
/// When there is none of this id, or writing fails.
pub fn one(id: &str, out: &mut dyn Write) -> Result<(), Error> {
    let Some(cause) = causes::named(id) else {
        let unknown =
            || Error::new(ErrorKind::Setting, format!("unknown cause {id:?}")).help(causes::list_of_causes(id));
        return Ok(writeln!(out, "{id}: {}", breakdown::anomaly(id).ok_or_else(unknown)?)?);
    };
    let advised = cause.advised([], &Settings::default());
    let side_effect = advised.side_effect.as_deref().unwrap_or("none");
    writeln!(out, "{id}: {}\n\n{}\nChange: {}\nTrade-off: {side_effect}", cause.title, cause.text, advised.set)?;
    let (baseline, threshold) = (cause.baseline.seconds(), cause.threshold.seconds());
    if cause.phases.is_empty() || cause.threshold.0 == 0 {
        writeln!(out, "Threshold: none; {}", cause.rationale)?;
    } else {
        writeln!(out, "Threshold: {threshold} s more than a healthy start needs ({baseline} s); {}", cause.rationale)?;
    }
    let mut shown: Vec<&str> = cause.shown_by.iter().map(|kind| kind.how_to_get()).collect();
    shown.dedup();
    Ok(writeln!(out, "Required input: {}", shown.join(", or "))?)
}
