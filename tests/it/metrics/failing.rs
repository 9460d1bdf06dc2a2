//! The program before servers that fail: a clear word, exit code 2, and never a secret.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use crate::support::{podlag, samples, unpacked};
use crate::web::server::{Own, Server, answer, end, redirect, request};

const TOKEN: &str = "tok-e7a1b2c3d4";
const PASSWORD: &str = "pass-55aa66bb";
const HEADER: &str = "head-0123abcd";

fn asking(url: &str) -> Command {
    let mut command = podlag();
    let header = format!("X-Key: {HEADER}");
    command.env("PODLAG_TOKEN", TOKEN).arg(url).args(["--header", &header, "--proxy", ""]);
    command
}

/// Without further tries.
fn once(url: &str) -> Command {
    let mut command = asking(url);
    command.args(["--retries", "0"]);
    command
}

fn all(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// What it says, once it has been seen to fail as it should.
#[track_caller]
fn told(command: &mut Command, words: &str) -> String {
    let output = command.output().unwrap();
    let all = all(&output);
    assert_eq!(output.status.code(), Some(2), "{all}");
    assert!(all.contains(words), "no {words:?} in: {all}");
    assert!(!all.contains(TOKEN) && !all.contains(PASSWORD) && !all.contains(HEADER), "a secret: {all}");
    assert!(!all.contains("panicked"), "{all}");
    all
}

fn fails(server: &Server, words: &str) {
    told(&mut once(&server.url("/")), words);
}

#[test]
fn each_failure_has_its_word() {
    fails(&Server::always(answer("401 Unauthorized", "", TOKEN)), "the server rejected the token");
    fails(&Server::always(answer("403 Forbidden", "", "no")), "nodes/metrics");
    fails(&Server::always(answer("404 Not Found", "", "nothing")), "Prometheus may have a path prefix");
    fails(&Server::always(answer("500 Oops", "", "broken")), "500");
    fails(
        &Server::always(answer("200 OK", "Content-Type: text/html\r\n", "<html>login")),
        "neither the Prometheus API, nor a log",
    );
    fails(
        &Server::always(answer("200 OK", "", "{\"status\":\"success\",\"data\":{\"resu")),
        "ends in the middle of the JSON",
    );
    let error = "{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"no store\"}";
    let server = Server::always(answer("503 Busy", "", error));
    fails(&server, "no store");
    // Something else that answers well.
    fails(&Server::always(answer("200 OK", "", "{\"name\":\"another service\"}")), "not the API's JSON");
    told(&mut once("http://127.0.0.1:1/metrics"), "refused the connection");
    told(&mut once("http://127.0.0.1:99999/"), "http://127.0.0.1:99999/");
    told(&mut once(&format!("http://me:{PASSWORD}@127.0.0.1:1/")), "visible in process lists");
}

#[test]
fn a_server_that_hangs_or_cuts_is_told() {
    let hanging = Server::each(|stream, _| {
        // Held open, without a word.
        std::mem::forget(stream);
    });
    told(once(&hanging.url("/metrics")).args(["--timeout", "400ms"]), "--timeout");
    let cut = Server::each(|mut stream, _| {
        request(&mut stream);
        end(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n# HELP a_b c\n");
    });
    told(&mut once(&cut.url("/metrics")), "end");
    let endless = Server::each(|mut stream, _| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
        // A gigabyte, unless the other side has had enough.
        for _ in 0..(1 << 30) / 0x10000 {
            if stream.write_all(&chunk).is_err() {
                return;
            }
        }
    });
    told(once(&endless.url("/metrics")).args(["--max-response", "1MiB"]), "--max-response");
}

#[test]
fn what_may_pass_is_tried_again() {
    let page = unpacked(&samples().join("s02-pull-serial/metrics-after.txt.zst"));
    let busy = Server::plain(move |_, before| match before {
        0 => answer("429 Too Many Requests", "Retry-After: 0\r\n", ""),
        1 => answer("500 Oops", "", ""),
        _ => answer("200 OK", "", &page),
    });
    let output = asking(&busy.url("/metrics")).args(["--retries", "3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    assert!(all(&output).contains("19 starts recorded"), "{}", all(&output));
    let seen = busy.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|request| request.contains(&format!("authorization: Bearer {TOKEN}\n"))));
    fails(&Server::always(answer("429 Too Many Requests", "", "")), "429");
}

#[test]
fn credentials_stay_with_their_host() {
    let page = unpacked(&samples().join("s02-pull-serial/metrics-after.txt.zst"));
    let other = Server::always(answer("200 OK", "", &page));
    let first = Server::always(redirect("302 Found", &other.url("/metrics")));
    let output = asking(&first.url("/metrics")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    let seen = other.seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|request| !request.contains(TOKEN) && !request.contains(HEADER)),
        "{seen:?}"
    );
    let wants = Server::always(answer("401 Unauthorized", "", ""));
    fails(&Server::always(redirect("302 Found", &wants.url("/"))), "redirect");
}

#[test]
fn certificates_are_checked_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    let own = Own::of("localhost");
    let page = unpacked(&samples().join("s02-pull-serial/metrics-after.txt.zst"));
    let server = Server::secure(&own, None, answer("200 OK", "", &page));
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, own.cert.pem()).unwrap();
    told(&mut once(&server.https("/metrics")), "--ca");
    let output = asking(&server.https("/metrics")).arg("--ca").arg(&ca).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    let output = asking(&server.https("/metrics")).arg("--insecure").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    assert!(all(&output).contains("CERTIFICATES ARE NOT VERIFIED"), "{}", all(&output));
    told(once(&server.https("/metrics")).arg("--ca").arg(folder.path().join("none.pem")), "none.pem");
    told(&mut once(&server.url("/metrics").replace("127.0.0.1", "localhost")), "https");
}

#[test]
fn secrets_come_from_files_and_the_environment_only() {
    let page = unpacked(&samples().join("s02-pull-serial/metrics-after.txt.zst"));
    let server = Server::always(answer("200 OK", "", &page));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let run = |more: &[&Path], words: &[&str]| {
        let mut command = podlag();
        command.arg(server.url("/metrics")).args(["--proxy", ""]);
        for (flag, path) in words.iter().zip(more) {
            command.arg(flag).arg(path);
        }
        command
    };
    let ok = |mut command: Command| {
        let output = command.args(["--format", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", all(&output));
        assert!(!all(&output).contains(PASSWORD) && !all(&output).contains(HEADER) && !all(&output).contains(TOKEN));
        server.seen().last().unwrap().clone()
    };
    let token = ok(run(&[&file("token", &format!("{TOKEN}\n"))], &["--token-file"]));
    assert!(token.contains(&format!("authorization: Bearer {TOKEN}\n")), "{token}");
    let mut basic = run(&[&file("password", &format!("{PASSWORD}\n"))], &["--password-file"]);
    basic.args(["--user", "me"]).env("PODLAG_TOKEN", TOKEN);
    assert!(ok(basic).contains("authorization: Basic bWU6cGFzcy01NWFhNjZiYg==\n"));
    let headers = ok(run(&[&file("headers", &format!("# tenant\nX-Scope-OrgID: {HEADER}\n\n"))], &["--header-file"]));
    assert!(headers.contains(&format!("x-scope-orgid: {HEADER}\n")), "{headers}");
    let mut typed = podlag();
    typed.arg(server.url("/metrics")).args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    told(&mut typed, "would be visible in the process list");
    let mut proxy = podlag();
    proxy.arg(server.url("/metrics")).args(["--proxy", &format!("http://me:{PASSWORD}@127.0.0.1:3128")]);
    told(&mut proxy, "would be visible in the process list");
    told(&mut run(&[Path::new("/no/such/file")], &["--token-file"]), "/no/such/file");
    let contradicting = run(&[&file("token", TOKEN)], &["--token-file"]).args(["--user", "me"]).output().unwrap();
    assert_eq!(contradicting.status.code(), Some(2));
}

#[test]
fn stopping_is_heard_while_a_server_is_slow() {
    let slow = Server::each(|mut stream, _| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n# TYPE a_b counter\n");
        for _ in 0..2000 {
            thread::sleep(Duration::from_millis(20));
            if stream.write_all(b"a_b 1\n").is_err() {
                return;
            }
        }
    });
    let mut child = asking(&slow.url("/metrics")).stderr(std::process::Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_millis(700));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(2), "nothing was read: {status}");
}
