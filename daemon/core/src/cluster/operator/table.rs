//! The kinds that are known by name, and those that are never scaled. `docs/sleep-kinds.md` says the same to users; a test
//! holds the two together.

use serde_json::{Value, json};

use super::OperatorKind;
use crate::cluster::Fields;

const CNPG: &str = "/metadata/annotations/cnpg.io~1hibernation";
const KEDA_PAUSED: &str = "/metadata/annotations/autoscaling.keda.sh~1paused";
const KEDA_PAUSED_REPLICAS: &str = "/metadata/annotations/autoscaling.keda.sh~1paused-replicas";

/// What is written to turn an object off.
enum Off {
    /// No pods: 0 here.
    Zero(&'static str),
    /// `true` here.
    True(&'static str),
    /// This text here.
    Text(&'static str, &'static str),
}

use Off::{Text, True, Zero};

/// Group, kind, what is written.
const SWITCHES: [(&str, &str, Off); 20] = [
    ("keda.sh", "ScaledObject", Text(KEDA_PAUSED_REPLICAS, "0")),
    ("keda.sh", "ScaledJob", Text(KEDA_PAUSED, "true")),
    ("argoproj.io", "Rollout", Zero("/spec/replicas")),
    ("postgresql.cnpg.io", "Cluster", Text(CNPG, "on")),
    ("postgresql.cnpg.io", "Pooler", Zero("/spec/instances")),
    ("acid.zalan.do", "postgresql", Zero("/spec/numberOfInstances")),
    ("kibana.k8s.elastic.co", "Kibana", Zero("/spec/count")),
    ("apm.k8s.elastic.co", "ApmServer", Zero("/spec/count")),
    ("enterprisesearch.k8s.elastic.co", "EnterpriseSearch", Zero("/spec/count")),
    ("maps.k8s.elastic.co", "ElasticMapsServer", Zero("/spec/count")),
    // Its scale subresource counts shards, not pods.
    ("monitoring.coreos.com", "Prometheus", Zero("/spec/replicas")),
    ("monitoring.coreos.com", "PrometheusAgent", Zero("/spec/replicas")),
    ("monitoring.coreos.com", "Alertmanager", Zero("/spec/replicas")),
    ("monitoring.coreos.com", "ThanosRuler", Zero("/spec/replicas")),
    ("kafka.strimzi.io", "KafkaConnect", Zero("/spec/replicas")),
    ("kafka.strimzi.io", "KafkaBridge", Zero("/spec/replicas")),
    ("kafka.strimzi.io", "KafkaMirrorMaker2", Zero("/spec/replicas")),
    ("helm.toolkit.fluxcd.io", "HelmRelease", True("/spec/suspend")),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", True("/spec/suspend")),
    ("actions.summerwind.dev", "RunnerDeployment", Zero("/spec/replicas")),
];

/// Kinds that have a scale subresource, and whose size is none of pods, or holds data: group and kind, `*` for all.
const NEVER_SCALED: [(&str, &str); 12] = [
    // Machines.
    ("cluster.x-k8s.io", "*"),
    ("machine.openshift.io", "*"),
    ("karpenter.sh", "*"),
    ("machine.sapcloud.io", "*"),
    // Brokers and masters leave for good, or the operator refuses.
    ("kafka.strimzi.io", "KafkaNodePool"),
    ("elasticsearch.k8s.elastic.co", "*"),
    ("logstash.k8s.elastic.co", "*"),
    ("k8s.mariadb.com", "*"),
    ("zookeeper.pravega.io", "*"),
    ("pxc.percona.com", "*"),
    ("psmdb.percona.com", "*"),
    // Task managers of a job whose state would be lost.
    ("flink.apache.org", "*"),
];

pub(super) fn switches() -> impl Iterator<Item = OperatorKind> {
    SWITCHES.iter().map(|(group, kind, off)| {
        let (place, value): (&str, Value) = match *off {
            Zero(place) => (place, json!(0)),
            True(place) => (place, json!(true)),
            Text(place, text) => (place, json!(text)),
        };
        let mut entry = OperatorKind {
            group: (*group).into(),
            kind: (*kind).into(),
            off: Fields::from([(place.into(), value)]),
            own_pause: Vec::new(),
            target: None,
        };
        if *kind == "ScaledObject" {
            entry.own_pause = vec![KEDA_PAUSED.into(), KEDA_PAUSED_REPLICAS.into()];
            entry.target = Some("/spec/scaleTargetRef".into());
        }
        entry
    })
}

pub(super) fn is_never_scaled(group: &str, kind: &str) -> bool {
    let is_of =
        |known: &str| group == known || group.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
    NEVER_SCALED.iter().any(|&(known, kinds)| is_of(known) && (kinds == "*" || kinds == kind))
}
