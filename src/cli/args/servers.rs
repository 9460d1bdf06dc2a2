//! Flags about servers: what is queried, and how they are reached. Secrets come from files and the environment only: arguments
//! are visible in every process list.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::analysis::{read_text, time};
use crate::analyze;
use crate::model::error::{Error, ErrorKind};
use crate::model::time::{Nanos, Time};
use crate::model::zone::Zone;
use crate::web::{ClientOptions, Secret};
use clap::Args;

/// How servers are queried and reached.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ServerArgs {
    /// Length of the time window that ends at --to (or now)
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, help_heading = "Servers")]
    #[arg(default_value = "1h", conflicts_with = "from")]
    window: Duration,
    /// Start of the time window, instead of --window (times as for --since)
    #[arg(long, value_name = "TIME", help_heading = "Servers")]
    from: Option<String>,
    /// End of the time window [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Servers")]
    to: Option<String>,
    /// Label with the node's name [default: auto-detected]
    #[arg(long, value_name = "LABEL", help_heading = "Servers")]
    node_label: Option<String>,
    /// Label matchers added to every query, e.g. 'cluster="prod"'. A log store is asked for exactly these lines
    #[arg(long, value_name = "MATCHERS", help_heading = "Servers")]
    selector: Option<String>,
    /// File with a bearer token (or put the token in PODLAG_TOKEN)
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    token_file: Option<PathBuf>,
    /// User name for basic authentication
    #[arg(long, value_name = "NAME", conflicts_with = "token_file", help_heading = "Servers")]
    user: Option<String>,
    /// File with the user's password (or put the password in PODLAG_PASSWORD)
    #[arg(long, value_name = "FILE", conflicts_with = "token_file", help_heading = "Servers")]
    password_file: Option<PathBuf>,
    /// Additional header, e.g. 'X-Scope-OrgID: team' (repeatable)
    #[arg(long, value_name = "NAME: VALUE", help_heading = "Servers")]
    header: Vec<String>,
    /// File with additional headers, one per line; keeps secrets off the command line
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    header_file: Option<PathBuf>,
    /// CA certificates to trust in addition to the system's (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    ca: Option<PathBuf>,
    /// Client certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM), if it is in a separate file
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Servers")]
    key: Option<PathBuf>,
    /// Proxy for all requests; '' for none [default: HTTPS_PROXY and HTTP_PROXY]
    #[arg(long, value_name = "URL", help_heading = "Servers")]
    proxy: Option<String>,
    /// Do not verify TLS certificates (the token can be intercepted)
    #[arg(long, help_heading = "Servers")]
    pub(in crate::cli) insecure: bool,
    /// Timeout of a request
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "30s")]
    #[arg(help_heading = "Servers")]
    timeout: Duration,
    /// Retries for transient errors (429, 5xx, no connection)
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Servers")]
    retries: u32,
    /// Maximum response size after decompression
    #[arg(long, value_name = "SIZE", value_parser = super::size, default_value = "256MiB", help_heading = "Servers")]
    max_response: usize,
}

impl ServerArgs {
    /// The library's options.
    pub(super) fn options(&self, zone: Zone, now: Option<Time>) -> Result<analyze::Servers, Error> {
        Ok(analyze::Servers {
            access: self.access()?,
            window: self.time_window(zone, now)?,
            node_label: self.node_label.clone(),
            selector: self.selector()?,
        })
    }

    fn time_window(&self, zone: Zone, now: Option<Time>) -> Result<Option<(Time, Time)>, Error> {
        let Some(to) = time("--to", self.to.as_deref(), zone, now)?.or(now) else { return Ok(None) };
        let window = Nanos(i64::try_from(self.window.as_nanos()).unwrap_or(i64::MAX));
        let from = time("--from", self.from.as_deref(), zone, now)?.unwrap_or(Time(to.0.saturating_sub(window.0)));
        if (to - from).seconds() < 1.0 {
            return Err(Error::new(ErrorKind::Setting, format!("the time window is empty: from {from} to {to}"))
                .help("--from must be at least one second before --to"));
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
        Err(Error::new(ErrorKind::Setting, format!("--selector: {text:?} contains no label matcher"))
            .help("write it as in a query: 'cluster=\"prod\",job=~\"kubelet.*\"'"))
    }

    fn access(&self) -> Result<ClientOptions, Error> {
        let (token, password) = match &self.user {
            Some(_) => (None, secret(self.password_file.as_deref(), "PODLAG_PASSWORD")?),
            None => (secret(self.token_file.as_deref(), "PODLAG_TOKEN")?, self.password_for_url()?),
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

    /// A password whose user name is in the URL.
    fn password_for_url(&self) -> Result<Option<Secret>, Error> {
        self.password_file.as_deref().map_or(Ok(None), |file| secret(Some(file), ""))
    }

    fn headers(&self) -> Result<Vec<(String, Secret)>, Error> {
        let file = self.header_file.as_deref().map(secret_text).transpose()?.unwrap_or_default();
        let lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut headers = Vec::new();
        for (line, typed) in self.header.iter().map(|line| (line.as_str(), true)).chain(lines.map(|line| (line, false)))
        {
            let Some((name, value)) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty()) else {
                let flag = if typed { "--header" } else { "--header-file" };
                return Err(Error::new(ErrorKind::Setting, format!("{flag}: a header has no colon"))
                    .help("use 'NAME: VALUE', e.g. 'X-Scope-OrgID: team'"));
            };
            let name = name.trim();
            if typed && ["authorization", "proxy-authorization", "cookie"].contains(&name.to_ascii_lowercase().as_str())
            {
                return Err(Error::new(
                    ErrorKind::Setting,
                    format!("--header {name}: its value would be visible in the process list"),
                )
                .help("use --token-file, --password-file or --header-file for secrets"));
            }
            headers.push((name.to_owned(), Secret::new(value.trim())));
        }
        Ok(headers)
    }

    fn proxy(&self) -> Result<Option<Secret>, Error> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        let user = proxy.rsplit_once('@').map(|(before, _)| before.rsplit('/').next().unwrap_or(before));
        if user.is_some_and(|user| user.contains(':')) {
            return Err(Error::new(ErrorKind::Setting, "--proxy: its password would be visible in the process list")
                .help("set HTTPS_PROXY (HTTP_PROXY) in the environment instead"));
        }
        Ok(Some(Secret::new(proxy.clone())))
    }
}

/// A secret from a file, else from a variable of the environment.
#[allow(clippy::disallowed_methods, reason = "the program, not the library, looks at its surroundings")]
fn secret(file: Option<&Path>, variable: &str) -> Result<Option<Secret>, Error> {
    match file {
        Some(file) => Ok(Some(Secret::new(secret_text(file)?.trim_end_matches(['\r', '\n'])))),
        None if variable.is_empty() => Ok(None),
        None => Ok(std::env::var(variable).ok().filter(|text| !text.is_empty()).map(Secret::new)),
    }
}

fn secret_text(file: &Path) -> Result<String, Error> {
    read_text(file, &file.display().to_string())
}
