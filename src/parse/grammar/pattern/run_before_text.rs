//! Patterns with one run of anything in an optional part, and a text behind it that shows where it ends: error messages that quote a
//! whole specification. They are read as the expression says, but without its engine, which is slow for long texts.

use memchr::memmem;

use super::linear::Linear;
use crate::parse::field_buffer::FieldBuffer;

/// How such a run is written.
const RUN: &str = ".*)?";
/// The shortest text behind it: a shorter one is found in too many places.
const MIN_TEXT: usize = 4;

/// Such a pattern in its parts.
#[derive(Debug)]
pub(super) struct RunBeforeText {
    /// What is before the text, to the text's begin.
    head: Linear,
    text: memmem::FinderRev<'static>,
    tail: Linear,
}

impl RunBeforeText {
    /// The parts of an expression; `None` if it is no such pattern.
    pub(super) fn of(source: &str) -> Option<Self> {
        let (head, rest) = source.split_once(RUN)?;
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != ' ')?;
        let (text, tail) = rest.split_at_checked(end).filter(|(text, _)| text.len() >= MIN_TEXT)?;
        // What repeats the text's last letter does not end it.
        if tail.starts_with(['?', '*', '+', '{', '|']) {
            return None;
        }
        let (head, tail) = (Linear::of(&format!("{head}{RUN}$"))?, Linear::of(&format!("^{tail}"))?);
        Some(RunBeforeText { head, text: memmem::FinderRev::new(text).into_owned(), tail })
    }

    /// Adds the fields of a text that matches, else gives `None`. The run takes as much as it can: the last place of the text at
    /// which the rest fits is the one that is meant.
    pub(super) fn read(&self, text: &str, fields: &mut FieldBuffer) -> Option<()> {
        let since = fields.mark();
        for at in self.text.rfind_iter(text.as_bytes()) {
            let (head, rest) = text.split_at_checked(at)?;
            let tail = rest.get(self.text.needle().len()..)?;
            let read = self.head.read(head, fields).and_then(|()| self.tail.read(tail, fields));
            if read.is_some() {
                return read;
            }
            fields.take_back(since);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Compiled;
    use super::*;
    use crate::model::record::{Field, Value};

    const SOURCE: &str = r"^(?P<type>container|init container) (?:&C\{Name:)?(?P<container>[a-z]+)(?:,.*)? start failed (?P<name>[^ _]+)_(?P<error>.*)";

    fn both(text: &str) -> [Option<Vec<(Field, Value)>>; 2] {
        let (mut quick, mut engine) = (FieldBuffer::default(), FieldBuffer::default());
        [
            RunBeforeText::of(SOURCE).unwrap().read(text, &mut quick).map(|()| quick.all().iter().collect()),
            Compiled::of(SOURCE).unwrap().read(text, &mut engine).map(|()| engine.all().iter().collect()),
        ]
    }

    #[test]
    fn the_last_place_of_the_text_is_meant() {
        let [quick, engine] = both("container &C{Name:app,x start failed q_r,y start failed a_b: why");
        assert_eq!(quick, engine);
        assert!(quick.is_some_and(|fields| fields.contains(&(Field::Error, Value::text("b: why")))));
    }

    #[test]
    fn the_message_that_quotes_a_container_is_such_a_pattern() {
        let grammar: toml::Table = include_str!("../../../../grammars/kubelet.toml").parse().unwrap();
        let messages = grammar["message"].as_array().unwrap();
        let quotes =
            messages.iter().find(|message| message["name"].as_str() == Some("container-start-failed")).unwrap();
        assert!(RunBeforeText::of(quotes["pattern"].as_str().unwrap()).is_some());
    }

    #[test]
    fn only_an_optional_run_before_a_text_is_split() {
        for source in [
            r"^a.*b text",
            r"^a(?:,.*)?te(?P<name>b)",
            r"^a(?:,.*)? text*b",
            r"^a(?:,.*)?b.* text",
            r"a(?:,.*)? text_b",
        ] {
            assert!(RunBeforeText::of(source).is_none(), "{source}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_expression_says(
            parts in proptest::collection::vec(
                prop::sample::select(vec![
                    "container ", "init ", "&C{Name:", "app", ",", ",x", " start failed ", "a_b", "_", " start failed c_d", "\n", "é",
                ]),
                0..9,
            ),
        ) {
            for text in [parts.concat(), format!("container app{}", parts.concat()), format!("container &C{{Name:app,{}", parts.concat())] {
                let [quick, engine] = both(&text);
                prop_assert_eq!(quick, engine, "{}", text);
            }
        }
    }
}
