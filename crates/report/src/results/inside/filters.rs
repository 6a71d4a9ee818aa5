//! The filters of a network, read from their run.

use inkling_schema::FiltersRun;
use inkling_schema::outcome::{FilterKinds, FilterLayer, FiltersOutcome, PlannedRun, RunResult};
use inkling_store::Reader;

use super::{Arrays, damaged_result, outcome};
use crate::ReportError;

/// The filters of a network.
#[derive(Debug, Clone)]
pub struct FiltersResults {
    /// The run's spec.
    pub spec: FiltersRun,
    /// The convolutions; there is one at least.
    pub layers: Vec<FilterLayerResults>,
}

/// The filters of a convolution. A slice is what a filter does to one channel.
#[derive(Debug, Clone)]
pub struct FilterLayerResults {
    /// Name, shape and kinds of slices.
    pub found: FilterLayer,
    /// Weights, shape [kernel height, kernel width, channels, filters].
    pub weights: Vec<f32>,
    /// Norm of each slice, shape [channels, filters].
    pub norms: Vec<f32>,
    /// The channel of each filter's slice of largest norm, shape `[filters]`.
    pub largest: Vec<u32>,
    /// The filters of which every slice is to be shown, those of largest norm first, shape `[k]`.
    pub whole: Vec<u32>,
}

impl FilterLayerResults {
    /// What a filter does to a channel, shape [kernel height, kernel width].
    pub fn slice(&self, channel: usize, filter: usize) -> impl Iterator<Item = f32> + '_ {
        let FilterLayer { channels, filters, .. } = self.found;
        self.weights.iter().skip(channel * filters + filter).step_by(channels * filters).copied()
    }

    /// Whether the report shows every slice, so that nothing has to be chosen.
    pub(crate) fn is_shown_whole(&self) -> bool {
        const MOST: usize = 200;
        self.slices() <= MOST
    }

    /// Slices in all.
    pub fn slices(&self) -> usize {
        self.found.channels * self.found.filters
    }
}

pub(super) fn read(
    store: &Reader,
    run: &PlannedRun,
    spec: &FiltersRun,
) -> Result<FiltersResults, ReportError> {
    let result: RunResult<FiltersOutcome> = outcome(store, run)?;
    let arrays = Arrays::of(store, run)?;
    if result.outcome.layers.is_empty() {
        return Err(damaged_result(&arrays.folder, "it names no convolution"));
    }
    let layers = result.outcome.layers.into_iter().map(|found| layer(&arrays, found));
    Ok(FiltersResults { spec: spec.clone(), layers: layers.collect::<Result<_, _>>()? })
}

fn layer(arrays: &Arrays, found: FilterLayer) -> Result<FilterLayerResults, ReportError> {
    let FilterLayer { ref name, kernel: [height, width], channels, filters, kinds, by_chance, .. } = found;
    if height * width * channels * filters == 0 {
        return Err(arrays.damaged(format!("the layer `{name}` has no weights")));
    }
    let all = |kinds: FilterKinds| kinds.near_zero + kinds.edges + kinds.blobs + kinds.others;
    let slices = (channels * filters) as f64;
    // Counts are whole, shares expected by chance rounded.
    if [kinds, by_chance].into_iter().any(|kinds| (all(kinds) - slices).abs() > 1e-3 * slices) {
        return Err(arrays.damaged(format!("the kinds of slices of `{name}` do not sum up to {slices}")));
    }
    let whole = format!("whole/{name}");
    let largest: Vec<u32> = arrays.tensors.values(&format!("largest/{name}"), &[filters])?;
    let whole: Vec<u32> = arrays.tensors.values(&whole, &[arrays.length(&whole)?])?;
    if largest.iter().any(|&channel| channel as usize >= channels) {
        return Err(arrays.damaged(format!("a channel of `{name}` is out of range: there are {channels}")));
    }
    if whole.iter().any(|&filter| filter as usize >= filters) {
        return Err(arrays.damaged(format!("a filter of `{name}` is out of range: there are {filters}")));
    }
    Ok(FilterLayerResults {
        weights: arrays.numbers(&format!("weight/{name}"), &[height, width, channels, filters])?,
        norms: arrays.numbers(&format!("norm/{name}"), &[channels, filters])?,
        largest,
        whole,
        found,
    })
}
