//! A certificate authority of one run, and the certificate that it gives the server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// The names under which a cluster's API server is known inside of it.
const NAMES: [&str; 5] = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// What secures a listener, and what clients trust it by.
pub struct Secured {
    /// Does the handshakes.
    pub acceptor: TlsAcceptor,
    /// The certificate authority, in PEM.
    pub authority: String,
}

/// Makes a certificate authority and a certificate for an address. They outlast every recording's
/// clock, since a client may be set to the moment of an incident.
///
/// # Errors
/// When a key or certificate can't be made.
pub fn secure(address: SocketAddr) -> anyhow::Result<Secured> {
    let authority_key = KeyPair::generate().context("making a key")?;
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
        .distinguished_name
        .push(DnType::CommonName, "kubernetes");
    let authority_certificate = authority
        .self_signed(&authority_key)
        .context("making a certificate authority")?;
    let issuer = Issuer::new(authority, authority_key);

    let mut names: Vec<String> = NAMES.iter().map(|&name| name.to_owned()).collect();
    let mut addresses: Vec<IpAddr> =
        vec![[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()];
    if !addresses.contains(&address.ip()) {
        addresses.push(address.ip());
    }
    names.extend(addresses.iter().map(IpAddr::to_string));
    let key = KeyPair::generate().context("making a key")?;
    let mut server = CertificateParams::new(names).context("naming the server")?;
    server
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    let certificate = server
        .signed_by(&key, &issuer)
        .context("making a certificate")?;

    let private = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|problem| anyhow::anyhow!("reading the key back: {problem}"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Secured {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        authority: authority_certificate.pem(),
    })
}
