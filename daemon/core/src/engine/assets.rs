//! Volumes, claims, load balancers, fees and traffic: what is on the bill beside nodes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Engine, Kind, TrafficSample};
use crate::cluster::{Claim, Service, Volume};
use crate::money::{EgressPrices, NodePrice};
use crate::units::Instant;

impl Engine {
    pub(super) fn observe_volume(&mut self, _volume: Volume, _now: Instant) {}
    pub(super) fn volume_gone(&mut self, _uid: &Arc<str>, _at: Instant) {}
    pub(super) fn observe_claim(&mut self, _claim: Claim, _now: Instant) {}
    pub(super) fn claim_gone(&mut self, _uid: &Arc<str>, _at: Instant) {}
    pub(super) fn observe_service(&mut self, _service: Service, _now: Instant) {}
    pub(super) fn service_gone(&mut self, _uid: &Arc<str>, _at: Instant) {}
    pub(super) fn asset_priced(&mut self, _uid: &Arc<str>, _price: NodePrice, _now: Instant) {}
    pub(super) fn control_plane_priced(&mut self, _price: NodePrice, _now: Instant) {}
    pub(super) fn egress_priced(&mut self, _prices: EgressPrices, _now: Instant) {}
    pub(super) fn observe_traffic(&mut self, _samples: Vec<TrafficSample>, _now: Instant) {}
    pub(super) fn observe_asset_list(&mut self, _kind: Kind, _seen: &BTreeSet<Arc<str>>, _now: Instant) {}
}
