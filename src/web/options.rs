//! What the user sets: credentials, certificates, limits.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A text that must not be shown: it prints as `***`, with `{}` as with `{:?}`, and cannot be serialized.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from view.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a server may be reached. The default is no credentials, the system's certificates and the limits below.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// A bearer token, without the word `Bearer`; white space around it is left out. Excludes `user`. Default none.
    pub token: Option<Secret>,
    /// Name for basic authentication; `None` takes the one before the `@` of the URL. Default none.
    pub user: Option<String>,
    /// The password that goes with the user. Default none, which is sent as an empty one if there is a user.
    pub password: Option<Secret>,
    /// Further headers, name and value. They count as credentials: another origin does not get them. Default none.
    pub headers: Vec<(String, Secret)>,
    /// PEM file of CA certificates to trust besides the system's. Default none.
    pub ca: Option<PathBuf>,
    /// PEM file of the client certificate, with its chain. Default none.
    pub cert: Option<PathBuf>,
    /// PEM file of its key, not encrypted; `None` looks for it in `cert`. Default none.
    pub key: Option<PathBuf>,
    /// URL of a proxy for everything, `http` or `https`. An empty one is no proxy at all. Secret since it may hold a
    /// password. Default none, which leaves it to the environment (`HTTPS_PROXY` and so on).
    pub proxy: Option<Secret>,
    /// Unix domain socket that all requests go through, whatever host their URL names; no proxy is used then. Elsewhere than on
    /// Unix it has no effect. Default none.
    pub unix_socket: Option<PathBuf>,
    /// Does not verify TLS certificates. Default no.
    pub insecure: bool,
    /// How long it may take until a response begins, half of that until there is a connection; and how long any pause in
    /// the response may be. Default 30 s.
    pub timeout: Duration,
    /// How often to retry after a transient error. Default 3.
    pub retries: u32,
    /// Bytes of a response, at most, counted after decompression. Default 256 MiB.
    pub max_bytes: u64,
    /// Set, it cancels requests: between retries within 50 ms, in a response at its next bytes, before it at the timeout.
    pub stop: Arc<AtomicBool>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            token: None,
            user: None,
            password: None,
            headers: Vec::new(),
            ca: None,
            cert: None,
            key: None,
            proxy: None,
            unix_socket: None,
            insecure: false,
            timeout: Duration::from_secs(30),
            retries: 3,
            max_bytes: 256 << 20,
            stop: Arc::default(),
        }
    }
}
