//! Registry mirror did not serve the image.

use super::registry_slow::MIN_RATE;
use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::Span;
use crate::model::phase::Phase;
use crate::model::startup::Transfer;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "registry-mirror-failing",
    title: "Registry mirror did not serve the image",
    advice: &[Advice::new(0, "repair the mirror, or remove it from containerd's registry configuration (certs.d/HOST/hosts.toml; no restart is needed); with containerd 2.1 or later, a short dial_timeout there limits the wait for a mirror that is down")
        .side_effect("without the mirror, all pulls reach the registry and its rate limits")],
    text: "\
What it means
containerd asks the mirrors of a registry first, one after the other, and the registry last. A mirror that is down costs 30 s, the default time limit of a connection; one that accepts the connection and does not answer costs more.

How it is detected
`trying next host` in containerd's log with the host of a mirror. The time from the start of the pull, or from the previous such line, to this line was spent on that mirror. If the line names only the host (an answer such as 503), it counts only if no other pull was in progress, and nothing of it is certain. After a mirror that took 1 s or more, the rest of the pull counts too if it was slower than 10 MB/s, because containerd asks the mirror again for each layer; no line shows these requests, so only the part up to the line is certain.

What to do
Check from the node that the mirror answers: `curl -m 5 https://MIRROR/v2/`. Look for mirrors that are pods of the same cluster: they cannot serve the images that the network of a new node needs.

When it misleads
The layers after a slow mirror may have been slow because of the registry. The mirror's time in a pull of the sandbox (pause) image is not seen: containerd logs no start of that pull. A mirror that does not have the image and says so at once costs nothing.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a mirror without the image answers within milliseconds (captures); one that is down costs up to 30 s",
    shown_by: &[Evidence::RuntimeLog],
    phases: &[Phase::ImagePull],
    logs: Some(|case| {
        let spans: Vec<&Span> = case.spans(Phase::ImagePull).filter(|span| span.to > span.from).collect();
        let mut within = Vec::new();
        let mut certain = Nanos(0);
        for (number, span) in spans.iter().enumerate().filter(|(_, span)| is_of_mirror(span)) {
            within.push((span.from, span.to));
            certain = certain + span.min;
            // Layers are asked of the mirrors too, which no line shows.
            let rest = spans.get(number + 1).filter(|rest| rest.from == span.to && !is_of_mirror(rest));
            let mirrored = |pull: &&Transfer| pull.failed_mirrors.iter().any(|mirror| mirror.to == span.to);
            let pull = case.startup.transfers.iter().find(mirrored);
            within.extend(rest.filter(|_| pull.is_some_and(is_slow)).map(|rest| (rest.from, rest.to)));
        }
        let longest = spans.iter().filter(|span| is_of_mirror(span)).max_by_key(|span| span.to - span.from)?;
        let waited_for = longest.waited_for.clone();
        Some(Match { place: longest.place, waited_for, at_most: Some(certain), within, ..Match::default() })
    }),
    metrics: None,
};

fn is_of_mirror(span: &Span) -> bool {
    matches!(span.waited_for, Some(WaitedFor::Mirror(_)))
}

/// A mirror took long, and what came after it was not quick.
fn is_slow(pull: &Transfer) -> bool {
    let longest = pull.failed_mirrors.iter().map(|mirror| mirror.to - mirror.from).max();
    longest >= Some(Nanos(SECOND)) && pull.rate.is_none_or(|rate| rate < MIN_RATE)
}
