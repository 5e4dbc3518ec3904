//! Expectations worked out by hand, and laws.
