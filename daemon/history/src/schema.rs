//! The tables: their columns by name, with the unit in it, and what each column is to a sum over rows.
//!
//! Part of the contract with whoever reads the files: columns are added, never renamed or given another meaning.

use crate::frame::Kind;
use crate::layout::{Resolution, Table};

/// Columns of one kind, each with its name in the file.
macro_rules! columns {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum $name { $($variant,)* }

        impl $name {
            /// Names in the order of the variants.
            pub(crate) const NAMES: &'static [&'static str] = &[$($text,)*];
        }
    };
}

columns! {
    /// Texts of a row of `allocations`, for pods and for everything else that is paid for.
    Allocation {
        Kind = "kind",
        NodeUid = "node_uid",
        Node = "node",
        PodUid = "pod_uid",
        PodNamespace = "pod_namespace",
        Pod = "pod",
        Namespace = "namespace",
        Space = "space",
        Vcluster = "vcluster",
        VirtualNamespace = "virtual_namespace",
        WorkloadNamespace = "workload_namespace",
        WorkloadKind = "workload_kind",
        Workload = "workload",
        Team = "team",
        TeamRule = "team_rule",
        Owner = "owner",
        OwnerKind = "owner_kind",
        OwnerRule = "owner_rule",
        Labels = "labels",
        AssetUid = "asset_uid",
        Asset = "asset",
        AssetProviderId = "asset_provider_id",
        StorageClass = "storage_class",
        ClaimNamespace = "claim_namespace",
        Claim = "claim",
        Unit = "unit",
        Confidence = "price_confidence",
        PriceSource = "price_source",
        PriceDate = "price_date",
        PriceReason = "price_reason",
        PriceByPod = "price_by_pod_pico_usd_per_hour",
    }
}

columns! {
    /// Texts of a row of `assets`: a node.
    #[expect(dead_code, reason = "the texts of a price are reached by their place after the first")]
    Asset {
        NodeUid = "node_uid",
        Node = "node",
        ProviderId = "provider_id",
        Provider = "provider",
        Region = "region",
        Zone = "zone",
        InstanceType = "instance_type",
        CapacityType = "capacity_type",
        Arch = "arch",
        Os = "os",
        NodeLabels = "node_labels",
        Confidence = "price_confidence",
        PriceSource = "price_source",
        PriceDate = "price_date",
        PriceReason = "price_reason",
        PriceByPod = "price_by_pod_pico_usd_per_hour",
    }
}

columns! {
    /// Texts of a row of `savings`: a workload that slept.
    #[expect(dead_code, reason = "the texts of a payer are reached by their place after the first")]
    Saving {
        Namespace = "namespace",
        Space = "space",
        Vcluster = "vcluster",
        VirtualNamespace = "virtual_namespace",
        WorkloadNamespace = "workload_namespace",
        WorkloadKind = "workload_kind",
        Workload = "workload",
        Team = "team",
        TeamRule = "team_rule",
        Owner = "owner",
        OwnerKind = "owner_kind",
        OwnerRule = "owner_rule",
        Labels = "labels",
        Policy = "policy",
    }
}

/// The columns of a table.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) texts: &'static [&'static str],
    /// Money that a sum leaves alone: rows agree in it or stay apart.
    pub(crate) rates: &'static [&'static str],
    /// Money that is summed.
    pub(crate) sums: &'static [&'static str],
    /// Numbers that are summed.
    pub(crate) numbers: &'static [&'static str],
    /// Marks; rows agree in them or stay apart.
    pub(crate) flags: &'static [&'static str],
}

pub(crate) const WINDOW_START: &str = "window_start";
pub(crate) const WINDOW_END: &str = "window_end";

static ALLOCATIONS: Schema = Schema {
    texts: Allocation::NAMES,
    rates: &["price_usd_per_hour"],
    sums: &["cost_usd", "cpu_cost_usd", "memory_cost_usd", "gpu_cost_usd"],
    numbers: &[
        "requested_cpu_core_hours",
        "requested_memory_byte_hours",
        "requested_gpu_hours",
        "used_cpu_core_hours",
        "used_memory_byte_hours",
        "above_request_cpu_core_hours",
        "above_request_memory_byte_hours",
        "amount",
    ],
    flags: &["late", "backfilled"],
};

static ASSETS: Schema = Schema {
    texts: Asset::NAMES,
    rates: &["price_usd_per_hour"],
    sums: &[
        "cost_usd",
        "cpu_cost_usd",
        "memory_cost_usd",
        "gpu_cost_usd",
        "idle_cost_usd",
        "idle_cpu_cost_usd",
        "idle_memory_cost_usd",
        "idle_gpu_cost_usd",
    ],
    numbers: &[
        "capacity_cpu_core_hours",
        "capacity_memory_byte_hours",
        "capacity_gpu_hours",
        "charged_cpu_core_hours",
        "charged_memory_byte_hours",
        "charged_gpu_hours",
    ],
    flags: &["late", "backfilled"],
};

static SAVINGS: Schema = Schema {
    texts: Saving::NAMES,
    rates: &[],
    sums: &["saved_usd", "cpu_saved_usd", "memory_saved_usd", "gpu_saved_usd"],
    numbers: &["freed_cpu_core_hours", "freed_memory_byte_hours", "freed_gpu_hours"],
    flags: &[],
};

impl Table {
    pub(crate) const fn schema(self) -> &'static Schema {
        match self {
            Self::Allocations => &ALLOCATIONS,
            Self::Assets => &ASSETS,
            Self::Savings => &SAVINGS,
        }
    }
}

impl Schema {
    /// All columns of a file, in order.
    pub(crate) fn columns(&self, resolution: Resolution) -> Vec<(&'static str, Kind)> {
        let of = |names: &'static [&'static str], kind| names.iter().map(move |&name| (name, kind));
        let instants = [period(resolution), WINDOW_START, WINDOW_END].map(|name| (name, Kind::Instant));
        instants
            .into_iter()
            .chain(of(self.texts, Kind::Text))
            .chain(of(self.rates, Kind::Money))
            .chain(of(self.sums, Kind::Money))
            .chain(of(self.numbers, Kind::Number))
            .chain(of(self.flags, Kind::Flag))
            .collect()
    }
}

/// The column that says which hour or day a row belongs to.
pub(crate) const fn period(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Hourly => "hour",
        Resolution::Daily => "day",
    }
}
