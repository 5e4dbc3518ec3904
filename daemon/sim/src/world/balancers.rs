//! Services with a load balancer: there at once, with an address a minute later.

use std::sync::Arc;

use nightcap_core::cluster::{Keys, Service};
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::{Instant, Millis};

use super::World;
use super::agenda::Happening;
use super::objects::second;
use crate::spec::BalancerSpec;

impl World {
    /// A Service whose load balancer has no address yet.
    pub(super) fn new_balancer(&mut self, space: &Arc<str>, spec: BalancerSpec, at: Instant) {
        let service = Service {
            uid: self.asset_rng.uuid(),
            namespace: Arc::clone(space),
            name: Arc::clone(&spec.name),
            created: second(at),
            class: spec.class,
            address: "".into(),
            labels: Keys::new(),
            annotations: Keys::new(),
        };
        let Some(of) = self.spaces.get_mut(space) else { return };
        of.services.insert(Arc::clone(&spec.name), service.clone());
        self.show_asset(Kind::Service, Event::Service(service), at);
        let takes = self.asset_rng.between(30_000, 120_000);
        self.agenda.add(at + Millis(takes), Happening::BalancerReady(Arc::clone(space), spec.name));
    }

    /// The provider has made the load balancer.
    pub(super) fn balancer_ready(&mut self, space: &Arc<str>, name: &Arc<str>, at: Instant) {
        let address = self.new_address(name);
        let services = self.spaces.get_mut(space).map(|space| &mut space.services);
        let Some(service) =
            services.and_then(|services| services.get_mut(name)).filter(|service| service.address.is_empty())
        else {
            return;
        };
        service.address = address;
        let service = service.clone();
        self.show_asset(Kind::Service, Event::Service(service), at);
    }

    /// Those that have been there for a while have their addresses.
    pub(super) fn settle_balancers(&mut self) {
        let all: Vec<_> = self.services().map(|s| (Arc::clone(&s.namespace), Arc::clone(&s.name))).collect();
        for (space, name) in all {
            let address = self.new_address(&name);
            if let Some(service) = self.spaces.get_mut(&space).and_then(|space| space.services.get_mut(&name))
            {
                service.address = address;
            }
        }
    }

    fn new_address(&mut self, name: &str) -> Arc<str> {
        let region = self.pools.first().map_or("", |pool| &pool.spec.region);
        format!("{name}-{}.elb.{region}.amazonaws.com", self.asset_rng.hex(16)).into()
    }
}
