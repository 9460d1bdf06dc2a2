//! What errors of secure connections mean for the user.

use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// Why there is no secure connection, and what to check.
pub(super) fn handshake(error: &rustls::Error, identity: bool) -> (String, &'static str) {
    use CertificateError as Bad;
    const TRUST: &str = "Check that it is the right server; then name its CA with --ca FILE, or use --insecure.";
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            Bad::UnknownIssuer => ("the server's certificate is signed by an unknown authority".into(), TRUST),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
                "the server's certificate is for another host name".into(),
                "Use the name it was issued for; with a port-forward that cannot be, so use --insecure.",
            ),
            Bad::Expired | Bad::ExpiredContext { .. } => (
                "the server's certificate has expired".into(),
                "Have it renewed, and check this machine's clock; --insecure takes it as it is.",
            ),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                ("the server's certificate is not valid yet".into(), "Check this machine's clock, and the server's.")
            }
            // A type of webpki, which is no dependency of ours.
            Bad::Other(why) if format!("{why:?}").contains("CaUsedAsEndEntity") => (
                "the server's certificate is an authority's, which a server must not show as its own".into(),
                "Have one issued that is no authority's (CA:FALSE), or use --insecure.",
            ),
            why => (format!("the server's certificate is not accepted ({why})"), TRUST),
        },
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) if identity => {
            ("the server refuses the TLS handshake".into(), "Check --cert and --key, and what TLS versions it speaks.")
        }
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::HandshakeFailure,
        ) if !identity => {
            ("the server wants a client certificate".into(), "Give --cert FILE and --key FILE, both in PEM.")
        }
        rustls::Error::AlertReceived(alert) if identity => (
            format!("the server does not accept the client certificate ({alert:?})"),
            "Check --cert: is it issued by an authority that the server trusts, and not expired?",
        ),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "what answers there does not speak HTTPS".into(),
            "If the port is one for plain HTTP, begin the address with http://.",
        ),
        other => (format!("no secure connection ({other})"), "Check the port, and what TLS versions it speaks."),
    }
}
