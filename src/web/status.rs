//! What an HTTP error status means for the user, and what to check.

use reqwest::StatusCode;

use super::credentials::Login;

/// What happened and what to check. `redirected` is the address, as shown, that led to another origin, for which reason
/// no credentials were sent.
pub(super) fn describe_status(status: StatusCode, login: Login, redirected: Option<&str>) -> (String, String) {
    const CREDENTIALS: &str =
        "Set --token-file FILE or PODLAG_TOKEN, or --user NAME with --password-file FILE or PODLAG_PASSWORD";
    let (message, help) = match (status.as_u16(), redirected) {
        (401 | 403, Some(from)) => {
            let message =
                format!("access denied; no credentials were sent because {from} redirected here, to another origin");
            return (with_status(&message, status), "If the redirect is expected, pass this URL itself.".into());
        }
        (400 | 422, _) => ("the server rejected the request", "See its message; a query may be wrong or too large."),
        (401, _) => match login {
            Login::Token => {
                ("the server rejected the token", "Check --token-file or PODLAG_TOKEN; the token may have expired.")
            }
            Login::Password => (
                "the server rejected user and password",
                "Check --user, and --password-file or PODLAG_PASSWORD; if it needs a token, set --token-file FILE.",
            ),
            Login::Header => ("the server rejected the Authorization header", "Check --header."),
            Login::Nothing => {
                return (with_status("the server requires credentials", status), format!("{CREDENTIALS}."));
            }
        },
        (403, _) if login == Login::Nothing => {
            let help = format!("{CREDENTIALS}; a kubelet needs RBAC `get` on `nodes/metrics`.");
            return (with_status("access denied without credentials", status), help);
        }
        (403, _) => (
            "access denied with these credentials",
            "A kubelet needs RBAC `get` on `nodes/metrics`; other servers have their own rules.",
        ),
        (404, _) => (
            "nothing found at this path",
            "Prometheus may have a path prefix: /prometheus (Mimir too), VictoriaMetrics cluster /select/0/prometheus; \
             Thanos serves queries on port 10902 or 9090.",
        ),
        (405, _) => ("the server does not allow this method", "Check the path, and any proxy before the server."),
        (407, _) => (
            "the proxy requires a user and password",
            "Set them in HTTPS_PROXY or HTTP_PROXY: http://USER:PASSWORD@HOST:PORT.",
        ),
        (429, _) => ("the server limits the request rate", "Try again later, or query a shorter window."),
        (500.., _) => {
            ("the server, or a proxy before it, failed", "Check its log; a shorter window is less work for it.")
        }
        _ => ("unexpected status", "Check the URL."),
    };
    (with_status(message, status), help.into())
}

/// The message with the status and its standard reason.
fn with_status(message: &str, status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{message} ({} {reason})", status.as_u16()),
        None => format!("{message} ({})", status.as_u16()),
    }
}
