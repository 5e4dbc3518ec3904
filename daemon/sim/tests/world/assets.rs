//! Disks and load balancers: when they come, what they outlive, and when they go.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{
    Claim, ClaimKey, Keys, Provider, Service, Size, Volume, VolumeFacts, WorkloadKind,
};
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::{Bytes, Instant, Millis};
use nightcap_sim::spec::{BalancerSpec, ClaimSpec, DiskSpec, SpaceSpec, WorkloadShape, WorkloadSpec};
use nightcap_sim::{World, demo};

use crate::common::{MONDAY, amount, hours, key, space, web, world};

fn stateful(name: &str, replicas: u32, deletes_claims: bool) -> WorkloadSpec {
    let shape = WorkloadShape::StatefulSet { replicas, deletes_claims };
    WorkloadSpec::new(name, shape, amount(100, 128)).with_disk("gp3", Bytes::from_gib(20))
}

/// Claims by namespace and name, each with whether it is bound to a volume that names it.
fn claims(world: &World) -> BTreeMap<String, bool> {
    let volumes: BTreeMap<_, _> = world.volumes().map(|volume| (&volume.name, volume)).collect();
    let is_bound = |claim: &Claim| {
        let volume = claim.volume.as_ref().and_then(|name| volumes.get(name));
        volume.is_some_and(|volume| {
            volume.claim_uid.as_ref() == Some(&claim.uid) && volume.capacity == claim.requested
        })
    };
    world.claims().map(|claim| (claim.key.to_string(), is_bound(claim))).collect()
}

fn all_bound(names: &[&str]) -> BTreeMap<String, bool> {
    names.iter().map(|name| ((*name).to_owned(), true)).collect()
}

#[test]
fn each_pod_of_a_stateful_set_has_a_claim_that_outlives_it() {
    let spec = world(1, 2, vec![space("shop", &[], vec![stateful("db", 2, false)])]);
    let mut world = World::new(spec, 1, MONDAY);
    let db = key("shop", WorkloadKind::StatefulSet, "db");
    let two = all_bound(&["shop/data-db-0", "shop/data-db-1"]);
    assert_eq!(claims(&world), two);
    let mounted: Vec<_> = world.pods().map(|pod| (pod.name.to_string(), pod.claims)).collect();
    assert_eq!(
        mounted,
        [("db-0".to_owned(), vec!["data-db-0".into()]), ("db-1".to_owned(), vec!["data-db-1".into()])]
    );
    let first: Vec<Volume> = world.volumes().cloned().collect();
    world.scale(&db, Size::Replicas(0), MONDAY);
    world.advance(hours(1));
    assert_eq!((world.pod_count(), claims(&world)), (0, two));
    world.scale(&db, Size::Replicas(3), hours(1));
    world.advance(hours(2));
    assert_eq!(claims(&world), all_bound(&["shop/data-db-0", "shop/data-db-1", "shop/data-db-2"]));
    let now: Vec<Volume> = world.volumes().cloned().collect();
    assert!(first.iter().all(|volume| now.contains(volume)), "the same disks as before");
    let newest = now.iter().map(|volume| volume.created).max().unwrap();
    assert!(newest >= hours(1) && newest <= hours(1) + Millis::from_minutes(3), "{newest}");
}

#[test]
fn volume_s_facts_are_those_of_its_class() {
    let mut world =
        World::new(world(1, 2, vec![space("shop", &[], vec![stateful("db", 1, false)])]), 1, MONDAY);
    let seen = world.advance(MONDAY).into_iter().find_map(|event| match event {
        Event::Volume(volume) => Some(volume),
        _ => None,
    });
    let claim = world.claims().next().unwrap();
    let seen = seen.unwrap();
    let expected = Volume {
        uid: Arc::clone(&seen.uid),
        name: format!("pvc-{}", claim.uid).into(),
        created: MONDAY - Millis::DAY,
        provider_id: Arc::clone(&seen.provider_id),
        facts: VolumeFacts {
            provider: Provider::Aws,
            region: "eu-central-1".into(),
            driver: "ebs.csi.aws.com".into(),
            class: "gp3".into(),
            parameters: Keys::from([("type".into(), "gp3".into())]),
        },
        capacity: Bytes::from_gib(20),
        claim_uid: Some(Arc::clone(&claim.uid)),
        failed: false,
    };
    assert_eq!(seen, expected);
    assert!(seen.provider_id.starts_with("vol-"));
    assert_eq!(
        *claim,
        Claim {
            key: ClaimKey { namespace: "shop".into(), name: "data-db-0".into() },
            uid: Arc::clone(&claim.uid),
            created: MONDAY - Millis::DAY,
            volume: Some(expected.name),
            requested: Bytes::from_gib(20),
            labels: Keys::new(),
            annotations: Keys::new(),
        }
    );
}

#[test]
fn scaling_down_deletes_claims_only_where_the_policy_says_so() {
    let workloads = vec![stateful("db", 2, false), stateful("scratch", 2, true)];
    let mut world = World::new(world(1, 2, vec![space("shop", &[], workloads)]), 1, MONDAY);
    for name in ["db", "scratch"] {
        world.scale(&key("shop", WorkloadKind::StatefulSet, name), Size::Replicas(1), MONDAY);
    }
    world.advance(hours(1));
    assert_eq!(claims(&world), all_bound(&["shop/data-db-0", "shop/data-db-1", "shop/data-scratch-0"]));
    assert_eq!(world.volumes().count(), 3);
}

#[test]
fn all_pods_of_a_deployment_share_one_claim() {
    let workload = web(3, amount(100, 128)).with_disk("gp3", Bytes::from_gib(5));
    let mut world = World::new(world(1, 2, vec![space("shop", &[], vec![workload])]), 1, MONDAY);
    world.scale(&key("shop", WorkloadKind::Deployment, "web"), Size::Replicas(5), MONDAY);
    world.advance(hours(1));
    assert_eq!(claims(&world), all_bound(&["shop/web-data"]));
    let mounted: Vec<_> = world.pods().map(|pod| pod.claims).collect();
    assert_eq!(mounted, vec![vec![Arc::<str>::from("web-data")]; 5]);
}

/// A space with a bit of everything.
fn furnished(name: &str) -> SpaceSpec {
    let disk = DiskSpec { class: "gp3".into(), size: Bytes::from_gib(9) };
    SpaceSpec {
        unmounted: vec![ClaimSpec { name: "dump".into(), disk }],
        balancers: vec![BalancerSpec { name: "front".into(), class: "nlb".into() }],
        ..space(name, &[], vec![stateful("db", 2, false)])
    }
}

#[test]
fn new_space_brings_its_disks_and_takes_them_with_it() {
    let mut spec = world(1, 2, vec![space("shop", &[], vec![])]);
    spec.released = vec![DiskSpec { class: "gp3".into(), size: Bytes::from_gib(50) }];
    let mut world = World::new(spec, 1, MONDAY);
    world.advance(MONDAY);
    assert_eq!((world.volumes().count(), world.claims().count(), world.services().count()), (1, 0, 0));
    world.add_space(furnished("preview"), MONDAY);
    let service = world.services().next().unwrap().clone();
    assert_eq!(
        service,
        Service {
            uid: Arc::clone(&service.uid),
            namespace: "preview".into(),
            name: "front".into(),
            created: MONDAY,
            class: "nlb".into(),
            address: "".into(),
            labels: Keys::new(),
            annotations: Keys::new(),
        }
    );
    // A claim waits for its first consumer's node; the load balancer's address comes after a while.
    assert_eq!(
        claims(&world),
        BTreeMap::from([
            ("preview/data-db-0".to_owned(), false),
            ("preview/data-db-1".to_owned(), false),
            ("preview/dump".to_owned(), true)
        ])
    );
    world.advance(hours(1));
    assert_eq!(claims(&world), all_bound(&["preview/data-db-0", "preview/data-db-1", "preview/dump"]));
    assert!(world.services().next().unwrap().address.ends_with(".elb.eu-central-1.amazonaws.com"));
    assert!(world.delete_space("preview", hours(1)));
    assert_eq!((world.volumes().count(), world.claims().count(), world.services().count()), (1, 0, 0));
    let gone = world.advance(hours(2)).into_iter().fold([0; 3], |[volumes, claims, services], event| {
        let is = |at: Instant| usize::from(at == hours(1));
        match event {
            Event::VolumeGone { at, .. } => [volumes + is(at), claims, services],
            Event::ClaimGone { at, .. } => [volumes, claims + is(at), services],
            Event::ServiceGone { at, .. } => [volumes, claims, services + is(at)],
            _ => [volumes, claims, services],
        }
    });
    assert_eq!(gone, [3, 3, 1]);
}

/// What somebody knows of disks and load balancers who has heard all events: by kind and UID.
#[derive(Default)]
struct Watcher {
    known: BTreeMap<(Kind, Arc<str>), Event>,
    /// Claims that were bound before their volume was seen, volumes that were seen before their claim.
    ahead: [usize; 2],
}

impl Watcher {
    fn hear(&mut self, event: Event) {
        match &event {
            Event::Volume(volume) => {
                let claim = volume.claim_uid.clone().map(|uid| (Kind::Claim, uid));
                self.ahead[1] += usize::from(claim.is_none_or(|claim| !self.known.contains_key(&claim)));
                self.known.insert((Kind::Volume, Arc::clone(&volume.uid)), event);
            }
            Event::Claim(claim) => {
                let is_seen = self
                    .known
                    .values()
                    .any(|known| matches!(known, Event::Volume(v) if Some(&v.name) == claim.volume.as_ref()));
                self.ahead[0] += usize::from(claim.volume.is_some() && !is_seen);
                self.known.insert((Kind::Claim, Arc::clone(&claim.uid)), event);
            }
            Event::Service(service) => {
                self.known.insert((Kind::Service, Arc::clone(&service.uid)), event);
            }
            Event::VolumeGone { uid, .. } => self.forget(Kind::Volume, uid),
            Event::ClaimGone { uid, .. } => self.forget(Kind::Claim, uid),
            Event::ServiceGone { uid, .. } => self.forget(Kind::Service, uid),
            Event::Listed { kind, uids } => {
                self.known.retain(|(of, uid), _| of != kind || uids.contains(uid));
            }
            _ => {}
        }
    }

    /// A watch never tells of the end of what it has not shown.
    fn forget(&mut self, kind: Kind, uid: &Arc<str>) {
        assert!(self.known.remove(&(kind, Arc::clone(uid))).is_some(), "{kind:?} {uid} was never seen");
    }
}

#[test]
fn watches_that_break_and_lag_end_with_the_whole_truth() {
    let mut ahead = [0; 2];
    for seed in 0..16_u64 {
        let mut world = World::new(demo::platform(seed), seed, MONDAY);
        let lag = Millis::from_minutes(4 + i64::try_from(seed).unwrap());
        for (nth, kind) in [Kind::Volume, Kind::Claim, Kind::Service, Kind::Pod].into_iter().enumerate() {
            if seed >> nth & 1 == 1 {
                world.slow_watch(kind, lag);
            }
        }
        let mut watcher = Watcher::default();
        for minute in 0..360 {
            let now = MONDAY + Millis::from_minutes(minute);
            for event in world.advance(now) {
                watcher.hear(event);
            }
            match minute % 60 {
                7 => world.add_space(furnished("preview"), now),
                // The watches break while something is on its way.
                8 | 29 => world.relist(),
                28 => assert!(world.delete_space("preview", now)),
                _ => {}
            }
        }
        // Nothing of them has changed for half an hour, so that the slowest watch has shown it all.
        for event in world.advance(hours(6)) {
            watcher.hear(event);
        }
        let mut truth = Watcher::default();
        for event in world.list() {
            truth.hear(event);
        }
        assert!(truth.known.len() > 60, "{} objects", truth.known.len());
        assert_eq!(watcher.known, truth.known, "seed {seed}");
        ahead = [ahead[0] + watcher.ahead[0], ahead[1] + watcher.ahead[1]];
    }
    assert!(ahead.iter().all(|cases| *cases > 100), "{ahead:?}: facts come in every order");
}

#[test]
fn platform_has_disks_and_load_balancers_of_every_sort() {
    for seed in 0..20 {
        let mut world = World::new(demo::platform(seed), seed, MONDAY);
        world.advance(hours(2));
        let claims: Vec<_> = world.claims().collect();
        assert!(claims.iter().all(|claim| claim.volume.is_some()));
        let mounted: std::collections::BTreeSet<_> = world
            .pods()
            .flat_map(|pod| {
                pod.claims
                    .into_iter()
                    .map(move |name| ClaimKey { namespace: Arc::clone(&pod.namespace), name })
            })
            .collect();
        let unmounted: Vec<_> = claims
            .iter()
            .filter(|claim| !mounted.contains(&claim.key))
            .map(|claim| claim.key.to_string())
            .collect();
        assert_eq!(unmounted, ["tmp-migration/dump"]);
        assert_eq!(mounted.len() + 1, claims.len(), "no pod mounts what is not there");
        let released = world
            .volumes()
            .filter(|volume| claims.iter().all(|claim| Some(&claim.uid) != volume.claim_uid.as_ref()));
        assert_eq!(released.count(), 3);
        let sets = world.workloads().filter(|workload| workload.key.kind == WorkloadKind::StatefulSet);
        assert!(claims.len() > sets.count() + 5);
        let classes: Vec<_> = world.services().map(|service| &*service.class).collect();
        assert_eq!(classes, ["nlb", "nlb", "nlb", ""]);
        assert!(world.services().all(|service| !service.address.is_empty()));
    }
}
