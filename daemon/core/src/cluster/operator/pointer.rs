//! Places in an object: JSON pointers (RFC 6901), and the paths by which definitions of custom resources name them.

use std::borrow::Cow;

use serde_json::Value;

/// Whether it names a place below the whole object. Only keys of maps are named; an item of a list has no place of its own
/// in a merge patch.
pub(super) fn is_pointer(text: &str) -> bool {
    let is_key = |key: &str| {
        let tildes =
            key.match_indices('~').all(|(at, _)| matches!(key.as_bytes().get(at + 1), Some(b'0' | b'1')));
        !key.is_empty() && tildes
    };
    text.strip_prefix('/').is_some_and(|keys| keys.split('/').all(is_key))
}

/// The keys on the way to a place, from the outside in.
pub(super) fn keys_of(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|key| {
        if key.contains('~') {
            Cow::Owned(key.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(key)
        }
    })
}

/// The value at a place.
pub fn value_at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    object.pointer(pointer)
}

/// The pointer for a path such as `.spec.replicas`; `None` for what is no plain path.
pub fn pointer_of_path(path: &str) -> Option<String> {
    let keys: Vec<&str> = path.strip_prefix('.')?.split('.').collect();
    let is_plain = |key: &&str| !key.is_empty() && !key.contains(['/', '~', '[', ']', '\'', '"']);
    keys.iter().all(is_plain).then(|| format!("/{}", keys.join("/")))
}
