//! What a mistyped word was probably meant to be.

/// Nothing sensible is longer, and the distance takes time by the square.
const LONGEST: usize = 100;

/// The candidate that a name was probably meant to be.
#[must_use]
pub fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .filter_map(|candidate| Some((distance(name, candidate)?, candidate)))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

/// How many letters differ, where that is few enough for a mistake; a beginning is close to the whole.
#[must_use]
pub fn distance(name: &str, candidate: &str) -> Option<usize> {
    let length = name.chars().count();
    if length > LONGEST || candidate.len() > 4 * LONGEST {
        return None;
    }
    let (name, candidate) = (name.to_lowercase(), candidate.to_lowercase());
    let steps = strsim::osa_distance(&name, &candidate);
    let close = steps <= (length / 3).max(1) || (length > 1 && candidate.starts_with(&name));
    close.then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_has_its_neighbour() {
        let verbs = ["explain", "chain", "check"];
        let near = |name: &str| nearest(name, verbs.into_iter());
        assert_eq!(
            [near("explian"), near("chian"), near("expl"), near("kubelet.log")],
            [Some("explain"), Some("chain"), Some("explain"), None]
        );
        assert_eq!(near(&"x".repeat(1000)), None);
    }
}
