//! The credentials of one request, and keeping them out of what is shown.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::access::Access;
use super::trouble::{HttpError, Kind};

/// A secret shorter than this is not looked for in what a server says: it would be found in any text.
const TELLING: usize = 4;

/// What proves the user to be who they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Nothing,
    Token,
    Password,
    Header,
}

/// The headers that only the origin the user named may get.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) login: Login,
    pub(super) headers: HeaderMap,
    secrets: Vec<String>,
}

impl Keys {
    /// From what the user gave and the name that stood in the URL, which an option outranks.
    pub(super) fn new(access: &Access, named: &str, client: &reqwest::blocking::Client) -> Result<Self, HttpError> {
        let wrong = |about: &str, message: &str, help: &str| Err(HttpError::new(Kind::Setting, about, message, help));
        let mut headers = extra(&access.headers)?;
        let mut secrets: Vec<String> =
            access.headers.iter().map(|(_, value)| value.reveal().trim().to_owned()).collect();
        let user = access.user.as_deref().or(Some(named).filter(|named| !named.is_empty()));
        let login = match (&access.token, user, &access.password) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return wrong("--token-file", "both a token and a user are given", "Give one of them.");
            }
            (Some(token), ..) if token.reveal().trim().is_empty() => {
                return wrong("--token-file", "the token is empty", "Check the file, or PODLAG_TOKEN.");
            }
            (Some(_), ..) => Login::Token,
            (_, Some(_), _) => Login::Password,
            (_, _, Some(_)) => return wrong("--password-file", "there is a password but no user", "Give --user NAME."),
            _ if headers.contains_key(AUTHORIZATION) => Login::Header,
            _ => Login::Nothing,
        };
        if matches!(login, Login::Token | Login::Password) && headers.contains_key(AUTHORIZATION) {
            return wrong("--header", "Authorization is given beside a token or a user", "Give one of them.");
        }
        // A request that is never sent: reqwest knows how to write these headers, and that they are sensitive.
        let draft = client.get("http://localhost");
        let password = access.password.as_ref().map(super::Secret::reveal);
        let draft = match (&access.token, user) {
            (Some(token), _) => draft.bearer_auth(token.reveal().trim()),
            (_, Some(user)) => draft.basic_auth(user, Some(password.unwrap_or_default())),
            _ => draft,
        };
        let Ok(draft) = draft.build() else {
            let help = "Check the file, or PODLAG_TOKEN: is it text, and one line?";
            return wrong("--token-file", "the token holds characters that a header must not hold", help);
        };
        headers.extend(draft.headers().get(AUTHORIZATION).map(|value| (AUTHORIZATION, value.clone())));
        secrets.extend(password.map(str::to_owned));
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        secrets.extend(sent.and_then(|value| value.split_whitespace().last()).map(str::to_owned));
        secrets.retain(|secret| secret.len() >= TELLING);
        // The longest first, as one may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Ok(Self { login, headers, secrets })
    }

    /// `text` with `***` where a server repeats a secret that it was sent.
    pub(super) fn hide(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The user's own headers. A name that is none is not repeated: who leaves out the colon has the value in it.
fn extra(given: &[(String, super::Secret)]) -> Result<HeaderMap, HttpError> {
    let wrong =
        |message: String| HttpError::new(Kind::Setting, "--header", message, "It wants NAME: VALUE, on one line.");
    let mut headers = HeaderMap::new();
    for (at, (name, value)) in given.iter().enumerate() {
        let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes()) else {
            return Err(wrong(format!("the name of header {} is no header name", at + 1)));
        };
        let Ok(mut value) = HeaderValue::from_str(value.reveal().trim()) else {
            return Err(wrong(format!("the value of header {name} holds characters that a header must not hold")));
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}
