//! The largest clusters.

use super::api::{Api, Reply, Request};
use super::external::kubeconfig;
use crate::faults::process::Running;
use crate::objects::web;
use crate::support::podlag;

const NODES: usize = 5_000;
const PODS: usize = 150_000;
/// Events of a pod that are kept: its scheduling and its start.
const EVENTS: [usize; 2] = [1, 5];
const PAGE: usize = 500;

/// The items from a place on, as a page that says where the next one begins.
fn page(request: &Request, of: usize, item: impl Fn(usize) -> String) -> Reply {
    let from: usize = request.query.get("continue").map_or(0, |token| token.parse().expect("our own token"));
    assert_eq!(request.query["limit"], PAGE.to_string());
    let to = (from + PAGE).min(of);
    let next = if to < of { to.to_string() } else { String::new() };
    let items: Vec<String> = (from..to).map(item).collect();
    let meta = format!(r#"{{"resourceVersion":"9","continue":"{next}"}}"#);
    Reply::new(200, format!(r#"{{"kind":"List","apiVersion":"v1","metadata":{meta},"items":[{}]}}"#, items.join(",")))
}

/// A pod's object or event, of the pod with this number: 150,000 pods start within ten minutes.
fn item(template: &str, at: usize) -> String {
    let uid = format!("00000000-0000-4000-8000-{at:012}");
    let minute = format!("10:{:02}:", at * 10 / PODS);
    let item = template.replace("\"web\"", &format!("\"web-{at}\"")).replace("a-1", &uid);
    let item = item.replace("\"n1\"", &format!("\"n{}\"", at % NODES)).replace("to n1", &format!("to n{}", at % NODES));
    // An event has a uid of its own.
    item.replace("10:00:", &minute)
        .replace("\"metadata\":{\"name\":\"web.", &format!("\"metadata\":{{\"uid\":\"e{at}\",\"name\":\"web-{at}."))
}

#[test]
fn five_thousand_nodes_are_read_in_bounded_memory() {
    let templates: Vec<String> = web().iter().map(|text| text.replace('\n', "")).collect();
    let api = Api::start(move |request| match request.path.as_str() {
        "/api/v1/nodes" => page(request, NODES, |at| {
            format!(
                r#"{{"metadata":{{"name":"n{at}","uid":"n{at}"}},"status":{{"nodeInfo":{{"kubeletVersion":"v1.36.3"}}}}}}"#
            )
        }),
        "/api/v1/pods" => page(request, PODS, |at| item(&templates[0], at)),
        "/api/v1/events" => page(request, PODS * EVENTS.len(), |at| {
            let (event, pod) = (EVENTS[at % EVENTS.len()], at / EVENTS.len());
            item(&templates[event], pod).replace("\"uid\":\"e", &format!("\"uid\":\"{event}-"))
        }),
        _ => Reply::status(404, "NotFound", "nothing here"),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = podlag();
    command.args(["cluster", "-A"]).env("KUBECONFIG", kubeconfig(folder.path(), api.port)).env("HOME", folder.path());
    command.stdin(std::process::Stdio::null());
    let ended = Running::of(&mut command).end();
    let requests = api.seen().len();
    println!("{requests} requests, {} MiB of memory", ended.peak);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(requests, (NODES + PODS + PODS * EVENTS.len()) / PAGE);
    assert!(ended.out.starts_with("150,000 pod starts on 5,000 nodes"), "{}", ended.out);
    assert!(ended.out.contains("150,000 pods, 300,000 events"), "{}", ended.out);
    assert!(ended.peak < 600, "{} MiB", ended.peak);
}
