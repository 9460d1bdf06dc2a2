//! Answers: whole, refused, late, cut, too large; and trying again.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use podlag::internals::web::{Client, ClientOptions, HttpErrorKind, Secret};

use super::HEADER;
use super::PASSWORD;
use super::TOKEN;
use super::access;
use super::get;
use super::server::{Server, answer, end, request};
use super::trouble;
use super::trusted;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_query_and_the_credentials_arrive() {
    let server = Server::always(answer("200 OK", "Content-Type: application/json\r\n", "{}"));
    let client = Client::new(&trusted()).unwrap();
    let body = client.get(&server.url("/q?a=1"), &[("query", "up{a=\"b\"} + 1"), ("token", "hush")], false).unwrap();
    assert_eq!((body.bytes.as_slice(), body.content_type.as_deref()), (&b"{}"[..], Some("application/json")));
    assert_eq!((body.status, body.url.contains("a=1&query=up"), body.url.contains("hush")), (200, true, false));
    client.get(&server.url("/q?a=1"), &[("query", "1 + 1")], true).unwrap();
    let [get, post] = &server.seen()[..] else { panic!() };
    assert!(get.starts_with("GET /q?a=1&query=up%7Ba%3D%22b%22%7D+%2B+1&token=hush HTTP/1.1\n"), "{get}");
    assert!(get.contains(&format!("authorization: Bearer {TOKEN}\n")), "{get}");
    assert!(get.contains(&format!("x-scope-orgid: {HEADER}\n")), "{get}");
    assert!(post.starts_with("POST /q?a=1 HTTP/1.1\n") && post.ends_with("\n\nquery=1+%2B+1"), "{post}");
    assert!(post.contains("content-type: application/x-www-form-urlencoded\n"), "{post}");
}

#[test]
fn users_and_passwords_arrive() {
    let server = Server::always(answer("200 OK", "", ""));
    let password = Some(Secret::new(PASSWORD));
    get(&ClientOptions { user: Some("me".into()), password: password.clone(), ..access() }, &server.url("/")).unwrap();
    let named = server.url("/").replace("//", "//me@");
    let body = get(&ClientOptions { password, ..access() }, &named).unwrap();
    assert_eq!(body.url, server.url("/"));
    get(&access(), &named).unwrap();
    let [first, second, third] = &server.seen()[..] else { panic!() };
    assert!(first.contains("authorization: Basic bWU6cGFzcy04MWFhMzc=\n"), "{first}");
    assert_eq!(first, second);
    assert!(third.contains("authorization: Basic bWU6\n"), "{third}");
}

#[test]
fn a_web_page_passes_through() {
    let server = Server::always(answer("200 OK", "Content-Type: text/html\r\n", "<html>"));
    let body = get(&access(), &server.url("/")).unwrap();
    assert_eq!((body.bytes.as_slice(), body.content_type.as_deref()), (&b"<html>"[..], Some("text/html")));
}

#[test]
fn an_answer_can_be_read_bit_by_bit() {
    let server = Server::always(answer("200 OK", "Content-Encoding: gzip\r\n", gzip(b"one two")));
    let mut open = Client::new(&access()).unwrap().open(&server.url("/"), &[], false).unwrap();
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), open.status), ("one two", 200));
}

#[test]
fn refusals_say_what_to_check() {
    let refused = |access: &ClientOptions, status: &str, words: &str| {
        let server = Server::always(answer(status, "Content-Type: text/html\r\n", "<html>"));
        let code = status.split(' ').next().unwrap().parse().unwrap();
        trouble(access, &server.url("/"), HttpErrorKind::Status(code), words)
    };
    let user = ClientOptions { user: Some("me".into()), password: Some(Secret::new(PASSWORD)), ..access() };
    let own = ClientOptions { headers: vec![("Authorization".into(), Secret::new(TOKEN))], ..access() };
    refused(&access(), "401 Unauthorized", "requires credentials (401 Unauthorized). Set --token-file FILE");
    refused(&trusted(), "401 Unauthorized", "the server rejected the token (401 Unauthorized). Check");
    refused(&user, "401 Unauthorized", "the server rejected user and password");
    refused(&own, "401 Unauthorized", "the server rejected the Authorization header");
    refused(&access(), "403 Forbidden", "access denied without credentials");
    refused(&trusted(), "403 Forbidden", "`get` on `nodes/metrics`");
    refused(&trusted(), "404 Not Found", "/select/0/prometheus");
    refused(&trusted(), "429 Too Many Requests", "limits the request rate");
    refused(&trusted(), "500 Internal Server Error", "failed (500 Internal Server Error). Check");
    refused(&trusted(), "302 Found", "unexpected status (302 Found)");
}

#[test]
fn a_refused_query_carries_what_the_server_says() {
    let said = "{\"error\":\n\t\"1:5: parse \u{1b}[2J error\"}";
    let server = Server::plain(move |request, _| {
        let sent = request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
        answer(
            "400 Bad Request",
            "Content-Type: application/json\r\n",
            format!("{said}{sent} {HEADER} {}", "x".repeat(5000)),
        )
    });
    let trouble = trouble(
        &trusted(),
        &server.url("/"),
        HttpErrorKind::Status(400),
        "Bad Request): {\"error\":  \"1:5: parse \u{fffd}[2J",
    );
    assert!(
        trouble.body.starts_with("{\"error\":  \"1:5: parse \u{fffd}[2J error\"}Bearer *** *** xxx"),
        "{trouble:?}"
    );
    assert_eq!(trouble.body.len(), 2048);
}

#[test]
fn nothing_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let again = ClientOptions { retries: 1, ..trusted() };
    let url = format!("http://{free}/?token={TOKEN}");
    let trouble = trouble(
        &again,
        &url,
        HttpErrorKind::Unreachable,
        "the server refused the connection (tried 2 times). Check the port",
    );
    assert_eq!(trouble.url, format!("http://{free}/?token=***"));
}

#[test]
fn a_name_that_nobody_knows() {
    // Longer than a name may be, so that no name server is asked.
    let url = format!("http://{}.invalid/", "a".repeat(64));
    trouble(&ClientOptions { retries: 1, ..trusted() }, &url, HttpErrorKind::Unreachable, "(DNS). Check the spelling");
}

#[test]
fn no_answer() {
    let server = Server::each(|mut stream, _| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let hasty = ClientOptions { timeout: Duration::from_millis(300), retries: 3, ..trusted() };
    trouble(&hasty, &server.url("/"), HttpErrorKind::Timeout, "no response within 300ms. Raise --timeout");
}

#[test]
fn an_answer_that_stops_coming() {
    let server = Server::each(|mut stream, _| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let hasty = ClientOptions { timeout: Duration::from_millis(300), ..trusted() };
    trouble(&hasty, &server.url("/"), HttpErrorKind::Timeout, "no data within 300ms");
}

#[test]
fn what_passes_is_tried_again() {
    let (busy, down) = ("429 Too Many Requests", "503 Service Unavailable");
    let server = Server::plain(move |_, before| match before {
        0 => answer(busy, "Retry-After: 0\r\n", ""),
        1 => answer(down, "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", ""),
        2 => answer("500 Internal Server Error", "", ""),
        _ => answer("200 OK", "", "there"),
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let client = Client::new(&ClientOptions { retries: 3, ..trusted() }).unwrap();
    let client = client.on_retry(move |text| tell.lock().unwrap().push(text.to_owned()));
    assert_eq!(client.get(&server.url("/"), &[], true).unwrap().bytes, b"there");
    assert_eq!(server.seen().len(), 4);
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("(429 Too Many Requests); retrying in 0ns\n") && told.ends_with("retrying in 2s"), "{told}");
}

#[test]
fn what_does_not_pass_is_said_with_the_tries() {
    let server = Server::always(answer("502 Bad Gateway", "Retry-After: 0\r\n", "down"));
    let words = "(502 Bad Gateway): down (tried 3 times). Check its log";
    trouble(&ClientOptions { retries: 2, ..trusted() }, &server.url("/"), HttpErrorKind::Status(502), words);
    assert_eq!(server.seen().len(), 3);
    let server = Server::always(answer("404 Not Found", "", ""));
    trouble(
        &ClientOptions { retries: 2, ..trusted() },
        &server.url("/"),
        HttpErrorKind::Status(404),
        "nothing found at this path",
    );
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn closed_without_an_answer() {
    let server = Server::each(|mut stream, seen| {
        seen.push(request(&mut stream));
        if seen.len() < 3 { end(&mut stream, b"") } else { end(&mut stream, &answer("200 OK", "", "")) }
    });
    let again = ClientOptions { retries: 1, ..trusted() };
    trouble(&again, &server.url("/"), HttpErrorKind::Unreachable, "closed before a response (tried 2 times)");
    get(&again, &server.url("/")).unwrap();
}

#[test]
fn a_body_that_is_cut() {
    let plain = Server::always("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    trouble(&trusted(), &plain.url("/"), HttpErrorKind::Truncated, "closed before the response ended. Try again");
    let text: Vec<u8> = (0..9999_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let half = gzip(&text)[..9999].to_vec();
    let packed = Server::always(answer("200 OK", "Content-Encoding: gzip\r\n", half));
    trouble(&trusted(), &packed.url("/"), HttpErrorKind::Truncated, "closed before the response ended");
    let wrong = Server::always(answer("200 OK", "Content-Encoding: gzip\r\n", "this is not gzip"));
    trouble(&trusted(), &wrong.url("/"), HttpErrorKind::Truncated, "the response is damaged");
}

#[test]
fn a_body_without_end() {
    let server = Server::each(|mut stream, _| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        while stream.write_all(b"a\r\n0123456789\r\n").is_ok() {}
    });
    let small = ClientOptions { max_bytes: 100_000, ..trusted() };
    trouble(
        &small,
        &server.url("/"),
        HttpErrorKind::TooLarge,
        "larger than 100000 bytes. Query a shorter window, or raise --max",
    );
}

#[test]
fn the_limit_is_of_what_is_unpacked() {
    let server = Server::always(answer("200 OK", "Content-Encoding: gzip\r\n", gzip(&vec![0; 10 << 20])));
    let small = ClientOptions { max_bytes: (10 << 20) - 1, ..trusted() };
    trouble(&small, &server.url("/"), HttpErrorKind::TooLarge, "larger than 10485759 bytes");
    let exact = ClientOptions { max_bytes: 10 << 20, ..trusted() };
    assert_eq!(get(&exact, &server.url("/")).unwrap().bytes.len(), 10 << 20);
}

#[test]
fn a_wait_can_be_ended() {
    let server = Server::always(answer("503 Service Unavailable", "Retry-After: 60\r\n", ""));
    let patient = ClientOptions { retries: 9, ..trusted() };
    let (stop, told) = (patient.stop.clone(), Arc::new(Mutex::new(String::new())));
    let tell = told.clone();
    let client = Client::new(&patient).unwrap().on_retry(move |text| {
        *tell.lock().unwrap() = text.to_owned();
        stop.store(true, Ordering::Relaxed);
    });
    let trouble = client.get(&server.url("/"), &[], false).unwrap_err();
    assert_eq!((trouble.kind, server.seen().len()), (HttpErrorKind::Cancelled, 1));
    assert!(told.lock().unwrap().ends_with("(503 Service Unavailable); retrying in 60s"), "{told:?}");
}

#[test]
fn an_answer_can_be_ended() {
    let ended = trusted();
    let stop = ended.stop.clone();
    let server = Server::each(move |mut stream, _| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        stop.store(true, Ordering::Relaxed);
        while stream.write_all(b"1\r\n0\r\n").is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    });
    trouble(&ended, &server.url("/"), HttpErrorKind::Cancelled, "cancelled");
}
