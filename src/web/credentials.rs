//! The credentials of one request, and keeping them out of what is shown.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::error::{HttpError, HttpErrorKind};
use super::options::ClientOptions;

/// Shorter secrets are not masked in what a server says: they would match in any text.
const MIN_SECRET_LEN: usize = 4;

/// How the user authenticates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Nothing,
    Token,
    Password,
    Header,
}

/// The headers that only the origin the user named may get.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) login: Login,
    pub(super) headers: HeaderMap,
    secrets: Vec<String>,
}

impl Credentials {
    /// From the options and the user name in the URL, over which `--user` takes precedence.
    pub(super) fn new(
        options: &ClientOptions,
        url_user: &str,
        client: &reqwest::blocking::Client,
    ) -> Result<Self, HttpError> {
        let invalid = |option: &str, message: &str, help: &str| {
            Err(HttpError::new(HttpErrorKind::InvalidOption, option, message, help))
        };
        let mut headers = parse_headers(&options.headers)?;
        let mut secrets: Vec<String> =
            options.headers.iter().map(|(_, value)| value.reveal().trim().to_owned()).collect();
        let user = options.user.as_deref().or(Some(url_user).filter(|user| !user.is_empty()));
        let login = match (&options.token, user, &options.password) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return invalid("--token-file", "a token and a user exclude each other", "Set only one of them.");
            }
            (Some(token), ..) if token.reveal().trim().is_empty() => {
                return invalid("--token-file", "the token is empty", "Check the file, or PODLAG_TOKEN.");
            }
            (Some(_), ..) => Login::Token,
            (_, Some(_), _) => Login::Password,
            (_, _, Some(_)) => return invalid("--password-file", "a password without a user", "Set --user NAME."),
            _ if headers.contains_key(AUTHORIZATION) => Login::Header,
            _ => Login::Nothing,
        };
        if matches!(login, Login::Token | Login::Password) && headers.contains_key(AUTHORIZATION) {
            return invalid("--header", "an Authorization header excludes a token or user", "Set only one of them.");
        }
        // A request that is never sent: reqwest knows how to write these headers, and that they are sensitive.
        let draft = client.get("http://localhost");
        let password = options.password.as_ref().map(super::Secret::reveal);
        let draft = match (&options.token, user) {
            (Some(token), _) => draft.bearer_auth(token.reveal().trim()),
            (_, Some(user)) => draft.basic_auth(user, Some(password.unwrap_or_default())),
            _ => draft,
        };
        let Ok(draft) = draft.build() else {
            let help = "Check the file, or PODLAG_TOKEN: it must be text on one line.";
            return invalid("--token-file", "the token contains characters that are invalid in a header", help);
        };
        headers.extend(draft.headers().get(AUTHORIZATION).map(|value| (AUTHORIZATION, value.clone())));
        secrets.extend(password.map(str::to_owned));
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        secrets.extend(sent.and_then(|value| value.split_whitespace().last()).map(str::to_owned));
        secrets.retain(|secret| secret.len() >= MIN_SECRET_LEN);
        // The longest first, as one may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Ok(Self { login, headers, secrets })
    }

    /// `text` with `***` where a server repeats a secret that it was sent.
    pub(super) fn mask(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The user's own headers. An invalid name is not shown: without a colon it contains the value.
fn parse_headers(given: &[(String, super::Secret)]) -> Result<HeaderMap, HttpError> {
    let invalid = |message: String| {
        HttpError::new(HttpErrorKind::InvalidOption, "--header", message, "Use NAME: VALUE on one line.")
    };
    let mut headers = HeaderMap::new();
    for (at, (name, value)) in given.iter().enumerate() {
        let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes()) else {
            return Err(invalid(format!("invalid name of header {}", at + 1)));
        };
        let Ok(mut value) = HeaderValue::from_str(value.reveal().trim()) else {
            return Err(invalid(format!("invalid character in the value of header {name}")));
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}
