//! What a persistent volume costs: by what provisioned it, its kind, and its size.

use nightcap_core::cluster::{Keys, Provider};
use nightcap_core::money::{Confidence, PriceSource};
use nightcap_core::units::Bytes;

use crate::charge::{Charge, default_source};
use crate::live::Quotes;
use crate::tables::Tables;
use crate::usual::{HOURS_PER_MONTH, STORAGE_GIB_MONTH};
use crate::{CsvPrices, StoragePrice};

/// Sizes of Azure's disks in GiB, by the number of their tier.
const AZURE_TIERS: [(u16, f64); 14] = [
    (1, 4.0),
    (2, 8.0),
    (3, 16.0),
    (4, 32.0),
    (6, 64.0),
    (10, 128.0),
    (15, 256.0),
    (20, 512.0),
    (30, 1_024.0),
    (40, 2_048.0),
    (50, 4_096.0),
    (60, 8_192.0),
    (70, 16_384.0),
    (80, 32_767.0),
];
/// The regions where the tables know every kind of disk.
const HOME: [(Provider, &str); 3] =
    [(Provider::Aws, "us-east-1"), (Provider::Gcp, "us-central1"), (Provider::Azure, "eastus")];
/// IOPS and MiB/s that come with every gp3 volume.
const GP3_FREE: [f64; 2] = [3_000.0, 125.0];
/// What zone-redundant disks of Azure cost over locally redundant ones.
const ZRS_FACTOR: f64 = 1.5;

/// What the price of a volume follows from.
#[derive(Clone, Copy, Debug)]
pub struct VolumeFacts<'a> {
    /// Name of the volume.
    pub name: &'a str,
    /// Its storage class; empty if it has none.
    pub storage_class: &'a str,
    /// Who made it: the class's provisioner, or the volume's CSI driver.
    pub provisioner: &'a str,
    /// The class's parameters; of a class that is gone, the volume's CSI attributes.
    pub parameters: &'a Keys,
}

impl VolumeFacts<'_> {
    /// A parameter, whose name may differ in case: `skuName`, `storageaccounttype`, `storageAccountType`.
    fn parameter(&self, names: &[&str]) -> Option<&str> {
        let found = names.iter().find_map(|name| {
            self.parameters.iter().find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty())
        });
        found.map(|(_, value)| &**value)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.parameter(&[name])?.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }
}

/// Where prices of disks are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Disks<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) quotes: &'a Quotes,
    pub(crate) csv: &'a CsvPrices,
}

/// A unit price per month.
struct Found {
    usd_month: f64,
    confidence: Confidence,
    source: PriceSource,
    /// Where it was found, if not where it was looked for.
    note: String,
    row: Option<StoragePrice>,
}

impl Disks<'_> {
    /// The price of a whole volume.
    pub(crate) fn price(self, region: &str, facts: &VolumeFacts<'_>, size: Bytes) -> Charge {
        let gib = size.gib();
        if let Some((gib_usd, reason)) = self.csv.volume(facts.name, facts.storage_class) {
            let source = PriceSource { id: "csv".into(), date: "".into() };
            return Charge::new(gib_usd * gib, Confidence::Exact, source, &reason);
        }
        match facts.provisioner {
            "kubernetes.io/aws-ebs" => {
                self.ebs(region, facts.parameter(&["type"]).unwrap_or("gp2"), facts, gib)
            }
            "ebs.csi.aws.com" | "ebs.csi.eks.amazonaws.com" => {
                self.ebs(region, facts.parameter(&["type"]).unwrap_or("gp3"), facts, gib)
            }
            "kubernetes.io/gce-pd" | "pd.csi.storage.gke.io" => self.pd(region, facts, gib),
            "kubernetes.io/azure-disk" => self.azure(region, facts, "Standard_LRS", gib),
            "disk.csi.azure.com" => self.azure(region, facts, "StandardSSD_LRS", gib),
            "kubernetes.io/azure-file" | "file.csi.azure.com" => {
                let sku = facts.parameter(&["skuName", "storageaccounttype"]).unwrap_or("Standard_LRS");
                if sku.to_ascii_lowercase().starts_with("premium") {
                    default(gib, &format!("no price is known for Azure Files {sku}"))
                } else {
                    by_use("Azure Files")
                }
            }
            "efs.csi.aws.com" => by_use("EFS"),
            "filestore.csi.storage.gke.io" => by_use("Filestore"),
            "" => default(gib, "nothing says what provisioned it"),
            other => default(gib, &format!("no price is known for volumes of {other}")),
        }
    }

    fn find(self, provider: Provider, region: &str, kind: &str) -> Option<Found> {
        if let Some(quote) = self.quotes.disk(provider, region, kind) {
            return Some(Found {
                usd_month: quote.price.usd(),
                confidence: Confidence::List,
                source: quote.origin(),
                note: String::new(),
                row: self.tables.storage.get(provider, region, kind).copied(),
            });
        }
        let found = |row: &StoragePrice, factor: f64, note: String| Found {
            usd_month: row.per_unit_month.usd() * factor,
            confidence: if note.is_empty() { Confidence::List } else { Confidence::Estimated },
            source: PriceSource { id: row.source_id.into(), date: row.source_date.into() },
            note,
            row: Some(*row),
        };
        let storage = &self.tables.storage;
        if let Some(row) = storage.get(provider, &region.to_ascii_lowercase(), kind) {
            return Some(found(row, 1.0, String::new()));
        }
        let (_, home) = HOME.iter().find(|(home_of, _)| *home_of == provider)?;
        let row = storage.get(provider, home, kind)?;
        // Disks follow the machines of their region.
        let factor = self.tables.region_factors.get(region, "").filter(|_| provider == Provider::Aws);
        let factor = factor.unwrap_or(1.0);
        let times = if factor.total_cmp(&1.0).is_eq() { String::new() } else { format!(" × {factor}") };
        Some(found(row, factor, format!(", by the price of {home}{times}: none is known for {region:?}")))
    }

    fn ebs(self, region: &str, kind: &str, facts: &VolumeFacts<'_>, gib: f64) -> Charge {
        let kind = kind.to_ascii_lowercase();
        let Some(found) = self.find(Provider::Aws, region, &kind) else {
            return default(gib, &format!("no price is known for EBS {kind}"));
        };
        let mut usd = found.usd_month * gib;
        let mut parts = vec![format!("{gib:.1} GiB × {} $", found.usd_month)];
        let iops = facts.number("iops").or_else(|| facts.number("iopsPerGB").map(|per_gib| per_gib * gib));
        let free = if kind == "gp3" { GP3_FREE } else { [0.0; 2] };
        let provisioned = matches!(kind.as_str(), "gp3" | "io1" | "io2");
        let row = found.row.filter(|_| provisioned);
        let extras = [
            (iops, free[0], row.and_then(|row| row.per_iops_month), "IOPS"),
            (facts.number("throughput"), free[1], row.and_then(|row| row.per_mibps_month), "MiB/s"),
        ];
        for (asked, free, price, unit) in extras {
            let more = asked.unwrap_or_default() - free;
            if let Some(price) = price.filter(|_| more > 0.0) {
                usd += more * price.usd();
                parts.push(format!("{more:.0} {unit} × {} $", price.usd()));
            }
        }
        let reason = format!("EBS {kind} in {region}: {} a month{}", parts.join(" + "), found.note);
        Charge::new(usd / HOURS_PER_MONTH, found.confidence, found.source, &reason)
    }

    fn pd(self, region: &str, facts: &VolumeFacts<'_>, gib: f64) -> Charge {
        let kind = facts.parameter(&["type"]).unwrap_or("pd-standard").to_ascii_lowercase();
        let is_regional = facts.parameter(&["replication-type"]) == Some("regional-pd");
        let own =
            is_regional.then(|| self.find(Provider::Gcp, region, &format!("{kind}-regional"))).flatten();
        let (found, factor) = match own {
            Some(found) => (Some(found), 1.0),
            None => (self.find(Provider::Gcp, region, &kind), if is_regional { 2.0 } else { 1.0 }),
        };
        let Some(found) = found else {
            return default(gib, &format!("no price is known for {kind}"));
        };
        let regional = if is_regional { ", kept in two zones" } else { "" };
        let gib_usd = found.usd_month * factor;
        let reason =
            format!("{kind} in {region}{regional}: {gib:.1} GiB × {gib_usd} $ a month{}", found.note);
        Charge::new(gib_usd * gib / HOURS_PER_MONTH, found.confidence, found.source, &reason)
    }

    /// Azure sells whole disks: a volume costs what the next tier above it does.
    fn azure(self, region: &str, facts: &VolumeFacts<'_>, usual: &str, gib: f64) -> Charge {
        let asked = facts.parameter(&["skuName", "storageaccounttype"]).unwrap_or(usual);
        let lower = asked.to_ascii_lowercase();
        if let Some(found) = lower
            .starts_with("ultrassd")
            .then(|| self.find(Provider::Azure, region, "UltraSSD_LRS"))
            .flatten()
        {
            let reason = format!(
                "UltraSSD_LRS in {region}: {gib:.1} GiB × {} $ a month{}",
                found.usd_month, found.note
            );
            return Charge::new(
                found.usd_month * gib / HOURS_PER_MONTH,
                found.confidence,
                found.source,
                &reason,
            );
        }
        let (sku, letter, smallest) = match lower.split('_').next().unwrap_or_default() {
            "premium" => ("Premium", 'P', 4.0),
            "standardssd" => ("StandardSSD", 'E', 4.0),
            "standard" => ("Standard", 'S', 32.0),
            _ => return default(gib, &format!("no price is known for Azure disks {asked}")),
        };
        let redundancy = if lower.ends_with("_zrs") { "ZRS" } else { "LRS" };
        let is_zrs = redundancy == "ZRS";
        let tiers = || AZURE_TIERS.iter().filter(move |(_, size)| *size >= smallest);
        let Some((tier, tier_gib)) = tiers().find(|(_, size)| *size >= gib).or_else(|| tiers().next_back())
        else {
            return default(gib, "it has no tier");
        };
        let name = format!("{sku}_{redundancy}/{letter}{tier}");
        if let Some(found) = self.find(Provider::Azure, region, &name) {
            let reason = format!(
                "{gib:.1} GiB on a disk {name} of {tier_gib} GiB in {region}: {} $ a month{}",
                found.usd_month, found.note
            );
            return Charge::new(found.usd_month / HOURS_PER_MONTH, found.confidence, found.source, &reason);
        }
        // The nearest tier that is known, in proportion: tiers cost about as much per GiB.
        let near = AZURE_TIERS
            .iter()
            .filter_map(|(number, size)| {
                let found = self.find(Provider::Azure, region, &format!("{sku}_LRS/{letter}{number}"))?;
                Some((number, *size, found))
            })
            .min_by(|a, b| {
                let distance = |size: f64| (size / tier_gib).max(tier_gib / size);
                distance(a.1).total_cmp(&distance(b.1))
            });
        let Some((number, near_gib, found)) = near else {
            return default(gib, &format!("no price is known for Azure disks {name}"));
        };
        let factor = if is_zrs { ZRS_FACTOR } else { 1.0 };
        let usd = found.usd_month * tier_gib / near_gib * factor;
        let zrs = if is_zrs { format!(" × {ZRS_FACTOR} for ZRS") } else { String::new() };
        let reason = format!(
            "{gib:.1} GiB on a disk {name} of {tier_gib} GiB, as {tier_gib}/{near_gib} of {letter}{number} at {} $ a month{zrs}{}",
            found.usd_month, found.note
        );
        Charge::new(usd / HOURS_PER_MONTH, Confidence::Estimated, found.source, &reason)
    }
}

fn default(gib: f64, why: &str) -> Charge {
    let reason = format!("{gib:.1} GiB × {STORAGE_GIB_MONTH} $ a month at the default rate: {why}");
    Charge::new(gib * STORAGE_GIB_MONTH / HOURS_PER_MONTH, Confidence::Default, default_source(), &reason)
}

/// The size asked for says nothing of the bill.
fn by_use(what: &str) -> Charge {
    Charge::nothing(&format!(
        "{what} is billed by what is stored in it, which is not known: nothing is charged"
    ))
}
