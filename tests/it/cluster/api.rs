//! An API server on this machine, and a recording of a real one for it to answer with.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A request.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Who asks: the path of the server's address names all but `admin`, as kubectl sends no credentials without TLS.
    pub user: String,
    /// Which part of a file is wanted, as `Range` names it.
    pub range: Option<String>,
    /// How many of the same path came before it.
    pub before: usize,
}

impl Request {
    pub fn is_watch(&self) -> bool {
        self.query.contains_key("watch")
    }

    fn get(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// An answer.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
    /// Only so many bytes of the body come, then the connection is closed.
    pub cut: Option<usize>,
    /// After the body, or what of it comes, nothing follows, and the answer does not end.
    pub hold: bool,
    /// The body comes in pieces of so many bytes, with pauses between them.
    pub piece: Option<usize>,
}

/// How long such a pause is.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(1);

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = "Content-Type: application/json\r\n".to_owned();
        Reply { status, headers, body: body.into(), cut: None, hold: false, piece: None }
    }

    /// A file as Go's file server gives it: the part that is asked for, or all.
    pub fn file(bytes: &[u8], request: &Request) -> Self {
        let all = || Reply { headers: "Accept-Ranges: bytes\r\n".into(), ..Reply::new(200, bytes) };
        let Some((from, to)) = request.range.as_ref().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
        else {
            return all();
        };
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let (from, to) = match (from, to) {
            ("", last) => (bytes.len().saturating_sub(number(last)), bytes.len()),
            (from, to) => (number(from), (number(to) + 1).min(bytes.len())),
        };
        if from >= bytes.len() {
            let headers = format!("Content-Range: bytes */{}\r\n", bytes.len());
            return Reply { headers, ..Reply::new(416, "invalid range: failed to overlap\n") };
        }
        let headers = format!("Accept-Ranges: bytes\r\nContent-Range: bytes {from}-{}/{}\r\n", to - 1, bytes.len());
        Reply { headers, ..Reply::new(206, &bytes[from..to]) }
    }

    /// What the API server says of something that is not as wished.
    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        let status = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        });
        Reply::new(code, format!("{status:#}\n"))
    }
}

/// The server. It lives as long as the test's process.
pub struct Api {
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Api {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(answer);
        let [seen, sent] = [(); 2].map(|()| Arc::<Mutex<Vec<String>>>::default());
        let held = (Arc::clone(&seen), Arc::clone(&sent));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, (seen, sent)) = (Arc::clone(&answer), held.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &*answer, &seen, &sent));
            }
        });
        Api { port, seen, sent }
    }

    /// The requests until now, as method and address.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Those of them whose bodies were sent, as far as they were to come.
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &dyn Fn(&Request) -> Reply,
    seen: &Mutex<Vec<String>>,
    sent: &Mutex<Vec<String>>,
) {
    loop {
        let text = crate::web::server::request(&mut stream);
        let Some((line, _)) = text.split_once('\n') else { return };
        let mut words = line.split(' ');
        let (Some(method), Some(target)) = (words.next().map(str::to_owned), words.next()) else { return };
        let (user, target) = match target.strip_prefix("/user/").and_then(|rest| rest.split_once('/')) {
            Some((user, rest)) => (user, format!("/{rest}")),
            None => ("admin", target.to_owned()),
        };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().replace('+', " ");
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let before = {
            let mut seen = seen.lock().unwrap();
            let before = seen.iter().filter(|line| line.split(['?', ' ']).nth(1) == Some(path)).count();
            // kubectl may ask for the version of the server first.
            if path != "/version" {
                seen.push(format!("{method} {target}"));
            }
            before
        };
        let request = Request {
            method,
            path: decode(path),
            query: pairs.map(|(name, value)| (decode(name), decode(value))).collect(),
            user: user.to_owned(),
            range: text.lines().find_map(|line| line.strip_prefix("range: ")).map(str::to_owned),
            before,
        };
        let reply = answer(&request);
        let headers = format!("HTTP/1.1 {} X\r\n{}Transfer-Encoding: chunked\r\n\r\n", reply.status, reply.headers);
        let body = reply.body.get(..reply.cut.unwrap_or(reply.body.len())).unwrap_or(&reply.body);
        let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        let mut written = stream.write_all(headers.as_bytes());
        for part in body.chunks(reply.piece.unwrap_or(1 << 16)) {
            written = written.and_then(|()| stream.write_all(&chunk(part)));
            if reply.piece.is_some() {
                std::thread::sleep(PAUSE);
            }
        }
        sent.lock().unwrap().push(format!("{} {target}", request.method));
        if written.is_err() || reply.cut.is_some() && !reply.hold {
            return;
        }
        if reply.hold {
            let _ = stream.read(&mut [0]);
            return;
        }
        if stream.write_all(b"0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// What a real API server (1.36) answered, byte for byte.
pub struct Recording {
    files: BTreeMap<String, Vec<u8>>,
    /// The files of pages, by path and token.
    pages: BTreeMap<(String, String), String>,
    /// How often pages of kubelets are asked for.
    pub scrapes: usize,
}

impl Recording {
    pub fn load() -> Self {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/api.tar.zst");
        let unpacked = crate::support::unpacked(&archive);
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(unpacked.as_slice()).entries().expect("a tar archive") {
            let mut entry = entry.expect("an entry");
            let name = entry.path().expect("a path").to_string_lossy().trim_start_matches("./").to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("a file");
            files.insert(name, bytes);
        }
        let requests = String::from_utf8(files["requests.tsv"].clone()).expect("UTF-8");
        let mut pages = BTreeMap::new();
        for line in requests.lines().filter(|line| line.contains("\tpages/")) {
            let fields: Vec<&str> = line.split('\t').collect();
            let (path, query) = fields[4].split_once('?').unwrap_or((fields[4], ""));
            let token = query.split('&').find_map(|pair| pair.strip_prefix("continue=")).unwrap_or_default();
            if fields[1].contains(".page") {
                pages.insert((path.to_owned(), token.to_owned()), fields[1].to_owned());
            }
        }
        Recording { files, pages, scrapes: 1 }
    }

    pub fn file(&self, name: &str) -> &[u8] {
        self.files.get(name).unwrap_or_else(|| panic!("{name} is not in the recording"))
    }

    /// A recorded answer, with its status and the headers that do not say how long it is.
    pub fn reply(&self, name: &str) -> Reply {
        let headers = String::from_utf8(self.file(&format!("{name}.headers")).to_vec()).expect("UTF-8");
        let (first, rest) = headers.split_once('\n').expect("a status line");
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let kept = rest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("content-length"));
        let headers = kept.map(|line| format!("{line}\r\n")).collect();
        Reply { headers, ..Reply::new(status, self.file(name)) }
    }

    /// What the server answered to such a request; `admin` may everything, `viewer` may not ask for nodes, `tenant` may
    /// read his namespace.
    pub fn answer(&self, request: &Request) -> Reply {
        let path = request.path.as_str();
        if path == "/version" {
            return self.reply("viewer/version.json");
        }
        if request.user == "nobody" {
            return self.reply("viewer/bad-token.json");
        }
        if path.ends_with("/selfsubjectaccessreviews") {
            assert_eq!(request.method, "POST");
            let allowed = request.user == "admin";
            return Reply::new(201, serde_json::json!({"status": {"allowed": allowed}}).to_string());
        }
        assert_eq!(request.method, "GET", "podlag only reads");
        if path.contains("/nodes") && request.user != "admin" {
            return self.reply("viewer/nodes.json");
        }
        if let Some((node, page)) = path.strip_prefix("/api/v1/nodes/").and_then(|rest| rest.split_once("/proxy/")) {
            let name = if page == "configz" { "configz.json".to_owned() } else { page.replace('/', "-") + ".txt" };
            if !self.files.contains_key(&format!("after/nodes/{node}/{name}")) {
                return self.reply("viewer/kubelet-down-metrics.txt");
            }
            // Of two scrapes the first is that of before.
            let dir = if request.before == 0 && self.scrapes > 1 { "before" } else { "after" };
            return self.reply(&format!("{dir}/nodes/{node}/{name}"));
        }
        if path == "/api/v1/nodes" {
            return self.reply("after/nodes.json");
        }
        if let Some(selector) = request.query.get("labelSelector").or(request.query.get("fieldSelector"))
            && path == "/api/v1/pods"
        {
            return self.selected(selector);
        }
        if let Some((namespace, kind)) = path.strip_prefix("/api/v1/namespaces/").and_then(|rest| rest.split_once('/'))
        {
            return self.of_namespace(namespace, kind);
        }
        let kind = path.trim_start_matches("/api/v1/");
        if request.user == "tenant" {
            let message =
                format!("{kind} is forbidden: User \"tenant\" cannot list resource \"{kind}\" at the cluster scope");
            return Reply::status(403, "Forbidden", &message);
        }
        if request.is_watch() {
            return Reply { hold: true, ..self.reply(&format!("watch/{kind}.jsonl")) };
        }
        match self.pages.get(&(path.to_owned(), request.get("continue").to_owned())) {
            Some(page) => self.reply(page),
            None => self.reply("pages/pods.bad-continue.json"),
        }
    }

    /// Pods by a label, or by their node.
    fn selected(&self, selector: &str) -> Reply {
        let (name, value) = selector.split_once('=').expect("a selector");
        let mut list: Value = serde_json::from_slice(self.file("after/pods.json")).expect("JSON");
        let items = list["items"].as_array_mut().expect("a list");
        items.retain(|item| match name {
            "spec.nodeName" => item["spec"]["nodeName"] == value,
            label => item["metadata"]["labels"][label] == value,
        });
        Reply::new(200, list.to_string())
    }

    fn of_namespace(&self, namespace: &str, kind: &str) -> Reply {
        let mut list: Value = serde_json::from_slice(self.file(&format!("after/{kind}.json"))).expect("JSON");
        let items = list["items"].as_array_mut().expect("a list");
        items.retain(|item| item["metadata"]["namespace"] == namespace);
        Reply::new(200, list.to_string())
    }
}
