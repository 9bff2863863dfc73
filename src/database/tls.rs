//! TLS for connections to Postgres.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::plan::database::Postgres;
use crate::words::policy::SslMode;

/// Makes what encrypts connections, or says what is wrong with its certificates.
pub(super) fn connector(plan: &Postgres) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let config = if plan.ssl == SslMode::VerifyFull {
        builder.with_root_certificates(roots(plan)?).with_no_client_auth()
    } else {
        let trusting = Arc::new(Trusting(provider));
        builder.dangerous().with_custom_certificate_verifier(trusting).with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Finds the certificates that a server's is checked with.
fn roots(plan: &Postgres) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &plan.ca {
        let unfit = |error: String| format!("`tls_ca`, `{}`: {error}", file.display());
        let found = CertificateDer::pem_file_iter(file).map_err(|e| unfit(e.to_string()))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| unfit(error.to_string()))?;
            roots.add(certificate).map_err(|error| unfit(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unfit("there is no certificate in it".to_owned()));
        }
        return Ok(roots);
    }
    let found = rustls_native_certs::load_native_certs();
    // Of the many certificates of a system some are always odd.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this system has no certificates: `tls_ca` takes a file of them".to_owned());
    }
    Ok(roots)
}

/// Takes any certificate: `prefer` and `require` keep others from listening, and do not say who it
/// is that listens (as `psql` has it).
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
