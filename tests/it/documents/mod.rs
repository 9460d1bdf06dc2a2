//! What README.md and `docs/` tell people to type is typed here, by a real bash, and what they quote is compared with what is printed.
//!
//! Names stand for what a reader has (`logs/`, `before.prom`, a server's address): a folder holds stand-ins, made of the samples.
//! Programs that need a cluster or a cloud are stood in for by scripts that print a sample, so each pipe itself runs; nothing else is on
//! `PATH`, so a command without a stand-in fails by its name.

mod bless;
mod generated;
mod prometheus;
mod stand_ins;

use std::path::{Path, PathBuf};

use regex::Regex;
use stand_ins::StandIns;

/// A block between fences.
struct Block {
    place: String,
    language: String,
    lines: Vec<String>,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<PathBuf> = std::fs::read_dir(root.join("docs"))
        .expect("docs")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    all.sort();
    all.insert(0, root.join("README.md"));
    all
}

fn blocks(path: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (mut all, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                let place = format!("{name}:{}", number + 1);
                open = Some(Block { place, language: language.into(), lines: Vec::new() });
            }
            (Some(_), Some(_)) => all.extend(open.take()),
            (None, Some(block)) => block.lines.push(line.into()),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a fence is not closed");
    all
}

/// The questions' commands stand in a table.
fn spans(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let code = Regex::new("`(podlag [^`]+)`").expect("a pattern");
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with("| ") && line.contains('?'));
    rows.flat_map(|(number, line)| {
        code.captures_iter(line).map(move |found| (format!("README.md:{}", number + 1), found[1].to_owned()))
    })
    .collect()
}

/// Of ten questions each has a command.
#[test]
fn ten_questions_are_answered() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&readme).expect("README.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("? | `podlag ")).count();
    assert_eq!(rows, 10);
    assert!(spans(&readme).len() >= 10);
}

/// The quoted piece that is not there, if one is.
fn quotes(quoted: &[String], printed: &[&str]) -> Result<(), String> {
    let pieces: Vec<&[String]> = quoted.split(|line| line.trim() == "…").collect();
    let (mut at, last) = (0, pieces.len() - 1);
    for (number, piece) in pieces.iter().enumerate() {
        let fits = |from: usize| {
            let lines = printed.get(from..from + piece.len());
            lines.is_some_and(|lines| lines.iter().zip(piece.iter()).all(|(line, quoted)| line == quoted))
        };
        let found = match (number, number == last) {
            (0, true) => (fits(0) && piece.len() == printed.len()).then_some(0),
            (0, false) => fits(0).then_some(0),
            (_, true) if piece.is_empty() => Some(printed.len()),
            (_, true) => printed.len().checked_sub(piece.len()).filter(|from| *from >= at && fits(*from)),
            (_, false) => (at..=printed.len()).find(|from| fits(*from)),
        };
        at = found.ok_or_else(|| piece.join("\n"))? + piece.len();
    }
    Ok(())
}

#[test]
fn a_wrong_quote_is_seen() {
    let lines = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
    let printed = ["a", "b", "c", "d"];
    for right in ["a|b|c|d", "a|…", "…|d", "a|…|c|d", "a|  …|c|…", "…|b|c|…"] {
        assert_eq!(quotes(&lines(right), &printed), Ok(()), "{right}");
    }
    for wrong in ["a|b|c", "b|…", "…|c", "a|…|e|…", "a|…|c|…|b|…", "a|c|…", "A|…"] {
        assert!(quotes(&lines(wrong), &printed).is_err(), "{wrong}");
    }
}

/// Links to files of these sources lead somewhere.
#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").expect("a pattern");
    let more = ["CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(|name| root.join(name));
    let mut count = 0;
    for path in documents().into_iter().chain(more) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for found in link.captures_iter(&text) {
            let target = path.parent().expect("a folder").join(&found[1]);
            assert!(target.exists(), "{}: {} leads nowhere", path.display(), &found[1]);
            let Some(anchor) = found.get(2) else { continue };
            let target = std::fs::read_to_string(&target).expect("a document");
            let words = |line: &str| {
                line.trim_start_matches('#').trim().to_lowercase().replace([',', '?'], "").replace(' ', "-")
            };
            let there =
                target.lines().filter(|line| line.starts_with('#')).any(|line| words(line) == anchor.as_str()[1..]);
            assert!(there, "{}: no heading {}", path.display(), anchor.as_str());
            count += 1;
        }
    }
    assert!(count >= 2, "{count} links to headings");
}

/// Places that recipes name are there.
#[test]
fn recipes_name_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Regex::new(r"`((?:src|tests|grammars|benches|docs|\.ci)/[A-Za-z0-9_./-]+)`").expect("a pattern");
    let mut count = 0;
    for name in ["CONTRIBUTING.md", "README.md", "ARCHITECTURE.md"] {
        let text = std::fs::read_to_string(root.join(name)).expect("a document");
        for found in place.captures_iter(&text) {
            assert!(root.join(&found[1]).exists(), "{name} names {}, which is not there", &found[1]);
            count += 1;
        }
    }
    assert!(count >= 15, "{count} places");
}

mod external {
    use super::*;

    #[test]
    fn every_command_runs() {
        let stand_ins = StandIns::new();
        let mut count = 0;
        let mut wrong = Vec::new();
        for path in documents() {
            for block in blocks(&path).iter().filter(|block| block.language == "sh") {
                for line in block.lines.iter().filter(|line| !line.trim().is_empty()) {
                    count += 1;
                    wrong
                        .extend(stand_ins.run(line).err().map(|trouble| format!("{}: {line}\n{trouble}", block.place)));
                }
            }
        }
        for (place, command) in spans(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md").as_path()) {
            count += 1;
            wrong.extend(stand_ins.run(&command).err().map(|trouble| format!("{place}: {command}\n{trouble}")));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        assert!(count >= 70, "{count} commands");
    }

    /// A quoted output says what is printed, byte for byte; a line that is `…` alone stands for any number of lines. `BLESS=1` renews it.
    #[test]
    fn quoted_output_is_what_is_printed() {
        let stand_ins = StandIns::new();
        let mut count = 0;
        let mut wrong = Vec::new();
        for path in documents() {
            for block in blocks(&path).iter().filter(|block| block.language.is_empty()) {
                let Some((command, quoted)) = block.lines.split_first() else {
                    panic!("{}: an empty block", block.place)
                };
                let command = command
                    .strip_prefix("$ ")
                    .unwrap_or_else(|| panic!("{}: no command before its output", block.place));
                let printed =
                    stand_ins.run(command).unwrap_or_else(|trouble| panic!("{}: {command}\n{trouble}", block.place));
                let printed: Vec<&str> = printed.lines().collect();
                count += 1;
                let Err(line) = quotes(quoted, &printed) else { continue };
                if bless::wanted() {
                    let block = |lines: &[String]| format!("```\n$ {command}\n{}\n```", lines.join("\n"));
                    bless::replace(&path, &block(quoted), &block(&bless::renewed(quoted, &printed)));
                } else {
                    let printed = printed.join("\n");
                    wrong.push(format!("{}: {command} does not print\n{line}\nbut\n{printed}", block.place));
                }
            }
        }
        assert!(wrong.is_empty(), "{}\n\nrun this test with BLESS=1 to renew what is quoted", wrong.join("\n\n"));
        assert!(count >= 4, "{count} outputs are quoted");
    }
}
