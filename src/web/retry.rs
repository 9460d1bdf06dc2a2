//! When to retry, and how long to wait before.

use std::time::Duration;

use chrono::DateTime;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The wait after the first attempt; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest wait when the server does not say how long.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// The longest `Retry-After` that is honoured, in seconds.
const MAX_RETRY_AFTER_S: u64 = 60;

/// Whether the same request may succeed a little later after a response with this status.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// How long to wait after this many attempts, at least 1.
pub(super) fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(6)).min(MAX_PAUSE)
}

/// How long the server asks to wait. A date is taken relative to the response's own, as the clocks need not agree.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    let wanted = text(RETRY_AFTER)?;
    let seconds = match wanted.parse() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from((date(wanted)? - date(text(DATE)?)?).num_seconds()).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER_S)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let waits: Vec<_> = [1, 2, 3, 6, 7, 8, u32::MAX].map(|attempts| pause(attempts).as_millis()).into();
        assert_eq!(waits, [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn a_server_may_ask_for_up_to_a_minute() {
        let after = |wanted: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, wanted.parse().unwrap());
            date.map(|date| headers.insert(DATE, date.parse().unwrap()));
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(after("7", None), Some(7));
        assert_eq!(after("86400", None), Some(60));
        assert_eq!(after("Wed, 21 Oct 2015 07:28:09 GMT", date), Some(9));
        assert_eq!(after("Wed, 21 Oct 2015 07:27:00 GMT", date), Some(0));
        assert_eq!(after("Wed, 21 Oct 2015 07:28:09 GMT", None), None);
        assert_eq!(after("soon", date), None);
    }
}
