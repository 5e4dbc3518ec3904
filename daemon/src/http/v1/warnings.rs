//! What a reader should know before relying on the numbers of a window.

use std::collections::BTreeMap;

use nightcap_core::money::Confidence;
use nightcap_core::units::{PicoUsd, Window};

use crate::records::Records;

/// What the window asks for that is not there.
pub(in crate::http) fn of_window(snapshot: &Records, window: Window) -> Vec<String> {
    let mut warnings = Vec::new();
    if window.is_empty() {
        warnings.push(format!("the window holds no time before {}, the instant of the picture", snapshot.at));
        return warnings;
    }
    let kept = snapshot.hours.first().map_or(snapshot.start, |hour| hour.start.max(snapshot.start));
    if window.start < snapshot.start {
        warnings.push(format!("the window begins before {}, from when money is counted", snapshot.start));
    } else if window.start < kept && !snapshot.has_history() {
        warnings.push(format!("nothing is known before {kept}: older hours are not kept in memory"));
    }
    if !snapshot.synced {
        let missing: Vec<_> = snapshot.missing.iter().map(|kind| kind.plural()).collect();
        warnings.push(format!(
            "the cluster is not known in whole yet: still to be listed are {}",
            missing.join(", ")
        ));
    }
    warnings
}

/// How much of the sums rests on prices that are guesses.
pub(super) fn of_prices(total: PicoUsd, by_confidence: &BTreeMap<Confidence, PicoUsd>) -> Option<String> {
    let guessed = by_confidence.get(&Confidence::Default).copied().unwrap_or_default();
    (guessed.0 > 0 && total.0 > 0).then(|| {
        let percent = guessed.usd() / total.usd() * 100.0;
        format!("{percent:.1} % of the total rests on default rates: set price rules for machines without a list price")
    })
}
