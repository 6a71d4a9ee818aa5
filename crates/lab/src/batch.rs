//! How many images a network is given at a time when it is evaluated.

/// Images in a batch of evaluation: enough to keep every thread busy, few enough to stay in the cache.
pub const EVALUATION_BATCH: usize = 250;
