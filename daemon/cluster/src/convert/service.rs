//! Services with a load balancer.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::cluster;

use super::{ReadError, Reader, Unreadable, meta};

/// Annotations by which a kind of load balancer is asked for: key, words it may say, the kind that they mean.
const KINDS: [(&str, &[&str], &str); 7] = [
    // `external` leaves it to AWS's own controller, which makes network load balancers.
    ("service.beta.kubernetes.io/aws-load-balancer-type", &["nlb", "nlb-ip", "external"], "nlb"),
    ("cloud.google.com/load-balancer-type", &["internal"], "internal"),
    ("networking.gke.io/load-balancer-type", &["internal"], "internal"),
    ("cloud.google.com/l4-rbs", &["enabled"], "external"),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", &["true"], "internal"),
    ("service.beta.kubernetes.io/aws-load-balancer-internal", &["true", "0.0.0.0/0"], "internal"),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", &["internal"], "internal"),
];

/// Whether a cloud's load balancer is asked for.
pub(crate) fn is_load_balancer(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"))
}

/// The record of a Service with a load balancer.
pub(crate) fn service(service: &Service, reader: &mut Reader) -> Result<cluster::Service, Unreadable> {
    read(service, reader).map_err(|error| meta::unreadable(&service.metadata, &error))
}

fn read(service: &Service, reader: &mut Reader) -> Result<cluster::Service, ReadError> {
    let meta = &service.metadata;
    Ok(cluster::Service {
        uid: meta::uid(meta)?,
        namespace: reader.names.get(meta::namespace(meta)?),
        name: meta::name(meta)?.into(),
        created: meta::created(meta)?,
        class: reader.names.get(class(meta, service.spec.as_ref())),
        address: address(service).unwrap_or_default().into(),
        labels: reader.keep.filter(meta.labels.as_ref(), &mut reader.names),
        annotations: reader.keep.filter(meta.annotations.as_ref(), &mut reader.names),
    })
}

fn class<'a>(meta: &ObjectMeta, spec: Option<&'a ServiceSpec>) -> &'a str {
    let stated = spec.and_then(|spec| spec.load_balancer_class.as_deref()).filter(|class| !class.is_empty());
    let asked = || {
        KINDS.iter().find_map(|(key, words, kind)| {
            let said = meta.annotations.as_ref()?.get(*key)?.trim();
            words.iter().any(|word| word.eq_ignore_ascii_case(said)).then_some(*kind)
        })
    };
    stated.or_else(asked).unwrap_or_default()
}

/// The first address by which the load balancer is reached.
fn address(service: &Service) -> Option<&str> {
    let status = service.status.as_ref()?.load_balancer.as_ref()?;
    let addresses = status.ingress.iter().flatten();
    addresses.flat_map(|at| [&at.ip, &at.hostname]).flatten().map(String::as_str).find(|at| !at.is_empty())
}
