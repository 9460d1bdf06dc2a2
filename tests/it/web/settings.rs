//! Addresses, files, headers and proxies.

use std::path::PathBuf;

use podlag::internals::web::{Client, ClientOptions, HttpErrorKind, Secret};

use super::HEADER;
use super::PASSWORD;
use super::TOKEN;
use super::access;
use super::get;
use super::server::{Own, Server, answer};
use super::trouble;
use super::trusted;

/// Trouble before anything is sent.
#[track_caller]
fn wrong(access: &ClientOptions, words: &str) {
    let told = Client::new(access).unwrap_err();
    assert!(told.to_string().contains(words), "{told}");
    trouble(access, "http://localhost", HttpErrorKind::InvalidOption, words);
}

#[test]
fn addresses() {
    let secret = format!("http://me:{PASSWORD}@localhost/");
    trouble(
        &trusted(),
        &secret,
        HttpErrorKind::InvalidUrl,
        "visible in process lists. Use --user NAME with --password-file",
    );
    trouble(&trusted(), &format!("me:{PASSWORD}@localhost"), HttpErrorKind::InvalidUrl, "no http:// or https://");
    trouble(&trusted(), &format!("http://me:{PASSWORD}/@localhost/"), HttpErrorKind::InvalidUrl, "invalid URL");
    trouble(&trusted(), "ftp://localhost/", HttpErrorKind::InvalidUrl, "unsupported URL scheme");
}

#[test]
fn credentials_that_make_no_sense() {
    let secret = |text: &str| Some(Secret::new(text));
    wrong(&ClientOptions { token: secret(" \n"), ..access() }, "the token is empty");
    wrong(&ClientOptions { token: secret(&format!("{TOKEN}\n{TOKEN}")), ..access() }, "invalid in a header");
    wrong(&ClientOptions { user: Some("me".into()), ..trusted() }, "a token and a user exclude each other");
    wrong(&ClientOptions { password: secret(PASSWORD), ..trusted() }, "a token and a user exclude each other");
    let alone = ClientOptions { password: secret(PASSWORD), ..access() };
    trouble(&alone, "http://localhost", HttpErrorKind::InvalidOption, "a password without a user. Set --user NAME");
    let header = |name: &str, value: &str| vec![(name.to_owned(), Secret::new(value))];
    // A name is no secret by its type, but this one may hold a value.
    let told = Client::new(&ClientOptions { headers: header(&format!("X: {HEADER}"), ""), ..access() }).unwrap_err();
    assert!(
        told.message.contains("invalid name of header 1") && !format!("{told} {told:?}").contains(HEADER),
        "{told:?}"
    );
    wrong(
        &ClientOptions { headers: header("X-Y", &format!("{HEADER}\r\nZ: 1")), ..access() },
        "the value of header x-y",
    );
    wrong(&ClientOptions { headers: header("authorization", HEADER), ..trusted() }, "an Authorization header excludes");
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let (mine, other) = (Own::of("me"), Own::of("other"));
    let missing = Some(PathBuf::from("/no/such.pem"));
    let text = file("text", format!("{TOKEN} is no PEM"));
    let broken = file("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into());
    let cert = file("cert", mine.cert.pem());
    let key = file("key", other.key.serialize_pem());
    let locked = file("locked", key_text("ENCRYPTED PRIVATE KEY"));
    let ca = |ca: &Option<PathBuf>, words| wrong(&ClientOptions { ca: ca.clone(), ..trusted() }, words);
    ca(&missing, "/no/such.pem: no such file. Check --ca");
    ca(&text, "contains no PEM certificate");
    ca(&key, "contains no PEM certificate");
    ca(&broken, "a certificate in the file is damaged");
    ca(&Some(folder.path().into()), "cannot read");
    let identity = |cert: &Option<PathBuf>, key: &Option<PathBuf>, words| {
        wrong(&ClientOptions { cert: cert.clone(), key: key.clone(), ..trusted() }, words);
    };
    identity(&missing, &None, ": no such file. Check --cert and --key");
    identity(&cert, &missing, ": no such file");
    identity(&text, &key, "text: the file contains no PEM certificate");
    identity(&cert, &None, "cert: the file contains no PEM private key");
    identity(&cert, &text, "text: the file contains no PEM private key");
    identity(&cert, &locked, "locked: the key is encrypted. Decrypt it");
    identity(&cert, &key, "certificate and key do not match");
    identity(&broken, &key, "broken: ");
    identity(&None, &key, "a key without a certificate");
}

fn key_text(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

#[test]
fn a_proxy_is_used() {
    let proxy = Server::always(answer("200 OK", "", "passed on"));
    let with = ClientOptions { proxy: Some(Secret::new(format!("http://me:{PASSWORD}@{}", proxy.at))), ..trusted() };
    assert_eq!(get(&with, "http://prometheus.invalid:9090/q").unwrap().bytes, b"passed on");
    let seen = proxy.seen().remove(0);
    assert!(seen.starts_with("GET http://prometheus.invalid:9090/q HTTP/1.1\n"), "{seen}");
    assert!(seen.contains("proxy-authorization: Basic bWU6cGFzcy04MWFhMzc=\n"), "{seen}");
}

#[test]
fn a_proxy_that_fails_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let with = |proxy: String| ClientOptions { proxy: Some(Secret::new(proxy)), ..trusted() };
    let dead = with(format!("http://me:{PASSWORD}@{free}"));
    let words = format!("the proxy http://{free}/ refused the connection. Check --proxy");
    trouble(&dead, "http://prometheus.invalid/", HttpErrorKind::Unreachable, &words);
    trouble(&dead, "https://prometheus.invalid/", HttpErrorKind::Unreachable, &words);
    let strict = Server::always(answer("403 Forbidden", "", ""));
    let words = format!("cannot connect to the proxy http://{}/ (tunnel error: unsuccessful)", strict.at);
    let through = with(format!("http://me:{PASSWORD}@{}", strict.at));
    trouble(&through, "https://prometheus.invalid/", HttpErrorKind::Unreachable, &words);
    let asking = Server::always(answer("407 Proxy Authentication Required", "", ""));
    let through = with(format!("http://{}", asking.at));
    trouble(
        &through,
        "http://prometheus.invalid/",
        HttpErrorKind::Status(407),
        "the proxy requires a user and password",
    );
    trouble(&through, "https://prometheus.invalid/", HttpErrorKind::Unreachable, "authorization required");
    wrong(&with(format!("socks5://me:{PASSWORD}@localhost")), "invalid proxy URL \"socks5://localhost\". Use http://");
}
