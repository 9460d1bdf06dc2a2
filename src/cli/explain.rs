//! `podlag explain`: what a cause means.

use std::io::Write;

use super::code;
use crate::model::error::Error;
use crate::render::explain;

pub(super) fn run(cause: Option<&str>, out: &mut dyn Write) -> Result<u8, Error> {
    match cause {
        None => explain::list(out)?,
        Some(id) => explain::one(id, out)?,
    }
    Ok(code::OK)
}
