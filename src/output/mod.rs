//! Outputs: a report in, bytes out. They format and do not compute.
//!
//! To add one: a file here, and its row in [`FORMS`].

mod blame;
mod chain;
mod check;
mod diff;
mod grid;
mod number;
mod text;

use std::io::Write;
use std::path::Path;

use crate::error::{Error, Kind};
use crate::report::{Coverage, Report};
use crate::table::{self, Made, Row};

pub use blame::{FORMS as BLAME_FORMS, TOP, write as blame};
pub use chain::write as chain;
pub use check::{FORMS as CHECK_FORMS, write as check};
pub use diff::{FORMS as DIFF_FORMS, write as diff};
pub use grid::{Cell, Grid};
pub use number::{length, share};

/// What the reader's screen can do.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Its columns.
    pub width: usize,
    /// It shows colour.
    pub colour: bool,
}

impl Default for Screen {
    fn default() -> Self {
        Screen { width: 80, colour: false }
    }
}

/// Writes a report.
pub type Writer = fn(&Report, Screen, &mut dyn Write) -> Result<(), Error>;

/// A form of the whole report: for standard output by its name, for files by their extension.
#[derive(Debug)]
pub struct Form {
    /// The name `--format` takes.
    pub name: &'static str,
    /// The extension of its files.
    pub extension: &'static str,
    /// Whether it is text, and so may go to standard output.
    pub readable: bool,
    /// Writes it.
    pub write: Writer,
}

/// The forms of a report.
pub const FORMS: &[Form] = &[
    Form { name: "text", extension: "txt", readable: true, write: text::write },
    Form { name: "ndjson", extension: "ndjson", readable: true, write: ndjson },
    Form { name: "csv", extension: "csv", readable: true, write: csv },
    Form { name: "json", extension: "json", readable: true, write: json },
    Form {
        name: "parquet",
        extension: "parquet",
        readable: false,
        write: |report, _, out| table::parquet(report, out),
    },
];

/// The form with this name.
///
/// # Errors
/// When there is none.
pub fn form(name: &str) -> Result<&'static Form, Error> {
    FORMS.iter().find(|form| form.name == name).ok_or_else(|| {
        let known: Vec<&str> = FORMS.iter().map(|form| form.name).collect();
        Error::new(Kind::Setting, format!("no form is named {name:?}")).help(format!("known: {}", known.join(", ")))
    })
}

/// Where a report goes beside standard output.
#[derive(Debug)]
pub enum Target {
    /// One file in a form.
    File(std::path::PathBuf, &'static Form),
    /// All tables, below a folder.
    Folder(std::path::PathBuf),
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

    /// Checks that it is none of the inputs.
    ///
    /// # Errors
    /// When it is one: it would be read and then replaced.
    pub fn spares(&self, inputs: &[std::path::PathBuf]) -> Result<(), Error> {
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

/// One line a startup: the rows of the startups table, whole.
fn ndjson(report: &Report, _: Screen, out: &mut dyn Write) -> Result<(), Error> {
    for row in report.table.rows() {
        serde_json::to_writer(&mut *out, &row?).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The rows of the startups table without the tables within them, which no cell can hold.
fn csv(report: &Report, _: Screen, out: &mut dyn Write) -> Result<(), Error> {
    let broken = |trouble: csv::Error| match trouble.into_kind() {
        csv::ErrorKind::Io(trouble) => Error::from(trouble),
        trouble => Error::new(Kind::Output, format!("a row could not be written as CSV: {trouble:?}")),
    };
    let mut writer = csv::Writer::from_writer(out);
    let names = Row::plain_columns();
    writer.write_record(&names).map_err(broken)?;
    for row in report.table.rows() {
        let row = serde_json::to_value(row?).map_err(std::io::Error::from)?;
        writer.write_record(names.iter().map(|name| cell(&row[name.as_str()]))).map_err(broken)?;
    }
    writer.flush()?;
    Ok(())
}

/// A value as a cell. Text is made safe for terminals, where CSV ends up too; what a spreadsheet would take for a formula is led by an apostrophe, as OWASP advises.
pub(crate) fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{}", plain(text))
        }
        serde_json::Value::String(text) => plain(text),
        serde_json::Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The whole report.
fn json(report: &Report, _: Screen, out: &mut dyn Write) -> Result<(), Error> {
    serde_json::to_writer_pretty(&mut *out, report).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// What the filters left out, in a line; nothing without filters, and nothing for programs.
///
/// # Errors
/// When writing fails.
pub fn filtered(coverage: &Coverage, form: &str, out: &mut dyn Write) -> Result<(), Error> {
    if coverage.filters.is_empty() || !matches!(form, "text" | "markdown") {
        return Ok(());
    }
    Ok(writeln!(out, "\n{}", only(coverage))?)
}

/// The filters and what they left out, in words.
fn only(coverage: &Coverage) -> String {
    let (filters, others) = (plain(&coverage.filters.join(", ")), coverage.filtered);
    format!("only {filters}: {others} {} left out", if others == 1 { "other" } else { "others" })
}

/// Text from a log made safe for a terminal: control characters would move the cursor or change its colours.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
