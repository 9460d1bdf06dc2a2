//! URLs: which are accepted, and how they are shown.

use reqwest::Url;

use super::error::{HttpError, HttpErrorKind};
use crate::model::text::sanitize;

/// A query parameter whose name contains one of these holds a secret.
const SECRET_PARAMETERS: [&str; 6] = ["token", "key", "password", "sig", "secret", "auth"];

/// `url` as it may be printed: without user and password, without fragment, and with `***` for the value of every query
/// parameter whose name contains `token`, `key`, `password`, `sig`, `secret` or `auth`.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let text = match Url::parse(url) {
        Ok(mut parsed) if is_http(&parsed) => {
            strip_userinfo(&mut parsed);
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
        Some((path, query)) => format!("{path}?{}", query.split('&').map(mask_secret).collect::<Vec<_>>().join("&")),
    })
}

/// A query's `name=value`, the value masked if the name says that it is a secret.
fn mask_secret(pair: &str) -> String {
    let Some((name, _)) = pair.split_once('=') else { return pair.to_owned() };
    let plain = percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    if SECRET_PARAMETERS.iter().any(|part| plain.contains(part)) { format!("{name}=***") } else { pair.to_owned() }
}

/// The URL to fetch, without user and fragment, and the user name that it had (empty if none).
pub(super) fn parse_url(text: &str) -> Result<(Url, String), HttpError> {
    let invalid =
        |message: &str, help: &str| HttpError::new(HttpErrorKind::InvalidUrl, &redact_url(text), message, help);
    if !text.contains("://") && (text.starts_with("http:") || text.starts_with("https:")) {
        return Err(invalid("the URL has no host", "Add it, for example http://localhost:9090."));
    }
    if !text.contains("://") {
        return Err(invalid("the URL has no http:// or https://", "Add it, for example http://localhost:9090."));
    }
    let mut url = Url::parse(text)
        .map_err(|error| invalid(&format!("invalid URL ({error})"), "Check it; use --user instead of user@host."))?;
    if !is_http(&url) {
        return Err(invalid("unsupported URL scheme", "Use http:// or https://."));
    }
    if url.password().is_some() {
        let message = "a password in the URL is visible in process lists";
        return Err(invalid(message, "Use --user NAME with --password-file FILE or PODLAG_PASSWORD."));
    }
    let user = percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
    strip_userinfo(&mut url);
    Ok((url, user))
}

/// Removes what is not sent to a server as part of the URL.
pub(super) fn strip_userinfo(url: &mut Url) {
    // These fail only for URLs without a host, which no http URL is.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
}

/// `query` as a form-encoded body.
pub(super) fn form_encode(query: &[(&str, &str)]) -> String {
    // Any URL does: a form is encoded like a query.
    let Ok(mut url) = Url::parse("http://localhost") else { return String::new() };
    url.query_pairs_mut().extend_pairs(query);
    url.query().unwrap_or_default().to_owned()
}

pub(super) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(redact_url("http://me:hush@h:9/a?x=1&API_Key=hush&y=2#hush"), "http://h:9/a?x=1&API_Key=***&y=2");
        assert_eq!(redact_url("http://h/?to%6ben=hush"), "http://h/?to%6ben=***");
        assert_eq!(redact_url("http://me:hu/sh@h/"), "http://h/");
        assert_eq!(redact_url("me:hush@h/?sig=hush"), "h/?sig=***");
        assert_eq!(redact_url("h\u{1b}[2J"), "h\u{fffd}[2J");
    }

    #[test]
    fn addresses() {
        let (url, user) = parse_url("http://a%20b@h:9/p?q=1#f").unwrap();
        assert_eq!((url.as_str(), user.as_str()), ("http://h:9/p?q=1", "a b"));
        for (text, words) in [
            ("localhost:9090", "no http:// or https://"),
            ("http:/api/v1/query", "no host"),
            ("ftp://h/", "unsupported URL scheme"),
            ("http://h:99999/", "invalid URL (invalid port number)"),
            ("https://me:hush@h/", "process lists"),
            ("https://me:hu/sh@h/", "invalid URL"),
        ] {
            let error = parse_url(text).unwrap_err();
            assert_eq!(error.kind, HttpErrorKind::InvalidUrl);
            assert!(error.message.contains(words), "{error}");
            assert!(!format!("{error} {error:?}").contains("hu"), "{error:?}");
        }
    }
}
