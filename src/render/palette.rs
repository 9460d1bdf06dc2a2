//! The phases' colours, one set for all that is drawn: what is pulled is amber, what the runtime does cool, reporting pale.

use std::fmt::Write;

use crate::model::phase::{PHASES, Phase};

/// A phase's colour on light and on dark paper.
const fn colours(phase: Phase) -> (&'static str, &'static str) {
    match phase {
        Phase::Scheduling => ("#7388a8", "#7f95b8"),
        Phase::Volumes => ("#2a8a8a", "#3fa5a5"),
        Phase::ImageWait => ("#e8a33d", "#d99a3c"),
        Phase::ImagePull => ("#c26a12", "#b96a1f"),
        Phase::ImageBackoff => ("#8c4a10", "#8d5527"),
        Phase::Sandbox => ("#7d5fb2", "#8f73c4"),
        Phase::Init => ("#3f6fc4", "#5482d6"),
        Phase::Start => ("#3d8f4f", "#4ba35e"),
        Phase::RetryBackoff => ("#bd3f52", "#cc5467"),
        Phase::Detection => ("#a9719c", "#b57fa9"),
        Phase::StatusUpdate => ("#c58fb8", "#99658d"),
        Phase::Watch => ("#8f97a3", "#78818e"),
        Phase::Readiness => ("#b5c46a", "#8d9a4a"),
        Phase::Unattributed => ("#c6cbd2", "#4c545f"),
    }
}

/// Rules for a page, whose colour scheme its reader may choose: `--c` of each class `p-PHASE`.
pub(super) fn of_page() -> String {
    PHASES.iter().fold(String::new(), |mut rules, (phase, name)| {
        let (light, dark) = colours(*phase);
        let _ = writeln!(rules, ".p-{name} {{\n\t--c: light-dark({light}, {dark});\n}}");
        rules
    })
}

/// Rules for a picture, which many programs show that know the reader's scheme only by a media query: the `color` of each class `PHASE`.
pub(super) fn of_picture() -> String {
    let rule = |indent: &str, name: &str, colour: &str| format!("{indent}.podlag .{name} {{ color: {colour}; }}\n");
    let light: String = PHASES.iter().map(|(phase, name)| rule("", name, colours(*phase).0)).collect();
    let dark: String = PHASES.iter().map(|(phase, name)| rule("  ", name, colours(*phase).1)).collect();
    format!("{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_phases_look_the_same() {
        let mut all: Vec<&str> = PHASES.iter().map(|(phase, _)| colours(*phase).0).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), PHASES.len());
    }

    #[test]
    fn page_and_picture_have_the_same_colours() {
        let (page, picture) = (of_page(), format!("\n{}", of_picture()));
        for (phase, name) in PHASES {
            let (light, dark) = colours(*phase);
            assert!(page.contains(&format!(".p-{name} {{\n\t--c: light-dark({light}, {dark});")), "{page}");
            assert!(picture.contains(&format!("\n.podlag .{name} {{ color: {light}; }}")), "{picture}");
            assert!(picture.contains(&format!("  .podlag .{name} {{ color: {dark}; }}")), "{picture}");
        }
    }
}
