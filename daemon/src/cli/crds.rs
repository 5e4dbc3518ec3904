//! `crds`: the definitions of the custom resources, to be applied.

use super::failure::Failure;

/// Says where the text comes from, in the file as in the cluster's history of it.
const HEAD: &str = "# Written by `nightcap crds`; a test proves that it is fresh.\n";

/// All of them, as one YAML text.
pub(super) fn answer() -> Result<String, Failure> {
    let failed =
        |error: &dyn std::error::Error| Failure::failed(format!("cannot write the definitions: {error}"));
    let mut texts = Vec::new();
    for definition in nightcap_cluster::definitions().map_err(|error| failed(&error))? {
        texts.push(serde_saphyr::to_string(&definition.object).map_err(|error| failed(&error))?);
    }
    Ok(HEAD.to_owned() + &texts.join("---\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_definitions_are_fresh() {
        let fresh = answer().unwrap_or_else(|error| panic!("{error}"));
        let budget = include_str!("../../../deploy/crds/budget.yaml");
        let policy = include_str!("../../../deploy/crds/sleep-policy.yaml");
        let committed = format!("{budget}---\n{}", policy.strip_prefix(HEAD).unwrap_or(policy));
        assert_eq!(fresh, committed, "write them anew: nightcap crds");
    }
}
