use std::io::BufReader;

use proptest::prelude::*;

use super::writer::{Form, nasty, page, written};
use super::{Kept, all, read};
use crate::metrics::exposition::is_exposition;

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![Form::Prometheus, Form::Loose, Form::OpenMetrics])
}

fn page_in_some_form() -> impl Strategy<Value = (Form, Vec<Kept>)> {
    form().prop_flat_map(|form| (Just(form), page(form)))
}

fn same(one: &[Kept], other: &[Kept]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same(other))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read((form, samples) in page_in_some_form(), room in 1_usize..64) {
        let text = written(&samples, form);
        let (kept, seen) = all(&text);
        prop_assert!(same(&kept, &samples), "{text}\n{kept:#?}\n{seen:?}");
        prop_assert_eq!((seen.samples, seen.skipped, seen.invalid, seen.truncated), (samples.len() as u64, 0, 0, false));
        prop_assert_eq!((seen.openmetrics, seen.bytes), (form == Form::OpenMetrics, text.len() as u64));
        let mut again = Vec::new();
        let reader = BufReader::with_capacity(room, text.as_bytes());
        prop_assert_eq!(read(reader, |_| true, |sample| again.push(Kept::of(sample))).unwrap(), seen);
        prop_assert!(same(&again, &kept));
        let passed = read(text.as_bytes(), |_| false, |_| panic!("not wanted")).unwrap();
        prop_assert_eq!((passed.skipped, passed.invalid), (samples.len() as u64, 0));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survived(&bytes)?;
    }

    #[test]
    fn any_text_like_a_page_is_survived(
        start in prop::sample::select(vec!["a_b", "a_b{", "{", "a_b{c=\"", "a_b 1 # {", "# HELP ", "# TYPE ", "# EOF"]),
        pieces in prop::collection::vec(nasty(), 0..6),
        mutation in prop::option::of((0_usize..60, any::<u8>())),
    ) {
        let mut bytes = format!("{start}{}", pieces.concat()).into_bytes();
        if let Some((at, byte)) = mutation && let Some(old) = bytes.get_mut(at) {
            *old = byte;
        }
        survived(&bytes)?;
        bytes.push(b'\n');
        survived(&bytes)?;
    }
}

proptest! {
    // Each case is some hundred pages.
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The bytes of a page up to anywhere give the samples of its whole lines, and say so if there is more.
    #[test]
    fn a_cut_page_is_its_whole_lines((form, samples) in page_in_some_form()) {
        let text = written(&samples, form);
        for end in 0..text.len() {
            let cut = &text.as_bytes()[..end];
            let (kept, seen) = all(cut);
            let whole = cut.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let sample = |line: &&str| !matches!(line.trim_start().as_bytes().first(), None | Some(b'#'));
            let count = text[..whole].lines().filter(sample).count();
            prop_assert!(same(&kept, &samples[..count]), "{:?}", String::from_utf8_lossy(cut));
            let rest = cut[whole..].trim_ascii();
            prop_assert_eq!((seen.invalid, seen.truncated), (0, !rest.is_empty() && rest != b"# EOF"));
        }
    }
}

/// Nothing panics, and every line is accounted for.
fn survived(bytes: &[u8]) -> Result<(), TestCaseError> {
    let _ = is_exposition(bytes);
    let (kept, seen) = all(bytes);
    prop_assert_eq!((kept.len() as u64, seen.bytes), (seen.samples, bytes.len() as u64));
    prop_assert_eq!(seen.invalid_lines.len() as u64, seen.invalid.min(5));
    prop_assert!(seen.samples + seen.skipped + seen.invalid <= seen.lines);
    prop_assert!(!kept.iter().any(|sample| sample.name.is_empty()));
    Ok(())
}
