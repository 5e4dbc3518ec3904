//! `crds`: the definitions of the custom resources, to be applied.

use super::failure::Failure;

/// Says where the text comes from, in the file as in the cluster's history of it.
const HEAD: &str = "# Written by `nightcap crds`; a test proves that it is fresh.\n";

/// All of them, as one YAML text.
pub(super) fn answer() -> Result<String, Failure> {
    let failed =
        |error: &dyn std::error::Error| Failure::failed(format!("cannot write the definitions: {error}"));
    let mut text = HEAD.to_owned();
    for (index, definition) in
        nightcap_cluster::definitions().map_err(|error| failed(&error))?.iter().enumerate()
    {
        if index > 0 {
            text.push_str("---\n");
        }
        text.push_str(&serde_saphyr::to_string(&definition.object).map_err(|error| failed(&error))?);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_definitions_are_fresh() {
        let fresh = answer().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(fresh, include_str!("../../../deploy/crds/budget.yaml"), "write it anew: nightcap crds");
    }
}
