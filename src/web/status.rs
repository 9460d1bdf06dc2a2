//! What a status other than success means for the user, and what to check.

use reqwest::StatusCode;

use super::keys::Login;

/// What happened and what to check. `redirected` is the address, as shown, that led to another origin, for which reason
/// no credentials were sent.
pub(super) fn meaning(status: StatusCode, login: Login, redirected: Option<&str>) -> (String, String) {
    const GIVE: &str =
        "Give --token-file FILE or PODLAG_TOKEN, or --user NAME with --password-file FILE or PODLAG_PASSWORD";
    let (message, help) = match (status.as_u16(), redirected) {
        (401 | 403, Some(from)) => {
            let message = format!("no access; no credentials were sent, as {from} redirected here, to another origin");
            return (said(&message, status), "If that is right, give this address itself.".into());
        }
        (400 | 422, _) => ("the server refuses the request", "Read what it says; a query may be wrong or too large."),
        (401, _) => match login {
            Login::Token => ("the token was not accepted", "Check --token-file or PODLAG_TOKEN: is it expired?"),
            Login::Password => (
                "user and password were not accepted",
                "Check --user, and --password-file or PODLAG_PASSWORD; if it wants a token, give --token-file FILE.",
            ),
            Login::Header => ("the header Authorization was not accepted", "Check --header."),
            Login::Nothing => return (said("the server wants credentials", status), format!("{GIVE}.")),
        },
        (403, _) if login == Login::Nothing => {
            let help = format!("{GIVE}; a kubelet wants one with the right `get` on `nodes/metrics` (RBAC).");
            return (said("no access without credentials", status), help);
        }
        (403, _) => (
            "whoever these credentials belong to has no access",
            "A kubelet wants the right `get` on `nodes/metrics` (RBAC); other servers have rules of their own.",
        ),
        (404, _) => (
            "there is nothing at that path",
            "Prometheus may stand under a prefix: /prometheus (so does Mimir), VictoriaMetrics cluster under \
             /select/0/prometheus; Thanos answers queries at its port 10902 or 9090.",
        ),
        (405, _) => ("the server does not take this kind of request", "Check the path, and proxies before it."),
        (407, _) => (
            "the proxy wants a user and a password",
            "Put them into HTTPS_PROXY or HTTP_PROXY: http://USER:PASSWORD@HOST:PORT.",
        ),
        (429, _) => ("the server wants fewer requests", "Try again later, or ask for a shorter stretch of time."),
        (500.., _) => (
            "the server, or a proxy before it, has trouble of its own",
            "Look at its log; a shorter stretch of time is less work for it.",
        ),
        _ => ("the server answers with something else than a result", "Check the address."),
    };
    (said(message, status), help.into())
}

/// The message with the status, in the words of the standard.
fn said(message: &str, status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{message} ({} {reason})", status.as_u16()),
        None => format!("{message} ({})", status.as_u16()),
    }
}
