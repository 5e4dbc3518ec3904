//! What is on the demo's bill beside nodes: disks, load balancers, traffic.

use nightcap_core::cluster::{Keys, Provider};
use nightcap_core::units::Bytes;

use super::REGION;
use crate::spec::{BalancerSpec, ClaimSpec, ClassSpec, DiskSpec, SpaceSpec};

const GP3: &str = "gp3";
/// The class of former days.
const GP2: &str = "gp2";

/// Workloads that keep something, with the size of a disk in GiB.
const KEEPS: [(&str, u64); 9] = [
    ("postgres", 20),
    ("index", 100),
    ("clickhouse", 500),
    ("prometheus", 200),
    ("grafana", 10),
    ("notebook-small", 150),
    ("build-cache", 200),
    ("docs", 5),
    ("reports", 10),
];
/// Workloads that answer people.
const FACE_PEOPLE: [&str; 9] = [
    "web",
    "docs",
    "hub",
    "judge-ui",
    "query-ui",
    "reports",
    "grafana",
    "gateway",
    "ingress-nginx-controller",
];
/// Spaces whose databases are copied to another region every night, where they are awake.
const COPIED: [&str; 4] = ["payments-staging", "identity-staging", "data-pipelines", "monitoring"];
/// Services with a load balancer of their own, by space.
const BALANCERS: [(&str, &str, &str); 4] = [
    ("ingress-nginx", "ingress-nginx-controller", "nlb"),
    ("data-pipelines", "events", "nlb"),
    ("payments-staging", "webhooks", "nlb"),
    // Made before anybody asked for a kind.
    ("test-do-not-delete", "web", ""),
];
/// What nobody mounts any more, by space, in GiB.
const UNMOUNTED: [(&str, &str, u64); 1] = [("tmp-migration", "dump", 300)];
/// What was kept when its claim went, in GiB.
const RELEASED: [(&str, u64); 3] = [(GP3, 50), (GP2, 200), (GP3, 20)];

/// The platform's storage classes.
pub(super) fn classes() -> Vec<ClassSpec> {
    [GP3, GP2]
        .map(|name| ClassSpec {
            name: name.into(),
            provider: Provider::Aws,
            region: REGION.into(),
            driver: "ebs.csi.aws.com".into(),
            parameters: Keys::from([("type".into(), name.into())]),
        })
        .to_vec()
}

/// Volumes that nobody claims.
pub(super) fn released() -> Vec<DiskSpec> {
    RELEASED.map(|(class, gib)| disk(class, gib)).to_vec()
}

/// Gives spaces and workloads their disks, load balancers and ways.
pub(super) fn furnish(spaces: &mut [SpaceSpec]) {
    for space in spaces {
        let is_copied = COPIED.contains(&&*space.name);
        for workload in &mut space.workloads {
            workload.disk =
                KEEPS.iter().find(|(name, _)| *name == &*workload.name).map(|&(_, gib)| disk(GP3, gib));
            workload.faces_people = FACE_PEOPLE.contains(&&*workload.name);
            workload.copied_nightly = is_copied && matches!(&*workload.name, "postgres" | "prometheus");
        }
        for (_, name, class) in BALANCERS.iter().filter(|(of, ..)| *of == &*space.name) {
            space.balancers.push(BalancerSpec { name: (*name).into(), class: (*class).into() });
        }
        for (_, name, gib) in UNMOUNTED.iter().filter(|(of, ..)| *of == &*space.name) {
            space.unmounted.push(ClaimSpec { name: (*name).into(), disk: disk(GP2, *gib) });
        }
    }
}

fn disk(class: &str, gib: u64) -> DiskSpec {
    DiskSpec { class: class.into(), size: Bytes::from_gib(gib) }
}
