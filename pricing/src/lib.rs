//! Placeholder doc, replaced as the room is furnished.
