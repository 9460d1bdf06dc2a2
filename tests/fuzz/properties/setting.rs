//! What a user says: the kubelets' configuration, other settings for a replay, patterns and instants for filters.

use chrono_tz::Tz;
use podlag::internals::causes::setting::Settings;
use podlag::internals::model::time::Time;
use podlag::internals::report::replay::Scenario;
use podlag::internals::table::filter::{glob, instant};

pub fn holds(data: &[u8]) {
    let text = &String::from_utf8_lossy(data);
    match Settings::of_config(text) {
        Ok(settings) => {
            assert_eq!(Settings::read(&settings.words()), settings, "what is written is read");
            assert_eq!(settings.clone().over(&settings), settings);
            assert!(
                settings.iter().all(|(knob, value)| settings.has(knob, value) || value.contains("NaN")),
                "{settings:?}"
            );
            let _ = (settings.conflicts(), settings.pull_concurrency());
        }
        Err(error) => super::assert_printable(&error.to_string()),
    }
    if let Ok(scenario) = Scenario::of(text) {
        let settings = scenario.settings.iter().map(|(knob, value)| format!("{}={value}", knob.name()));
        let images = scenario.prepull.iter().map(|image| format!("prepull={image}"));
        let words: Vec<String> = settings.chain(images).collect();
        let again = Scenario::of(&words.join(", ")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((again.settings, again.prepull), (scenario.settings, scenario.prepull));
    }
    if let Ok(pattern) = glob(text) {
        assert!(pattern.is_match(text), "a pattern fits itself");
        // A last letter fits only itself.
        let open = text.ends_with(['*', '?', '\u{1}']);
        assert!(open || !pattern.is_match(&format!("{text}\u{1}")), "{text:?}");
    }
    for now in [None, Some(Time(1_795_460_904_000_000_000))] {
        if let Ok(time) = instant(text, Tz::Europe__Berlin.into(), now) {
            assert_eq!(instant(&time.to_string(), Tz::UTC.into(), None).ok(), Some(time));
        }
    }
}
