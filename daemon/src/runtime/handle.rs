//! What everybody but the engine's own task holds of the engine.

use std::sync::Arc;

use nightcap_core::cluster::Provider;
use nightcap_core::engine::{Engine, Event, Snapshot};
use nightcap_core::money::{Correction, Hour};
use nightcap_core::sleep::{AnnotationPatch, Command, CommandError};
use nightcap_core::units::Instant;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use super::Clock;

/// What is sent to the engine's task.
#[derive(Debug)]
pub enum Input {
    /// A fact.
    Event(Event),
    /// Who runs the control plane, as far as its version says.
    ManagedBy(Provider),
    /// What is to be kept over a restart.
    Keep(oneshot::Sender<Kept>),
    /// These hours are in the history now.
    Written(Vec<Arc<Hour>>),
    /// These corrections are dealt with; so many of them could not be made.
    Corrected(Vec<Arc<Correction>>, u64),
    /// Somebody wants to read.
    Read(oneshot::Sender<Arc<Snapshot>>),
    /// Somebody wants something done, and to know what was written for it.
    Command(Command, oneshot::Sender<Result<AnnotationPatch, CommandError>>),
}

/// What is to be kept over a restart, at an instant.
#[derive(Debug)]
pub struct Kept {
    /// Closed hours that are not in the history as they are.
    pub(super) hours: Vec<Arc<Hour>>,
    /// Corrections of hours that are in the history alone.
    pub(super) owed: Vec<Arc<Correction>>,
    /// The checkpoint, written out.
    pub(super) checkpoint: Vec<u8>,
}

impl Kept {
    /// Of this engine.
    pub(super) fn of(engine: &Engine, now: Instant) -> Self {
        let checkpoint = postcard::to_stdvec(&engine.checkpoint(now)).unwrap_or_default();
        Self { hours: engine.unwritten(), owed: engine.owed(), checkpoint }
    }
}

/// A way to the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    inputs: mpsc::Sender<Input>,
    clock: Clock,
}

/// Why the engine did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HandleError {
    /// The daemon is going down.
    #[error("the daemon is stopping")]
    Stopped,
    /// It answered that it does not do this.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl Handle {
    /// A handle on the task that reads `inputs`.
    pub const fn new(inputs: mpsc::Sender<Input>, clock: Clock) -> Self {
        Self { inputs, clock }
    }

    /// A picture of everything, at most a second old by the machine's clock.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, HandleError> {
        let (answer, answered) = oneshot::channel();
        self.inputs.send(Input::Read(answer)).await.map_err(|_| HandleError::Stopped)?;
        answered.await.map_err(|_| HandleError::Stopped)
    }

    /// Gives a command; returns the annotations it writes on the namespace.
    pub async fn command(&self, command: Command) -> Result<AnnotationPatch, HandleError> {
        let (answer, answered) = oneshot::channel();
        self.inputs.send(Input::Command(command, answer)).await.map_err(|_| HandleError::Stopped)?;
        Ok(answered.await.map_err(|_| HandleError::Stopped)??)
    }

    /// What is to be kept over a restart.
    pub(super) async fn keep(&self) -> Result<Kept, HandleError> {
        let (answer, answered) = oneshot::channel();
        self.inputs.send(Input::Keep(answer)).await.map_err(|_| HandleError::Stopped)?;
        answered.await.map_err(|_| HandleError::Stopped)
    }

    /// Tells the engine that these hours are in the history.
    pub(super) async fn written(&self, hours: Vec<Arc<Hour>>) -> Result<(), HandleError> {
        self.inputs.send(Input::Written(hours)).await.map_err(|_| HandleError::Stopped)
    }

    /// Tells the engine that these corrections are dealt with, of which so many could not be made.
    pub(super) async fn corrected(&self, done: Vec<Arc<Correction>>, lost: u64) -> Result<(), HandleError> {
        self.inputs.send(Input::Corrected(done, lost)).await.map_err(|_| HandleError::Stopped)
    }

    /// Hands the engine a fact; waits while its queue is full.
    pub async fn event(&self, event: Event) -> Result<(), HandleError> {
        self.inputs.send(Input::Event(event)).await.map_err(|_| HandleError::Stopped)
    }

    /// Tells who runs the control plane, so that its fee is on the bill.
    pub async fn managed_by(&self, provider: Provider) -> Result<(), HandleError> {
        self.inputs.send(Input::ManagedBy(provider)).await.map_err(|_| HandleError::Stopped)
    }

    /// The engine's time.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }
}
