//! Watches of disks, claims and load balancers: streams in, events out.
