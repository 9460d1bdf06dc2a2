//! The grammars prove themselves: every example is its own message and no other, and every fact is yielded by some line.

use podlag::internals::model::record::FACTS;
use podlag::internals::parse::grammar::{BUILT_IN, Grammars};

#[test]
fn every_example_is_its_own_message() {
    let grammars = Grammars::load(&[]).expect("the built-in grammars load");
    let wrong: Vec<String> = BUILT_IN.iter().flat_map(|(name, text)| grammars.check(name, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_pattern_is_right() {
    // The built-in ones are compiled when a line asks for them, others at once.
    let own: Vec<(String, String)> = BUILT_IN.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    Grammars::load(&own).expect("every pattern compiles and names fields");
}

#[test]
fn the_built_in_list_is_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the grammars folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    files.sort();
    let listed: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, listed, "BUILT_IN in src/grammar.rs and the folder grammars/ differ");
}

#[test]
fn every_fact_is_yielded_by_a_message() {
    let grammars = Grammars::load(&[]).expect("the built-in grammars load");
    // An object of the API is no message.
    for (fact, name) in FACTS.iter().filter(|(_, name)| *name != "pod-object") {
        assert!(grammars.messages().iter().any(|message| message.fact == *fact), "no message yields {name}");
    }
}

#[test]
fn mistakes_in_a_grammar_are_named() {
    let head = "title = 't'\ndescription = 'd'\ndefined-in = 'x'\nversions = '1'\ncomponent = 'kubelet'\n";
    let own =
        |message: &str| (String::from("own.toml"), format!("{head}[[message]]\nname = 'm'\nabout = 'a'\n{message}"));
    let refused = |message: &str| Grammars::load(&[own(message)]).expect_err("a wrong grammar loads").to_string();
    assert!(refused("literal = 'x'\ntext = 'x'\nyields = 'nonsense'").contains("unknown fact"));
    assert!(refused("literal = 'x'\nyields = 'flag'").contains("either `text` or `pattern`"));
    assert!(refused("literal = 'x'\npattern = '('\nyields = 'flag'").contains("own.toml: m:"));
    assert!(refused("literal = 'x'\npattern = '(?P<nofield>.)'\nyields = 'flag'").contains("unknown field nofield"));
    assert!(refused("literal = '\"x'\ntext = 'x'\nyields = 'flag'").contains("plain text"));
    let unproven = own("literal = 'x'\ntext = 'x'\nyields = 'flag'");
    let grammars = Grammars::load(std::slice::from_ref(&unproven)).expect("it is well formed");
    assert_eq!(grammars.check(&unproven.0, &unproven.1), ["own.toml: m: has no example"]);
}
