//! What can be wrong with a weighting's state.

use thiserror::Error;

/// Why a weighting cannot continue from a state.
#[derive(Debug, Error)]
pub enum StateError {
    /// It is not the JSON that this method writes.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),

    /// It is for another number of heads.
    #[error("{lengths:?} numbers for {heads} heads")]
    OtherHeads {
        /// The lengths of its lists, which should all be `heads`.
        lengths: Vec<usize>,
        /// The heads that are weighted.
        heads: usize,
    },
}
