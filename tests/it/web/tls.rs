//! Secure connections, and those that are not.

use std::path::Path;
use std::time::Duration;

use podlag::internals::web::{ClientOptions, HttpErrorKind};

use super::get;
use super::server::{Own, Server, answer, end, request};
use super::trouble;
use super::trusted;

/// With what `own` says trusted.
fn trusting(own: &Own, folder: &Path) -> ClientOptions {
    let ca = folder.join("ca.pem");
    // Several may stand in the file.
    std::fs::write(&ca, Own::of("another").cert.pem() + &own.cert.pem()).unwrap();
    ClientOptions { ca: Some(ca), ..trusted() }
}

#[test]
fn an_unknown_authority() {
    let (own, folder) = (Own::of("localhost"), tempfile::tempdir().unwrap());
    let server = Server::secure(&own, None, answer("200 OK", "", "safe"));
    let again = ClientOptions { retries: 3, ..trusted() };
    trouble(
        &again,
        &server.https("/"),
        HttpErrorKind::Tls,
        "signed by an unknown authority. Check that this is the right server",
    );
    assert_eq!(get(&trusting(&own, folder.path()), &server.https("/")).unwrap().bytes, b"safe");
    assert_eq!(get(&ClientOptions { insecure: true, ..trusted() }, &server.https("/")).unwrap().bytes, b"safe");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn another_name_or_another_time() {
    let folder = tempfile::tempdir().unwrap();
    let check = |own: &Own, words: &str| {
        let server = Server::secure(own, None, answer("200 OK", "", ""));
        trouble(&trusting(own, folder.path()), &server.https("/"), HttpErrorKind::Tls, words);
        get(&ClientOptions { insecure: true, ..trusted() }, &server.https("/")).unwrap();
    };
    check(&Own::of("elsewhere.example"), "for another host name. Use the name");
    check(&Own::authority("localhost"), "presents a CA certificate as its own");
    check(&Own::until("localhost", 2001), "has expired. Renew it");
}

#[test]
fn a_client_certificate_is_wanted() {
    let (own, mine, folder) = (Own::of("localhost"), Own::of("me"), tempfile::tempdir().unwrap());
    let server = Server::secure(&own, Some(&mine), answer("200 OK", "", "in"));
    let access = trusting(&own, folder.path());
    trouble(
        &access,
        &server.https("/"),
        HttpErrorKind::Tls,
        "requires a client certificate. Pass --cert FILE and --key FILE",
    );
    let with = |who: &Own| {
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&cert, who.cert.pem()).unwrap();
        std::fs::write(&key, who.key.serialize_pem()).unwrap();
        ClientOptions { cert: Some(cert), key: Some(key), ..access.clone() }
    };
    assert_eq!(get(&with(&mine), &server.https("/")).unwrap().bytes, b"in");
    trouble(&with(&Own::of("you")), &server.https("/"), HttpErrorKind::Tls, "rejected the client certificate");
}

#[test]
fn http_where_https_is_spoken() {
    let server = Server::secure(&Own::of("localhost"), None, answer("200 OK", "", ""));
    trouble(&trusted(), &server.url("/"), HttpErrorKind::Unreachable, "does not speak HTTP. Check the port");
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    let server = Server::always(answer("400 Bad Request", "", go));
    trouble(&trusted(), &server.url("/"), HttpErrorKind::Status(400), "begin the URL with https://");
}

#[test]
fn https_where_http_is_spoken() {
    let server = Server::always(answer("400 Bad Request", "", ""));
    trouble(&trusted(), &server.https("/"), HttpErrorKind::Tls, "does not speak HTTPS. If the port serves plain HTTP");
    let silent = Server::each(|mut stream, seen| {
        seen.push(request(&mut stream));
        end(&mut stream, b"");
    });
    let again = ClientOptions { retries: 3, ..trusted() };
    trouble(&again, &silent.https("/"), HttpErrorKind::Tls, "closed the connection during the TLS handshake");
    assert_eq!(silent.seen().len(), 1);
}

#[test]
fn no_secure_connection_comes_about() {
    let server = Server::each(|mut stream, _| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let hasty = ClientOptions { timeout: Duration::from_millis(600), retries: 3, ..trusted() };
    trouble(
        &hasty,
        &server.https("/"),
        HttpErrorKind::Timeout,
        "cannot connect to the server within 300ms. Check host, port",
    );
}
