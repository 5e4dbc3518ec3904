//! From what a node says of itself to the facts its price follows from.

use std::sync::Arc;

use super::{CapacityType, Keys, NodeFacts, Provider};

/// Label, or the same fact under its older name.
const INSTANCE_TYPE: [&str; 2] = ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"];
const REGION: [&str; 2] = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];
const ZONE: [&str; 2] = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
const OS: [&str; 2] = ["kubernetes.io/os", "beta.kubernetes.io/os"];
const ARCH: [&str; 2] = ["kubernetes.io/arch", "beta.kubernetes.io/arch"];

/// Where node groups, provisioners and people write how a machine was bought: key, values that mean spot, values
/// that mean on demand. The first label with a value of either list decides; GKE writes its two booleans only as
/// `true`. Reserved capacity and capacity blocks are no spot: they are not taken back.
const CAPACITY: [(&str, &[&str], &[&str]); 8] = [
    ("eks.amazonaws.com/capacityType", &["spot"], &["on_demand", "capacity_block"]),
    ("karpenter.sh/capacity-type", &["spot"], &["on-demand", "reserved"]),
    ("cloud.google.com/gke-spot", &["true"], &[]),
    ("cloud.google.com/gke-preemptible", &["true"], &[]),
    ("cloud.google.com/gke-provisioning", &["spot", "preemptible"], &["standard"]),
    ("kubernetes.azure.com/scalesetpriority", &["spot"], &["regular"]),
    ("node.kubernetes.io/lifecycle", &["spot"], &["normal", "on-demand", "ondemand"]),
    ("lifecycle", &["spot", "ec2spot"], &["normal", "on-demand", "ondemand"]),
];

impl NodeFacts {
    /// The instance type given to an EKS Fargate node: it has none of its own, and is billed by its one pod.
    pub const FARGATE: &str = "fargate";
    /// The instance type given to a GKE Autopilot node that is billed by its pods' requests: the machine named by
    /// its label is not what is paid for.
    pub const AUTOPILOT: &str = "gke-autopilot";

    /// Reads them from a node's name, labels, `spec.providerID` and kubelet version. What cannot be known stays empty.
    pub fn read(name: &str, labels: &Keys, provider_id: &str, kubelet_version: &str) -> Self {
        let provider = provider(provider_id, kubelet_version);
        let (id_region, id_zone) = place(provider, provider_id);
        Self {
            provider,
            region: first(labels, &REGION).unwrap_or_else(|| id_region.into()),
            zone: first(labels, &ZONE).unwrap_or_else(|| id_zone.into()),
            instance_type: instance_type(provider, name, labels),
            capacity_type: capacity_type(labels),
            arch: first(labels, &ARCH).unwrap_or_default(),
            os: first(labels, &OS).unwrap_or_default(),
            labels: Keys::new(),
        }
    }
}

/// The first of these labels that is there and not empty.
fn first(labels: &Keys, keys: &[&str]) -> Option<Arc<str>> {
    keys.iter().find_map(|key| labels.get(*key).filter(|value| !value.is_empty()).map(Arc::clone))
}

/// An id of another scheme (`kind:`, `k3s:`, `eks-hybrid:`) is an answer: only a node without id is judged by its
/// kubelet. The version string knows an EKS node that no label gives away (Karpenter only, Fargate only).
fn provider(provider_id: &str, kubelet_version: &str) -> Provider {
    match provider_id.split_once(':').map(|(scheme, _)| scheme) {
        Some("aws") => Provider::Aws,
        Some("gce") => Provider::Gcp,
        Some("azure") => Provider::Azure,
        None if kubelet_version.contains("-eks-") => Provider::Aws,
        None if kubelet_version.contains("-gke.") => Provider::Gcp,
        _ => Provider::Unknown,
    }
}

/// Region and zone as the provider id tells them; empty where it does not.
fn place(provider: Provider, provider_id: &str) -> (&str, &str) {
    let zone = match provider {
        // aws:///us-east-2a/i-0fea4fd46592d050b
        Provider::Aws => provider_id.strip_prefix("aws:///").and_then(|rest| rest.split('/').next()),
        // gce://project/europe-west1-b/instance
        Provider::Gcp => provider_id.strip_prefix("gce://").and_then(|rest| rest.split('/').nth(1)),
        Provider::Azure | Provider::Unknown => None,
    };
    zone.and_then(|zone| Some((region_of_zone(provider, zone)?, zone))).unwrap_or_default()
}

/// The region of a zone: `us-east-2` of `us-east-2a` and of the local zone `us-east-2-chi-1a`; `europe-west1` of
/// `europe-west1-b`; `westeurope` of `westeurope-1`.
pub fn region_of_zone(provider: Provider, zone: &str) -> Option<&str> {
    if provider == Provider::Gcp {
        return zone.rsplit_once('-').map(|(region, _)| region).filter(|region| region.contains('-'));
    }
    if provider == Provider::Azure {
        let (region, number) = zone.rsplit_once('-')?;
        return (!region.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(region);
    }
    let number = zone.match_indices('-').map(|(dash, _)| dash + 1).find(|start| {
        zone.as_bytes().get(*start).is_some_and(u8::is_ascii_digit) // the first part that is a number ends a region
    })?;
    let digits = zone.get(number..)?.bytes().take_while(u8::is_ascii_digit).count();
    zone.get(..number + digits)
}

fn instance_type(provider: Provider, name: &str, labels: &Keys) -> Arc<str> {
    let has = |key: &str, value: &str| labels.get(key).is_some_and(|found| &**found == value);
    if has("eks.amazonaws.com/compute-type", "fargate") {
        return NodeFacts::FARGATE.into();
    }
    // Autopilot names its nodes gk3-…; the hardware classes are billed by the machine all the same.
    let by_machine = ["Performance", "Accelerator"].iter().any(|c| has("cloud.google.com/compute-class", c));
    if provider == Provider::Gcp && name.starts_with("gk3-") && !by_machine {
        return NodeFacts::AUTOPILOT.into();
    }
    // k3s and rke2 write their own name where a cloud writes the machine's.
    first(labels, &INSTANCE_TYPE).filter(|name| !matches!(&**name, "k3s" | "rke2")).unwrap_or_default()
}

fn capacity_type(labels: &Keys) -> CapacityType {
    let means = |values: &[&str], value: &str| values.iter().any(|known| known.eq_ignore_ascii_case(value));
    CAPACITY
        .iter()
        .find_map(|(key, spot, on_demand)| match labels.get(*key)? {
            value if means(spot, value) => Some(CapacityType::Spot),
            value if means(on_demand, value) => Some(CapacityType::OnDemand),
            _ => None,
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(labels: &[(&str, &str)]) -> Keys {
        labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    fn read(labels: &[(&str, &str)], provider_id: &str) -> NodeFacts {
        NodeFacts::read("node-1", &keys(labels), provider_id, "v1.37.2")
    }

    #[test]
    fn a_whole_eks_node_is_read() {
        let labels = keys(&[
            ("node.kubernetes.io/instance-type", "m5.xlarge"),
            ("topology.kubernetes.io/region", "eu-central-1"),
            ("topology.kubernetes.io/zone", "eu-central-1a"),
            ("eks.amazonaws.com/capacityType", "SPOT"),
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/os", "linux"),
        ]);
        assert_eq!(
            NodeFacts::read(
                "ip-10-0-1-2",
                &labels,
                "aws:///eu-central-1a/i-0fea4fd46592d050b",
                "v1.37.2-eks-1a2b3c4"
            ),
            NodeFacts {
                provider: Provider::Aws,
                region: "eu-central-1".into(),
                zone: "eu-central-1a".into(),
                instance_type: "m5.xlarge".into(),
                capacity_type: CapacityType::Spot,
                arch: "amd64".into(),
                os: "linux".into(),
                labels: Keys::new(),
            }
        );
        assert_eq!(NodeFacts::read("bare", &Keys::new(), "", ""), NodeFacts::default());
    }

    #[test]
    fn the_provider_follows_from_the_id_and_without_one_from_the_kubelet() {
        for (id, kubelet, provider) in [
            ("aws:///us-east-2a/i-0fea4fd46592d050b", "v1.37.2", Provider::Aws),
            ("gce://project/europe-west1-b/gke-a-1", "v1.37.2", Provider::Gcp),
            ("azure:///subscriptions/s/resourceGroups/g/providers/x", "v1.37.2", Provider::Azure),
            ("", "v1.37.2-eks-1a2b3c4", Provider::Aws),
            ("", "v1.37.2-gke.1200", Provider::Gcp),
            ("", "v1.37.2-aliyun.1", Provider::Unknown),
            ("", "v1.37.2", Provider::Unknown),
            ("kind://docker/kind/kind-control-plane", "v1.37.2", Provider::Unknown),
            ("k3s://edge-1", "v1.37.2+k3s1", Provider::Unknown),
            ("hcloud://1234", "v1.37.2", Provider::Unknown),
            // A machine of one's own in an EKS cluster is no machine of AWS.
            ("eks-hybrid:///eu-west-1/c/mi-1", "v1.37.2-eks-1a2b3c4", Provider::Unknown),
        ] {
            assert_eq!(NodeFacts::read("n", &Keys::new(), id, kubelet).provider, provider, "{id} {kubelet}");
        }
    }

    #[test]
    fn the_type_is_the_label_then_the_beta_label_and_never_a_distribution() {
        let (stable, beta) = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type");
        for (labels, expected) in [
            (&[(stable, "m5.large"), (beta, "m4.large")][..], "m5.large"),
            (&[(beta, "m4.large")], "m4.large"),
            (&[(stable, ""), (beta, "m4.large")], "m4.large"),
            (&[(stable, "k3s"), (beta, "k3s")], ""),
            (&[(stable, "rke2")], ""),
            (&[], ""),
            (&[("eks.amazonaws.com/compute-type", "fargate")], "fargate"),
            (&[("eks.amazonaws.com/compute-type", "auto"), (stable, "c6a.large")], "c6a.large"),
        ] {
            assert_eq!(&*read(labels, "aws:///us-east-2a/i-1").instance_type, expected, "{labels:?}");
        }
    }

    #[test]
    fn an_autopilot_node_is_known_by_its_name_unless_billed_by_the_machine() {
        let typed = ("node.kubernetes.io/instance-type", "e2-standard-4");
        let class = |class| vec![typed, ("cloud.google.com/compute-class", class)];
        for (name, id, labels, expected) in [
            ("gk3-a-pool-1", "gce://p/us-central1-a/gk3-a-pool-1", vec![typed], "gke-autopilot"),
            ("gk3-a-pool-1", "gce://p/us-central1-a/gk3-a-pool-1", class("Balanced"), "gke-autopilot"),
            ("gk3-a-pool-1", "gce://p/us-central1-a/gk3-a-pool-1", class("Performance"), "e2-standard-4"),
            ("gke-a-pool-1", "gce://p/us-central1-a/gke-a-pool-1", vec![typed], "e2-standard-4"),
            ("gk3-mine", "kind://docker/kind/gk3-mine", vec![typed], "e2-standard-4"),
        ] {
            let facts = NodeFacts::read(name, &keys(&labels), id, "");
            assert_eq!(&*facts.instance_type, expected, "{name} {id} {labels:?}");
        }
    }

    #[test]
    fn the_place_is_the_label_then_the_old_label_then_the_provider_id() {
        let (region, zone) = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone");
        let old = ("failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone");
        for (labels, id, expected) in [
            (
                &[(region, "r"), (zone, "z"), (old.0, "old"), (old.1, "old")][..],
                "aws:///us-east-2a/i",
                ("r", "z"),
            ),
            (&[(old.0, "r"), (old.1, "z")], "aws:///us-east-2a/i", ("r", "z")),
            (
                &[(region, "centralus"), (zone, "centralus-3")],
                "azure:///subscriptions/s",
                ("centralus", "centralus-3"),
            ),
            (&[], "aws:///us-east-2a/i-0fea4fd46592d050b", ("us-east-2", "us-east-2a")),
            (&[], "aws:///us-gov-west-1b/i-1", ("us-gov-west-1", "us-gov-west-1b")),
            (&[], "aws:///us-west-2-lax-1a/i-1", ("us-west-2", "us-west-2-lax-1a")),
            (
                &[],
                "aws:///us-west-2b/x/fargate-ip-10-0-1-2.us-west-2.compute.internal",
                ("us-west-2", "us-west-2b"),
            ),
            (&[], "aws:///fargate-ip", ("", "")),
            (&[], "aws://", ("", "")),
            (&[], "gce://project/europe-west1-b/instance", ("europe-west1", "europe-west1-b")),
            (&[], "gce://project", ("", "")),
            (&[], "azure:///subscriptions/s/resourceGroups/g", ("", "")),
            (&[], "kind://docker/kind/n", ("", "")),
        ] {
            let facts = read(labels, id);
            assert_eq!((&*facts.region, &*facts.zone), expected, "{labels:?} {id}");
        }
    }

    #[test]
    fn every_known_label_tells_the_capacity_type() {
        use CapacityType::{OnDemand, Spot};
        for (label, value, expected) in [
            ("eks.amazonaws.com/capacityType", "SPOT", Spot),
            ("eks.amazonaws.com/capacityType", "ON_DEMAND", OnDemand),
            ("eks.amazonaws.com/capacityType", "CAPACITY_BLOCK", OnDemand),
            ("karpenter.sh/capacity-type", "spot", Spot),
            ("karpenter.sh/capacity-type", "on-demand", OnDemand),
            ("karpenter.sh/capacity-type", "reserved", OnDemand),
            ("cloud.google.com/gke-spot", "true", Spot),
            ("cloud.google.com/gke-spot", "false", OnDemand),
            ("cloud.google.com/gke-preemptible", "true", Spot),
            ("cloud.google.com/gke-provisioning", "spot", Spot),
            ("cloud.google.com/gke-provisioning", "preemptible", Spot),
            ("cloud.google.com/gke-provisioning", "standard", OnDemand),
            ("kubernetes.azure.com/scalesetpriority", "spot", Spot),
            ("kubernetes.azure.com/scalesetpriority", "regular", OnDemand),
            ("node.kubernetes.io/lifecycle", "spot", Spot),
            ("node.kubernetes.io/lifecycle", "normal", OnDemand),
            ("lifecycle", "Ec2Spot", Spot),
            ("lifecycle", "whatever", OnDemand),
        ] {
            assert_eq!(read(&[(label, value)], "").capacity_type, expected, "{label}={value}");
        }
        // The provider's own label is believed before a self-made one.
        let both = [("karpenter.sh/capacity-type", "on-demand"), ("lifecycle", "Ec2Spot")];
        assert_eq!(read(&both, "").capacity_type, OnDemand);
        // A value nobody knows says nothing, so the next label is asked.
        let odd = [("eks.amazonaws.com/capacityType", "?"), ("node.kubernetes.io/lifecycle", "spot")];
        assert_eq!(read(&odd, "").capacity_type, Spot);
    }

    #[test]
    fn system_and_architecture_fall_back_to_their_beta_labels() {
        let facts = read(&[("beta.kubernetes.io/os", "windows"), ("beta.kubernetes.io/arch", "arm64")], "");
        assert_eq!((&*facts.os, &*facts.arch), ("windows", "arm64"));
    }

    proptest! {
        #[test]
        fn no_provider_id_panics(scheme in "(aws|gce|azure|kind)?:?/{0,3}", rest in ".{0,60}", kubelet in ".{0,20}") {
            let _ = NodeFacts::read("n", &Keys::new(), &format!("{scheme}{rest}"), &kubelet);
        }
    }
}
