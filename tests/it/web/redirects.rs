//! Redirects, and that credentials stay at home.

use podlag::internals::web::{Client, ClientOptions, HttpErrorKind, Secret};

use super::HEADER;
use super::TOKEN;
use super::access;
use super::get;
use super::server::{Own, Server, answer, redirect};
use super::trouble;
use super::trusted;

#[track_caller]
fn bare(server: &Server) {
    for request in server.seen() {
        assert!(!request.contains("authorization") && !request.contains("x-scope-orgid"), "{request}");
        assert!(!request.contains(TOKEN) && !request.contains(HEADER), "{request}");
    }
}

#[test]
fn credentials_stay_with_their_origin() {
    let there = Server::always(answer("200 OK", "", "there"));
    let port = there.at.port();
    let by_name = Server::always(redirect("302 Found", &format!("http://localhost:{port}/x?token={TOKEN}#f")));
    let by_port = Server::always(redirect("307 Temporary Redirect", &there.url("/y")));
    let with_user = Server::always(redirect("308 Permanent Redirect", &format!("http://me:hush@localhost:{port}/z")));
    let body = get(&trusted(), &by_name.url("/")).unwrap();
    assert_eq!((body.bytes.as_slice(), body.url), (&b"there"[..], format!("http://localhost:{port}/x?token=***")));
    get(&trusted(), &by_port.url("/")).unwrap();
    get(&trusted(), &with_user.url("/")).unwrap();
    let seen = there.seen();
    assert_eq!(seen.len(), 3);
    assert!(!seen[0].contains("authorization") && !seen[0].contains(HEADER), "{}", seen[0]);
    assert!(!seen[2].contains("authorization"), "{}", seen[2]);
    assert!(by_name.seen()[0].contains(TOKEN) && by_name.seen()[0].contains(HEADER));
}

#[test]
fn the_same_origin_keeps_them() {
    let server = Server::plain(|_, before| match before {
        0 => redirect("301 Moved Permanently", "/prometheus/"),
        _ => answer("200 OK", "", ""),
    });
    assert_eq!(get(&trusted(), &server.url("/")).unwrap().url, server.url("/prometheus/"));
    assert!(server.seen()[1].contains(&format!("authorization: Bearer {TOKEN}\n")));
}

#[test]
fn a_way_back_does_not_bring_them_back() {
    let away = Server::plain(|request, _| {
        let port = request.split(' ').nth(1).unwrap().trim_start_matches('/');
        redirect("302 Found", &format!("http://127.0.0.1:{port}/back"))
    });
    let to = away.url("/");
    let home = Server::plain(move |request, before| match before {
        0 => redirect(
            "302 Found",
            &format!("{to}{}", request.lines().find_map(|l| l.strip_prefix("host: 127.0.0.1:")).unwrap()),
        ),
        _ => answer("401 Unauthorized", "", ""),
    });
    trouble(&trusted(), &home.url("/"), HttpErrorKind::Status(401), "no credentials were sent");
    bare(&away);
    let seen = home.seen();
    assert!(seen[0].contains(TOKEN) && seen[1].starts_with("GET /back "), "{seen:?}");
    assert!(!seen[1].contains(TOKEN) && !seen[1].contains(HEADER), "{seen:?}");
}

#[test]
fn a_refusal_after_a_redirect_says_why() {
    let there = Server::always(answer("401 Unauthorized", "", ""));
    let here = Server::always(redirect("302 Found", &there.url("/")));
    let words = format!("no credentials were sent because {} redirected here, to another origin", here.url("/"));
    trouble(&trusted(), &here.url("/"), HttpErrorKind::Status(401), &words);
    bare(&there);
}

#[test]
fn what_a_server_puts_into_a_location_is_hidden() {
    let there = Server::always(answer("404 Not Found", "", ""));
    let here = Server::always(redirect("302 Found", &there.url(&format!("/{TOKEN}/{HEADER}"))));
    let trouble = trouble(&trusted(), &here.url("/"), HttpErrorKind::Status(404), "nothing found at this path");
    assert_eq!(trouble.url, there.url("/***/***"));
}

#[test]
fn a_form_becomes_a_query_or_stays() {
    let server = Server::plain(|request, _| match request.split(' ').nth(1) {
        Some("/see") => redirect("303 See Other", "/there?a=1"),
        Some("/keep") => redirect("307 Temporary Redirect", "/there?a=1"),
        _ => answer("200 OK", "", ""),
    });
    let client = Client::new(&trusted()).unwrap();
    for path in ["/see", "/keep"] {
        client.get(&server.url(path), &[("query", "up 1")], true).unwrap();
    }
    let seen = server.seen();
    assert!(seen[1].starts_with("GET /there?a=1&query=up+1 HTTP/1.1\n") && seen[1].ends_with("\n\n"), "{}", seen[1]);
    assert!(seen[3].starts_with("POST /there?a=1 HTTP/1.1\n") && seen[3].ends_with("\n\nquery=up+1"), "{}", seen[3]);
}

#[test]
fn a_circle_is_left() {
    let server = Server::always(redirect("302 Found", "/again"));
    trouble(&trusted(), &server.url("/"), HttpErrorKind::Redirect, "more than 5 redirects");
    assert_eq!(server.seen().len(), 6);
    let server = Server::always(redirect("302 Found", "file:///etc/passwd"));
    trouble(&trusted(), &server.url("/"), HttpErrorKind::Redirect, "redirects to an invalid URL");
}

#[test]
fn from_https_to_http_only_without_credentials() {
    let there = Server::always(answer("200 OK", "", "there"));
    let here = Server::secure(&Own::of("localhost"), None, redirect("302 Found", &there.url("/")));
    trouble(
        &ClientOptions { insecure: true, ..trusted() },
        &here.https("/"),
        HttpErrorKind::Redirect,
        "from https to unencrypted http://127.0.0.1",
    );
    assert!(there.seen().is_empty());
    get(&ClientOptions { insecure: true, ..access() }, &here.https("/")).unwrap();
    let named = here.https("/").replace("//", "//me@");
    trouble(
        &ClientOptions { insecure: true, ..access() },
        &named,
        HttpErrorKind::Redirect,
        "from https to unencrypted http",
    );
    assert_eq!(there.seen().len(), 1);
}

#[test]
fn the_client_certificate_stays_as_well() {
    let (own, mine) = (Own::of("localhost"), Own::of("me"));
    let there = Server::secure(&own, Some(&mine), answer("200 OK", "", ""));
    let here = Server::always(redirect("302 Found", &there.https("/")));
    let folder = tempfile::tempdir().unwrap();
    let cert = folder.path().join("both.pem");
    std::fs::write(&cert, mine.cert.pem() + &mine.key.serialize_pem()).unwrap();
    let access = ClientOptions { cert: Some(cert), insecure: true, token: Some(Secret::new(TOKEN)), ..access() };
    get(&access, &there.https("/")).unwrap();
    trouble(&access, &here.url("/"), HttpErrorKind::Tls, "requires a client certificate");
}
