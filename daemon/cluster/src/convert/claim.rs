//! Claims: what binds a volume to a namespace.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use nightcap_core::cluster::{Claim, ClaimKey};
use nightcap_core::units::parse_bytes;

use super::{ReadError, Reader, Unreadable, meta};

/// The record of a claim.
pub(crate) fn claim(claim: &PersistentVolumeClaim, reader: &mut Reader) -> Result<Claim, Unreadable> {
    read(claim, reader).map_err(|error| meta::unreadable(&claim.metadata, &error))
}

fn read(claim: &PersistentVolumeClaim, reader: &mut Reader) -> Result<Claim, ReadError> {
    const REQUESTED: &str = "spec.resources.requests.storage";
    let spec = claim.spec.as_ref().ok_or(ReadError::Missing("spec"))?;
    let requests = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let requested = requests.and_then(|requests| requests.get("storage"));
    let requested = requested.ok_or(ReadError::Missing(REQUESTED))?;
    let requested = parse_bytes(&requested.0)
        .map_err(|source| ReadError::Quantity { field: REQUESTED.to_owned(), source })?;
    // A claim may name the volume it wants long before it has it, if ever.
    let waits = claim.status.as_ref().is_none_or(|status| status.phase.as_deref() == Some("Pending"));
    let volume = spec.volume_name.as_deref().filter(|name| !name.is_empty() && !waits);
    let meta = &claim.metadata;
    Ok(Claim {
        key: ClaimKey { namespace: reader.names.get(meta::namespace(meta)?), name: meta::name(meta)?.into() },
        uid: meta::uid(meta)?,
        created: meta::created(meta)?,
        volume: volume.map(Into::into),
        requested,
        labels: reader.keep.filter(meta.labels.as_ref(), &mut reader.names),
        annotations: reader.keep.filter(meta.annotations.as_ref(), &mut reader.names),
    })
}
