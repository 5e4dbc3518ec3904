//! The ordered rules. For each question the first that has an answer decides; team and owner are two questions.
//!
//! The *team* is the first team, project or tenant that a rule names, or the team of the first person that it names and
//! the user map knows. The *owner* is whoever the first rule names that speaks of owners: our `owner` annotation, a
//! configured rule with an owner, a platform, the owner labels. Our `team` annotation and the team labels speak of
//! teams only.

use std::sync::Arc;

use super::keys::own_keys;
use super::place::{Hit, NOTHING, Place, label_matches};
use super::platforms::{Form, PLATFORMS, PlatformKey};
use super::{Attribution, OwnerFacts, OwnerKeys, OwnerKind, TeamRule, TeamRules, Tier, UNOWNED, glob};
use crate::cluster::vcluster::{MappedNamespace, VClusterKey, control_plane_of_claim};
use crate::cluster::{Claim, Keys, Namespace, Service, Workload, WorkloadKey};

/// Finds a namespace of the host by name.
pub type Namespaces<'a> = &'a dyn Fn(&str) -> Option<&'a Namespace>;

/// What the place is called that has the labels of a virtual namespace.
const VIRTUAL_NAMESPACE: &str = "virtual namespace";

/// Finds teams and owners by the rules it was made with.
#[derive(Clone, Debug)]
pub struct Resolver {
    rules: TeamRules,
    keys: OwnerKeys,
    own_team: String,
    own_owner: String,
    grouping: Vec<Arc<str>>,
}

/// An answer: a name, what kind it is, and the rule that found it.
#[derive(Debug)]
struct Found {
    name: Arc<str>,
    kind: OwnerKind,
    rule: Arc<str>,
}

/// Places that are asked together, rule by rule, before the next ones are: inside a vCluster first, then on the host.
#[derive(Debug)]
struct Stage<'a> {
    places: Vec<Place<'a>>,
    /// Whether rules that look at the host's namespace alone have their say.
    is_host: bool,
}

/// Where a thing is.
#[derive(Debug)]
struct Location {
    space: Arc<str>,
    vcluster: Option<Arc<str>>,
    virtual_namespace: Option<Arc<str>>,
    /// The namespace of the vCluster's control plane, where it is another than that of the thing.
    home: Option<Arc<str>>,
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    word: &'static str,
    namespace: &'a Arc<str>,
    workload: Option<(&'a WorkloadKey, Option<&'a Workload>)>,
    facts: Option<&'a OwnerFacts>,
}

impl Resolver {
    /// A resolver with these rules.
    pub fn new(rules: TeamRules) -> Self {
        let [own_team, own_owner] = own_keys(&rules);
        Self { keys: OwnerKeys::of(&rules), own_team, own_owner, grouping: rules.grouping(), rules }
    }

    /// Whose a namespace is.
    pub fn space<'a>(&self, namespace: &'a Namespace, namespaces: Namespaces<'a>) -> Attribution {
        let asked = Asked { word: "namespace", namespace: &namespace.name, workload: None, facts: None };
        let find = |name: &str| {
            if *name == *namespace.name { Some(namespace) } else { namespaces(name) }
        };
        self.attribute(asked, &find)
    }

    /// Whose a workload is.
    pub fn workload(&self, workload: &Workload, namespaces: Namespaces<'_>) -> Attribution {
        let namespace = &workload.key.namespace;
        let of = Some((&workload.key, Some(workload)));
        self.attribute(Asked { word: "workload", namespace, workload: of, facts: None }, namespaces)
    }

    /// Who pays for a pod of a namespace. `owner` is its workload on the host, with its record where it is known.
    pub fn pod(
        &self,
        namespace: &Arc<str>,
        owner: Option<(&WorkloadKey, Option<&Workload>)>,
        facts: Option<&OwnerFacts>,
        namespaces: Namespaces<'_>,
    ) -> Attribution {
        self.attribute(Asked { word: "pod", namespace, workload: owner, facts }, namespaces)
    }

    /// Who pays for a claim. `is_vcluster` tells whether a vCluster of a name runs in the claim's namespace.
    pub fn claim(
        &self,
        claim: &Claim,
        is_vcluster: impl Fn(&str) -> bool,
        namespaces: Namespaces<'_>,
    ) -> Attribution {
        let (name, namespace) = (&claim.key.name, &claim.key.namespace);
        let mut facts = OwnerFacts::read(&self.keys, &claim.labels, &claim.annotations, name, namespace);
        let belongs = facts.as_ref().is_some_and(|f| f.synced.is_some() || f.control_plane.is_some());
        if let Some(vcluster) = control_plane_of_claim(name, is_vcluster).filter(|_| !belongs) {
            let facts = facts.get_or_insert_with(OwnerFacts::default);
            facts.control_plane = Some(vcluster.into());
        }
        let asked = Asked { word: "claim", namespace, workload: None, facts: facts.as_ref() };
        Attribution { workload: None, ..self.attribute(asked, namespaces) }
    }

    /// Who pays for the load balancer of a Service.
    pub fn service(&self, service: &Service, namespaces: Namespaces<'_>) -> Attribution {
        let namespace = &service.namespace;
        let facts =
            OwnerFacts::read(&self.keys, &service.labels, &service.annotations, &service.name, namespace);
        let asked = Asked { word: "Service", namespace, workload: None, facts: facts.as_ref() };
        Attribution { workload: None, ..self.attribute(asked, namespaces) }
    }

    /// The tier of a namespace, if it names one.
    pub fn tier(&self, namespace: &Namespace) -> Option<Tier> {
        namespace.labels.get(&self.rules.tier_key).and_then(|tier| Tier::parse(tier))
    }

    fn attribute(&self, asked: Asked<'_>, namespaces: Namespaces<'_>) -> Attribution {
        let host = namespaces(asked.namespace);
        let at = locate(asked, host);
        let home = at.home.as_ref().and_then(|home| namespaces(home));
        let stages = stages(asked, host, home);
        let mut team = None;
        let mut owner = None;
        for stage in &stages {
            team = team.or_else(|| self.team(stage, asked.namespace, &at.space));
            owner = owner.or_else(|| self.owner(stage, asked.namespace, &at.space));
        }
        let (team, owner) = (team.unwrap_or_else(Found::nobody), owner.unwrap_or_else(Found::nobody));
        Attribution {
            namespace: Arc::clone(asked.namespace),
            space: at.space,
            vcluster: at.vcluster,
            virtual_namespace: at.virtual_namespace,
            workload: workload_of(asked),
            team: team.name,
            team_kind: team.kind,
            team_rule: team.rule,
            owner: owner.name,
            owner_kind: owner.kind,
            owner_rule: owner.rule,
            labels: Arc::new(self.labels(&stages)),
        }
    }

    fn team(&self, stage: &Stage<'_>, namespace: &str, space: &str) -> Option<Found> {
        let places = &stage.places;
        let own = places.iter().find_map(|place| {
            let of_person = || self.team_of(place.annotation(&self.own_owner)?);
            place.annotation(&self.own_team).map(|hit| Found::of(hit, OwnerKind::Team)).or_else(of_person)
        });
        let by_rule = || {
            let rule = self.rules.rules.iter().find(|rule| stage.meets(rule, namespace, space))?;
            Some(Found { name: rule.team.as_str().into(), kind: OwnerKind::Team, rule: words(rule) })
        };
        let by_platform = || {
            PLATFORMS.iter().find_map(|platform| {
                let hit = stage.platform(platform)?;
                if platform.kind == OwnerKind::User {
                    return self.team_of(hit);
                }
                Some(self.of_platform(platform, hit))
            })
        };
        let first = |keys: &'_ [Arc<str>]| -> Option<Found> {
            let hit = places.iter().find_map(|place| place.first(keys))?;
            Some(Found::of(hit, OwnerKind::Team))
        };
        own.or_else(by_rule)
            .or_else(by_platform)
            .or_else(|| first(&self.rules.team_keys))
            .or_else(|| places.iter().find_map(|p| self.team_of(p.first(&self.rules.owner_keys)?)))
            .or_else(|| first(&self.rules.department_keys))
            .or_else(|| stage.own_root())
    }

    fn owner(&self, stage: &Stage<'_>, namespace: &str, space: &str) -> Option<Found> {
        let places = &stage.places;
        let person = |hit: Hit<'_>| {
            let known = self.rules.users.team_of(hit.value).is_some();
            Found::of(hit, if known { OwnerKind::User } else { OwnerKind::Unknown })
        };
        let own = places.iter().find_map(|place| place.annotation(&self.own_owner)).map(person);
        let by_rule = || {
            let mut rules = self.rules.rules.iter();
            let rule = rules.find(|rule| rule.owner.is_some() && stage.meets(rule, namespace, space))?;
            let name = rule.owner.as_deref()?;
            Some(Found { name: name.into(), kind: OwnerKind::Unknown, rule: words(rule) })
        };
        let by_platform = || {
            PLATFORMS.iter().find_map(|platform| {
                let hit = stage.platform(platform)?;
                Some(self.of_platform(platform, hit))
            })
        };
        let by_key = || places.iter().find_map(|place| place.first(&self.rules.owner_keys)).map(person);
        own.or_else(by_rule).or_else(by_platform).or_else(by_key).or_else(|| stage.own_root())
    }

    /// The team of a person that was found, if the map knows them.
    fn team_of(&self, hit: Hit<'_>) -> Option<Found> {
        let team = self.rules.users.team_of(hit.value)?;
        let rule = format!("{}: {} is in this team by the map of users", hit.rule(), hit.value);
        Some(Found { name: Arc::clone(team), kind: OwnerKind::Team, rule: rule.into() })
    }

    fn of_platform(&self, platform: &PlatformKey, hit: Hit<'_>) -> Found {
        if platform.form != Form::RancherProject {
            return Found::of(hit, platform.kind);
        }
        let id = hit.value.rsplit_once(':').map_or(hit.value, |(_, id)| id);
        match self.rules.projects.get(hit.value).or_else(|| self.rules.projects.get(id)) {
            Some(name) => Found {
                name: Arc::clone(name),
                kind: platform.kind,
                rule: format!("{}: {} by the map of projects", hit.rule(), hit.value).into(),
            },
            None => Found { name: id.into(), kind: platform.kind, rule: hit.rule().into() },
        }
    }

    /// Labels that rows can be grouped by: those of the innermost place count.
    fn labels(&self, stages: &[Stage<'_>]) -> Keys {
        let places = || stages.iter().flat_map(|stage| &stage.places);
        let found = self.grouping.iter().filter_map(|key| {
            let value = places().find_map(|place| place.labels.get(key))?;
            Some((Arc::clone(key), Arc::clone(value)))
        });
        found.collect()
    }
}

impl Found {
    fn of(hit: Hit<'_>, kind: OwnerKind) -> Self {
        Self { name: hit.value.into(), kind, rule: hit.rule().into() }
    }

    fn nobody() -> Self {
        Self { name: UNOWNED.into(), kind: OwnerKind::Unknown, rule: "no rule matched".into() }
    }
}

impl Stage<'_> {
    /// Whether all conditions of a rule are met here.
    fn meets(&self, rule: &TeamRule, namespace: &str, space: &str) -> bool {
        let of_space = rule.namespace.as_deref().is_some_and(|pattern| pattern.contains('/'));
        if !self.is_host && !of_space && rule.labels.is_empty() {
            return false;
        }
        let named = |pattern: &str| glob(pattern, if of_space { space } else { namespace });
        rule.namespace.as_deref().is_none_or(named)
            && rule.labels.iter().all(|(key, pattern)| label_matches(&self.places, key, pattern))
    }

    /// What a platform says here. On a synced pod it speaks of the vCluster as a whole: that waits until what is said
    /// inside has been asked for.
    fn platform(&self, platform: &PlatformKey) -> Option<Hit<'_>> {
        let places = self.places.iter().filter(|place| self.is_host || place.word == VIRTUAL_NAMESPACE);
        places.into_iter().find_map(|place| place.platform(platform))
    }

    fn own_root(&self) -> Option<Found> {
        let hit = self.places.iter().find_map(Place::own_root)?;
        Some(Found::of(hit, OwnerKind::Tenant))
    }
}

/// A configured rule as `explain` shows it.
fn words(rule: &TeamRule) -> Arc<str> {
    let namespaces = rule.namespace.iter().map(|pattern| format!("namespaces {pattern}"));
    let labels = rule.labels.iter().map(|(key, value)| format!("label {key}={value}"));
    let conditions: Vec<String> = namespaces.chain(labels).collect();
    format!("rule for {}", conditions.join(" and ")).into()
}

/// The workload that a row names: inside a vCluster, the one there.
fn workload_of(asked: Asked<'_>) -> Option<WorkloadKey> {
    match asked.facts.and_then(|facts| facts.synced.as_deref()) {
        Some(synced) => synced.workload.as_ref().map(|(kind, name)| WorkloadKey {
            namespace: Arc::clone(asked.namespace),
            kind: kind.clone(),
            name: Arc::clone(name),
        }),
        None => asked.workload.map(|(key, _)| key.clone()),
    }
}

fn locate(asked: Asked<'_>, host: Option<&Namespace>) -> Location {
    let synced = asked.facts.and_then(|facts| facts.synced.as_deref());
    let mapped = host.and_then(MappedNamespace::read);
    let said = mapped.as_ref().and_then(|mapped| mapped.namespace.as_ref());
    let inner = |namespace: Option<&Arc<str>>| namespace.or(said).cloned();
    let (vcluster, virtual_namespace) = match (synced, &mapped) {
        (Some(synced), None) => {
            let (namespace, name) = (Arc::clone(asked.namespace), Arc::clone(&synced.vcluster));
            (VClusterKey { namespace, name }, inner(synced.namespace.as_ref()))
        }
        (Some(synced), Some(mapped)) => (mapped.of(&synced.vcluster), inner(synced.namespace.as_ref())),
        (None, Some(mapped)) => (mapped.vcluster.clone(), inner(None)),
        (None, None) => match asked.facts.and_then(|facts| facts.control_plane.as_ref()) {
            Some(name) => {
                let (namespace, name) = (Arc::clone(asked.namespace), Arc::clone(name));
                (VClusterKey { namespace, name }, None)
            }
            None => {
                let space = Arc::clone(asked.namespace);
                return Location { space, vcluster: None, virtual_namespace: None, home: None };
            }
        },
    };
    let name: Arc<str> = vcluster.to_string().into();
    let space = match &virtual_namespace {
        Some(inner) => format!("{name}/{inner}").into(),
        None => Arc::clone(&name),
    };
    let home = (vcluster.namespace != *asked.namespace).then_some(vcluster.namespace);
    Location { space, vcluster: Some(name), virtual_namespace, home }
}

fn stages<'a>(asked: Asked<'a>, host: Option<&'a Namespace>, home: Option<&'a Namespace>) -> Vec<Stage<'a>> {
    let of_namespace = |word, namespace: &'a Namespace| Place {
        word,
        labels: &namespace.labels,
        annotations: &namespace.annotations,
    };
    let mut inner = Vec::with_capacity(3);
    if let Some(facts) = asked.facts {
        inner.push(Place { word: asked.word, labels: &facts.labels, annotations: &facts.annotations });
    }
    let mut stages = Vec::with_capacity(3);
    if let Some(synced) = asked.facts.and_then(|facts| facts.synced.as_deref()) {
        inner.push(Place { word: asked.word, labels: &synced.labels, annotations: &NOTHING });
        let labels = &synced.namespace_labels;
        inner.push(Place { word: VIRTUAL_NAMESPACE, labels, annotations: &NOTHING });
        stages.push(Stage { places: inner.clone(), is_host: false });
        inner.truncate(1);
    } else if let Some((_, Some(workload))) = asked.workload {
        let (labels, annotations) = (&workload.labels, &workload.annotations);
        inner.push(Place { word: "workload", labels, annotations });
    }
    inner.extend(host.map(|host| of_namespace("namespace", host)));
    stages.push(Stage { places: inner, is_host: true });
    if let Some(home) = home {
        let places = vec![of_namespace("namespace of its vCluster", home)];
        stages.push(Stage { places, is_host: true });
    }
    stages
}
