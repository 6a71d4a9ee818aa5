//! What a network makes of some images, read from its run.

use inkling_schema::ActivationsRun;
use inkling_schema::outcome::{ActivationsOutcome, PlannedRun, RunResult};
use inkling_store::Reader;

use super::{Arrays, Pictures, outcome};
use crate::ReportError;

/// What a network makes of n images.
#[derive(Debug, Clone)]
pub struct ActivationsResults {
    /// The run's spec.
    pub spec: ActivationsRun,
    /// Images, layers, silence.
    pub outcome: ActivationsOutcome,
    /// The images, numbers from 0 to 1.
    pub images: Pictures,
    /// Output of each layer, in the order of `outcome.layers`.
    pub layers: Vec<Pictures>,
    /// Root mean square of the difference between two images' outputs for each channel of each layer; empty unless there
    /// are two images.
    pub differences: Vec<Vec<f32>>,
    /// Gradient of the target's logit with respect to the image.
    pub gradient: Pictures,
    /// Integrated gradients from black.
    pub integrated: Pictures,
}

pub(super) fn read(
    store: &Reader,
    run: &PlannedRun,
    spec: &ActivationsRun,
) -> Result<ActivationsResults, ReportError> {
    let result: RunResult<ActivationsOutcome> = outcome(store, run)?;
    let found = result.outcome;
    let arrays = Arrays::of(store, run)?;
    let n = found.images.len();
    if n == 0 || n != spec.images.len() {
        return Err(arrays.damaged(format!("{} images were requested, but {n} were used", spec.images.len())));
    }
    let size = arrays.size("images", n)?;
    let [height, width, channels] = size;
    let bytes: Vec<u8> = arrays.tensors.values("images", &[n, height, width, channels])?;
    let images = Pictures { size, values: bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect() };
    let (mut layers, mut differences) = (Vec::new(), Vec::new());
    for layer in &found.layers {
        let name = format!("layer/{}", layer.name);
        let [rows, columns, channels] = layer.shape;
        if rows * columns * channels == 0
            || arrays.size(&name, n)? != layer.shape
            || layer.zeros_of.len() != n
        {
            return Err(
                arrays.damaged(format!("`{name}` should hold {n} outputs of the shape {:?}", layer.shape))
            );
        }
        let mut ranked = layer.differing.clone();
        ranked.sort_unstable();
        if !ranked.is_empty() && !ranked.into_iter().eq(0..channels) {
            return Err(
                arrays.damaged(format!("the channels of `{name}` by their difference are not all of them"))
            );
        }
        layers.push(arrays.pictures(&name, n, layer.shape)?);
        if n == 2 {
            differences.push(arrays.numbers(&format!("difference/{}", layer.name), &[channels])?);
        }
    }
    Ok(ActivationsResults {
        gradient: arrays.pictures("gradient", n, size)?,
        integrated: arrays.pictures("integrated", n, size)?,
        spec: spec.clone(),
        outcome: found,
        images,
        layers,
        differences,
    })
}
