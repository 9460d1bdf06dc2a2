//! What TLS errors mean for the user.

use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// Why there is no secure connection, and what to check; `identity` says that a client certificate was sent.
pub(super) fn describe_tls_error(error: &rustls::Error, identity: bool) -> (String, &'static str) {
    const TRUST: &str = "Check that this is the right server; then pass its CA with --ca FILE, or use --insecure.";
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => {
                ("the server certificate is signed by an unknown authority".into(), TRUST)
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                "the server certificate is for another host name".into(),
                "Use the name it was issued for; through a port-forward that is not possible, so use --insecure.",
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "the server certificate has expired".into(),
                "Renew it, and check the clock of this machine; --insecure accepts it.",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ("the server certificate is not valid yet".into(), "Check the clocks of this machine and the server.")
            }
            // A type of webpki, which is no dependency of ours.
            CertificateError::Other(why) if format!("{why:?}").contains("CaUsedAsEndEntity") => (
                "the server presents a CA certificate as its own".into(),
                "Issue a server certificate that is not a CA (CA:FALSE), or use --insecure.",
            ),
            why => (format!("the server certificate is not accepted ({why})"), TRUST),
        },
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) if identity => {
            ("the server rejected the TLS handshake".into(), "Check --cert and --key, and the server's TLS versions.")
        }
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::HandshakeFailure,
        ) if !identity => {
            ("the server requires a client certificate".into(), "Pass --cert FILE and --key FILE, both in PEM.")
        }
        rustls::Error::AlertReceived(alert) if identity => (
            format!("the server rejected the client certificate ({alert:?})"),
            "Check --cert: the server must trust its issuer, and it must not be expired.",
        ),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            ("the server does not speak HTTPS".into(), "If the port serves plain HTTP, begin the URL with http://.")
        }
        other => (format!("TLS failed ({other})"), "Check the port and the server's TLS versions."),
    }
}
