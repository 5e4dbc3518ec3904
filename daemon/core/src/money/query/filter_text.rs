//! How filters are written: `namespace:"shop","data"+controllerKind!:"job"`.
//!
//! ```text
//! filter     = element (("+" element)* | ("|" element)*)        one operator a level, parentheses for the rest
//! element    = comparison | "(" filter ")"
//! comparison = field op value ("," value)*
//! op         = ":" | "!:" | "~:" | "!~:" | "<~:" | "!<~:" | "~>:" | "!~>:"
//! ```
//!
//! Two things are taken that `OpenCost` does not take: values without quotes, and a space for `+`, since that is what
//! a `+` in a URL becomes unless it is written `%2B`.

use std::sync::Arc;

use thiserror::Error;

use super::filter::{Filter, FilterField, Op, Test};

/// Deeper nesting is a mistake, or meant to exhaust the stack.
const DEEPEST: usize = 32;

/// Why a text is no filter.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FilterError {
    /// Something else is expected where the rest of the text begins.
    #[error("the filter cannot be read at {at:?}: {expected}")]
    Expected {
        /// The rest of the text; empty at its end.
        at: String,
        /// What is expected, as a sentence's end.
        expected: &'static str,
    },
    /// No field is called that.
    #[error("a filter has no field {name:?}: use {known}")]
    UnknownField {
        /// The name.
        name: String,
        /// What there is.
        known: &'static str,
    },
    /// What the field names is not kept with the rows.
    #[error("a filter cannot use {0:?}: it is not kept with the rows; use label[KEY]")]
    NotKept(String),
    /// `+` and `|` side by side.
    #[error("the filter mixes + and | at {0:?}: set parentheses to say which belongs together")]
    Mixed(String),
    /// Parentheses within parentheses without end.
    #[error("the filter is nested more than {DEEPEST} deep")]
    TooDeep,
}

const FIELDS: &str = "cluster, node, namespace, space, vcluster, virtualNamespace, team, owner, controllerName, \
                      controllerKind, pod, container, services, provider, department, environment, product, asset, \
                      label[KEY]";

const ASSET_FIELDS: &str = "assetType, name, category, cluster, provider, providerID, project, account, service, \
                            team, owner, label[KEY]";

impl Filter {
    /// Reads a filter; an empty text is every row.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::read(text, of_row)
    }

    /// Reads a filter over assets, which have other fields.
    pub fn parse_for_assets(text: &str) -> Result<Self, FilterError> {
        Self::read(text, of_asset)
    }

    fn read(text: &str, field: FieldOf) -> Result<Self, FilterError> {
        let mut reader = Reader { rest: text.trim(), field };
        if reader.rest.is_empty() {
            return Ok(Self::All);
        }
        let filter = reader.filter(0)?;
        if reader.rest.is_empty() { Ok(filter) } else { Err(reader.expected("expected + or | or the end")) }
    }
}

/// A field by its name and the key in brackets behind it.
type FieldOf = fn(&str, Option<Arc<str>>) -> Result<FilterField, FilterError>;

struct Reader<'a> {
    rest: &'a str,
    field: FieldOf,
}

impl Reader<'_> {
    fn expected(&self, expected: &'static str) -> FilterError {
        FilterError::Expected { at: self.rest.chars().take(40).collect(), expected }
    }

    /// Steps over `token` and blanks after it.
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn filter(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if depth > DEEPEST {
            return Err(FilterError::TooDeep);
        }
        let mut parts = vec![self.element(depth)?];
        let mut joined_by_or = None;
        while !self.rest.is_empty() && !self.rest.starts_with(')') {
            let before = self.rest;
            let or = self.take("|");
            if !or {
                // A `+`, or the space it became on its way through a URL.
                self.take("+");
            }
            if joined_by_or.is_some_and(|known| known != or) {
                return Err(FilterError::Mixed(before.chars().take(40).collect()));
            }
            joined_by_or = Some(or);
            parts.push(self.element(depth)?);
        }
        Ok(match joined_by_or {
            None => parts.swap_remove(0),
            Some(true) => Filter::Or(parts),
            Some(false) => Filter::And(parts),
        })
    }

    fn element(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if !self.take("(") {
            return self.comparison();
        }
        let inner = self.filter(depth + 1)?;
        if self.take(")") { Ok(inner) } else { Err(self.expected("expected )")) }
    }

    fn comparison(&mut self) -> Result<Filter, FilterError> {
        let field = self.field()?;
        let (negated, op) = self.op()?;
        let mut values = vec![self.value()?];
        while self.take(",") {
            values.push(self.value()?);
        }
        Ok(Filter::Test(Test { field, op, negated, values }))
    }

    fn field(&mut self) -> Result<FilterField, FilterError> {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.expected("expected a field such as namespace"));
        }
        self.rest = rest;
        let key = self.key()?;
        self.rest = self.rest.trim_start();
        (self.field)(name, key)
    }

    /// `[KEY]` after a field.
    fn key(&mut self) -> Result<Option<Arc<str>>, FilterError> {
        let Some(inside) = self.rest.strip_prefix('[') else { return Ok(None) };
        let Some((key, rest)) = inside.split_once(']') else {
            return Err(self.expected("expected ] after the key"));
        };
        self.rest = rest;
        Ok(Some(key.trim().trim_matches('"').into()))
    }

    fn op(&mut self) -> Result<(bool, Op), FilterError> {
        // Longer ones first: each begins with another.
        for (text, negated, op) in [
            ("!<~:", true, Op::StartsWith),
            ("!~>:", true, Op::EndsWith),
            ("<~:", false, Op::StartsWith),
            ("~>:", false, Op::EndsWith),
            ("!~:", true, Op::Contains),
            ("~:", false, Op::Contains),
            ("!:", true, Op::Equals),
            (":", false, Op::Equals),
        ] {
            if self.take(text) {
                return Ok((negated, op));
            }
        }
        Err(self.expected("expected one of : !: ~: !~: <~: !<~: ~>: !~>:"))
    }

    fn value(&mut self) -> Result<Arc<str>, FilterError> {
        if let Some(inside) = self.rest.strip_prefix('"') {
            let Some((value, rest)) = inside.split_once('"') else {
                return Err(self.expected("the quotes are not closed"));
            };
            self.rest = rest.trim_start();
            return Ok(value.into());
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '+' | '|' | '(' | ')' | '"' | '[' | ']');
        let (value, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        if value.is_empty() {
            return Err(self.expected("expected a value in quotes"));
        }
        self.rest = rest.trim_start();
        Ok(value.into())
    }
}

fn of_row(name: &str, key: Option<Arc<str>>) -> Result<FilterField, FilterError> {
    let label = |key: &str| FilterField::Label(key.into());
    Ok(match name.to_ascii_lowercase().as_str() {
        "cluster" => FilterField::Cluster,
        "node" => FilterField::Node,
        "provider" => FilterField::Provider,
        "namespace" => FilterField::Namespace,
        "space" => FilterField::Space,
        "vcluster" => FilterField::Vcluster,
        "virtualnamespace" => FilterField::VirtualNamespace,
        "team" => FilterField::Team,
        "owner" => FilterField::Owner,
        "controllername" | "controller" | "workload" => FilterField::ControllerName,
        "controllerkind" => FilterField::ControllerKind,
        "pod" | "container" => FilterField::Pod,
        "services" | "service" => FilterField::Services,
        "asset" => FilterField::Asset,
        "department" => label("department"),
        "environment" => label("env"),
        "product" => label("app"),
        "label" => key.map_or(FilterField::LabelKeys, FilterField::Label),
        "annotation" | "nodelabel" | "namespacelabel" => return Err(FilterError::NotKept(name.to_owned())),
        _ => return Err(FilterError::UnknownField { name: name.to_owned(), known: FIELDS }),
    })
}

fn of_asset(name: &str, key: Option<Arc<str>>) -> Result<FilterField, FilterError> {
    let lower = name.to_ascii_lowercase();
    Ok(match lower.as_str() {
        "cluster" => FilterField::Cluster,
        "team" => FilterField::Team,
        "owner" => FilterField::Owner,
        "label" => key.map_or(FilterField::LabelKeys, FilterField::Label),
        "type" => FilterField::OfAsset("assettype".into()),
        "assettype" | "name" | "category" | "provider" | "providerid" | "project" | "account"
        | "accountid" | "service" => FilterField::OfAsset(lower.as_str().into()),
        _ => return Err(FilterError::UnknownField { name: name.to_owned(), known: ASSET_FIELDS }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Attribution, NodeFacts, WorkloadKey, WorkloadKind};
    use crate::money::query::row_view::RowView;
    use crate::money::{NodeName, PodName};
    use proptest::prelude::*;

    fn passes(text: &str) -> bool {
        let node = Arc::new(NodeName {
            uid: "n".into(),
            name: "node-1".into(),
            provider_id: "".into(),
            facts: NodeFacts::default(),
        });
        let pod =
            Arc::new(PodName { uid: "p".into(), namespace: "shop-dev".into(), name: "web-7f-x".into() });
        let attribution = Arc::new(Attribution {
            workload: Some(WorkloadKey {
                namespace: "shop-dev".into(),
                kind: WorkloadKind::Deployment,
                name: "web".into(),
            }),
            team: "shop".into(),
            labels: Arc::new(
                [("app.kubernetes.io/name".into(), "web".into()), ("env".into(), "dev".into())].into(),
            ),
            ..Attribution::line("shop-dev")
        });
        let row = RowView {
            cluster: &"prod".into(),
            node: Some(&node),
            pod: Some(&pod),
            attribution: &attribution,
            asset: None,
        };
        Filter::parse(text).unwrap().matches(&row)
    }

    #[test]
    fn every_operator_compares_as_it_says() {
        for (text, expected) in [
            ("", true),
            (r#"namespace:"shop-dev""#, true),
            (r#"namespace:"data","shop-dev""#, true),
            (r#"namespace:"data""#, false),
            (r#"namespace!:"data","shop-dev""#, false),
            (r#"namespace!:"data","lab""#, true),
            (r#"namespace~:"p-d""#, true),
            (r#"namespace!~:"p-d""#, false),
            (r#"namespace<~:"shop""#, true),
            (r#"namespace<~:"dev""#, false),
            (r#"namespace!<~:"dev","shop""#, false),
            (r#"namespace~>:"-dev""#, true),
            (r#"namespace!~>:"-dev""#, false),
            (r#"cluster:"prod" + node:"node-1""#, true),
            (r#"controllerKind:"Deployment""#, true),
            (r#"controllerKind:"deployment"+controllerName:"web""#, true),
            (r#"pod<~:"web-"|pod<~:"db-""#, true),
            (r#"team:"shop"+(namespace:"x"|namespace:"shop-dev")"#, true),
            (r#"team:"shop"+(namespace:"x"|namespace:"y")"#, false),
            (r#"label[app.kubernetes.io/name]:"web""#, true),
            (r#"label[app_kubernetes_io_name]:"web""#, true),
            (r#"label[tier]:"web""#, false),
            (r#"label[tier]:"""#, true),
            (r#"label[tier]:"__unallocated__""#, true),
            (r#"label[tier]!:"web""#, true),
            (r#"label:"env""#, true),
            (r#"label:"tier""#, false),
            (r#"environment:"dev""#, true),
            (r#"vcluster:"""#, true),
            (r#"services:"web""#, false),
            (r#"asset:"node""#, true),
            ("namespace:shop-dev team:shop", true),
            ("namespace:shop-dev team:data", false),
        ] {
            assert_eq!(passes(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_named() {
        for (text, message) in [
            (r#"colour:"red""#, format!("a filter has no field \"colour\": use {FIELDS}")),
            (
                r#"annotation[x]:"y""#,
                "a filter cannot use \"annotation\": it is not kept with the rows; use label[KEY]".to_owned(),
            ),
            (
                r#"team:"a"+team:"b"|team:"c""#,
                "the filter mixes + and | at \"|team:\\\"c\\\"\": set parentheses to say which belongs together".to_owned(),
            ),
            ("team", "the filter cannot be read at \"\": expected one of : !: ~: !~: <~: !<~: ~>: !~>:".to_owned()),
            ("team:", "the filter cannot be read at \"\": expected a value in quotes".to_owned()),
            ("team:\"a", "the filter cannot be read at \"\\\"a\": the quotes are not closed".to_owned()),
            ("(team:a", "the filter cannot be read at \"\": expected )".to_owned()),
            ("team:a)", "the filter cannot be read at \")\": expected + or | or the end".to_owned()),
            ("label[x:a", "the filter cannot be read at \"[x:a\": expected ] after the key".to_owned()),
            ("+team:a", "the filter cannot be read at \"+team:a\": expected a field such as namespace".to_owned()),
        ] {
            assert_eq!(Filter::parse(text).map_err(|error| error.to_string()), Err(message), "{text}");
        }
        assert_eq!(Filter::parse(&"(".repeat(100_000)), Err(FilterError::TooDeep));
        assert!(Filter::parse_for_assets(r#"namespace:"x""#).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), near in r#"([a-z]{0,5}|label\[|\]|[!~<>:]{1,4}|"|[+|,()]){0,12}"#) {
            let _ = Filter::parse(&text);
            let _ = Filter::parse(&near);
        }
    }
}
