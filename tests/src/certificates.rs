//! One certificate authority for a control plane, and what it signs.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// Writes `ca.crt`, a serving certificate for 127.0.0.1 (`serving.crt`, `serving.key`), the front proxy's client certificate
/// (`front-proxy.crt`, `front-proxy.key`) and the key pair that signs service account tokens (`sa.key`, `sa.pub`).
pub(crate) fn write(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "nightcap-test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    fs::write(folder.join("ca.crt"), params.self_signed(&key)?.pem())?;
    let authority = Issuer::new(params, key);

    for name in ["serving", "front-proxy"] {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        // The name that `--requestheader-allowed-names` lets speak for others.
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![
            SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
            SanType::DnsName("localhost".try_into().context("a DNS name")?),
        ];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        fs::write(folder.join(format!("{name}.crt")), params.signed_by(&key, &authority)?.pem())?;
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }

    let key = KeyPair::generate()?;
    fs::write(folder.join("sa.key"), key.serialize_pem())?;
    fs::write(folder.join("sa.pub"), key.public_key_pem())?;
    Ok(())
}
