//! Secure connections, and those that are not.

use std::path::Path;
use std::time::Duration;

use podlag::web::{Access, Kind};

use super::get;
use super::server::{Own, Server, answer, end, request};
use super::trouble;
use super::trusted;

/// With what `own` says trusted.
fn trusting(own: &Own, folder: &Path) -> Access {
    let ca = folder.join("ca.pem");
    // Several may stand in the file.
    std::fs::write(&ca, Own::of("another").cert.pem() + &own.cert.pem()).unwrap();
    Access { ca: Some(ca), ..trusted() }
}

#[test]
fn an_unknown_authority() {
    let (own, folder) = (Own::of("localhost"), tempfile::tempdir().unwrap());
    let server = Server::secure(&own, None, answer("200 OK", "", "safe"));
    let again = Access { retries: 3, ..trusted() };
    trouble(&again, &server.https("/"), Kind::Tls, "signed by an unknown authority. Check that it is the right server");
    assert_eq!(get(&trusting(&own, folder.path()), &server.https("/")).unwrap().bytes, b"safe");
    assert_eq!(get(&Access { insecure: true, ..trusted() }, &server.https("/")).unwrap().bytes, b"safe");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn another_name_or_another_time() {
    let folder = tempfile::tempdir().unwrap();
    let check = |own: &Own, words: &str| {
        let server = Server::secure(own, None, answer("200 OK", "", ""));
        trouble(&trusting(own, folder.path()), &server.https("/"), Kind::Tls, words);
        get(&Access { insecure: true, ..trusted() }, &server.https("/")).unwrap();
    };
    check(&Own::of("elsewhere.example"), "for another host name. Use the name");
    check(&Own::authority("localhost"), "is an authority's, which a server must not show");
    check(&Own::until("localhost", 2001), "has expired. Have it renewed");
}

#[test]
fn a_client_certificate_is_wanted() {
    let (own, mine, folder) = (Own::of("localhost"), Own::of("me"), tempfile::tempdir().unwrap());
    let server = Server::secure(&own, Some(&mine), answer("200 OK", "", "in"));
    let access = trusting(&own, folder.path());
    trouble(&access, &server.https("/"), Kind::Tls, "wants a client certificate. Give --cert FILE and --key FILE");
    let with = |who: &Own| {
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&cert, who.cert.pem()).unwrap();
        std::fs::write(&key, who.key.serialize_pem()).unwrap();
        Access { cert: Some(cert), key: Some(key), ..access.clone() }
    };
    assert_eq!(get(&with(&mine), &server.https("/")).unwrap().bytes, b"in");
    trouble(&with(&Own::of("you")), &server.https("/"), Kind::Tls, "does not accept the client certificate");
}

#[test]
fn http_where_https_is_spoken() {
    let server = Server::secure(&Own::of("localhost"), None, answer("200 OK", "", ""));
    trouble(&trusted(), &server.url("/"), Kind::Unreachable, "does not speak HTTP. Check the port");
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    let server = Server::always(answer("400 Bad Request", "", go));
    trouble(&trusted(), &server.url("/"), Kind::Refused(400), "begin the address with https://");
}

#[test]
fn https_where_http_is_spoken() {
    let server = Server::always(answer("400 Bad Request", "", ""));
    trouble(&trusted(), &server.https("/"), Kind::Tls, "does not speak HTTPS. If the port is one for plain HTTP");
    let silent = Server::each(|mut stream, seen| {
        seen.push(request(&mut stream));
        end(&mut stream, b"");
    });
    let again = Access { retries: 3, ..trusted() };
    trouble(&again, &silent.https("/"), Kind::Tls, "closed the connection while a secure one");
    assert_eq!(silent.seen().len(), 1);
}

#[test]
fn no_secure_connection_comes_about() {
    let server = Server::each(|mut stream, _| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let hasty = Access { timeout: Duration::from_millis(600), retries: 3, ..trusted() };
    trouble(&hasty, &server.https("/"), Kind::Timeout, "no connection to the server within 300ms. Check host, port");
}
