//! Files that a report is written to: which form, and whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{FORMS, Form, Screen};
use crate::error::{Error, Kind};
use crate::report::Report;
use crate::table::{self, Made};

/// Where a report goes beside standard output.
#[derive(Debug)]
pub enum Target {
    /// One file in a form.
    File(PathBuf, &'static Form),
    /// All tables, below a folder.
    Folder(PathBuf),
}

impl Target {
    /// What a path asks for: its extension names the form; a folder, or a path that ends in `/`, takes all tables.
    ///
    /// # Errors
    /// When no form has that extension, or the folder the file is to lie in is not there.
    pub fn of(path: &Path) -> Result<Self, Error> {
        if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Ok(Target::Folder(path.into()));
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let Some(form) = FORMS.iter().find(|form| form.extension.eq_ignore_ascii_case(extension)) else {
            let known: Vec<String> = FORMS.iter().map(|form| format!(".{}", form.extension)).collect();
            return Err(Error::new(Kind::Setting, format!("-o {}: its extension names no form", path.display()))
                .help(format!("known: {}, and FOLDER/ for all tables", known.join(" "))));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(Error::new(
                Kind::Setting,
                format!("-o {}: there is no folder {}", path.display(), folder.display()),
            ));
        }
        Ok(Target::File(path.into(), form))
    }

    /// Whether it takes startups only.
    pub fn is_table(&self) -> bool {
        match self {
            Target::Folder(_) => true,
            Target::File(_, form) => matches!(form.name, "parquet" | "csv"),
        }
    }

    /// Checks that it is none of the inputs.
    ///
    /// # Errors
    /// When it is one: it would be read and then replaced.
    pub fn spares(&self, inputs: &[PathBuf]) -> Result<(), Error> {
        let Target::File(path, _) = self else { return Ok(()) };
        let Ok(real) = std::fs::canonicalize(path) else { return Ok(()) };
        if inputs.iter().any(|input| std::fs::canonicalize(input).is_ok_and(|input| input == real)) {
            return Err(Error::new(Kind::Setting, format!("-o {}: it is an input too", path.display())));
        }
        Ok(())
    }

    /// Writes the report there, whole or not at all: a file is made beside and renamed. Pipes and devices are written to as
    /// they are; of a link the file it leads to is replaced.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, report: &Report, made: &Made) -> Result<(), Error> {
        let (path, form) = match self {
            Target::Folder(path) => {
                return table::folder(report, path, made).map_err(|error| error.about(&path.display()));
            }
            Target::File(path, form) => (path, form),
        };
        let told = |trouble: std::io::Error| Error::from(trouble).about(&path.display());
        if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            let mut out = std::io::BufWriter::new(std::fs::OpenOptions::new().write(true).open(path).map_err(told)?);
            (form.write)(report, Screen::default(), &mut out).map_err(|error| error.about(&path.display()))?;
            return out.flush().map_err(told);
        }
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let path = real.as_path();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = readable(tempfile::Builder::new().prefix(".podlag-")).tempfile_in(folder).map_err(told)?;
        made.add(file.path());
        let mut out = std::io::BufWriter::new(file.as_file_mut());
        (form.write)(report, Screen::default(), &mut out).map_err(|error| error.about(&path.display()))?;
        out.flush().map_err(told)?;
        drop(out);
        file.persist(path).map_err(|error| told(error.error))?;
        Ok(())
    }
}

/// A temporary file is its maker's alone; a result is as readable as the user's mask has it.
#[cfg(unix)]
fn readable<'a, 'p, 's>(builder: &'a mut tempfile::Builder<'p, 's>) -> &'a mut tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn readable<'a, 'p, 's>(builder: &'a mut tempfile::Builder<'p, 's>) -> &'a mut tempfile::Builder<'p, 's> {
    builder
}
