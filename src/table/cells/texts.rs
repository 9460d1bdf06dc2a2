//! Texts one after another, those that may be missing, and names that many cells share.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use polars_core::prelude::*;

use super::{Cells, Wanted, are_wanted};
use crate::model::error::Error;
use crate::model::hash::HashMap;
use crate::table::columns::NextField;
use crate::table::row_file::unreadable;

/// Where each of some things that lie one after another ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends(pub(super) Vec<u32>);

impl Ends {
    pub(super) fn with_room_of(others: &Self) -> Self {
        Ends(Vec::with_capacity(others.0.len()))
    }

    /// The next one ends here. A group of rows has far less than 4 GiB of anything.
    pub(super) fn push(&mut self, end: usize) {
        self.0.push(u32::try_from(end).unwrap_or(u32::MAX));
    }

    /// So many of them from their bytes.
    pub(super) fn unpack(wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let ends = Vec::unpack("", wanted, count, next)?;
        if ends.is_sorted() { Ok(Ends(ends)) } else { Err(unreadable("things end before they begin")) }
    }

    pub(super) fn range(&self, at: usize) -> Range<usize> {
        let end = |at: usize| self.0.get(at).map_or(0, |end| *end as usize);
        at.checked_sub(1).map_or(0, end)..end(at)
    }

    pub(super) fn ranges(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        (0..self.0.len()).map(|at| self.range(at))
    }

    /// How many things there are in all.
    pub(super) fn total(&self) -> usize {
        self.0.last().map_or(0, |end| *end as usize)
    }
}

/// Texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    ends: Ends,
    text: String,
}

impl Texts {
    fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// A text.
    pub(in crate::table) fn str(&self, at: usize) -> &str {
        self.text.get(self.ends.range(at)).unwrap_or_default()
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ends.ranges().map(|range| self.text.get(range).unwrap_or_default())
    }
}

impl Cells for Texts {
    type Cell = Box<str>;

    fn push(&mut self, cell: &Box<str>) {
        self.push_str(cell);
    }

    fn cell(&self, at: usize) -> Box<str> {
        self.str(at).into()
    }

    fn gather(_: &str, _: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let mut all = Texts::default();
        picks.iter().for_each(|(texts, at)| all.push_str(texts.str(*at)));
        all
    }

    fn write(&self, name: &str, _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        into.push(StringChunked::from_iter_values(name.into(), self.iter()).into_column());
        Ok(())
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        self.ends.0.pack(into);
        into.push(Cow::Borrowed(self.text.as_bytes()));
    }

    fn unpack(_: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let ends = Ends::unpack(wanted, count, next)?;
        let text = next(are_wanted(wanted))?.unwrap_or_default();
        let text = String::from_utf8(text).map_err(unreadable)?;
        if ends.total() == text.len() { Ok(Texts { ends, text }) } else { Err(unreadable("a text is shortened")) }
    }

    fn with_room_of(others: &Self) -> Self {
        Texts { ends: Ends::with_room_of(&others.ends), text: String::with_capacity(others.text.len()) }
    }
}

/// Texts that may be missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct OptionalTexts {
    present: Vec<bool>,
    texts: Texts,
}

impl OptionalTexts {
    /// A text, if there is one.
    pub(in crate::table) fn str(&self, at: usize) -> Option<&str> {
        self.present.cell(at).then(|| self.texts.str(at))
    }
}

impl Cells for OptionalTexts {
    type Cell = Option<Box<str>>;

    fn push(&mut self, cell: &Option<Box<str>>) {
        self.present.push(cell.is_some());
        self.texts.push_str(cell.as_deref().unwrap_or_default());
    }

    fn cell(&self, at: usize) -> Option<Box<str>> {
        self.str(at).map(Into::into)
    }

    fn gather(_: &str, _: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let mut all = OptionalTexts::default();
        for (cells, at) in picks {
            let text = cells.str(*at);
            all.present.push(text.is_some());
            all.texts.push_str(text.unwrap_or_default());
        }
        all
    }

    fn write(&self, name: &str, _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let texts = self.present.iter().zip(self.texts.iter()).map(|(present, text)| present.then_some(text));
        into.push(StringChunked::from_iter_options(name.into(), texts).into_column());
        Ok(())
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        self.present.pack(into);
        self.texts.pack(into);
    }

    fn unpack(name: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let present = Vec::unpack(name, wanted, count, next)?;
        Ok(OptionalTexts { present, texts: Texts::unpack(name, wanted, count, next)? })
    }

    fn with_room_of(others: &Self) -> Self {
        OptionalTexts { present: Cells::with_room_of(&others.present), texts: Texts::with_room_of(&others.texts) }
    }
}

/// Names of inputs, which many cells share: each is held once.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedNames {
    names: Vec<Arc<str>>,
    /// Where a name is among them.
    number_of: HashMap<Arc<str>, u32>,
    numbers: Vec<u32>,
}

/// The number of no name.
const NO_NAME: u32 = u32::MAX;

impl SharedNames {
    pub(super) fn push_name(&mut self, name: Option<&Arc<str>>) {
        let number = name.map_or(NO_NAME, |name| match self.numbers.last().copied() {
            // Mostly it is the one before, and the same piece of memory.
            Some(last) if self.names.get(last as usize).is_some_and(|before| Arc::ptr_eq(before, name)) => last,
            _ => self.number(name),
        });
        self.numbers.push(number);
    }

    fn number(&mut self, name: &Arc<str>) -> u32 {
        if let Some(known) = self.number_of.get(&**name) {
            return *known;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(NO_NAME);
        self.names.push(Arc::clone(name));
        self.number_of.insert(Arc::clone(name), number);
        number
    }

    fn name(&self, at: usize) -> Option<&Arc<str>> {
        self.names.get(*self.numbers.get(at)? as usize)
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.numbers.iter().map(|number| self.names.get(*number as usize).map(|name| &**name))
    }
}

impl Cells for SharedNames {
    type Cell = Arc<str>;

    fn push(&mut self, cell: &Arc<str>) {
        self.push_name(Some(cell));
    }

    fn cell(&self, at: usize) -> Arc<str> {
        self.name(at).cloned().unwrap_or_default()
    }

    fn gather(_: &str, _: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let mut all = SharedNames::default();
        picks.iter().for_each(|(names, at)| all.push_name(names.name(*at)));
        all
    }

    fn write(&self, name: &str, _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        into.push(StringChunked::from_iter_options(name.into(), self.iter()).into_column());
        Ok(())
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        into.push(Cow::Owned(bitcode::encode(&self.names)));
        self.numbers.pack(into);
    }

    fn unpack(name: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let names = match next(are_wanted(wanted))? {
            Some(bytes) => bitcode::decode(&bytes).map_err(unreadable)?,
            None => Vec::new(),
        };
        let numbers = Vec::unpack(name, wanted, count, next)?;
        Ok(SharedNames { names, numbers, ..SharedNames::default() })
    }

    fn with_room_of(others: &Self) -> Self {
        SharedNames { numbers: Cells::with_room_of(&others.numbers), ..SharedNames::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_texts_are_an_error() {
        let read = |ends: &[u32], text: &str| {
            let mut bytes = [bitcode::encode(ends), text.as_bytes().to_vec()].into_iter();
            Texts::unpack("", None, ends.len(), &mut |_| Ok(bytes.next()))
        };
        assert_eq!(read(&[1, 3], "abc").unwrap().iter().collect::<Vec<_>>(), ["a", "bc"]);
        for (ends, text) in [(&[3, 1, 3][..], "abc"), (&[1, 4], "abc"), (&[1, 2], "abc")] {
            assert!(read(ends, text).is_err(), "{ends:?}");
        }
    }
}
