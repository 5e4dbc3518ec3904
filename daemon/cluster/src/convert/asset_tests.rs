//! Conversions of disks, claims and load balancers.
