//! Sending batches to the next step.

use crate::batch::Batch;
use crate::failure::Failure;
use crate::host;

/// Hands a batch to the next step; returns once it is accepted there.
pub fn emit(batch: &mut Batch) -> Result<(), Failure> {
    let signal = batch.signal();
    host::emit(signal, batch.bytes())
}
