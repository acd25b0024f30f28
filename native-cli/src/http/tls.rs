//! TLS: the system's certificate authorities, and those that a person adds.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass_core::{Reach, RequestFailure};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// The TLS configuration, made when it is first needed. A failure is not kept: the file may be mended.
#[derive(Default)]
pub(super) struct Tls {
    made: Mutex<Option<Arc<ClientConfig>>>,
}

impl Tls {
    /// The configuration that trusts the system's authorities and those in the file.
    ///
    /// # Errors
    ///
    /// What the variable is called that names a file which cannot be used, and why; or what is wrong with the system's.
    pub(super) fn configuration(&self, added: Option<(&str, &Path)>) -> Result<Arc<ClientConfig>, RequestFailure> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(configuration) = made.as_ref() {
            return Ok(configuration.clone());
        }
        let added = added.map_or(Ok(Vec::new()), |(variable, path)| read_certificates(variable, path))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trouble = |error: rustls::Error| {
            let detail = format!("the system's certificate authorities cannot be used: {error}");
            RequestFailure::new(Reach::NotSent, detail)
        };
        let verifier = verifier(added, &provider).map_err(trouble)?;
        let configuration = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(trouble)?
            .dangerous() // The verifier is the platform's own.
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(made.insert(Arc::new(configuration)).clone())
    }
}

/// The platform's verifier, which also trusts what was added.
fn verifier(
    mut added: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    // Where the roots are files, these variables *replace* them for the platform's loader, and a stale or partial
    // bundle locks a person out. Here such a bundle adds.
    let is_replaced = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    if is_replaced && cfg!(all(unix, not(target_vendor = "apple"), not(target_os = "android"))) {
        added.extend(files_of_the_system().into_iter().filter(is_well_formed));
    }
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(added, provider.clone())?;
    Ok(Arc::new(verifier))
}

fn is_well_formed(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

/// The certificates in the first of the files where systems keep all of theirs.
fn files_of_the_system() -> Vec<CertificateDer<'static>> {
    [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
        "/usr/local/share/certs/ca-root-nss.crt",
    ]
    .iter()
    .filter_map(|path| std::fs::read(path).ok())
    .map(|contents| CertificateDer::pem_slice_iter(&contents).filter_map(Result::ok).collect::<Vec<_>>())
    .find(|certificates| !certificates.is_empty())
    .unwrap_or_default()
}

/// The certificates in a PEM file: several, also under OpenSSL's label `TRUSTED CERTIFICATE`.
///
/// # Errors
///
/// What is wrong with the file that the variable names.
pub(crate) fn read_certificates(variable: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, RequestFailure> {
    let trouble = |why: String| {
        let detail = format!("names the certificate file {}, which cannot be used: {why}", path.display());
        RequestFailure::barred(variable, detail)
    };
    let contents = std::fs::read(path).map_err(|error| trouble(error.to_string()))?;
    let contents = String::from_utf8_lossy(&contents).replace(" TRUSTED CERTIFICATE-----", " CERTIFICATE-----");
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(contents.as_bytes()) {
        let certificate = certificate.map_err(|error| trouble(format!("it is no proper PEM file ({error})")))?;
        found.push(CertificateDer::from(first_item(&certificate).to_vec()));
    }
    if found.is_empty() {
        return Err(trouble("there is no certificate in it".into()));
    }
    found.retain(is_well_formed);
    if found.is_empty() {
        return Err(trouble("no certificate in it is well formed".into()));
    }
    Ok(found)
}

/// The first DER item: OpenSSL writes what it trusts a certificate for behind it.
fn first_item(der: &[u8]) -> &[u8] {
    let (header, length) = match der {
        [_, short, ..] if *short < 0x80 => (2, usize::from(*short)),
        [_, 0x81, a, ..] => (3, usize::from(*a)),
        [_, 0x82, a, b, ..] => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        _ => return der,
    };
    der.get(..header + length).unwrap_or(der)
}

/// Puts TLS on a connection to an `https` URL.
pub(super) struct TlsConnector(pub(super) Option<Arc<ClientConfig>>);

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        let configuration = match &self.0 {
            Some(configuration) if details.needs_tls() && !transport.is_tls() => configuration.clone(),
            _ => return Ok(Some(Either::A(transport))),
        };
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ureq::Error::Tls("the host's name is none that a certificate can have"))?;
        let mut conn = ClientConnection::new(configuration, name).map_err(ureq::Error::Rustls)?;
        let mut sock = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        sock.set_timeout(details.timeout);
        conn.complete_io(&mut sock)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned { conn, sock } })))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsConnector")
    }
}

pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsTransport")
    }
}
