//! A pattern over a text, whose named groups are fields.

mod linear;
mod run_before_text;

use std::sync::OnceLock;

use memchr::{memchr, memchr2, memmem};
use regex::Regex;

use linear::Linear;
use run_before_text::RunBeforeText;

use crate::model::record::Field;
use crate::parse::field_buffer::FieldBuffer;

/// What follows the operation in the messages of volumes (pkg/volume/util/operationexecutor, `GenerateMsg`), as the
/// grammars write it. These are a third of the lines of a start, and reading them as the expression says, but without
/// its engine, takes a fifth of the time; a test holds the two against each other.
const VOLUME_PATTERN: [&str; 3] = [
    concat!(
        r#" for volume "(?P<volume>[^"]+)" \(UniqueName: "#,
        r#""(?:(?P<plugin>[^"/^]+/[^"/^]+)(?:/(?P<driver>[^"^/]+)\^)?)?[^"]*"\) pod ""#
    ),
    // Where the name is not asked for: `[^"]*`.
    r#"(?P<name>[^"]*)"#,
    r#"" \(UID: "(?P<uid>[^"]+)"\)"#,
];
/// How that begins in a line.
const VOLUME_PREFIX: &str = " for volume \"";

/// A pattern. It is compiled when first needed: most inputs hold few kinds of lines, and compiling all
/// patterns takes longer than reading a small log.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    compiled: OnceLock<Option<Compiled>>,
    /// Its parts, where [`VOLUME_PATTERN`] is one.
    volume_pattern: Option<VolumePattern>,
    /// Its parts, where it has no choices.
    linear: Option<Linear>,
    /// Its parts, where one run of anything has to end at a text.
    run_before_text: Option<RunBeforeText>,
}

/// What surrounds [`VOLUME_PATTERN`].
#[derive(Debug)]
struct VolumePattern {
    /// Plain text, or a pattern.
    head: Result<String, Box<Pattern>>,
    named: bool,
    tail: Option<Box<Pattern>>,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    /// The field of each named group, with the group's number.
    groups: Vec<(usize, Field)>,
}

impl Compiled {
    fn of(source: &str) -> Result<Self, String> {
        let regex = Regex::new(source).map_err(|error| error.to_string())?;
        let named = regex.capture_names().enumerate().filter_map(|(number, name)| Some((number, name?)));
        let groups = named
            .map(|(number, name)| Ok((number, Field::from_name(name).ok_or_else(|| format!("unknown field {name}"))?)));
        Ok(Compiled { groups: groups.collect::<Result<_, String>>()?, regex })
    }

    fn read(&self, text: &str, fields: &mut FieldBuffer) -> Option<()> {
        if self.groups.is_empty() {
            return self.regex.is_match(text).then_some(());
        }
        let captures = self.regex.captures(text)?;
        for (number, field) in &self.groups {
            if let Some(found) = captures.get(*number) {
                fields.push(*field, found.as_str());
            }
        }
        Some(())
    }
}

impl Pattern {
    /// A pattern that is known to be right: one that is not matches nothing.
    pub(super) fn trusted(source: &str) -> Self {
        let (volume_pattern, linear) = (VolumePattern::of(source), Linear::of(source));
        let run_before_text = RunBeforeText::of(source);
        Pattern { source: source.to_owned(), compiled: OnceLock::new(), volume_pattern, linear, run_before_text }
    }

    /// A pattern that may be wrong; `Err` says how.
    pub(super) fn checked(source: &str) -> Result<Self, String> {
        let compiled = OnceLock::from(Some(Compiled::of(source)?));
        Ok(Pattern { compiled, ..Pattern::trusted(source) })
    }

    /// The plain text with which every text begins that matches, as far as it is known without the expression's engine.
    pub(super) fn prefix(&self) -> &str {
        match (&self.volume_pattern, &self.linear) {
            (Some(VolumePattern { head: Ok(head), .. }), _) => head,
            (_, Some(linear)) => linear.prefix(),
            _ => "",
        }
    }

    /// Adds the fields of a text that matches, else gives `None`.
    pub(super) fn read(&self, text: &str, fields: &mut FieldBuffer) -> Option<()> {
        let since = fields.mark();
        match self.volume_pattern.as_ref().and_then(|volume_pattern| volume_pattern.read(text, fields)) {
            Some(found) => return found,
            None => fields.take_back(since),
        }
        match (&self.linear, &self.run_before_text) {
            (Some(linear), _) => linear.read(text, fields),
            (_, Some(run)) => run.read(text, fields),
            _ => self.compiled.get_or_init(|| Compiled::of(&self.source).ok()).as_ref()?.read(text, fields),
        }
    }
}

impl VolumePattern {
    fn of(source: &str) -> Option<Self> {
        let [begin, name, end] = VOLUME_PATTERN;
        let (head, rest) = source.strip_prefix('^')?.split_once(begin)?;
        let (named, rest) = match rest.strip_prefix(name) {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix(r#"[^"]*"#)?),
        };
        let tail = rest.strip_prefix(end)?;
        let plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
        Some(VolumePattern {
            head: match head.split(r"\.").all(plain) {
                true => Ok(head.replace(r"\.", ".")),
                false => Err(Box::new(Pattern::trusted(&format!("^(?:{head})$")))),
            },
            named,
            tail: (!tail.is_empty()).then(|| Box::new(Pattern::trusted(&format!("^(?:{tail})")))),
        })
    }

    /// The fields of the complete text; `None` when only the engine can decide.
    fn read(&self, text: &str, fields: &mut FieldBuffer) -> Option<Option<()>> {
        let rest = match &self.head {
            Ok(plain) => match text.strip_prefix(plain.as_str()).and_then(|rest| volume(rest, self.named, fields)) {
                Some(rest) => rest,
                None => return Some(None),
            },
            Err(head) => {
                let (front, rest) = text.split_at_checked(memmem::find(text.as_bytes(), VOLUME_PREFIX.as_bytes())?)?;
                // Of several it is not known here which is meant.
                if memmem::find(rest.get(1..)?.as_bytes(), VOLUME_PREFIX.as_bytes()).is_some() {
                    return None;
                }
                head.read(front, fields)?;
                volume(rest, self.named, fields)?
            }
        };
        Some(self.tail.as_ref().map_or(Some(()), |tail| tail.read(rest, fields)))
    }
}

/// What [`VOLUME_PATTERN`] reads; gives what follows.
fn volume<'a>(text: &'a str, named: bool, fields: &mut FieldBuffer) -> Option<&'a str> {
    let quoted = |text: &'a str| text.split_at_checked(memchr(b'"', text.as_bytes())?);
    let (volume, text) = quoted(text.strip_prefix(VOLUME_PREFIX)?)?;
    let (unique, text) = quoted(text.strip_prefix("\" (UniqueName: \"")?)?;
    let (pod, text) = quoted(text.strip_prefix("\") pod \"")?)?;
    let (uid, text) = quoted(text.strip_prefix("\" (UID: \"")?)?;
    let rest = text.strip_prefix("\")").filter(|_| !volume.is_empty() && !uid.is_empty())?;
    fields.push(Field::Volume, volume);
    if let Some((plugin, driver)) = plugin(unique) {
        fields.push(Field::Plugin, plugin);
        if let Some(driver) = driver {
            fields.push(Field::Driver, driver);
        }
    }
    if named {
        fields.push(Field::Name, pod);
    }
    fields.push(Field::Uid, uid);
    Some(rest)
}

/// `kubernetes.io/csi/DRIVER^…`: two words with a slash between them, then perhaps a driver with its sign.
fn plugin(unique: &str) -> Option<(&str, Option<&str>)> {
    let word = |text: &str| Some(memchr2(b'/', b'^', text.as_bytes()).unwrap_or(text.len())).filter(|end| *end > 0);
    let first = word(unique)?;
    let second = unique.get(first..)?.strip_prefix('/')?;
    let end = first + 1 + word(second)?;
    let driver = unique.get(end..)?.strip_prefix('/').and_then(|rest| {
        let end = word(rest)?;
        rest.get(end..)?.starts_with('^').then(|| rest.get(..end)).flatten()
    });
    Some((unique.get(..end)?, driver))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::record::Value;

    /// What the parts read, if they can decide, and what the engine reads.
    fn both(text: &str, head: &str, named: bool, tail: &str) -> [Option<Vec<(Field, Value)>>; 2] {
        let [begin, name, end] = VOLUME_PATTERN;
        let name = if named { name } else { r#"[^"]*"# };
        let mut pattern = Pattern::checked(&format!("^{head}{begin}{name}{end}{tail}")).unwrap();
        let read = |pattern: &Pattern| {
            let mut fields = FieldBuffer::default();
            pattern.read(text, &mut fields).map(|()| fields.all().iter().collect())
        };
        let quick = read(&pattern);
        assert!(pattern.volume_pattern.take().is_some() && pattern.linear.is_none());
        [quick, read(&pattern)]
    }

    fn plain(text: &str) -> [Option<Vec<(Field, Value)>>; 2] {
        both(text, r"MountVolume\.SetUp succeeded", false, "")
    }

    #[test]
    fn a_wrong_pattern_is_told_or_matches_nothing() {
        assert!(Pattern::checked("(").is_err());
        assert!(Pattern::checked("(?<colour>x)").is_err_and(|wrong| wrong.contains("unknown field colour")));
        assert_eq!(Pattern::trusted("(").read("(", &mut FieldBuffer::default()), None);
    }

    #[test]
    fn volumes_are_read_as_the_expression_says() {
        let text = |unique: &str| {
            format!(
                "MountVolume.SetUp succeeded for volume \"v\" (UniqueName: \"{unique}\") pod \"p\" (UID: \"u-1\") rest"
            )
        };
        for unique in [
            "kubernetes.io/projected/8d99-kube-api-access",
            "kubernetes.io/csi/ebs.csi.aws.com^vol-1",
            "",
            "/",
            "a",
            "a/",
            "a/b",
            "a/b/",
            "a/b/c",
            "a/b^c",
            "a/b/c^",
            "a/b/^",
            "a^/b",
            "^a/b",
            "a//b",
            "a/b/c/d^e",
        ] {
            let [quick, engine] = plain(&text(unique));
            assert_eq!(quick, engine, "{unique}");
            assert!(quick.is_some(), "{unique}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_expression_says(
            parts in proptest::collection::vec(
                prop::sample::select(vec!["\"", "/", "^", "a", "é\n", ")", " for volume \"v\"", " (UniqueName: \"", "\") pod \"", "\" (UID: \"", "\")"]),
                0..30,
            ),
        ) {
            let [quick, engine] = plain(&format!("MountVolume.SetUp succeeded{}", parts.concat()));
            prop_assert_eq!(quick, engine);
        }

        #[test]
        fn a_pattern_around_volumes_reads_as_the_engine_does(
            parts in proptest::collection::vec(
                prop::sample::select(vec![
                    "Error: Volume", " is", "\"", ")", " : why", "é\n", " for volume \"", "v\" (UniqueName: \"a/b\") pod \"p\" (UID: \"u\")",
                    " for volume \"v\" (UniqueName: \"a/b/c^d\") pod \"p\" (UID: \"u\")",
                ]),
                0..8,
            ),
        ) {
            let [head, tail] = [r#".*Error: (?P<type>[A-Z][a-z]+)[^"]*"#, r"(?: ?: (?P<error>.*)| .*)?"];
            let [quick, engine] = both(&format!("Error: Volume{}", parts.concat()), head, true, tail);
            prop_assert_eq!(quick, engine);
        }
    }
}
