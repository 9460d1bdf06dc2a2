//! A pattern over a text, whose named groups are fields.

use std::sync::OnceLock;

use regex::Regex;

use crate::record::{Field, Value};

/// What follows the operation in the messages of volumes (pkg/volume/util/operationexecutor, `GenerateMsg`), as the
/// grammars write it. These are a third of the lines of a start, and reading them as the expression says, but without
/// its engine, takes a fifth of the time; a test holds the two against each other.
const VOLUME: &str = concat!(
    r#" for volume "(?P<volume>[^"]+)" \(UniqueName: "#,
    r#""(?:(?P<plugin>[^"/^]+/[^"/^]+)(?:/(?P<driver>[^"^/]+)\^)?)?[^"]*"\)"#,
    r#" pod "[^"]*" \(UID: "(?P<uid>[^"]+)"\)"#
);

/// A pattern. It is compiled when a text first asks for it: most inputs hold few kinds of lines, and compiling all
/// patterns takes longer than reading a small log.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    compiled: OnceLock<Option<Compiled>>,
    /// The operation, when the rest is [`VOLUME`].
    operation: Option<String>,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    /// The field of each named group, with the group's number.
    groups: Vec<(usize, Field)>,
}

impl Compiled {
    fn of(source: &str) -> Result<Self, String> {
        let regex = Regex::new(source).map_err(|trouble| trouble.to_string())?;
        let named = regex.capture_names().enumerate().filter_map(|(number, name)| Some((number, name?)));
        let groups = named
            .map(|(number, name)| Ok((number, Field::named(name).ok_or_else(|| format!("no field is named {name}"))?)));
        Ok(Compiled { groups: groups.collect::<Result<_, String>>()?, regex })
    }
}

impl Pattern {
    /// A pattern that is known to be right: one that is not matches nothing.
    pub(super) fn known(source: &str) -> Self {
        Pattern { source: source.to_owned(), compiled: OnceLock::new(), operation: operation(source) }
    }

    /// A pattern that may be wrong; `Err` says how.
    pub(super) fn checked(source: &str) -> Result<Self, String> {
        let compiled = OnceLock::from(Some(Compiled::of(source)?));
        Ok(Pattern { compiled, ..Pattern::known(source) })
    }

    /// Adds the fields of a text that matches, else gives `None`.
    pub(super) fn read(&self, text: &str, fields: &mut Vec<(Field, Value)>) -> Option<()> {
        if let Some(operation) = &self.operation {
            return volume(text.strip_prefix(operation.as_str())?, fields);
        }
        let Compiled { regex, groups } = self.compiled.get_or_init(|| Compiled::of(&self.source).ok()).as_ref()?;
        if groups.is_empty() {
            return regex.is_match(text).then_some(());
        }
        let captures = regex.captures(text)?;
        for (number, field) in groups {
            if let Some(value) = captures.get(*number).and_then(|found| field.read(found.as_str())) {
                fields.push((*field, value));
            }
        }
        Some(())
    }
}

/// The plain text between `^` and [`VOLUME`].
fn operation(source: &str) -> Option<String> {
    let before = source.strip_prefix('^')?.strip_suffix(VOLUME)?;
    let plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
    before.split(r"\.").all(plain).then(|| before.replace(r"\.", "."))
}

/// What [`VOLUME`] reads.
fn volume(text: &str, fields: &mut Vec<(Field, Value)>) -> Option<()> {
    let (volume, text) = text.strip_prefix(" for volume \"")?.split_once('"')?;
    let (unique, text) = text.strip_prefix(" (UniqueName: \"")?.split_once('"')?;
    let (_pod, text) = text.strip_prefix(") pod \"")?.split_once('"')?;
    let (uid, text) = text.strip_prefix(" (UID: \"")?.split_once('"')?;
    if volume.is_empty() || uid.is_empty() || !text.starts_with(')') {
        return None;
    }
    let mut push = |field: Field, text: &str| {
        if let Some(value) = field.read(text) {
            fields.push((field, value));
        }
    };
    push(Field::Volume, volume);
    if let Some((plugin, driver)) = plugin(unique) {
        push(Field::Plugin, plugin);
        if let Some(driver) = driver {
            push(Field::Driver, driver);
        }
    }
    push(Field::Uid, uid);
    Some(())
}

/// `kubernetes.io/csi/DRIVER^…`: two words with a slash between them, then perhaps a driver with its sign.
fn plugin(unique: &str) -> Option<(&str, Option<&str>)> {
    let word = |text: &str| Some(text.find(['/', '^']).unwrap_or(text.len())).filter(|end| *end > 0);
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

    fn both(text: &str) -> [Option<Vec<(Field, Value)>>; 2] {
        let mut pattern = Pattern::checked(&format!(r"^MountVolume\.SetUp succeeded{VOLUME}")).unwrap();
        let read = |pattern: &Pattern| {
            let mut fields = Vec::new();
            pattern.read(text, &mut fields).map(|()| fields)
        };
        let quick = read(&pattern);
        assert_eq!(pattern.operation.take().as_deref(), Some("MountVolume.SetUp succeeded"));
        [quick, read(&pattern)]
    }

    #[test]
    fn a_wrong_pattern_is_told_or_matches_nothing() {
        assert!(Pattern::checked("(").is_err());
        assert!(Pattern::checked("(?<colour>x)").is_err_and(|wrong| wrong.contains("no field is named colour")));
        assert_eq!(Pattern::known("(").read("(", &mut Vec::new()), None);
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
            let [quick, engine] = both(&text(unique));
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
            let [quick, engine] = both(&format!("MountVolume.SetUp succeeded{}", parts.concat()));
            prop_assert_eq!(quick, engine);
        }
    }
}
