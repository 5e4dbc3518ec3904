//! Filters as Kubecost took them before there was a filter language: one parameter a field, values with commas between, a
//! `*` at the end for any ending. Its kubectl plug-in sends them still.

use nightcap_core::money::query::Filter;

use crate::http::error::Refusal;
use crate::http::params::Params;

/// The parameters, and the fields of the language that they stand for.
const FIELDS: [(&str, &str); 7] = [
    ("filterClusters", "cluster"),
    ("filterNodes", "node"),
    ("filterNamespaces", "namespace"),
    ("filterControllerKinds", "controllerKind"),
    ("filterControllers", "controllerName"),
    ("filterPods", "pod"),
    ("filterServices", "services"),
];

/// Which rows to show: what `filter` says and what each of these says.
pub(super) fn filter(params: &mut Params) -> Result<Filter, Refusal> {
    let mut all = Vec::new();
    for (name, field) in FIELDS {
        let values = params.names(name);
        let tests = values.iter().map(|value| test(name, field, value)).collect::<Result<Vec<_>, _>>()?;
        all.extend((!tests.is_empty()).then(|| format!("({})", tests.join("|"))));
    }
    let labels = params.labels("filterLabels")?;
    let tests = labels
        .iter()
        .map(|(key, value)| test("filterLabels", &format!("label[{key}]"), value))
        .collect::<Result<Vec<_>, _>>()?;
    all.extend((!tests.is_empty()).then(|| format!("({})", tests.join("|"))));
    if all.is_empty() {
        return params.filter();
    }
    all.extend(params.take("filter").map(|filter| format!("({filter})")));
    let text = all.join("+");
    Filter::parse(&text).map_err(|error| Refusal::bad("bad-filter", error.to_string()).value(&text))
}

fn test(name: &str, field: &str, value: &str) -> Result<String, Refusal> {
    if value.contains('"') {
        return Err(Refusal::bad("bad-value", format!("{name} takes names without quotes")).value(value));
    }
    Ok(match value.strip_suffix('*') {
        Some(beginning) => format!("{field}<~:\"{beginning}\""),
        None => format!("{field}:\"{value}\""),
    })
}
