//! Money: from a node's price to who pays which part of it.

mod price;

pub use price::{Confidence, NodePrice, NodePricer, PriceSource};
