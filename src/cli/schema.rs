//! `podlag schema`: the JSON Schema of what is printed as JSON.

use std::io::Write;

use super::code;
use crate::model::error::Error;
use crate::render::schema::{SCHEMAS, named};

pub(super) fn run(format: Option<&str>, out: &mut dyn Write) -> Result<u8, Error> {
    match format {
        None => SCHEMAS.iter().try_for_each(|schema| writeln!(out, "{:<8} {}", schema.name, schema.about))?,
        Some(format) => out.write_all(named(format)?.text()?.as_bytes())?,
    }
    Ok(code::OK)
}
