//! What the servers hold: the lines of two captures, as two machines.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use reqwest::Url;

use crate::exports::{Entry, entries};
use crate::web::server::answer;

/// The token that podlag has.
pub const TOKEN: &str = "tok-5f6e7d8c9b";

/// All lines, in the order of time.
pub static LINES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut all = entries("s02-pull-serial", "worker-1");
    all.extend(entries("s05-init-sidecars", "worker-2"));
    // What other programs write, which nobody wants.
    let others: Vec<Entry> = all
        .iter()
        .step_by(10)
        .map(|entry| Entry { unit: "sshd", message: "Accepted".into(), ..entry.clone() })
        .collect();
    all.extend(others);
    all.sort_by_key(|entry| entry.micros);
    all
});

/// The path of a request, and its parameters: those of the address, and of the body where it is a form.
pub fn asked(request: &str) -> (String, BTreeMap<String, String>) {
    let target = request.split(' ').nth(1).unwrap_or_default();
    let url = Url::parse(&format!("http://here{target}")).expect("a path");
    let mut parameters: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let body = request.split_once("\n\n").map_or("", |(_, body)| body);
    if request.contains("content-type: application/x-www-form-urlencoded") {
        let form = Url::parse(&format!("http://here/?{body}")).expect("a form");
        parameters.extend(form.query_pairs().into_owned());
    }
    (url.path().to_owned(), parameters)
}

/// The body of a request.
pub fn body(request: &str) -> &str {
    request.split_once("\n\n").map_or("", |(_, body)| body)
}

pub fn text(status: &str, body: &str) -> Vec<u8> {
    answer(status, "Content-Type: text/plain; charset=utf-8\r\n", body)
}

pub fn json(body: impl ToString) -> Vec<u8> {
    answer("200 OK", "Content-Type: application/json; charset=UTF-8\r\n", body.to_string())
}
