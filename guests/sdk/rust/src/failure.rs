//! Saying that a batch or a message was not taken, and whether trying again can help.

use std::fmt;
use std::time::Duration;

/// Why a batch, or a message, was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Trying again cannot help; the sender gets the protocol's permanent error.
    Permanent(String),
    /// Trying again may help.
    Retryable {
        /// Why the batch was not taken now.
        reason: String,
        /// How long the other side asked to wait, if it did.
        after: Option<Duration>,
    },
}

impl Failure {
    /// Trying again cannot help.
    pub fn permanent(reason: impl fmt::Display) -> Self {
        Failure::Permanent(reason.to_string())
    }

    /// Trying again may help.
    pub fn retryable(reason: impl fmt::Display) -> Self {
        Failure::Retryable { reason: reason.to_string(), after: None }
    }

    /// The same, retryable not before so long.
    pub fn after(self, wait: Duration) -> Self {
        match self {
            Failure::Permanent(reason) | Failure::Retryable { reason, .. } => {
                Failure::Retryable { reason, after: Some(wait) }
            }
        }
    }

    /// Why.
    pub fn reason(&self) -> &str {
        match self {
            Failure::Permanent(reason) | Failure::Retryable { reason, .. } => reason,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.reason())
    }
}

impl std::error::Error for Failure {}
