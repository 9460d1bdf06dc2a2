//! Reads certificates and keys, and checks their files before anything is sent.

use std::path::Path;

use reqwest::{Certificate, Identity};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{HttpError, HttpErrorKind};

/// The certificates of a CA file.
pub(super) fn ca_certificates(path: &Path) -> Result<Vec<Certificate>, HttpError> {
    let check = "Check --ca: it must be PEM with one or more blocks that begin with -----BEGIN CERTIFICATE-----.";
    let text = read(path, check)?;
    let invalid = |message: &str| file_error(path, message, check);
    let found = certificates(&text).ok_or_else(|| invalid("the file contains no PEM certificate"))?;
    // Parsed here as well since reqwest does it only later, where the file is no longer known.
    let mut store = RootCertStore::empty();
    for certificate in &found {
        store.add(certificate.clone()).map_err(|_| invalid("a certificate in the file is damaged"))?;
    }
    found.iter().map(|der| Certificate::from_der(der).map_err(|_| invalid("a certificate is damaged"))).collect()
}

/// The client certificate of `cert` with the key of `key`, or of `cert` as well: the kubelet's own file holds both.
pub(super) fn client_identity(cert: &Path, key: Option<&Path>) -> Result<Identity, HttpError> {
    let check = "Check --cert and --key: both must be PEM; one file may contain both.";
    let mut text = read(cert, check)?;
    certificates(&text).ok_or_else(|| file_error(cert, "the file contains no PEM certificate", check))?;
    let own = key.map(|path| read(path, check)).transpose()?;
    let (keyed, held) = (key.unwrap_or(cert), own.as_deref().unwrap_or(&text));
    if PrivateKeyDer::from_pem_slice(held).is_err() {
        return Err(match held.windows(9).any(|part| part == b"ENCRYPTED") {
            true => file_error(keyed, "the key is encrypted", "Decrypt it: openssl pkey -in FILE -out PLAIN."),
            false => file_error(keyed, "the file contains no PEM private key", check),
        });
    }
    if let Some(own) = own {
        text.push(b'\n');
        text.extend(own);
    }
    Identity::from_pem(&text).map_err(|_| file_error(cert, "certificate and key cannot be used", check))
}

/// The certificates in a PEM text, if there are any and none is broken.
fn certificates(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    found.ok().filter(|found| !found.is_empty())
}

fn read(path: &Path, check: &str) -> Result<Vec<u8>, HttpError> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => file_error(path, "no such file", check),
        _ => file_error(path, &format!("cannot read the file ({error})"), check),
    })
}

pub(super) fn file_error(path: &Path, message: &str, help: &str) -> HttpError {
    HttpError::new(HttpErrorKind::InvalidOption, &path.to_string_lossy(), message, help)
}
