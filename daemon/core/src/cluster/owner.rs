//! Whose a workload is: the first rule that matches decides, and the answer says which it was.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Keys, Namespace, Workload, WorkloadKey};

/// The name of the line for what nobody owns. It is shown, never spread.
pub const UNOWNED: &str = "unowned";

/// One configured rule: namespaces of these names belong to this team.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamRule {
    /// Namespace name; a `*` stands for any text.
    pub namespace: String,
    /// The team.
    pub team: String,
}

/// How teams and owners are found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TeamRules {
    /// Prefix of our own annotations, such as `nightcap.dev`.
    pub prefix: Arc<str>,
    /// Rules by namespace name, first match wins.
    pub rules: Vec<TeamRule>,
    /// Label or annotation keys that name the team, in order.
    pub team_keys: Vec<Arc<str>>,
    /// Label or annotation keys that name the owner, in order.
    pub owner_keys: Vec<Arc<str>>,
}

impl Default for TeamRules {
    fn default() -> Self {
        Self {
            prefix: "nightcap.dev".into(),
            rules: Vec::new(),
            team_keys: vec!["team".into()],
            owner_keys: vec!["owner".into()],
        }
    }
}

/// What kind of owner a rule names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// One person or service account.
    User,
    /// Several people.
    Team,
    /// A project of a platform.
    Project,
    /// A tenant of a platform.
    Tenant,
    /// Not said: whatever the label or annotation means by it.
    #[default]
    Unknown,
}

/// Who pays for a pod, a volume or a load balancer: what every row of money carries.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Attribution {
    /// The namespace on the host cluster.
    pub namespace: Arc<str>,
    /// The innermost space: the namespace, `namespace/vcluster` or `namespace/vcluster/virtual-namespace`.
    pub space: Arc<str>,
    /// The vCluster as `namespace/name`, where it belongs to one.
    pub vcluster: Option<Arc<str>>,
    /// The namespace inside the vCluster.
    pub virtual_namespace: Option<Arc<str>>,
    /// The workload; `None` for a bare pod.
    pub workload: Option<WorkloadKey>,
    /// The team, or [`UNOWNED`].
    pub team: Arc<str>,
    /// Which rule named the team, such as `annotation nightcap.dev/team of the namespace`.
    pub team_rule: Arc<str>,
    /// The owner, or [`UNOWNED`].
    pub owner: Arc<str>,
    /// What kind of owner that is.
    pub owner_kind: OwnerKind,
    /// Which rule named the owner.
    pub owner_rule: Arc<str>,
    /// Labels that rows can be grouped and filtered by, under their raw keys.
    pub labels: Arc<Keys>,
}

impl Attribution {
    /// The payer of a line that belongs to no namespace, such as `__overhead__`.
    pub fn line(name: &str) -> Self {
        let name: Arc<str> = name.into();
        Self {
            namespace: Arc::clone(&name),
            space: Arc::clone(&name),
            vcluster: None,
            virtual_namespace: None,
            workload: None,
            team: Arc::clone(&name),
            team_rule: "a line of its own".into(),
            owner: name,
            owner_kind: OwnerKind::Unknown,
            owner_rule: "a line of its own".into(),
            labels: Arc::default(),
        }
    }
}

/// A name with the rule that found it.
type Found = (Arc<str>, Arc<str>);

impl TeamRules {
    /// Who pays for a pod of `workload` in the namespace called `space`.
    ///
    /// Order: our annotation on the workload, on the namespace; configured rules; the configured keys as label or
    /// annotation of the workload, then of the namespace; else [`UNOWNED`].
    pub fn attribute(
        &self,
        space: &Arc<str>,
        namespace: Option<&Namespace>,
        key: Option<&WorkloadKey>,
        workload: Option<&Workload>,
    ) -> Attribution {
        let (team, team_rule) = self
            .own_annotation("team", namespace, workload)
            .or_else(|| self.by_rule(space))
            .or_else(|| by_keys(&self.team_keys, namespace, workload))
            .unwrap_or_else(|| (UNOWNED.into(), "no rule matched".into()));
        let (owner, owner_rule) = self
            .own_annotation("owner", namespace, workload)
            .or_else(|| by_keys(&self.owner_keys, namespace, workload))
            .unwrap_or_else(|| (UNOWNED.into(), "no rule matched".into()));
        Attribution {
            namespace: Arc::clone(space),
            space: Arc::clone(space),
            vcluster: None,
            virtual_namespace: None,
            workload: key.cloned(),
            team,
            team_rule,
            owner,
            owner_kind: OwnerKind::Unknown,
            owner_rule,
            labels: Arc::default(),
        }
    }

    fn own_annotation(
        &self,
        name: &str,
        ns: Option<&Namespace>,
        workload: Option<&Workload>,
    ) -> Option<Found> {
        let key = format!("{}/{name}", self.prefix);
        let of_workload = workload.and_then(|w| named(&w.annotations, &key, "annotation", "workload"));
        of_workload.or_else(|| ns.and_then(|n| named(&n.annotations, &key, "annotation", "namespace")))
    }

    fn by_rule(&self, space: &str) -> Option<Found> {
        let rule = self.rules.iter().find(|rule| glob(&rule.namespace, space))?;
        Some((rule.team.as_str().into(), format!("rule for namespaces {}", rule.namespace).into()))
    }
}

fn by_keys(keys: &[Arc<str>], ns: Option<&Namespace>, workload: Option<&Workload>) -> Option<Found> {
    let of_workload = workload.and_then(|w| {
        keys.iter().find_map(|key| {
            named(&w.labels, key, "label", "workload")
                .or_else(|| named(&w.annotations, key, "annotation", "workload"))
        })
    });
    of_workload.or_else(|| {
        let ns = ns?;
        keys.iter().find_map(|key| {
            named(&ns.labels, key, "label", "namespace")
                .or_else(|| named(&ns.annotations, key, "annotation", "namespace"))
        })
    })
}

/// The value under `key`, unless it is blank.
fn named(keys: &Keys, key: &str, what: &str, of: &str) -> Option<Found> {
    let value = keys.get(key)?.trim();
    (!value.is_empty()).then(|| (value.into(), format!("{what} {key} of the {of}").into()))
}

/// Whether `text` matches `pattern`, in which each `*` stands for any text.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|tail| {
            if rest.is_empty() {
                return true;
            }
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && glob(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Size, WorkloadKind};
    use crate::units::{Instant, Resources};

    fn keys(pairs: &[(&str, &str)]) -> Keys {
        pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect()
    }

    fn namespace(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Namespace {
        Namespace {
            uid: "u".into(),
            name: "shop-dev".into(),
            resource_version: "1".into(),
            created: Instant(0),
            labels: keys(labels),
            annotations: keys(annotations),
            terminating: false,
        }
    }

    fn workload(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Workload {
        Workload {
            key: WorkloadKey {
                namespace: "shop-dev".into(),
                kind: WorkloadKind::Deployment,
                name: "web".into(),
            },
            uid: "w".into(),
            resource_version: "1".into(),
            created: Instant(0),
            size: Size::Replicas(1),
            ready_replicas: 1,
            pod_requests: Resources::default(),
            labels: keys(labels),
            annotations: keys(annotations),
            deletes_claims_when_scaled: false,
            rolling_out: false,
            controlled: false,
        }
    }

    fn team(rules: &TeamRules, ns: &Namespace, w: Option<&Workload>) -> (String, String) {
        let found = rules.attribute(&ns.name, Some(ns), w.map(|w| &w.key), w);
        (found.team.to_string(), found.team_rule.to_string())
    }

    #[test]
    fn first_rule_that_matches_decides_and_is_named() {
        let rules = TeamRules {
            rules: vec![TeamRule { namespace: "shop-*".into(), team: "commerce".into() }],
            ..TeamRules::default()
        };
        let plain = TeamRules::default();
        let own = ("nightcap.dev/team", "payments");
        let ns = namespace(&[("team", "search")], &[own]);
        let w = workload(&[("team", "data")], &[("nightcap.dev/team", "platform")]);
        let said = |t: &str, r: &str| (t.to_owned(), r.to_owned());
        assert_eq!(
            team(&rules, &ns, Some(&w)),
            said("platform", "annotation nightcap.dev/team of the workload")
        );
        assert_eq!(
            team(&rules, &ns, None),
            said("payments", "annotation nightcap.dev/team of the namespace")
        );
        let ns = namespace(&[("team", "search")], &[]);
        let w = workload(&[("team", "data")], &[]);
        assert_eq!(team(&rules, &ns, Some(&w)), said("commerce", "rule for namespaces shop-*"));
        assert_eq!(team(&plain, &ns, Some(&w)), said("data", "label team of the workload"));
        assert_eq!(team(&plain, &ns, None), said("search", "label team of the namespace"));
        let ns = namespace(&[("team", " ")], &[]);
        assert_eq!(team(&plain, &ns, None), said(UNOWNED, "no rule matched"));
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("shop-*", "shop-dev", true),
            ("shop-*", "shop", false),
            ("*", "", true),
            ("*-dev", "shop-dev", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("shop", "shop-dev", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
