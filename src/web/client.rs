//! The client: its settings checked and made into connections, and what may be asked of it.

use std::fmt;
use std::sync::Arc;

use reqwest::blocking::{Client as Http, ClientBuilder};
use reqwest::redirect::Policy;
use reqwest::{Identity, Proxy};

use super::access::Access;
use super::address::{encoded, parse, shown};
use super::answer::{Answer, Body};
use super::cause::connecting;
use super::keys::Keys;
use super::pem;
use super::request::Request;
use super::trouble::{HttpError, Kind};

/// Takes what there is to tell a user who waits.
type Tell = dyn Fn(&str) + Send + Sync;

/// Fetches what [`Access`] allows. Cheap to clone; one serves any number of threads.
#[derive(Clone)]
pub struct Client {
    pub(super) access: Access,
    /// With the client certificate, if there is one.
    pub(super) own: Http,
    /// Without, for other origins.
    pub(super) bare: Http,
    pub(super) proxy: Option<String>,
    pub(super) waiting: Option<Arc<Tell>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("access", &self.access).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that keeps to `access`. Reads its files; sends nothing.
    ///
    /// # Errors
    ///
    /// When a file cannot be used, credentials contradict each other, or a header or the proxy's URL is none.
    pub fn new(access: &Access) -> Result<Self, HttpError> {
        // Fails when the program has chosen another, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bare = build(access, None)?;
        let own = match (&access.cert, &access.key) {
            (Some(cert), key) => {
                let identity = pem::identity(cert, key.as_deref())?;
                let fits =
                    |_| pem::trouble(cert, "certificate and key cannot be used together", "Check --cert and --key.");
                build(access, Some(&identity)).map_err(fits)?
            }
            (None, Some(key)) => {
                return Err(pem::trouble(key, "there is a key but no certificate", "Give --cert FILE as well."));
            }
            (None, None) => bare.clone(),
        };
        // The user may still come from the URL, so a password alone is no mistake yet.
        Keys::new(access, if access.password.is_some() { "-" } else { "" }, &bare)?;
        let proxy = access.proxy.as_ref().filter(|proxy| !proxy.reveal().is_empty());
        let proxy = proxy.map(|proxy| shown(proxy.reveal()));
        Ok(Self { access: access.clone(), own, bare, proxy, waiting: None })
    }

    /// The same, which calls `tell` with what happened and how long it waits, before it waits to try again.
    #[must_use]
    pub fn waiting(self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { waiting: Some(Arc::new(tell)), ..self }
    }

    /// `text` with `***` where it repeats a secret that this client sends.
    #[must_use]
    pub fn hidden(&self, text: &str) -> String {
        let named = if self.access.password.is_some() { "-" } else { "" };
        Keys::new(&self.access, named, &self.bare).map_or_else(|_| text.to_owned(), |keys| keys.hide(text))
    }

    /// The same of trouble that was found in an answer.
    #[must_use]
    pub fn hide(&self, trouble: HttpError) -> HttpError {
        HttpError {
            url: self.hidden(&trouble.url),
            message: self.hidden(&trouble.message),
            help: self.hidden(&trouble.help),
            body: self.hidden(&trouble.body),
            ..trouble
        }
    }

    /// Fetches `url`, an `http://` or `https://` address, with `query` added to it, or sent form-encoded with `post`.
    ///
    /// # Errors
    ///
    /// Whatever [`Kind`] says.
    pub fn get(&self, url: &str, query: &[(&str, &str)], post: bool) -> Result<Body, HttpError> {
        self.open(url, query, post)?.whole()
    }

    /// The same, with the answer left to be read.
    ///
    /// # Errors
    ///
    /// As for [`Client::get`], except for what comes up within the answer.
    pub fn open(&self, url: &str, query: &[(&str, &str)], post: bool) -> Result<Answer, HttpError> {
        let (mut url, user) = parse(url)?;
        let keys = Keys::new(&self.access, &user, &self.bare)?;
        let form = post.then(|| encoded(query));
        if !post && !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.follow(Request { url, form, strayed: None, tries: 0 }, &keys).map_err(|trouble| HttpError {
            url: keys.hide(&trouble.url),
            message: keys.hide(&trouble.message),
            help: keys.hide(&trouble.help),
            ..trouble
        })
    }
}

/// The connections that `access` asks for. Redirects and retries are ours to decide, see `request`.
fn build(access: &Access, identity: Option<&Identity>) -> Result<Http, HttpError> {
    let authorities = access.ca.as_deref().map(pem::authorities).transpose()?.unwrap_or_default();
    let proxy = access.proxy.as_ref().map(proxy).transpose()?;
    let settings = || {
        let mut settings = ClientBuilder::new()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(access.timeout)
            .connect_timeout(connecting(access.timeout))
            .tls_danger_accept_invalid_certs(access.insecure);
        settings = match &proxy {
            Some(Some(proxy)) => settings.proxy(proxy.clone()),
            Some(None) => settings.no_proxy(),
            None => settings,
        };
        identity.into_iter().fold(settings, |settings, identity| settings.identity(identity.clone()))
    };
    // A container may have no certificates at all, which is an error to reqwest but does not matter to plain HTTP.
    let built = settings().tls_certs_merge(authorities.clone()).build();
    built.or_else(|_| settings().tls_certs_only(authorities).build()).map_err(|error| {
        let last = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source()).last();
        let message = format!("no secure connections can be set up ({})", last.unwrap_or(&error));
        HttpError::new(Kind::Setting, "TLS", message, "Check --ca, --cert and --key.")
    })
}

/// The proxy; `None` if none is to be used.
fn proxy(url: &super::Secret) -> Result<Option<Proxy>, HttpError> {
    let url = url.reveal();
    let wrong = || {
        let help = "It wants http://HOST:PORT or https://HOST:PORT.";
        HttpError::new(Kind::Setting, "--proxy", format!("{} is no proxy's URL", shown(url)), help)
    };
    match url.split_once("://") {
        _ if url.is_empty() => Ok(None),
        Some(("http" | "https", _)) | None => Proxy::all(url).map(Some).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}
