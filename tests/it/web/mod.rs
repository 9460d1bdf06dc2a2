//! The web client against servers on this machine, good and bad. Wherever something fails, no secret may show.

mod answers;
mod redirects;
pub mod server;
mod settings;
mod tls;

use std::time::Duration;

use podlag::internals::web::{Client, ClientOptions, HttpError, HttpErrorKind, Secret};

/// What must never be seen.
const TOKEN: &str = "tok-5f2d9c";
const PASSWORD: &str = "pass-81aa37";
const HEADER: &str = "head-c0ffee";

/// Without retries and without a proxy of this machine's environment.
fn access() -> ClientOptions {
    ClientOptions {
        proxy: Some(Secret::new("")),
        retries: 0,
        timeout: Duration::from_secs(20),
        ..ClientOptions::default()
    }
}

/// The same with a token and a header.
fn trusted() -> ClientOptions {
    let headers = vec![("X-Scope-OrgID".to_owned(), Secret::new(HEADER))];
    ClientOptions { token: Some(Secret::new(format!("{TOKEN}\n"))), headers, ..access() }
}

fn get(access: &ClientOptions, url: &str) -> Result<podlag::internals::web::Body, HttpError> {
    Client::new(access)?.get(url, &[], false)
}

/// The trouble there must be, checked to show no secret, neither plain nor as basic authentication writes it.
#[track_caller]
fn trouble(access: &ClientOptions, url: &str, kind: HttpErrorKind, words: &str) -> HttpError {
    let trouble = get(access, url).expect_err("there should be trouble");
    let client = Client::new(access);
    let all = format!("{trouble} {trouble:?} {trouble:#?} {access:?} {client:?}");
    for secret in [TOKEN, PASSWORD, HEADER, "bWU6cGFzcy04MWFhMzc"] {
        assert!(!all.contains(secret), "{all}");
    }
    assert_eq!(trouble.kind, kind, "{trouble}");
    assert!(trouble.to_string().contains(words), "{trouble}");
    assert!(!trouble.to_string().contains('\n') && trouble.to_string().ends_with(['.', '?']), "{trouble}");
    trouble
}
