//! Sleep policies: what is written, as the core reads it.

use nightcap_core::sleep::policy::PolicyObject;

use super::{ReadError, Unreadable, meta};
use crate::crd::{SleepPolicy, policy_report};

/// The record of a policy. What it says may be beyond understanding: that is told with it, not instead of it.
pub(crate) fn policy(object: &SleepPolicy) -> Result<PolicyObject, Unreadable> {
    read(object).map_err(|error| meta::unreadable(&object.metadata, &error))
}

fn read(object: &SleepPolicy) -> Result<PolicyObject, ReadError> {
    Ok(PolicyObject {
        uid: meta::uid(&object.metadata)?,
        name: meta::name(&object.metadata)?.into(),
        generation: object.metadata.generation.unwrap_or_default(),
        spec: object.spec.raw().read().map_err(|error| error.to_string().into()),
        status: object.status.as_ref().and_then(policy_report),
    })
}
