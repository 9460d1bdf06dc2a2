//! Pseudonyms in what a user asks of a report: simulated images, limits of a check.

use super::gate::expression::{Expression, Test, Value};
use super::replay::Scenario;
use crate::model::error::{Error, ErrorKind};
use crate::table::anonymize::{Anonymizer, Kind};

/// A scenario over pseudonyms instead of images.
pub fn scenario(anonymizer: &Anonymizer, scenario: &mut Scenario) {
    let named = scenario.prepull.clone();
    for (image, name) in scenario.prepull.iter_mut().zip(named) {
        *image = anonymizer.name(Kind::Image, &name);
        scenario.text = scenario.text.replace(&format!("prepull={name}"), &format!("prepull={image}"));
    }
}

/// A limit over pseudonyms instead of names.
///
/// # Errors
/// When it asks for names by a pattern, which pseudonyms do not match.
pub fn limit(anonymizer: &Anonymizer, limit: &mut Expression) -> Result<(), Error> {
    let tests = limit.condition.iter_mut().chain(&mut limit.filters);
    for Test { column, value, .. } in tests {
        if let Value::Text(name) = value {
            *name = anonymizer.asked(&column.name, name).ok_or_else(|| {
                let words = format!("--anonymize: pseudonyms match no pattern, such as {name:?}");
                Error::new(ErrorKind::Setting, words)
                    .help("give a complete name, or select startups with --namespace, --node, --pod or --workload")
            })?;
        }
    }
    limit.text = limit.to_string();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_asks_for_pseudonyms() {
        let anonymizer = Anonymizer::new([7; 16]);
        let parse = |text: &str| crate::report::gate::limits(&[text.to_owned()], false).unwrap().remove(0);
        let mut asked = parse("share(state=failed, namespace=shop) > 1%");
        limit(&anonymizer, &mut asked).unwrap();
        assert!(
            !asked.text.contains("shop") && asked.text.contains("state") && asked.text.contains("ns-"),
            "{}",
            asked.text
        );
        assert!(limit(&anonymizer, &mut parse("count(namespace=sh*) > 1")).is_err());
    }
}
