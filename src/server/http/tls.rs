//! TLS from PEM files.

use std::{path::Path, sync::Arc};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;

/// Reads a certificate chain and its key.
///
/// # Errors
/// Which file cannot be used, and why.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let unusable = |file: &Path, what: &str, error: &dyn std::fmt::Display| {
        format!("`{}` is no {what} in PEM: {error}", file.display())
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(certificate, "certificate", &error))?;
    if chain.is_empty() {
        return Err(unusable(certificate, "certificate", &"it holds none"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, "private key", &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| {
            format!("`{}` and `{}` do not belong together: {error}", certificate.display(), key.display())
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
