//! What is wrong with a kind that somebody describes.

use thiserror::Error;

/// A kind that cannot be turned off as described.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum OperatorKindError {
    /// A group that no custom resource can have.
    #[error("{0:?} is no group of custom resources: write it as in apiVersion, such as argoproj.io")]
    Group(String),
    /// A kind that cannot be one.
    #[error("{0:?} is no kind: write it as the object's `kind`, such as Rollout")]
    Kind(String),
    /// A place that is none.
    #[error("{0:?} is no JSON pointer to a place in an object: write one such as /spec/replicas")]
    Pointer(String),
    /// A place that is not to be written.
    #[error("{0:?} must not be written: use a place below /spec, an annotation or a label")]
    Place(String),
    /// No place at all.
    #[error("nothing says how it is turned off: give `off` with at least one place and value")]
    Nothing,
    /// A value that cannot be told from one that is not there.
    #[error("{0:?} is null in `off`: what turns a kind off must be a value that can be seen")]
    Null(String),
}
