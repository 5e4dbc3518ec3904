//! Persistent volumes: disks that are paid for, mounted or not.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::cluster::{Provider, Volume, VolumeFacts, region_of_zone};
use nightcap_core::units::parse_bytes;

use super::storage_class::priced;
use super::{ReadError, Reader, Unreadable, meta};

/// Labels, and keys of a node affinity, that name a region.
const REGIONS: [&str; 3] = [
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/region",
    "topology.ebs.csi.aws.com/region",
];
/// Labels, and keys of a node affinity, that name a zone.
const ZONES: [&str; 5] = [
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
    "topology.ebs.csi.aws.com/zone",
    "topology.gke.io/zone",
    "topology.disk.csi.azure.com/zone",
];
/// Joins the zones of a disk that is kept in several of them.
const JOINED: &str = "__";
const REPLICATION: &str = "replication-type";
const REGIONAL: &str = "regional-pd";
/// Who made the volume, written by who did.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// The class, as it was written before there was a field for it.
const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// Stands in a class whose volumes are made by hand.
const NOBODY: &str = "kubernetes.io/no-provisioner";

/// The record of a volume. Its class is looked up among those that the reader knows.
pub(crate) fn volume(volume: &PersistentVolume, reader: &mut Reader) -> Result<Volume, Unreadable> {
    read(volume, reader).map_err(|error| meta::unreadable(&volume.metadata, &error))
}

fn read(volume: &PersistentVolume, reader: &mut Reader) -> Result<Volume, ReadError> {
    const CAPACITY: &str = "spec.capacity.storage";
    let spec = volume.spec.as_ref().ok_or(ReadError::Missing("spec"))?;
    let capacity = spec.capacity.as_ref().and_then(|capacity| capacity.get("storage"));
    let capacity = capacity.ok_or(ReadError::Missing(CAPACITY))?;
    let capacity = parse_bytes(&capacity.0)
        .map_err(|source| ReadError::Quantity { field: CAPACITY.to_owned(), source })?;
    let claim_uid = spec.claim_ref.as_ref().and_then(|claim| claim.uid.as_deref());
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    Ok(Volume {
        uid: meta::uid(&volume.metadata)?,
        name: meta::name(&volume.metadata)?.into(),
        created: meta::created(&volume.metadata)?,
        provider_id: source(spec).id.into(),
        facts: facts(&volume.metadata, spec, reader),
        capacity,
        claim_uid: claim_uid.filter(|uid| !uid.is_empty()).map(Into::into),
        failed: phase == Some("Failed"),
    })
}

fn facts(meta: &ObjectMeta, spec: &PersistentVolumeSpec, reader: &mut Reader) -> VolumeFacts {
    let name = class_name(meta, spec);
    let class = reader.classes.get(name).cloned().unwrap_or_default();
    let source = source(spec);
    let by_hand = |driver: &&str| driver.is_empty() || *driver == NOBODY;
    let provisioner = Some(&*class.provisioner).filter(|driver| !by_hand(driver));
    // A driver or a cloud's disk says itself what it is; a folder or a share only where it is, and then who made it
    // says more.
    let maker = annotation(meta, PROVISIONED_BY).filter(|driver| !by_hand(driver)).or(provisioner);
    let driver = if source.tells { source.driver } else { maker.unwrap_or(source.driver) };
    let provider = provider(driver);
    let zone = found(meta, spec, &ZONES).or_else(|| after(source.id, "/zones/"));
    let mut parameters = class.parameters;
    // How this volume was made comes before what its class says now: a class may have been made anew.
    let own = spec.csi.as_ref().and_then(|csi| csi.volume_attributes.as_ref());
    parameters.extend(priced(own, &mut reader.names));
    let regional = zone.is_some_and(|zone| zone.contains(JOINED)) || source.id.contains("/regions/");
    if provider == Provider::Gcp && regional && !parameters.contains_key(REPLICATION) {
        parameters.insert(reader.names.get(REPLICATION), reader.names.get(REGIONAL));
    }
    let region = found(meta, spec, &REGIONS).or_else(|| after(source.id, "/regions/"));
    let region = region.or_else(|| region_of_zone(provider, zone?.split(JOINED).next()?));
    VolumeFacts {
        provider,
        region: reader.names.get(region.unwrap_or_default()),
        driver: reader.names.get(driver),
        class: reader.names.get(name),
        parameters,
    }
}

fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

fn class_name<'a>(meta: &'a ObjectMeta, spec: &'a PersistentVolumeSpec) -> &'a str {
    let stated = spec.storage_class_name.as_deref().filter(|name| !name.is_empty());
    stated.or_else(|| annotation(meta, CLASS)).unwrap_or_default()
}

/// What the volume's source says.
struct Source<'a> {
    driver: &'a str,
    id: &'a str,
    /// Whether the driver alone tells what is paid for.
    tells: bool,
}

fn source(spec: &PersistentVolumeSpec) -> Source<'_> {
    let known = |driver, id| Source { driver, id, tells: true };
    if let Some(csi) = &spec.csi {
        return known(csi.driver.as_str(), csi.volume_handle.as_str());
    }
    if let Some(ebs) = &spec.aws_elastic_block_store {
        return known("kubernetes.io/aws-ebs", ebs.volume_id.rsplit('/').next().unwrap_or_default());
    }
    if let Some(pd) = &spec.gce_persistent_disk {
        return known("kubernetes.io/gce-pd", pd.pd_name.as_str());
    }
    if let Some(disk) = &spec.azure_disk {
        return known("kubernetes.io/azure-disk", disk.disk_uri.as_str());
    }
    if let Some(file) = &spec.azure_file {
        return known("kubernetes.io/azure-file", file.share_name.as_str());
    }
    let in_tree = [
        (spec.local.is_some(), "kubernetes.io/local-volume"),
        (spec.host_path.is_some(), "kubernetes.io/host-path"),
        (spec.nfs.is_some(), "kubernetes.io/nfs"),
        (spec.iscsi.is_some(), "kubernetes.io/iscsi"),
        (spec.fc.is_some(), "kubernetes.io/fc"),
        (spec.cephfs.is_some(), "kubernetes.io/cephfs"),
        (spec.rbd.is_some(), "kubernetes.io/rbd"),
        (spec.cinder.is_some(), "kubernetes.io/cinder"),
        (spec.vsphere_volume.is_some(), "kubernetes.io/vsphere-volume"),
        (spec.portworx_volume.is_some(), "kubernetes.io/portworx-volume"),
        (spec.flex_volume.is_some(), "kubernetes.io/flexvolume"),
    ];
    let driver = in_tree.into_iter().find(|(is, _)| *is).map_or("", |(_, driver)| driver);
    Source { driver, id: "", tells: false }
}

/// Who sells a driver's volumes.
fn provider(driver: &str) -> Provider {
    let of = |names: &[&str], ends: &[&str]| {
        names.contains(&driver) || ends.iter().any(|end| driver.ends_with(end))
    };
    if of(&["kubernetes.io/aws-ebs"], &[".csi.aws.com", ".amazonaws.com"]) {
        Provider::Aws
    } else if of(&["kubernetes.io/gce-pd"], &[".csi.storage.gke.io"]) {
        Provider::Gcp
    } else if of(&["kubernetes.io/azure-disk", "kubernetes.io/azure-file"], &[".csi.azure.com"]) {
        Provider::Azure
    } else {
        Provider::Unknown
    }
}

/// The first of these keys among the labels, else among what the volume asks of its nodes.
fn found<'a>(meta: &'a ObjectMeta, spec: &'a PersistentVolumeSpec, keys: &[&str]) -> Option<&'a str> {
    let label = |key: &&str| meta.labels.as_ref()?.get(*key).map(String::as_str);
    let labelled = keys.iter().find_map(label).filter(|value| !value.is_empty());
    let required = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
    let terms = || required.into_iter().flat_map(|required| &required.node_selector_terms);
    let wanted = |key: &&str| {
        let mut asked = terms().flat_map(|term| term.match_expressions.iter().flatten());
        let one = asked.find(|asked| asked.key == *key && asked.operator == "In");
        one?.values.iter().flatten().map(String::as_str).find(|value| !value.is_empty())
    };
    labelled.or_else(|| keys.iter().find_map(wanted))
}

/// The part of a path after this one, such as `europe-west1-b` of `projects/p/zones/europe-west1-b/disks/d`.
fn after<'a>(path: &'a str, part: &str) -> Option<&'a str> {
    path.split_once(part)?.1.split('/').next().filter(|part| !part.is_empty())
}
