//! What of the ledger no object of the cluster proves, to be kept over a restart: the sums and samples of the open
//! hour, what was there, who paid.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::flat_book::FlatBook;
use super::node_ledger::NodeLedger;
use super::savings::Savings;
use super::{ClusterPrice, Correction, Ledger, Split};
use crate::cluster::Attribution;
use crate::units::{Instant, Millis, Window};

/// The form of what is written. Another one is not read: then counting begins anew, as without a checkpoint.
const FORM: u32 = 2;

/// A checkpoint of the ledger, as it is written: borrowed, since copying every pod would cost as much as it all takes.
#[derive(Debug, Serialize)]
pub struct CheckpointRef<'a> {
    form: u32,
    at: Instant,
    start: Instant,
    settled: Instant,
    nodes: Vec<&'a NodeLedger>,
    flat: &'a FlatBook,
    savings: &'a Savings,
    cluster_price: ClusterPrice,
    gaps: &'a [Window],
    owed: &'a [Arc<Correction>],
}

/// A checkpoint of the ledger, as it is read.
#[derive(Debug, Deserialize)]
pub struct Checkpoint {
    form: u32,
    at: Instant,
    start: Instant,
    settled: Instant,
    nodes: Vec<NodeLedger>,
    flat: FlatBook,
    savings: Savings,
    cluster_price: ClusterPrice,
    gaps: Vec<Window>,
    owed: Vec<Arc<Correction>>,
}

impl Checkpoint {
    /// When it was taken: what came later is known only as far as objects prove it.
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// From when money is counted.
    pub const fn start(&self) -> Instant {
        self.start
    }

    /// Whether it is written as this version reads.
    pub const fn is_readable(&self) -> bool {
        self.form == FORM
    }
}

impl Ledger {
    /// What is to be kept over a restart.
    pub fn checkpoint(&self, at: Instant) -> CheckpointRef<'_> {
        CheckpointRef {
            form: FORM,
            at,
            start: self.start,
            settled: self.settled,
            nodes: self.nodes.values().collect(),
            flat: &self.flat,
            savings: &self.savings,
            cluster_price: self.cluster_price,
            gaps: &self.gaps,
            owed: &self.owed,
        }
    }

    /// Goes on from a checkpoint. `intern` gives the one shared copy of a payer: each was written wherever it is named.
    pub fn resume(
        checkpoint: Checkpoint,
        split: Split,
        scrape_interval: Millis,
        keep_rows: usize,
        intern: &mut impl FnMut(&Attribution) -> Arc<Attribution>,
    ) -> Self {
        let mut ledger = Self::new(checkpoint.start, split, scrape_interval, keep_rows);
        ledger.settled = checkpoint.settled;
        ledger.hours.begin_at(checkpoint.settled);
        for mut node in checkpoint.nodes {
            node.share_names(intern);
            let (uid, name) = (Arc::clone(&node.name.uid), Arc::clone(&node.name.name));
            if node.end.is_none() {
                ledger.by_name.insert(name, Arc::clone(&uid));
            }
            ledger.nodes.insert(uid, node);
        }
        ledger.flat = checkpoint.flat;
        ledger.flat.resume(checkpoint.settled, intern);
        ledger.savings = checkpoint.savings;
        ledger.cluster_price = checkpoint.cluster_price;
        ledger.gaps = checkpoint.gaps;
        ledger.owed = checkpoint.owed;
        ledger
    }
}
