//! Files that a report is written to: which form, and whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::number::format_size;
use super::{FORMATS, Format, TextOptions};
use crate::model::error::{Error, ErrorKind};
use crate::report::Report;
use crate::table::{self, CleanupList};

/// Where a report goes beside standard output.
#[derive(Debug)]
pub enum Target {
    /// One file in a form.
    File(PathBuf, &'static Format),
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
        Ok(Target::File(
            path.into(),
            by_extension(path, FORMATS, |form| form.extension, ", and FOLDER/ for all tables")?,
        ))
    }

    /// Whether it takes startups only.
    pub fn is_startups_only(&self) -> bool {
        match self {
            Target::Folder(_) => true,
            Target::File(_, form) => form.startups_only,
        }
    }

    /// Checks that it is none of the inputs.
    ///
    /// # Errors
    /// When it is one: it would be read and then replaced.
    pub fn ensure_not_input(&self, inputs: &[PathBuf]) -> Result<(), Error> {
        if let Target::File(path, _) = self { ensure_not_input(path, inputs) } else { Ok(()) }
    }

    /// What was written, with its size; nothing of folders, pipes and what is not there.
    pub fn written(&self) -> Option<String> {
        let Target::File(path, _) = self else { return None };
        let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(format!("wrote {} ({})", path.display(), format_size(about.len())))
    }

    /// Writes the report there, whole or not at all.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, report: &Report, made: &CleanupList) -> Result<(), Error> {
        match self {
            Target::Folder(path) => {
                table::folder(&report.table, &report.coverage, path, made).map_err(|error| error.about(&path.display()))
            }
            Target::File(path, form) => {
                write_atomically(path, made, |out| (form.write)(report, TextOptions::default(), out))
            }
        }
    }
}

/// The form whose extension a path has: the longest, for extensions may have several parts.
///
/// # Errors
/// When none has it, or the folder the file is to lie in is not there.
pub(super) fn by_extension<'a, F>(
    path: &Path,
    forms: &'a [F],
    extension: fn(&F) -> &'static str,
    others: &str,
) -> Result<&'a F, Error> {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let ends = |form: &&F| {
        let extension = extension(form).as_bytes();
        let stem = name.len().saturating_sub(extension.len());
        let dot = stem.checked_sub(1).filter(|dot| *dot > 0).and_then(|dot| name.get(dot));
        dot == Some(&b'.') && name.get(stem..).is_some_and(|end| end.eq_ignore_ascii_case(extension))
    };
    let Some(form) = forms.iter().filter(ends).max_by_key(|form| extension(form).len()) else {
        let known: Vec<String> = forms.iter().map(|form| format!(".{}", extension(form))).collect();
        return Err(Error::new(ErrorKind::Setting, format!("-o {}: unknown extension", path.display()))
            .help(format!("known: {}{others}", known.join(" "))));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let nowhere = format!("-o {}: no such folder: {}", path.display(), folder.display());
        return Err(Error::new(ErrorKind::Setting, nowhere));
    }
    Ok(form)
}

/// Checks that a path is none of the inputs.
///
/// # Errors
/// When it is one: it would be read and then replaced.
pub(super) fn ensure_not_input(path: &Path, inputs: &[PathBuf]) -> Result<(), Error> {
    let Ok(real) = std::fs::canonicalize(path) else { return Ok(()) };
    if inputs.iter().any(|input| std::fs::canonicalize(input).is_ok_and(|input| input == real)) {
        return Err(Error::new(ErrorKind::Setting, format!("-o {}: this file is also an input", path.display())));
    }
    Ok(())
}

/// Writes a file whole or not at all: it is made beside and renamed. Pipes and devices are written to as they are; of a link
/// the file it leads to is replaced.
///
/// # Errors
/// When writing fails.
pub(super) fn write_atomically(
    path: &Path,
    made: &CleanupList,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    let with_path = |error: std::io::Error| Error::from(error).about(&path.display());
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        let mut out = std::io::BufWriter::new(std::fs::OpenOptions::new().write(true).open(path).map_err(with_path)?);
        write(&mut out).map_err(|error| error.about(&path.display()))?;
        return out.flush().map_err(with_path);
    }
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = readable(tempfile::Builder::new().prefix(".podlag-")).tempfile_in(folder).map_err(with_path)?;
    made.add(file.path());
    let mut out = std::io::BufWriter::new(file.as_file_mut());
    write(&mut out).map_err(|error| error.about(&path.display()))?;
    out.flush().map_err(with_path)?;
    drop(out);
    file.persist(&real).map_err(|error| with_path(error.error))?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_is_told_with_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        let target = Target::of(&path).unwrap();
        assert_eq!(target.written(), None, "nothing is there");
        std::fs::write(&path, vec![b'x'; 1_400_000]).unwrap();
        assert_eq!(target.written(), Some(format!("wrote {} (1.4 MB)", path.display())));
        assert_eq!(Target::of(folder.path()).unwrap().written(), None);
    }

    #[test]
    fn the_longest_extension_names_the_form() {
        let named = |path: &str| match Target::of(Path::new(path)) {
            Ok(Target::File(_, form)) => form.name,
            _ => "none",
        };
        let paths = ["a.json", "a.trace.json", "a.b.TRACE.JSON", "trace.json", "a.md", "json", ".json", "a.trace"];
        assert_eq!(
            paths.map(named),
            ["json", "trace", "trace", "json", "markdown", "none", "none", "none"],
            "{paths:?}"
        );
    }
}
