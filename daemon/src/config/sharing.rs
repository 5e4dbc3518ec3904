//! What is for everybody, and how it is spread where a question asks to share and does not say how.

use std::sync::Arc;

use nightcap_core::money::query::{SharedRules, Sharing, Spread};
use nightcap_core::units::PicoUsd;

use super::reader::Reader;

pub(super) fn sharing(reader: &mut Reader<'_>) -> Sharing {
    let default = Sharing::weighted();
    let rules = SharedRules {
        namespaces: namespaces(reader),
        labels: labels(reader),
        daemonsets: reader.switch("costs.shared.daemonsets").unwrap_or(false),
        system: reader.switch("costs.shared.system").unwrap_or(false),
        load_balancers: reader.switch("costs.shared.load_balancers").unwrap_or(false),
    };
    let mut spread = |path| reader.parse(path, str::parse::<Spread>);
    Sharing {
        idle: spread("costs.share.idle").unwrap_or(default.idle),
        shared: spread("costs.share.shared").unwrap_or(default.shared),
        overhead: spread("costs.share.overhead").unwrap_or(default.overhead),
        idle_by_node: reader.switch("costs.share.idle_by_node").unwrap_or(default.idle_by_node),
        rules,
        extra_monthly: PicoUsd(0),
    }
}

fn namespaces(reader: &mut Reader<'_>) -> Vec<Arc<str>> {
    let path = "costs.shared.namespaces";
    let patterns = reader.texts(path).unwrap_or_default();
    reader.namespace_patterns(path, &patterns);
    patterns.into_iter().map(Into::into).collect()
}

fn labels(reader: &mut Reader<'_>) -> Vec<(Arc<str>, Arc<str>)> {
    let mut labels = Vec::new();
    for text in reader.texts("costs.shared.labels").unwrap_or_default() {
        match text.split_once([':', '=']).map(|(key, value)| (key.trim(), value.trim())) {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                labels.push((key.into(), value.into()));
            }
            _ => reader.error(
                "costs.shared.labels",
                format!("{text:?} is no label with a value: write KEY:VALUE, such as app:ingress"),
            ),
        }
    }
    labels
}
