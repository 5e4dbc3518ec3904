//! Time specs: when a thing should be awake, in the wall clock of its people.
