//! Tables of documents that the program makes: between `<!-- NAME -->` and `<!-- /NAME -->` stands what it says, renewed by `BLESS=1`.

use std::fmt::Write as _;
use std::path::Path;

use super::bless;
use crate::support::podlag;

fn printed(arguments: &[&str]) -> String {
    let output = podlag().args(arguments).output().expect("podlag runs");
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Compares what stands between a document's marks with what should.
fn compare(document: &str, name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let was = text.split_once(&begin).and_then(|(_, rest)| Some(rest.split_once(&end)?.0));
    let was = was.unwrap_or_else(|| panic!("{document}: nothing stands between <!-- {name} --> and its end"));
    if was != table && bless::wanted() {
        bless::replace(&path, &format!("{begin}{was}{end}"), &format!("{begin}{table}{end}"));
    } else {
        assert_eq!(was, table, "{document}: run this test with BLESS=1 to renew the table");
    }
}

/// `podlag explain` lists causes below the names of their groups; the last line of each one's page is what shows it.
#[test]
fn causes_are_those_that_explain_lists() {
    let mut table = String::new();
    for line in printed(&["explain"]).lines() {
        let Some(cause) = line.strip_prefix("  ") else {
            let blank = if table.is_empty() { "" } else { "\n" };
            write!(table, "{blank}### {line}\n\n| cause | what it is | shown by |\n| --- | --- | --- |\n")
                .expect("text");
            continue;
        };
        let (id, title) = cause.split_once(' ').expect("an id and its title");
        let page = printed(&["explain", id]);
        let shown_by = page.lines().last().and_then(|line| line.split_once(": ")).expect("what shows it").1;
        writeln!(table, "| `{id}` | {} | {shown_by} |", title.trim().trim_end_matches('.')).expect("text");
    }
    compare("docs/causes.md", "causes", &table);
}

#[test]
fn columns_are_those_that_check_lists() {
    let mut table = String::from("| column | meaning |\n| --- | --- |\n");
    for line in printed(&["check", "--columns"]).lines() {
        let (column, meaning) = line.split_once(' ').expect("a column and its meaning");
        writeln!(table, "| `{column}` | {} |", meaning.trim()).expect("text");
    }
    compare("docs/table.md", "columns", &table);
}

/// Phases are the columns from the first to what is left over.
#[test]
fn phases_are_those_that_check_lists() {
    let columns = printed(&["check", "--columns"]);
    let mut table = String::from("| phase | from → to |\n| --- | --- |\n");
    for line in columns.lines().skip_while(|line| !line.starts_with("scheduling_s")) {
        let (column, meaning) = line.split_once(' ').expect("a column and its meaning");
        writeln!(table, "| `{}` | {} |", column.trim_end_matches("_s"), meaning.trim()).expect("text");
        if column == "unattributed_s" {
            break;
        }
    }
    compare("docs/accuracy.md", "phases", &table);
}
