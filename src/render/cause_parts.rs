//! What the startups of one cause waited for, and why: the same words in every output.

use super::format_duration;
use super::sentences::plural;
use crate::model::text::sanitize;
use crate::model::waited_for::WaitedFor;
use crate::table::CauseLine;

/// How many names of one error are listed.
const NAMES: usize = 4;

/// What startups waited for, a line for each error or, without one, for each thing.
pub(super) fn of(line: &CauseLine) -> Vec<String> {
    let pods = |count: u64| plural(count as usize, "pod", "pods");
    let mut errors: Vec<(&str, u64, Vec<&str>)> = Vec::new();
    let mut all = Vec::new();
    for part in &line.parts {
        let named = part.waited_for.as_deref();
        let Some(error) = part.error.as_deref() else {
            let lost = format_duration(part.lost_s);
            let named = named.map(|named| match WaitedFor::from_text(named) {
                // It is the longest of those ahead: the wait is not its alone.
                WaitedFor::PullAhead(image) => {
                    format!("{}: longest behind {} (waited {lost} in all)", pods(part.pods), sanitize(&image))
                }
                _ => format!("{}: {} ({lost})", pods(part.pods), sanitize(named)),
            });
            all.extend(named);
            continue;
        };
        match errors.iter_mut().find(|(known, ..)| *known == error) {
            Some((_, count, names)) => {
                *count += part.pods;
                names.extend(named);
            }
            None => errors.push((error, part.pods, named.into_iter().collect())),
        }
    }
    let of_error = |(error, count, names): (&str, u64, Vec<&str>)| {
        let more = names.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names: Vec<String> = names.iter().take(NAMES).map(|name| sanitize(name)).collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({}{more})", names.join(", ")) };
        format!("{}: {}{names}", pods(count), sanitize(error))
    };
    let mut lines: Vec<String> = errors.into_iter().map(of_error).collect();
    lines.extend(all);
    lines
}
