//! JSON that may end up on a terminal. JSON escapes the control characters of ASCII; those of C1 and marks of direction act on
//! terminals too, and are escaped here as well. The values are the same.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::model::error::Error;
use crate::model::text::is_control;

/// Writes a value on one line.
pub(super) fn line<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> Result<(), Error> {
    let mut serializer = Serializer::with_formatter(out, EscapingFormatter(CompactFormatter));
    Ok(value.serialize(&mut serializer).map_err(io::Error::from)?)
}

/// Writes a value indented, with a line feed behind it.
pub(super) fn pretty<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> Result<(), Error> {
    let mut serializer = Serializer::with_formatter(&mut *out, EscapingFormatter(PrettyFormatter::new()));
    value.serialize(&mut serializer).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// A formatter that escapes more within strings.
struct EscapingFormatter<F>(F);

/// What the formatter inside does, as it does it.
macro_rules! inside {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {
        $(fn $name<W: Write + ?Sized>(&mut self, out: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.0.$name(out $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for EscapingFormatter<F> {
    inside! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut written = 0;
        // All of them lie outside printable ASCII, which nearly every text is made of.
        if text.bytes().any(|byte| byte >= 0x7f) {
            for (at, c) in text.char_indices().filter(|(_, c)| is_control(*c)) {
                out.write_all(text.get(written..at).unwrap_or_default().as_bytes())?;
                write!(out, "\\u{:04x}", u32::from(c))?;
                written = at + c.len_utf8();
            }
        }
        out.write_all(text.get(written..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_nothing_else() {
        let text = "a\u{9b}31m ä\u{7f}\u{202e}x\u{2066}\n\u{1f600}\u{200f}";
        let mut out = Vec::new();
        line(&mut out, &[text]).unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), r#"["a\u009b31m ä\u007f\u202ex\u2066\n😀\u200f"]"#);
        assert_eq!(serde_json::from_slice::<[String; 1]>(&out).unwrap(), [text]);
        let (mut ours, value) = (Vec::new(), serde_json::json!({"a": [1, {"b": []}], "c": {}, "d": "x"}));
        pretty(&mut ours, &value).unwrap();
        assert_eq!(String::from_utf8(ours).unwrap(), serde_json::to_string_pretty(&value).unwrap() + "\n");
    }
}
