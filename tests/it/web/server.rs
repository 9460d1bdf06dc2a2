//! Servers on this machine, as good or bad as a test wants them. They live as long as the test's process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// A server and what it was asked.
pub struct Server {
    pub at: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers with what `answer` makes of the request and of how many came before it.
    pub fn plain(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> Self {
        Self::each(move |mut stream, seen| {
            let request = request(&mut stream);
            let before = seen.len();
            let reply = answer(&request, before);
            seen.push(request);
            end(&mut stream, &reply);
        })
    }

    /// The same with one answer for all.
    pub fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::plain(move |_, _| answer.clone())
    }

    /// The same over TLS, with a certificate; `wanted` is the authority of the client certificates that it wants.
    pub fn secure(own: &Own, wanted: Option<&Own>, answer: impl Into<Vec<u8>>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let config = match wanted {
            None => config.with_no_client_auth(),
            Some(wanted) => {
                let mut roots = RootCertStore::empty();
                roots.add(wanted.cert.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                config.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.serialize_der()));
        let config = Arc::new(config.with_single_cert(vec![own.cert.der().clone()], key).unwrap());
        let answer = answer.into();
        Self::each(move |stream, seen| {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            let request = request(&mut stream);
            if request.is_empty() {
                return drain(&mut stream.sock);
            }
            seen.push(request);
            let _ = stream.write_all(&answer);
            stream.conn.send_close_notify();
            let _ = stream.flush();
            drain(&mut stream.sock);
        })
    }

    /// Does with each connection what `handle` does.
    pub fn each(handle: impl Fn(TcpStream, &mut Vec<String>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let held = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                handle(stream.unwrap(), &mut held.lock().unwrap());
            }
        });
        Self { at, seen }
    }

    /// The requests until now: head and body, the head in lower case but for its first line.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// By name, so that certificates fit.
    pub fn https(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.at.port())
    }
}

/// A certificate with its key.
pub struct Own {
    pub cert: rcgen::Certificate,
    pub key: rcgen::KeyPair,
}

impl Own {
    /// One that is its own authority, for this host name, valid until this year.
    pub fn until(name: &str, year: i32) -> Self {
        Self::new(name, |params| params.not_after = rcgen::date_time_ymd(year, 1, 1))
    }

    /// One that may sign others, as `openssl req -x509` makes them.
    pub fn authority(name: &str) -> Self {
        Self::new(name, |params| params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained))
    }

    fn new(name: &str, with: impl FnOnce(&mut rcgen::CertificateParams)) -> Self {
        let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        with(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        Self { cert: params.self_signed(&key).unwrap(), key }
    }

    pub fn of(name: &str) -> Self {
        Self::until(name, 4000)
    }
}

/// An HTTP answer with these header lines.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub fn redirect(status: &str, to: &str) -> Vec<u8> {
    answer(status, &format!("Location: {to}\r\n"), "")
}

/// Reads one request; what is none comes back as far as it goes.
pub fn request(stream: &mut impl Read) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            // 22 begins a TLS handshake, which ends with no empty line.
            Ok(1) if text.is_empty() && byte[0] == 22 => return "tls".into(),
            Ok(1) => text.push(byte[0]),
            _ => return String::new(),
        }
    }
    let head = String::from_utf8(text).unwrap();
    let (line, rest) = head.split_once("\r\n").unwrap();
    let rest = rest.lines().map(|line| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}\n", name.to_lowercase()),
        None => "\n".to_owned(),
    });
    let head = format!("{line}\n{}", rest.collect::<String>());
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Writes and closes. Reads on until the other side closes too: else the system might throw away what was written.
pub fn end(stream: &mut TcpStream, reply: &[u8]) {
    let _ = stream.write_all(reply);
    drain(stream);
}

fn drain(stream: &mut TcpStream) {
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = std::io::copy(stream, &mut std::io::sink());
}
