//! The part of the command line that is about servers: what is asked, and how they are reached. Secrets come from files and
//! the environment only: an argument is seen by every process list.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use clap::Args;
use podlag::analyze;
use podlag::model::error::{Error, Kind};
use podlag::model::time::{Nanos, Time};
use podlag::table::filter::instant;
use podlag::web::{ClientOptions, Secret};

/// How servers are asked and reached.
#[derive(Clone, Debug, Args)]
pub struct Servers {
    /// The time before --to (or now) that a Prometheus server is asked for
    #[arg(long, value_name = "LENGTH", value_parser = humantime::parse_duration, help_heading = "Servers")]
    #[arg(default_value = "1h", conflicts_with = "from")]
    window: Duration,
    /// Asks from this time on, instead of --window (times as for --since)
    #[arg(long, value_name = "TIME", help_heading = "Servers")]
    from: Option<String>,
    /// Asks up to this time [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Servers")]
    to: Option<String>,
    /// The label that names nodes [default: found by looking: node, kubernetes_io_hostname, …, instance]
    #[arg(long, value_name = "LABEL", help_heading = "Servers")]
    node_label: Option<String>,
    /// Matchers that every query gets, as 'cluster="prod"'
    #[arg(long, value_name = "MATCHERS", help_heading = "Servers")]
    selector: Option<String>,
    /// A file that holds a bearer token (or the environment's PODLAG_TOKEN)
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    token_file: Option<PathBuf>,
    /// The user of basic authentication
    #[arg(long, value_name = "NAME", conflicts_with = "token_file", help_heading = "Servers")]
    user: Option<String>,
    /// A file that holds the user's password (or the environment's PODLAG_PASSWORD)
    #[arg(long, value_name = "FILE", conflicts_with = "token_file", help_heading = "Servers")]
    password_file: Option<PathBuf>,
    /// A further header, as 'X-Scope-OrgID: team' (repeatable)
    #[arg(long, value_name = "NAME: VALUE", help_heading = "Servers")]
    header: Vec<String>,
    /// A file of further headers, one a line, for those that are secret
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    header_file: Option<PathBuf>,
    /// Certificates to trust beside the system's (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    ca: Option<PathBuf>,
    /// The client's certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    cert: Option<PathBuf>,
    /// Its key (PEM), where the certificate's file does not hold it
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Servers")]
    key: Option<PathBuf>,
    /// The proxy for all requests; '' for none [default: the environment's HTTPS_PROXY and so on]
    #[arg(long, value_name = "URL", help_heading = "Servers")]
    proxy: Option<String>,
    /// Trusts any certificate: whoever is in between can read the token and change the answers
    #[arg(long, help_heading = "Servers")]
    pub insecure: bool,
    /// How long a server may take to answer
    #[arg(long, value_name = "LENGTH", value_parser = humantime::parse_duration, default_value = "30s")]
    #[arg(help_heading = "Servers")]
    timeout: Duration,
    /// How often a request is tried again when that may help (429, 5xx, no connection)
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Servers")]
    retries: u32,
    /// The largest answer, unpacked
    #[arg(long, value_name = "SIZE", value_parser = super::size, default_value = "256MiB", help_heading = "Servers")]
    max_response: usize,
}

impl Servers {
    /// The library's options.
    pub fn read(&self, zone: Tz, now: Option<Time>) -> Result<analyze::Servers, Error> {
        Ok(analyze::Servers {
            access: self.access()?,
            window: self.asked(zone, now)?,
            node_label: self.node_label.clone(),
            selector: self.selector()?,
        })
    }

    fn asked(&self, zone: Tz, now: Option<Time>) -> Result<Option<(Time, Time)>, Error> {
        let time = |flag: &str, text: &Option<String>| {
            text.as_deref().map(|text| instant(text, zone, now).map_err(|error| error.about(&flag))).transpose()
        };
        let Some(to) = time("--to", &self.to)?.or(now) else { return Ok(None) };
        let window = Nanos(i64::try_from(self.window.as_nanos()).unwrap_or(i64::MAX));
        let from = time("--from", &self.from)?.unwrap_or(Time(to.0.saturating_sub(window.0)));
        if (to - from).seconds() < 1.0 {
            return Err(Error::new(Kind::Setting, format!("the window is empty: from {from} to {to}"))
                .help("--from must lie before --to, by a second at least"));
        }
        Ok(Some((from, to)))
    }

    /// The matchers, without the braces that people may put around them.
    fn selector(&self) -> Result<String, Error> {
        let text = self.selector.as_deref().unwrap_or_default().trim();
        let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let bare = bare.trim().trim_end_matches(',');
        if bare.is_empty() || bare.contains(['=', '~']) {
            return Ok(bare.to_owned());
        }
        Err(Error::new(Kind::Setting, format!("--selector: {text:?} holds no matcher"))
            .help("as in a query: 'cluster=\"prod\",job=~\"kubelet.*\"'"))
    }

    fn access(&self) -> Result<ClientOptions, Error> {
        let (token, password) = match &self.user {
            Some(_) => (None, secret(self.password_file.as_deref(), "PODLAG_PASSWORD")?),
            None => (secret(self.token_file.as_deref(), "PODLAG_TOKEN")?, self.nameless_password()?),
        };
        Ok(ClientOptions {
            token,
            user: self.user.clone(),
            password,
            headers: self.headers()?,
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            proxy: self.proxy()?,
            insecure: self.insecure,
            timeout: self.timeout,
            retries: self.retries,
            max_bytes: self.max_response as u64,
            ..ClientOptions::default()
        })
    }

    /// A password whose user stands in the address.
    fn nameless_password(&self) -> Result<Option<Secret>, Error> {
        self.password_file.as_deref().map_or(Ok(None), |file| secret(Some(file), ""))
    }

    fn headers(&self) -> Result<Vec<(String, Secret)>, Error> {
        let file = self.header_file.as_deref().map(text).transpose()?.unwrap_or_default();
        let lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut headers = Vec::new();
        for (line, typed) in self.header.iter().map(|line| (line.as_str(), true)).chain(lines.map(|line| (line, false)))
        {
            let Some((name, value)) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty()) else {
                let flag = if typed { "--header" } else { "--header-file" };
                return Err(Error::new(Kind::Setting, format!("{flag}: a header has no colon"))
                    .help("give 'NAME: VALUE', as 'X-Scope-OrgID: team'"));
            };
            let name = name.trim();
            if typed && ["authorization", "proxy-authorization", "cookie"].contains(&name.to_ascii_lowercase().as_str())
            {
                return Err(Error::new(Kind::Setting, format!("--header {name}: every process list shows it"))
                    .help("--token-file, --password-file and --header-file take secrets from files"));
            }
            headers.push((name.to_owned(), Secret::new(value.trim())));
        }
        Ok(headers)
    }

    fn proxy(&self) -> Result<Option<Secret>, Error> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        let user = proxy.rsplit_once('@').map(|(before, _)| before.rsplit('/').next().unwrap_or(before));
        if user.is_some_and(|user| user.contains(':')) {
            return Err(Error::new(Kind::Setting, "--proxy: every process list shows a password in it")
                .help("set HTTPS_PROXY (HTTP_PROXY) in the environment instead"));
        }
        Ok(Some(Secret::new(proxy.clone())))
    }
}

/// A secret from a file, else from a variable of the environment.
#[allow(clippy::disallowed_methods, reason = "the program, not the library, looks at its surroundings")]
fn secret(file: Option<&Path>, variable: &str) -> Result<Option<Secret>, Error> {
    match file {
        Some(file) => Ok(Some(Secret::new(text(file)?.trim_end_matches(['\r', '\n'])))),
        None if variable.is_empty() => Ok(None),
        None => Ok(std::env::var(variable).ok().filter(|text| !text.is_empty()).map(Secret::new)),
    }
}

fn text(file: &Path) -> Result<String, Error> {
    let told = |trouble| Error::new(Kind::Setting, format!("{} cannot be read: {trouble}", file.display()));
    std::fs::read_to_string(file).map_err(told)
}
