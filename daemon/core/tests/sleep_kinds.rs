//! What sleeps besides plain workloads: vClusters, what scalers govern, what would lose data.

mod support;

use std::sync::Arc;

use nightcap_core::cluster::{
    Fields, OwnerFacts, Pod, Size, Switch, Synced, Workload, WorkloadKey, WorkloadKind,
};
use nightcap_core::engine::Event;
use nightcap_core::engine::Settings;
use nightcap_core::schedule::TimeSpec;
use nightcap_core::sleep::{Mode, Spec};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use serde_json::json;
use support::scene::{Scene, deployment, stateful_set};
use support::{T0, shop_pod};

const NIGHT: &str = "2026-03-03T22:00:00Z";
const MORNING: &str = "2026-03-04T08:00:00Z";

fn when(text: &str) -> Instant {
    parse_rfc3339(text).expect("an instant")
}

fn labelled(mut workload: Workload, app: &str) -> Workload {
    workload.labels =
        [("app", app), ("release", "dev")].map(|(key, value)| (key.into(), value.into())).into();
    workload
}

/// A pod of the control plane: owned by its set, labelled as part of it.
fn control_plane_pod(name: &str, set: &str) -> Pod {
    let owner = WorkloadKey { namespace: "shop".into(), kind: WorkloadKind::StatefulSet, name: set.into() };
    let facts = OwnerFacts { control_plane: Some("dev".into()), ..OwnerFacts::default() };
    Pod { owner: Some(owner), facts: Some(Arc::new(facts)), ..shop_pod(name, 0, None) }
}

/// A pod that the vCluster has synced; `owner` is its virtual workload.
fn synced_pod(name: &str, vcluster: &str, owner: WorkloadKind) -> Pod {
    let synced = Synced {
        vcluster: vcluster.into(),
        namespace: Some("default".into()),
        workload: Some((owner, "web".into())),
        labels: [].into(),
        namespace_labels: [].into(),
        imported: false,
    };
    let facts = OwnerFacts { synced: Some(Box::new(synced)), ..OwnerFacts::default() };
    Pod { facts: Some(Arc::new(facts)), ..shop_pod(name, 0, None) }
}

/// A space that sleeps by night, with a vCluster `dev` and the pods it has synced.
fn vcluster() -> Scene {
    let mut scene = Scene::new(Mode::Act, when("2026-03-03T12:00:00Z"));
    scene.namespace("shop", &[("uptime", "08:00-20:00 UTC")]);
    scene.put(labelled(stateful_set("shop", "dev", 2), "vcluster"));
    for pod in [
        control_plane_pod("dev-0", "dev"),
        synced_pod("web-1", "dev", WorkloadKind::Deployment),
        synced_pod("web-2", "dev", WorkloadKind::Deployment),
        synced_pod("other-1", "other", WorkloadKind::Deployment),
    ] {
        scene.engine.apply(Event::Pod(pod), scene.now);
    }
    scene
}

fn paused(scene: &Scene, name: &str) -> Vec<(String, String)> {
    let all = scene.find("shop", name).annotations.iter();
    all.filter(|(key, _)| key.starts_with("loft.sh/"))
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

fn pairs<const N: usize>(of: [(&str, &str); N]) -> Vec<(String, String)> {
    of.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn ours_are_gone(scene: &Scene, name: &str) -> bool {
    scene.annotation("shop", name, "asleep").is_none() && scene.annotation("shop", name, "original").is_none()
}

#[test]
fn vcluster_sleeps_by_its_own_pause_contract_and_its_pods_go_last() {
    let mut scene = vcluster();
    scene.settle(when(NIGHT));
    assert_eq!(scene.size("shop", "dev"), Size::Replicas(0));
    let contract = pairs([
        ("loft.sh/paused", "true"),
        ("loft.sh/paused-date", "2026-03-03T22:00:00.000Z"),
        ("loft.sh/paused-replicas", "2"),
    ]);
    assert_eq!(paused(&scene, "dev"), contract);
    assert_eq!(scene.annotation("shop", "dev", "original"), Some(r#"{"replicas":2}"#));
    assert_eq!(scene.patches.len(), 1, "one patch holds both");
    // The syncer still runs: it would make deleted pods again.
    assert_eq!(scene.deleted, [""; 0]);
    let gone = Event::PodGone { uid: "pod-dev-0".into(), at: scene.now };
    scene.engine.apply(gone, scene.now);
    scene.settle(when(NIGHT) + Millis::SECOND);
    assert_eq!(scene.deleted, ["shop/web-1 of dev", "shop/web-2 of dev"]);

    scene.settle(when(MORNING));
    assert_eq!(scene.size("shop", "dev"), Size::Replicas(2));
    assert_eq!(paused(&scene, "dev"), []);
    assert!(ours_are_gone(&scene, "dev"));
    assert_eq!(scene.deleted.len(), 2);
}

#[test]
fn pod_that_the_syncer_made_on_its_way_out_goes_too() {
    let mut scene = vcluster();
    scene.settle(when(NIGHT));
    scene.engine.apply(Event::PodGone { uid: "pod-dev-0".into(), at: scene.now }, scene.now);
    scene.settle(when(NIGHT) + Millis::SECOND);
    let late = synced_pod("web-3", "dev", WorkloadKind::Deployment);
    scene.engine.apply(Event::Pod(late), scene.now);
    scene.settle(when(NIGHT) + Millis::MINUTE);
    assert_eq!(scene.deleted.last().map(String::as_str), Some("shop/web-3 of dev"));
}

#[test]
fn resume_by_the_vcluster_command_wakes_what_nightcap_put_to_sleep() {
    let mut scene = vcluster();
    scene.settle(when(NIGHT));
    let mut resumed = scene.find("shop", "dev").clone();
    resumed.size = Size::Replicas(2);
    resumed.annotations.retain(|key, _| !key.starts_with("loft.sh/"));
    scene.put(resumed);
    scene.settle(when(NIGHT) + Millis::MINUTE);
    assert_eq!(scene.size("shop", "dev"), Size::Replicas(2), "not put to sleep again");
    assert!(ours_are_gone(&scene, "dev"));
    let until = scene.namespaces["shop"].annotations["nightcap.dev/keep-awake-until"].to_string();
    assert_eq!(until, "2026-03-04T20:00:00Z", "until it would sleep next");
    assert!(scene.announced.contains(&"Commanded: shop is woken by vcluster resume".to_owned()));
}

#[test]
fn what_vcluster_pause_put_to_sleep_is_left_alone_until_somebody_asks() {
    let mut scene = vcluster();
    let mut paused_by_hand = scene.find("shop", "dev").clone();
    paused_by_hand.size = Size::Replicas(0);
    paused_by_hand.annotations = [("loft.sh/paused", "true"), ("loft.sh/paused-replicas", "2")]
        .map(|(key, value)| (key.into(), value.into()))
        .into();
    scene.put(paused_by_hand);
    for time in [NIGHT, MORNING] {
        scene.settle(when(time));
        assert_eq!(scene.size("shop", "dev"), Size::Replicas(0), "{time}");
    }
    assert_eq!((scene.patches.len(), scene.deleted.len()), (0, 0));
    scene.annotate("shop", "keep-awake-until", Some("2026-03-04T20:00:00Z"));
    scene.settle(when(MORNING) + Millis::MINUTE);
    assert_eq!((scene.size("shop", "dev"), paused(&scene, "dev")), (Size::Replicas(2), vec![]));
}

#[test]
fn vcluster_with_pods_that_nobody_would_make_again_is_refused_beforehand() {
    let mut scene = vcluster();
    let bare = synced_pod("debug", "dev", WorkloadKind::from_name("Pod"));
    scene.engine.apply(Event::Pod(bare), scene.now);
    scene.settle(when(NIGHT));
    assert_eq!((scene.size("shop", "dev"), scene.deleted.len()), (Size::Replicas(2), 0));
    let refusal = "SleepRefused: StatefulSet shop/dev is not put to sleep: pods of vCluster dev that name no owner would be lost (debug)";
    assert_eq!(scene.announced, [refusal]);
}

#[test]
fn only_what_vcluster_resume_brings_back_is_paused() {
    let mut scene = vcluster();
    for part in ["etcd", "api", "controller", "scheduler"] {
        scene.put(labelled(deployment("shop", part, 1), &format!("vcluster-{part}")));
    }
    scene.settle(when(NIGHT));
    let sizes = |scene: &Scene| {
        ["dev", "api", "controller", "etcd", "scheduler"].map(|name| scene.size("shop", name))
    };
    let (up, down) = (Size::Replicas(1), Size::Replicas(0));
    assert_eq!(sizes(&scene), [down, up, up, up, up], "a StatefulSet of the syncer stands for all");

    let mut scene = Scene::new(Mode::Act, when("2026-03-03T12:00:00Z"));
    scene.namespace("shop", &[("uptime", "08:00-20:00 UTC")]);
    scene.put(labelled(deployment("shop", "dev", 1), "vcluster"));
    for part in ["api", "controller", "scheduler"] {
        scene.put(labelled(deployment("shop", part, 1), &format!("vcluster-{part}")));
    }
    scene.put(labelled(stateful_set("shop", "etcd", 1), "vcluster-etcd"));
    scene.settle(when(NIGHT));
    assert_eq!(sizes(&scene), [down, down, down, down, up], "the scheduler is forgotten by both commands");
}

/// A KEDA `ScaledObject` that governs Deployment `web`.
fn scaled_object() -> Workload {
    let place = "/metadata/annotations/autoscaling.keda.sh~1paused-replicas";
    let mut object = deployment("shop", "scaler", 0);
    object.key.kind = WorkloadKind::qualified("keda.sh", "ScaledObject");
    object.size = Size::Off(false);
    let now = Fields::from([(place.into(), json!(null))]);
    object.switch = Some(Arc::new(Switch { off: Fields::from([(place.into(), json!("0"))]), now }));
    object.governs = Some(Arc::new(deployment("shop", "web", 0).key));
    object
}

#[test]
fn what_a_scaler_governs_is_left_to_it() {
    let mut scene = Scene::new(Mode::Act, when("2026-03-03T12:00:00Z"));
    scene.namespace("shop", &[("uptime", "08:00-20:00 UTC")]);
    scene.put(deployment("shop", "web", 3));
    scene.put(deployment("shop", "api", 1));
    scene.put(scaled_object());
    scene.settle(when(NIGHT));
    let sizes = |scene: &Scene| ["web", "api", "scaler"].map(|name| scene.size("shop", name));
    assert_eq!(sizes(&scene), [Size::Replicas(3), Size::Replicas(0), Size::Off(true)]);
    assert!(
        scene.namespaces["shop"].annotations.contains_key("nightcap.dev/asleep"),
        "the rest is not its own to put down"
    );
    scene.settle(when(MORNING));
    assert_eq!(sizes(&scene), [Size::Replicas(3), Size::Replicas(1), Size::Off(false)]);
    assert!(["web", "api", "scaler"].iter().all(|name| ours_are_gone(&scene, name)));
}

#[test]
fn data_of_local_volumes_is_for_its_own_space_to_give_up() {
    let scene = |wish: &[(&str, &str)], workload: &[(&str, &str)]| {
        let mut settings = Settings::new(T0);
        settings.mode = Mode::Act;
        let spec = TimeSpec::parse("08:00-20:00", chrono_tz::Tz::UTC).unwrap();
        settings.sleep.defaults.uptime = Some(Spec { text: "08:00-20:00".into(), spec });
        let mut scene = Scene::with(settings, when("2026-03-03T12:00:00Z"));
        scene.namespace("shop", wish);
        let mut web = deployment("shop", "web", 2);
        web.local_volumes = vec!["scratch".into()];
        web.annotations =
            workload.iter().map(|&(key, value)| (support::scene::full_key(key), value.into())).collect();
        scene.put(web);
        scene.settle(when(NIGHT));
        (scene.size("shop", "web"), scene.announced.first().cloned().unwrap_or_default())
    };
    let (size, said) = scene(&[], &[]);
    assert_eq!(size, Size::Replicas(2));
    let refusal = "SleepRefused: Deployment shop/web is not put to sleep by default uptime: what is in its local volumes (scratch) would be lost; annotate it or its namespace with nightcap.dev/delete-emptydir-data=true if that may go";
    assert_eq!(said, refusal);
    let told = "LocalVolumes: Deployment shop/web is put to sleep; what is in its local volumes (scratch) ends with its pods";
    for (wish, workload) in [
        (&[("delete-emptydir-data", "true")][..], &[][..]),
        (&[], &[("delete-emptydir-data", "true")]),
        (&[("uptime", "08:00-20:00 UTC")], &[]),
        (&[("asleep-until", "manual")], &[]),
    ] {
        assert_eq!(scene(wish, workload), (Size::Replicas(0), told.to_owned()), "{wish:?} {workload:?}");
    }
}
