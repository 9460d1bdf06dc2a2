//! Sends requests: with whom the credentials go, which redirects are followed, when to try again.

use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Response;
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};

use super::address::{shown, strip, web};
use super::answer::Answer;
use super::cause::{self, About};
use super::client::Client;
use super::keys::Keys;
use super::retry;
use super::status::meaning;
use super::trouble::{HttpError, Kind};
use crate::model::text::sanitize;

/// Redirects followed for one request, at most.
const REDIRECTS: u32 = 5;
/// How much of a refusal is kept, in bytes.
const KEPT: usize = 2 << 10;
/// How much of it is read: a secret that the server repeats must be whole to be found.
const READ: u64 = 32 << 10;
/// How much of it stands in the message, in bytes.
const QUOTED: usize = 200;
/// How soon a wait notices that it is to end.
const STEP: Duration = Duration::from_millis(50);

/// A request, changed by each redirect.
pub(super) struct Request {
    pub(super) url: Url,
    /// What is sent in the body, form-encoded; `None` makes it a GET.
    pub(super) form: Option<String>,
    /// The address, as shown, from which another origin was reached. Nobody gets credentials from then on, not even the
    /// first origin again: it is the other one that speaks by then.
    pub(super) strayed: Option<String>,
    pub(super) tries: u32,
}

impl Client {
    /// Sends it, and what redirects make of it.
    pub(super) fn follow(&self, mut ask: Request, keys: &Keys) -> Result<Answer, HttpError> {
        for _ in 0..=REDIRECTS {
            let response = self.send(&mut ask, keys)?;
            let status = response.status();
            let target = response.headers().get(LOCATION).filter(|_| matches!(status.as_u16(), 301..=303 | 307 | 308));
            let Some(target) = target else { return self.judge(&ask, keys, response) };
            ask = self.redirect(ask, keys, target, matches!(status.as_u16(), 307 | 308))?;
        }
        let message = format!("more than {REDIRECTS} redirects, one after the other");
        Err(self.about(&ask).trouble(
            Kind::Redirected,
            message,
            "Check the address, and whether the server wants a login.",
        ))
    }

    /// The request that a redirect asks for.
    fn redirect(&self, ask: Request, keys: &Keys, target: &HeaderValue, keep: bool) -> Result<Request, HttpError> {
        let refuse = |message, help| Err(self.about(&ask).trouble(Kind::Redirected, message, help));
        let check = "Check the address; begin with where it should lead.";
        let Some(mut url) = target.to_str().ok().and_then(|target| ask.url.join(target).ok()).filter(web) else {
            return refuse("the server redirects to something that is no web address".to_owned(), check);
        };
        strip(&mut url);
        let secrets = !keys.headers.is_empty() || self.access.cert.is_some();
        if secrets && ask.url.scheme() == "https" && url.scheme() == "http" {
            let message =
                format!("the server redirects from https to {}, where all is readable on the way", shown(url.as_str()));
            return refuse(message, check);
        }
        let strayed = ask.url.origin() != url.origin();
        let strayed = ask.strayed.or_else(|| strayed.then(|| shown(ask.url.as_str())));
        let form = match ask.form {
            Some(form) if !keep => {
                let query: Vec<_> =
                    url.query().into_iter().chain([form.as_str()]).filter(|part| !part.is_empty()).collect();
                let query = query.join("&");
                url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
                None
            }
            form => form,
        };
        Ok(Request { url, form, strayed, tries: 0 })
    }

    /// Sends it until there is an answer that will not be another one a little later, or the tries are used up.
    fn send(&self, ask: &mut Request, keys: &Keys) -> Result<Response, HttpError> {
        loop {
            self.go_on(ask)?;
            ask.tries += 1;
            let http = if ask.strayed.is_some() { &self.bare } else { &self.own };
            let request = match &ask.form {
                Some(form) => http
                    .post(ask.url.clone())
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.clone()),
                None => http.get(ask.url.clone()),
            };
            let request = if ask.strayed.is_some() { request } else { request.headers(keys.headers.clone()) };
            let answer = request.send().map_err(reqwest::Error::without_url);
            let passes = match &answer {
                Ok(response) => retry::passes(response.status()),
                Err(error) => cause::passes(error),
            };
            if !passes || ask.tries > self.access.retries {
                return answer.map_err(|error| self.about(ask).unanswered(&error));
            }
            let asked = answer.as_ref().ok().and_then(|response| retry::asked(response.headers()));
            let pause = asked.unwrap_or_else(|| retry::pause(ask.tries));
            if let Some(tell) = &self.waiting {
                let (status, about) = (answer.as_ref().map(Response::status), self.about(ask));
                let message = match status {
                    Ok(status) => meaning(status, keys.login, None).0,
                    Err(error) => about.unanswered(error).message,
                };
                tell(&keys.hide(&format!("{}: {message}; waiting {pause:?}", about.url)));
            }
            self.wait(ask, pause)?;
        }
    }

    fn wait(&self, ask: &Request, mut left: Duration) -> Result<(), HttpError> {
        while !left.is_zero() {
            self.go_on(ask)?;
            std::thread::sleep(left.min(STEP));
            left = left.saturating_sub(STEP);
        }
        Ok(())
    }

    fn go_on(&self, ask: &Request) -> Result<(), HttpError> {
        match self.access.stop.load(Ordering::Relaxed) {
            true => Err(self.about(ask).trouble(Kind::Stopped, "stopped before there was an answer", "")),
            false => Ok(()),
        }
    }

    /// An answer if it is one, else why not.
    fn judge(&self, ask: &Request, keys: &Keys, response: Response) -> Result<Answer, HttpError> {
        let status = response.status();
        let mut about = self.about(ask);
        about.url = keys.hide(&about.url);
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(sanitize);
        let max_bytes = self.access.max_bytes;
        let mut answer = Answer {
            status: status.as_u16(),
            content_type,
            url: about.url.clone(),
            response,
            about,
            left: max_bytes,
            max_bytes,
            stop: self.access.stop.clone(),
        };
        if status.is_success() {
            return Ok(answer);
        }
        let mut body = Vec::new();
        // What a refusal says is a help; that it breaks off is no trouble of its own.
        let _ = answer.by_ref().take(READ).read_to_end(&mut body);
        let body = keys.hide(&sanitize(String::from_utf8_lossy(&body).trim()));
        let (mut message, mut help) = meaning(status, keys.login, ask.strayed.as_deref());
        if !body.is_empty() && !answer.content_type.is_some_and(|kind| kind.contains("html")) {
            message += &format!(": {}", cut(&body, QUOTED));
        }
        // The words of Go's servers, and of nginx.
        if ask.url.scheme() == "http" && ["an HTTPS server", "HTTPS port"].iter().any(|words| body.contains(words)) {
            help = "The port is one for HTTPS: begin the address with https://.".into();
        }
        let trouble = answer.about.trouble(Kind::Refused(status.as_u16()), message, help);
        Err(HttpError { body: cut(&body, KEPT).to_owned(), ..trouble })
    }

    fn about(&self, ask: &Request) -> About {
        About {
            url: shown(ask.url.as_str()),
            proxy: self.proxy.clone(),
            identity: self.access.cert.is_some() && ask.strayed.is_none(),
            timeout: self.access.timeout,
            tries: ask.tries,
        }
    }
}

/// The first `most` bytes of `text`, or a little less.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}
