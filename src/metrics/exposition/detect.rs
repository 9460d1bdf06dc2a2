//! Whether a text is an exposition page. Careful: a log taken for one would be lost, a page taken for a log is only a
//! log without a startup.

use super::lines::stripped;
use super::scan::{self, Series};

/// So many samples prove a page that has no comments.
const MIN_SAMPLES: usize = 3;
/// Prometheus' kinds of metrics, then OpenMetrics'.
const METRIC_TYPES: [&str; 9] =
    ["counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset", "gaugehistogram"];

/// Whether a text's first bytes are an exposition page rather than a log; they may be cut anywhere, 8 KiB are enough.
///
/// It takes a `# HELP` or `# TYPE` of a metric, a `# EOF`, or three samples, and nothing else before.
#[must_use]
pub fn is_exposition(first: &[u8]) -> bool {
    let mut samples = 0;
    let mut helped = "";
    for line in first.split(|&byte| byte == b'\n') {
        // The last line may be cut; as it is the last, it can only prove or not.
        let Ok(text) = std::str::from_utf8(stripped(line)) else { return false };
        match LineKind::of(text) {
            LineKind::Silent => {}
            LineKind::Metrics => return true,
            LineKind::Help(name) => helped = name,
            LineKind::Sample(name) if name == helped => return true,
            LineKind::Sample(name) if is_metric_name(name) => samples += 1,
            LineKind::Labelled => samples += 1,
            LineKind::Sample(_) | LineKind::Other => return false,
        }
        if samples == MIN_SAMPLES {
            return true;
        }
    }
    false
}

/// What a line says of the text it is in.
enum LineKind<'a> {
    /// Nothing: blank, or a `# UNIT` as OpenMetrics has it.
    Silent,
    /// That it is a page.
    Metrics,
    /// That it is one if a sample of this name follows: the name alone is a word, and this may be prose.
    Help(&'a str),
    /// A sample without braces.
    Sample(&'a str),
    /// A sample with braces.
    Labelled,
    /// That it is none.
    Other,
}

impl<'a> LineKind<'a> {
    fn of(line: &'a str) -> Self {
        match line.strip_prefix('#') {
            Some(comment) => Self::of_comment(comment.trim_ascii()),
            None if line.is_empty() => Self::Silent,
            None => match Series::scan(line, Vec::new()) {
                Ok(series) if !series.valid() => Self::Other,
                Ok(_) if line.contains('{') => Self::Labelled,
                Ok(_) => Self::Sample(scan::name(line.as_bytes()).0),
                Err(_) => Self::Other,
            },
        }
    }

    fn of_comment(comment: &'a str) -> Self {
        let (keyword, about) = comment.split_once([' ', '\t']).unwrap_or((comment, ""));
        let about = about.trim_ascii();
        // A quoted name may hold blanks; that of a HELP need not be read for that.
        let (first, quoted) = (about.split_ascii_whitespace().next().unwrap_or_default(), about.starts_with('"'));
        match keyword {
            "EOF" if about.is_empty() => Self::Metrics,
            "TYPE" => match about.rsplit_once([' ', '\t']) {
                Some((name, kind)) if METRIC_TYPES.contains(&kind) && (quoted || metric(name.trim_ascii())) => {
                    Self::Metrics
                }
                _ => Self::Other,
            },
            "HELP" if quoted || is_metric_name(first) => Self::Metrics,
            "HELP" if metric(first) => Self::Help(first),
            "UNIT" if quoted || metric(first) => Self::Silent,
            _ => Self::Other,
        }
    }
}

fn metric(name: &str) -> bool {
    let (read, rest) = scan::name(name.as_bytes());
    rest.is_empty() && !read.is_empty()
}

/// Whether a name is a metric's and no word: in YAML a key may look like a sample's name, but for its last colon.
fn is_metric_name(name: &str) -> bool {
    metric(name) && name.contains(['_', ':']) && !name.ends_with(':')
}
