//! Addresses, files, headers and proxies.

use std::path::PathBuf;

use podlag::web::{Access, Client, Kind, Secret};

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
fn wrong(access: &Access, words: &str) {
    let told = Client::new(access).unwrap_err();
    assert!(told.to_string().contains(words), "{told}");
    trouble(access, "http://localhost", Kind::Setting, words);
}

#[test]
fn addresses() {
    let secret = format!("http://me:{PASSWORD}@localhost/");
    trouble(&trusted(), &secret, Kind::Address, "seen by every process list. Give --user NAME with --password-file");
    trouble(&trusted(), &format!("me:{PASSWORD}@localhost"), Kind::Address, "neither http:// nor https://");
    trouble(&trusted(), &format!("http://me:{PASSWORD}/@localhost/"), Kind::Address, "no URL");
    trouble(&trusted(), "ftp://localhost/", Kind::Address, "only http:// and https://");
}

#[test]
fn credentials_that_make_no_sense() {
    let secret = |text: &str| Some(Secret::new(text));
    wrong(&Access { token: secret(" \n"), ..access() }, "the token is empty");
    wrong(&Access { token: secret(&format!("{TOKEN}\n{TOKEN}")), ..access() }, "that a header must not hold");
    wrong(&Access { user: Some("me".into()), ..trusted() }, "both a token and a user");
    wrong(&Access { password: secret(PASSWORD), ..trusted() }, "both a token and a user");
    let alone = Access { password: secret(PASSWORD), ..access() };
    trouble(&alone, "http://localhost", Kind::Setting, "a password but no user. Give --user NAME");
    let header = |name: &str, value: &str| vec![(name.to_owned(), Secret::new(value))];
    // A name is no secret by its type, but this one may hold a value.
    let told = Client::new(&Access { headers: header(&format!("X: {HEADER}"), ""), ..access() }).unwrap_err();
    assert!(told.message.contains("the name of header 1") && !format!("{told} {told:?}").contains(HEADER), "{told:?}");
    wrong(&Access { headers: header("X-Y", &format!("{HEADER}\r\nZ: 1")), ..access() }, "the value of header x-y");
    wrong(&Access { headers: header("authorization", HEADER), ..trusted() }, "Authorization is given beside");
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
    let ca = |ca: &Option<PathBuf>, words| wrong(&Access { ca: ca.clone(), ..trusted() }, words);
    ca(&missing, "/no/such.pem: there is no such file. Check --ca");
    ca(&text, "holds no certificate in PEM");
    ca(&key, "holds no certificate in PEM");
    ca(&broken, "a certificate in the file is damaged");
    ca(&Some(folder.path().into()), "cannot be read");
    let identity = |cert: &Option<PathBuf>, key: &Option<PathBuf>, words| {
        wrong(&Access { cert: cert.clone(), key: key.clone(), ..trusted() }, words);
    };
    identity(&missing, &None, "there is no such file. Check --cert and --key");
    identity(&cert, &missing, "there is no such file");
    identity(&text, &key, "text: the file holds no certificate");
    identity(&cert, &None, "cert: the file holds no private key");
    identity(&cert, &text, "text: the file holds no private key");
    identity(&cert, &locked, "locked: the key is encrypted. Decrypt it");
    identity(&cert, &key, "certificate and key cannot be used together");
    identity(&broken, &key, "broken: ");
    identity(&None, &key, "a key but no certificate");
}

fn key_text(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

#[test]
fn a_proxy_is_used() {
    let proxy = Server::always(answer("200 OK", "", "passed on"));
    let with = Access { proxy: Some(Secret::new(format!("http://me:{PASSWORD}@{}", proxy.at))), ..trusted() };
    assert_eq!(get(&with, "http://prometheus.invalid:9090/q").unwrap().bytes, b"passed on");
    let seen = proxy.seen().remove(0);
    assert!(seen.starts_with("GET http://prometheus.invalid:9090/q HTTP/1.1\n"), "{seen}");
    assert!(seen.contains("proxy-authorization: Basic bWU6cGFzcy04MWFhMzc=\n"), "{seen}");
}

#[test]
fn a_proxy_that_fails_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let with = |proxy: String| Access { proxy: Some(Secret::new(proxy)), ..trusted() };
    let dead = with(format!("http://me:{PASSWORD}@{free}"));
    let words = format!("at that port of the proxy http://{free}/ (connection refused). Check --proxy");
    trouble(&dead, "http://prometheus.invalid/", Kind::Unreachable, &words);
    trouble(&dead, "https://prometheus.invalid/", Kind::Unreachable, &words);
    let strict = Server::always(answer("403 Forbidden", "", ""));
    let words = format!("no connection to the proxy http://{}/ (tunnel error: unsuccessful)", strict.at);
    let through = with(format!("http://me:{PASSWORD}@{}", strict.at));
    trouble(&through, "https://prometheus.invalid/", Kind::Unreachable, &words);
    let asking = Server::always(answer("407 Proxy Authentication Required", "", ""));
    let through = with(format!("http://{}", asking.at));
    trouble(&through, "http://prometheus.invalid/", Kind::Refused(407), "the proxy wants a user and a password");
    trouble(&through, "https://prometheus.invalid/", Kind::Unreachable, "authorization required");
    wrong(&with(format!("socks5://me:{PASSWORD}@localhost")), "socks5://localhost is no proxy's URL. It wants http://");
}
