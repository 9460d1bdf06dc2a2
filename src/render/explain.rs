//! What a cause or an oddity is, in words.

use std::io::Write;

use crate::breakdown;
use crate::causes;
use crate::causes::setting::Settings;
use crate::model::error::{Error, ErrorKind};

/// Lists the causes under the heads of what they claim.
///
/// # Errors
/// When writing fails.
pub fn list(out: &mut dyn Write) -> Result<(), Error> {
    for (head, causes) in causes::by_head() {
        writeln!(out, "{head}")?;
        causes.iter().try_for_each(|cause| writeln!(out, "  {:<24} {}", cause.id, cause.title))?;
    }
    Ok(())
}

/// Explains a cause, or an oddity of a startup, by its id.
///
/// # Errors
/// When there is none of this id, or writing fails.
pub fn one(id: &str, out: &mut dyn Write) -> Result<(), Error> {
    let Some(cause) = causes::named(id) else {
        let unknown =
            || Error::new(ErrorKind::Setting, format!("no cause is named {id:?}")).help("podlag explain lists them");
        return Ok(writeln!(out, "{id}: {}", breakdown::anomaly(id).ok_or_else(unknown)?)?);
    };
    let advised = cause.advised([], &Settings::default());
    writeln!(out, "{id}: {}\n\n{}\nSet: {}\nPrice: {}", cause.title, cause.text, advised.set, advised.price)?;
    let (reference, limit) = (cause.reference.seconds(), cause.limit.seconds());
    if cause.phases.is_empty() || cause.limit.0 == 0 {
        writeln!(out, "Limit: none; {}", cause.because)?;
    } else {
        writeln!(out, "Limit: {limit} s beyond the {reference} s of a healthy start; {}", cause.because)?;
    }
    let mut shown: Vec<&str> = cause.shown_by.iter().map(|kind| kind.ask()).collect();
    shown.dedup();
    Ok(writeln!(out, "Shown by: {}", shown.join(", or "))?)
}
