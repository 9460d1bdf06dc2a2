//! Which container an event is about, where the text does not show it: an API event names it in its `fieldPath`, the tables that
//! kubectl writes do not, and since 1.35 the messages do not either. A pod's containers are started one after the other, in
//! their order, and a pull names the image.

use std::collections::HashSet;

use super::container::Container;
use super::describe::MAX_CONTAINERS;
use super::row::Row;

/// A container starts within so many events.
const MAX_RUN: usize = 20;

/// Completes the rows of one pod, in the order of time; `containers` are empty where they are not known.
pub(super) fn name(rows: &mut [Row], containers: &[Container]) {
    let mut known: Vec<Known> = containers
        .iter()
        .map(|container| Known {
            init: container.init,
            name: Some(container.name.clone()),
            image: container.image.clone(),
            started: false,
        })
        .collect();
    let fixed = !known.is_empty();
    let mut current: Option<usize> = (known.len() == 1).then_some(0);
    let mut chosen: Vec<Option<usize>> = Vec::with_capacity(rows.len());
    // An event that is repeated is counted: two with the same words are of two containers.
    let mut seen: HashSet<(usize, &str, &str)> = HashSet::new();
    let about: Vec<&Row> = rows.iter().filter(|row| of_container(row)).collect();
    for (number, row) in about.iter().enumerate() {
        // What follows of the same container: until it has started, or another image is named.
        let mine = |later: &Row| image(&later.message).is_none_or(|later| image(&row.message) == Some(later));
        let end = about.iter().skip(number).take(MAX_RUN).position(|later| later.reason == "Started" || !mine(later));
        let run = || {
            about.iter().skip(number).take(end.map_or(MAX_RUN, |end| end + 1)).take(MAX_RUN).filter(|later| mine(later))
        };
        if let Some(name) = named(&row.message) {
            let mine = known.iter().position(|known| known.name.as_deref() == Some(name));
            // What was pulled for a container without a name was for this one.
            let open = current.filter(|at| known.get(*at).is_some_and(|known| known.name.is_none()));
            current = mine.or(open).or_else(|| add(&mut known, fixed, Some(name), ""));
            if let Some(known) = current.and_then(|at| known.get_mut(at)) {
                known.name.get_or_insert_with(|| name.to_owned());
            }
        } else if let Some(image) = image(&row.message) {
            let goes_on = |known: &Known| known.image == image && !known.started;
            let is_other = |at: usize| run().any(|row| seen.contains(&(at, &*row.reason, &*row.message)));
            let again = |(at, known): (usize, &Known)| (known.image == image && (fixed || !is_other(at))).then_some(at);
            let name = run().find_map(|row| named(&row.message));
            let by_name = known.iter().position(|known| name.is_some() && known.name.as_deref() == name);
            let same = current.filter(|at| known.get(*at).is_some_and(goes_on));
            let next = || known.iter().position(goes_on).or_else(|| known.iter().enumerate().find_map(again));
            current = match (by_name, name) {
                (Some(at), _) => Some(at),
                (None, Some(_)) if !fixed => add(&mut known, fixed, name, image),
                _ => same.or_else(next).or_else(|| add(&mut known, fixed, None, image)),
            };
            if current.is_none() {
                // An image that is mounted as a volume is of no container.
                chosen.push(None);
                continue;
            }
        } else if current.is_none() {
            current = known.iter().position(|known| !known.started).or_else(|| add(&mut known, fixed, None, ""));
        }
        chosen.push(current);
        seen.extend(current.map(|at| (at, &*row.reason, &*row.message)));
        if let Some(known) = current.and_then(|at| known.get_mut(at)).filter(|_| row.reason == "Started") {
            known.started = true;
        }
    }
    for (row, chosen) in rows.iter_mut().filter(|row| of_container(row)).zip(chosen) {
        if let Some((number, known)) = chosen.and_then(|at| Some((at, known.get(at)?))) {
            let kind = if known.init { "initContainers" } else { "containers" };
            let name = match &known.name {
                Some(name) => name.clone(),
                None if number == 0 => "?".to_owned(),
                None => format!("?{}", number + 1),
            };
            row.path = format!("spec.{kind}{{{name}}}");
        }
    }
}

struct Known {
    init: bool,
    name: Option<String>,
    image: String,
    started: bool,
}

/// A container that only events show.
fn add(known: &mut Vec<Known>, fixed: bool, name: Option<&str>, image: &str) -> Option<usize> {
    if fixed || known.len() >= MAX_CONTAINERS {
        return None;
    }
    known.push(Known { init: false, name: name.map(str::to_owned), image: image.to_owned(), started: false });
    Some(known.len() - 1)
}

/// Whether an event is about a container and does not say which.
fn of_container(row: &Row) -> bool {
    let about =
        ["Pulling", "Pulled", "Created", "Started", "Failed", "BackOff", "Unhealthy", "Killing", "ErrImageNeverPull"];
    row.path.is_empty() && about.contains(&&*row.reason)
}

/// The container that a message names.
fn named(message: &str) -> Option<&str> {
    const BEFORE: [&str; 6] = [
        "Created container: ",
        "Created container ",
        "Started container ",
        "Back-off restarting failed container ",
        "Stopping container ",
        "Container ",
    ];
    let rest = BEFORE.iter().find_map(|before| message.strip_prefix(before))?;
    let name = rest.split(' ').next()?;
    let is_label =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    // "Container image … already present", "Container created", "Container started".
    (is_label && !matches!(name, "image" | "created" | "started")).then_some(name)
}

/// The image that a message names.
fn image(message: &str) -> Option<&str> {
    let begins = [
        "Pulling image ",
        "Successfully pulled image ",
        "Container image ",
        "Failed to pull image ",
        "Back-off pulling image ",
    ];
    let quoted = begins.iter().find_map(|before| message.strip_prefix(before))?.strip_prefix('"')?;
    Some(quoted.split_once('"')?.0)
}
