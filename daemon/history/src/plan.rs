//! What a question needs, as columns of the tables: nothing else is read.

use std::collections::BTreeSet;

use nightcap_core::money::query::{Field, Labels, Needs};

use crate::layout::Table;
use crate::merge::{Keep, Plan};
use crate::schema::{Allocation, Asset};

/// Which columns of `allocations` these needs are.
pub(crate) fn charges_plan(needs: &Needs) -> Plan {
    use Allocation as C;
    let labels = *needs.labels() != Labels::Some(BTreeSet::new());
    let wanted = |column: usize| {
        let among = |columns: &[C]| columns.iter().any(|&of| of as usize == column);
        among(&[C::Kind, C::Confidence, C::PodNamespace, C::Namespace])
            || (labels && among(&[C::Labels]))
            || FIELDS.iter().any(|&(field, columns)| needs.has(field) && among(columns))
    };
    let mut plan = Plan::new(Table::Allocations.schema(), wanted, needs.has(Field::Price));
    if let Labels::Some(keys) = needs.labels() {
        plan = plan.keeping(C::Labels as usize, Keep::Labels(keys.clone()));
    }
    if !needs.has(Field::Namespace) {
        plan = plan.keeping(C::Namespace as usize, Keep::Lines);
    }
    if !needs.has(Field::Pod) {
        plan = plan.keeping(C::PodNamespace as usize, Keep::Presence);
    }
    plan
}

/// Which columns of `assets` these needs are.
pub(crate) fn assets_plan(needs: &Needs) -> Plan {
    let wanted = |column: usize| match column {
        column if column < Asset::Confidence as usize => needs.has(Field::Node),
        column if column == Asset::Confidence as usize => true,
        _ => needs.has(Field::Price),
    };
    Plan::new(Table::Assets.schema(), wanted, needs.has(Field::Price))
}

/// All columns of `savings`: its rows merge only with themselves, since their lengths are summed.
pub(crate) fn savings_plan() -> Plan {
    Plan::new(Table::Savings.schema(), |_| true, false).adjacent_only()
}

/// The columns of `allocations` that a field is.
const FIELDS: [(Field, &[Allocation]); 12] = {
    use Allocation as C;
    [
        (Field::Node, &[C::NodeUid, C::Node]),
        (Field::Pod, &[C::PodUid, C::PodNamespace, C::Pod]),
        (Field::Namespace, &[C::Namespace]),
        (Field::Space, &[C::Space]),
        (Field::Vcluster, &[C::Vcluster]),
        (Field::VirtualNamespace, &[C::VirtualNamespace]),
        (Field::Workload, &[C::WorkloadNamespace, C::WorkloadKind, C::Workload]),
        (Field::Team, &[C::Team, C::TeamKind]),
        (Field::Owner, &[C::Owner, C::OwnerKind]),
        (Field::Rules, &[C::TeamRule, C::OwnerRule]),
        (
            Field::Asset,
            &[
                C::AssetUid,
                C::Asset,
                C::AssetProviderId,
                C::StorageClass,
                C::ClaimNamespace,
                C::Claim,
                C::Unit,
            ],
        ),
        (Field::Price, &[C::PriceSource, C::PriceDate, C::PriceReason, C::PriceByPod]),
    ]
};
