//! Writes one metric family of a collector.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// One metric: its name (a counter's without `_total`) and what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
}

impl Metric {
    pub(super) const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help }
    }

    /// A gauge without labels.
    pub(super) fn value(self, encoder: &mut DescriptorEncoder<'_>, value: f64) -> fmt::Result {
        encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// A counter without labels.
    pub(super) fn count(self, encoder: &mut DescriptorEncoder<'_>, value: f64) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, f64>(&value, None)
    }

    /// A gauge per label set; nothing at all, not even a head, if there is none.
    pub(super) fn values<L: EncodeLabelSet>(
        self,
        encoder: &mut DescriptorEncoder<'_>,
        values: impl IntoIterator<Item = (L, f64)>,
    ) -> fmt::Result {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// A counter per label set; nothing at all, not even a head, if there is none.
    pub(super) fn counts<L: EncodeLabelSet>(
        self,
        encoder: &mut DescriptorEncoder<'_>,
        values: impl IntoIterator<Item = (L, f64)>,
    ) -> fmt::Result {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, MetricType::Counter)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }
        Ok(())
    }
}
