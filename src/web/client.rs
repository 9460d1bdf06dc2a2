//! The client: options checked and made into connections.

use std::fmt;
use std::sync::Arc;

use reqwest::blocking::{Client as Http, ClientBuilder};
use reqwest::redirect::Policy;
use reqwest::{Identity, Proxy};

use super::address::{form_encode, parse_url, redact_url};
use super::credentials::Credentials;
use super::error::{HttpError, HttpErrorKind};
use super::error_mapping::connect_timeout;
use super::options::ClientOptions;
use super::pem;
use super::request::Request;
use super::response::{Body, HttpResponse};

/// Gets what happened and how long the client waits before a retry.
type OnRetry = dyn Fn(&str) + Send + Sync;

/// Fetches what its [`ClientOptions`] allow. Cheap to clone; one serves any number of threads.
#[derive(Clone)]
pub struct Client {
    pub(super) options: ClientOptions,
    /// With the client certificate, if there is one.
    pub(super) with_identity: Http,
    /// Without, for other origins.
    pub(super) without_identity: Http,
    pub(super) proxy: Option<String>,
    pub(super) on_retry: Option<Arc<OnRetry>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Client {
    /// A client with these options. Reads their files; sends nothing.
    ///
    /// # Errors
    ///
    /// When a file cannot be used, credentials exclude each other, or a header or the proxy's URL is invalid.
    pub fn new(options: &ClientOptions) -> Result<Self, HttpError> {
        // Fails when the program has chosen another, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let without_identity = build_http(options, None)?;
        let with_identity = match (&options.cert, &options.key) {
            (Some(cert), key) => {
                let identity = pem::client_identity(cert, key.as_deref())?;
                let mismatch = |_| pem::file_error(cert, "certificate and key do not match", "Check --cert and --key.");
                build_http(options, Some(&identity)).map_err(mismatch)?
            }
            (None, Some(key)) => {
                return Err(pem::file_error(key, "a key without a certificate", "Set --cert FILE too."));
            }
            (None, None) => without_identity.clone(),
        };
        // The user may still come from the URL, so a password alone is no error yet.
        Credentials::new(options, if options.password.is_some() { "-" } else { "" }, &without_identity)?;
        let proxy = options.proxy.as_ref().filter(|proxy| !proxy.reveal().is_empty());
        let proxy = proxy.map(|proxy| redact_url(proxy.reveal()));
        Ok(Self { options: options.clone(), with_identity, without_identity, proxy, on_retry: None })
    }

    /// The same, which calls `callback` with what happened and how long it waits, before each retry.
    #[cfg(any(test, feature = "internals"))]
    #[must_use]
    pub fn on_retry(self, callback: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { on_retry: Some(Arc::new(callback)), ..self }
    }

    /// `text` with `***` where it repeats a secret that this client sends.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let user = if self.options.password.is_some() { "-" } else { "" };
        Credentials::new(&self.options, user, &self.without_identity)
            .map_or_else(|_| text.to_owned(), |credentials| credentials.mask(text))
    }

    /// The same of an error found in a response.
    #[must_use]
    pub fn mask_error(&self, error: HttpError) -> HttpError {
        error.masked(|text| self.mask(text))
    }

    /// Fetches `url`, an `http://` or `https://` address, with `query` added to it, or sent form-encoded with `post`.
    ///
    /// # Errors
    ///
    /// Whatever [`HttpErrorKind`] says.
    pub fn get(&self, url: &str, query: &[(&str, &str)], post: bool) -> Result<Body, HttpError> {
        self.open(url, query, post)?.into_body()
    }

    /// The same, with the body left to be read.
    ///
    /// # Errors
    ///
    /// As for [`Client::get`], except for what comes up within the body.
    pub fn open(&self, url: &str, query: &[(&str, &str)], post: bool) -> Result<HttpResponse, HttpError> {
        self.open_part(url, query, post, None)
    }

    /// The same of a part of what is there, named as `Range` names it: `bytes=0-99`. A server that gives parts answers with status 206
    /// and says which part it is; any other gives all.
    ///
    /// # Errors
    ///
    /// As for [`Client::open`].
    pub fn open_range(&self, url: &str, range: &str) -> Result<HttpResponse, HttpError> {
        self.open_part(url, &[], false, Some(range.to_owned()))
    }

    fn open_part(
        &self,
        url: &str,
        query: &[(&str, &str)],
        post: bool,
        range: Option<String>,
    ) -> Result<HttpResponse, HttpError> {
        let (mut url, user) = parse_url(url)?;
        let credentials = Credentials::new(&self.options, &user, &self.without_identity)?;
        let form = post.then(|| form_encode(query));
        if !post && !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = Request { url, form, is_json: false, range, cross_origin: None, attempts: 0 };
        self.follow(request, &credentials).map_err(|error| error.masked(|text| credentials.mask(text)))
    }

    /// Sends JSON to `url` by POST, and fetches the answer.
    ///
    /// # Errors
    ///
    /// As for [`Client::get`].
    pub fn post_json(&self, url: &str, json: String) -> Result<Body, HttpError> {
        let (url, user) = parse_url(url)?;
        let credentials = Credentials::new(&self.options, &user, &self.without_identity)?;
        let request = Request { url, form: Some(json), is_json: true, range: None, cross_origin: None, attempts: 0 };
        let response = self.follow(request, &credentials).and_then(HttpResponse::into_body);
        response.map_err(|error| error.masked(|text| credentials.mask(text)))
    }
}

/// Connections with these options. Redirects and retries are ours to decide, see `request`.
fn build_http(options: &ClientOptions, identity: Option<&Identity>) -> Result<Http, HttpError> {
    let ca_certificates = options.ca.as_deref().map(pem::ca_certificates).transpose()?.unwrap_or_default();
    let proxy = options.proxy.as_ref().map(proxy).transpose()?;
    let settings = || {
        let mut settings = ClientBuilder::new()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(options.timeout)
            .connect_timeout(connect_timeout(options.timeout))
            .tls_danger_accept_invalid_certs(options.insecure);
        settings = match &proxy {
            Some(Some(proxy)) => settings.proxy(proxy.clone()),
            Some(None) => settings.no_proxy(),
            None => settings,
        };
        #[cfg(unix)]
        if let Some(socket) = &options.unix_socket {
            settings = settings.unix_socket(socket.as_path());
        }
        identity.into_iter().fold(settings, |settings, identity| settings.identity(identity.clone()))
    };
    // A container may have no system certificates, which is an error to reqwest but does not matter to plain HTTP.
    let built = settings().tls_certs_merge(ca_certificates.clone()).build();
    built.or_else(|_| settings().tls_certs_only(ca_certificates).build()).map_err(|error| {
        let last = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source()).last();
        let message = format!("cannot set up TLS ({})", last.unwrap_or(&error));
        HttpError::new(HttpErrorKind::InvalidOption, "TLS", message, "Check --ca, --cert and --key.")
    })
}

/// The proxy; `None` if none is to be used.
fn proxy(url: &super::Secret) -> Result<Option<Proxy>, HttpError> {
    let url = url.reveal();
    let invalid = || {
        let help = "Use http://HOST:PORT or https://HOST:PORT.";
        HttpError::new(
            HttpErrorKind::InvalidOption,
            "--proxy",
            format!("invalid proxy URL {:?}", redact_url(url)),
            help,
        )
    };
    match url.split_once("://") {
        _ if url.is_empty() => Ok(None),
        Some(("http" | "https", _)) | None => Proxy::all(url).map(Some).map_err(|_| invalid()),
        Some(_) => Err(invalid()),
    }
}
