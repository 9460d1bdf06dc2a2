//! What goes wrong at an API server, in the words of who may change it.

use std::io;

use super::ClusterOptions;
use super::feed::{Feed, Kind};
use crate::model::error::{Error, ErrorKind};
use crate::web::{HttpError, HttpErrorKind};

/// Where the rules stand that podlag needs.
const RULES: &str = "examples/rbac.yaml";

/// An answer that is not what the API server gives.
pub(super) fn unexpected(path: &str, message: impl Into<String>) -> HttpError {
    HttpError {
        kind: HttpErrorKind::InvalidUrl,
        url: path.to_owned(),
        message: crate::model::text::sanitize(&message.into()),
        help: String::new(),
        body: String::new(),
    }
}

/// Why an answer that is read object by object could not be read to its end.
pub(super) fn of_stream(path: &str, error: serde_json::Error) -> HttpError {
    let (is_cut, words) = (error.is_eof(), error.to_string());
    match io::Error::from(error).downcast::<HttpError>() {
        Ok(error) => error,
        Err(_) if is_cut => {
            HttpError { kind: HttpErrorKind::Truncated, ..unexpected(path, "the answer ended before its time") }
        }
        Err(_) => unexpected(path, format!("the answer is no JSON of Kubernetes objects: {words}")),
    }
}

/// Why an answer that is read as text could not be read to its end.
pub(super) fn of_read(error: io::Error) -> HttpError {
    error.downcast::<HttpError>().unwrap_or_else(|error| HttpError {
        kind: HttpErrorKind::Truncated,
        ..unexpected("", format!("the answer ended before its time: {error}"))
    })
}

/// Whether the API server no longer has the version that was asked for.
pub(super) fn is_gone(error: &HttpError) -> bool {
    error.kind == HttpErrorKind::Status(410)
}

/// What happened, without the address, which is that of the proxy.
pub(super) fn message(error: &HttpError) -> String {
    let status = serde_json::from_str::<serde_json::Value>(&error.body).ok();
    let told = status.as_ref().and_then(|status| status["message"].as_str()).unwrap_or(&error.body);
    match error.kind {
        // What is not the API server's own is the proxy's: it could not reach it.
        HttpErrorKind::Status(500..) if status.is_none() && !told.is_empty() => {
            format!("the API server cannot be reached: {told}")
        }
        HttpErrorKind::Status(code) if !told.is_empty() => format!("{told} ({code})"),
        _ => error.message.clone(),
    }
}

/// What to do about it.
fn help(error: &HttpError, rule: &str) -> String {
    match error.kind {
        HttpErrorKind::Status(401) => "log in to the cluster: kubectl get pods must work".to_owned(),
        HttpErrorKind::Status(403) => format!("a rule that allows it: {rule} ({RULES})"),
        HttpErrorKind::Status(429) => {
            "the API server is busy: try again later, or read less with -n or --node".to_owned()
        }
        HttpErrorKind::Status(500..) => "check that kubectl get pods works".to_owned(),
        _ => error.help.clone(),
    }
}

/// A rule of RBAC for one resource.
pub(super) fn rule(resource: &str, verbs: &str) -> String {
    format!("apiGroups: [\"\"], resources: [\"{resource}\"], verbs: [{verbs}]")
}

fn rule_of(feed: &Feed) -> String {
    let role = if feed.namespace.is_some() { "Role" } else { "ClusterRole" };
    format!("in a {role}, {}", rule(feed.kind.name(), "\"get\", \"list\", \"watch\""))
}

/// What is missing without a feed.
fn loss(feed: &Feed) -> &'static str {
    match feed.kind {
        Kind::Nodes => "versions of kubelets are not known",
        Kind::Pods => "starts are known from events only",
        Kind::Events => "scheduling, pulls and failures are not known, and times only to the second",
    }
}

/// What is said of a feed that could not be read, where others could.
pub(super) fn refused(feed: &Feed, error: &HttpError) -> String {
    let words = format!("{} are not read, so {}: {}", feed.words(), loss(feed), message(error));
    match help(error, &rule_of(feed)) {
        help if help.is_empty() => words,
        help => format!("{words}\n  help: {help}"),
    }
}

/// What is said of a feed that was listed, and whose watch failed again and again.
pub(super) fn unwatched(feed: &Feed, error: &HttpError) -> String {
    let words = format!("{} are not watched to the end: {}", feed.words(), message(error));
    match help(error, &rule_of(feed)) {
        help if help.is_empty() => words,
        help => format!("{words}\n  help: {help}"),
    }
}

/// What is said when nothing could be read.
pub(super) fn nothing(feed: &Feed, error: &HttpError) -> Error {
    let words = format!("{} cannot be read: {}", feed.words(), message(error));
    let elsewhere = match (error.kind, &feed.namespace) {
        (HttpErrorKind::Status(403), Some(_)) => "; or name a namespace of yours with -n",
        (HttpErrorKind::Status(403), None) => "; or read one namespace with -n",
        _ => "",
    };
    match help(error, &rule_of(feed)) {
        help if help.is_empty() => Error::new(ErrorKind::Source, words),
        help => Error::new(ErrorKind::Source, words).help(help + elsewhere),
    }
}

/// What is said where all lists of pods are empty.
pub(super) fn no_pods(options: &ClusterOptions, feeds: &[Feed]) -> String {
    let scopes: Vec<&str> = feeds.iter().filter_map(|feed| feed.namespace.as_deref()).collect();
    let scope = |word: &str, names: &[&str]| match names {
        [] => String::new(),
        names => format!(" {word} {}", names.join(", ")),
    };
    let nodes: Vec<&str> = options.nodes.iter().map(String::as_str).collect();
    let labels: Vec<&str> = options.pod_selector.as_deref().into_iter().collect();
    let words = format!(
        "there are no pods{}{}{}",
        scope("in namespace", &scopes),
        scope("on node", &nodes),
        scope("with labels", &labels)
    );
    match scopes.as_slice() {
        [] => words,
        _ => format!("{words}\n  help: read another namespace with -n, or all with -A"),
    }
}

/// An error before anything was asked.
pub(super) fn plain(error: &HttpError) -> Error {
    Error::new(ErrorKind::Setting, error.message.clone()).help(error.help.clone())
}
