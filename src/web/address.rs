//! Addresses: which are accepted, and how they are shown.

use reqwest::Url;

use super::trouble::{HttpError, Kind};
use crate::model::text::sanitize;

/// Parts of a query parameter's name that make its value a secret.
const SECRET: [&str; 6] = ["token", "key", "password", "sig", "secret", "auth"];

/// `url` as it may be printed: without user and password, without fragment, and with `***` for the value of every query
/// parameter whose name contains `token`, `key`, `password`, `sig`, `secret` or `auth`.
#[must_use]
pub fn shown(url: &str) -> String {
    let text = match Url::parse(url) {
        Ok(mut parsed) if web(&parsed) => {
            strip(&mut parsed);
            parsed.to_string()
        }
        // What cannot be parsed may be a password with a slash in it: everything before the last @ may belong to it.
        _ => {
            let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
            format!("{scheme}{}", rest.rsplit('@').next().unwrap_or_default())
        }
    };
    let text = text.split('#').next().unwrap_or_default();
    sanitize(&match text.split_once('?') {
        None => text.to_owned(),
        Some((path, query)) => format!("{path}?{}", query.split('&').map(masked).collect::<Vec<_>>().join("&")),
    })
}

/// A query's `name=value`, the value masked if the name says that it is a secret.
fn masked(pair: &str) -> String {
    let Some((name, _)) = pair.split_once('=') else { return pair.to_owned() };
    let plain = percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    if SECRET.iter().any(|part| plain.contains(part)) { format!("{name}=***") } else { pair.to_owned() }
}

/// The URL to fetch, without user and fragment, and the user's name that stood in it (empty if none).
pub(super) fn parse(text: &str) -> Result<(Url, String), HttpError> {
    let trouble = |message: &str, help: &str| HttpError::new(Kind::Address, &shown(text), message, help);
    if !text.contains("://") {
        let message = "the address begins with neither http:// nor https://";
        return Err(trouble(message, "Write it out, for example http://localhost:9090."));
    }
    let mut url = Url::parse(text).map_err(|error| {
        trouble(&format!("the address is no URL ({error})"), "Check it; a user belongs into --user, not before an @.")
    })?;
    if !web(&url) {
        return Err(trouble("only http:// and https:// are spoken", "Check how the address begins."));
    }
    if url.password().is_some() {
        let message = "a password in a URL is seen by every process list";
        return Err(trouble(message, "Give --user NAME with --password-file FILE or PODLAG_PASSWORD."));
    }
    let user = percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
    strip(&mut url);
    Ok((url, user))
}

/// Takes out what is not sent to a server as part of the address.
pub(super) fn strip(url: &mut Url) {
    // These fail only for URLs without a host, which no http URL is.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
}

/// `query` as a form's body.
pub(super) fn encoded(query: &[(&str, &str)]) -> String {
    // Any URL does: what a form holds is written like a query.
    let Ok(mut url) = Url::parse("http://localhost") else { return String::new() };
    url.query_pairs_mut().extend_pairs(query);
    url.query().unwrap_or_default().to_owned()
}

pub(super) fn web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(shown("http://me:hush@h:9/a?x=1&API_Key=hush&y=2#hush"), "http://h:9/a?x=1&API_Key=***&y=2");
        assert_eq!(shown("http://h/?to%6ben=hush"), "http://h/?to%6ben=***");
        assert_eq!(shown("http://me:hu/sh@h/"), "http://h/");
        assert_eq!(shown("me:hush@h/?sig=hush"), "h/?sig=***");
        assert_eq!(shown("h\u{1b}[2J"), "h\u{fffd}[2J");
    }

    #[test]
    fn addresses() {
        let (url, user) = parse("http://a%20b@h:9/p?q=1#f").unwrap();
        assert_eq!((url.as_str(), user.as_str()), ("http://h:9/p?q=1", "a b"));
        for (text, words) in [
            ("localhost:9090", "neither http:// nor https://"),
            ("ftp://h/", "only http:// and https://"),
            ("http://h:99999/", "no URL (invalid port number)"),
            ("https://me:hush@h/", "every process list"),
            ("https://me:hu/sh@h/", "no URL"),
        ] {
            let trouble = parse(text).unwrap_err();
            assert_eq!(trouble.kind, Kind::Address);
            assert!(trouble.message.contains(words), "{trouble}");
            assert!(!format!("{trouble} {trouble:?}").contains("hu"), "{trouble:?}");
        }
    }
}
