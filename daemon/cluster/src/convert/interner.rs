//! One copy of each name, however many objects carry it.

use std::collections::HashSet;
use std::sync::Arc;

/// Below so many names, forgotten ones are not worth looking for.
const SMALL: usize = 1_024;

/// Hands out the same `Arc` for the same text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interner {
    names: HashSet<Arc<str>>,
    sweep_at: usize,
}

impl Interner {
    /// The shared copy of this text.
    pub(crate) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return Arc::clone(known);
        }
        // Names of objects that are gone would pile up in a cluster that makes new ones all day.
        if self.names.len() >= self.sweep_at.max(SMALL) {
            self.names.retain(|name| Arc::strong_count(name) > 1);
            self.sweep_at = self.names.len() * 2;
        }
        let new: Arc<str> = text.into();
        self.names.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_text_is_the_same_copy() {
        let mut names = Interner::default();
        let first = names.get("payments");
        assert!(Arc::ptr_eq(&first, &names.get("payments")));
        assert_eq!(&*names.get("search"), "search");
    }

    #[test]
    fn names_nobody_holds_are_forgotten() {
        let mut names = Interner::default();
        let held = names.get("held");
        for n in 0..100_000 {
            names.get(&format!("pod-{n}"));
        }
        assert!(names.names.len() <= SMALL + 1, "{} names", names.names.len());
        assert!(Arc::ptr_eq(&held, &names.get("held")));
    }
}
