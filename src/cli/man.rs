//! `podlag man`: the manual pages.

use std::io::Write;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use super::{code, completions};
use crate::model::error::{Error, ErrorKind};

/// Writes the page of the program, or into a folder that of each verb too.
pub(super) fn run(folder: Option<&Path>, out: &mut dyn Write) -> Result<u8, Error> {
    let mut all = completions::named("podlag").disable_help_subcommand(true);
    all.build();
    match folder {
        None => page(&all).render(out)?,
        Some(folder) => {
            let failed =
                |error| Error::new(ErrorKind::Output, format!("{}: cannot write man pages: {error}", folder.display()));
            std::fs::create_dir_all(folder).map_err(failed)?;
            pages(&all, folder).map_err(failed)?;
        }
    }
    Ok(code::OK)
}

fn pages(command: &Command, folder: &Path) -> std::io::Result<()> {
    page(command).generate_to(folder)?;
    command.get_subcommands().try_for_each(|verb| pages(verb, folder))
}

/// A page whose footer names the program, not the verb.
fn page(command: &Command) -> Man {
    Man::new(command.clone()).source(concat!("podlag ", env!("PODLAG_VERSION"))).manual("podlag")
}
