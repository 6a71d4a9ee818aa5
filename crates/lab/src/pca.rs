//! Task 1, the first half: principal components, the embedding of the training images, some images rebuilt.

use std::time::Instant;

use inkling_data::Samples;
use inkling_engine::Affine;
use inkling_engine::pca::Pca;
use inkling_schema::PcaRun;
use inkling_schema::found::PcaOutcome;
use inkling_store::{Metadata, RunWriter, Tensor, TensorFile};

use crate::error::LabError;
use crate::runs::RunContext;

/// Dimensions of the scatter plot.
const PLANE: usize = 2;

pub(crate) fn run(
    context: &RunContext,
    run: &PcaRun,
    writer: &mut RunWriter,
) -> Result<Option<PcaOutcome>, LabError> {
    let train = &context.set().train;
    let images = &train.images;
    let d = images.dim();
    let start = Instant::now();
    let model = Pca::fit(&images.pixels, d, Affine::SIGNED_UNIT, run.components)?;
    let embedding = model.transform(&images.pixels, PLANE);
    let fit_seconds = start.elapsed().as_secs_f64();

    write_model(writer, &model, run.components)?;
    write_arrays(writer, &model, &embedding, context, run)?;
    Ok(Some(PcaOutcome {
        samples: model.samples,
        features: d,
        total_variance: model.total_variance,
        explained_variance_ratio: model.explained_variance_ratio,
        fit_seconds,
    }))
}

fn write_model(writer: &RunWriter, model: &Pca, k: usize) -> Result<(), LabError> {
    let d = model.features();
    let metadata = Metadata::from([
        ("samples".into(), model.samples.to_string()),
        ("total_variance".into(), model.total_variance.to_string()),
        ("pixel_factor".into(), model.affine.factor.to_string()),
        ("pixel_shift".into(), model.affine.shift.to_string()),
    ]);
    let tensors = [
        Tensor::new("mean", &[d], &model.mean),
        Tensor::new("components", &[k, d], &model.components),
        Tensor::new("singular_values", &[k], &model.singular_values),
        Tensor::new("explained_variance", &[k], &model.explained_variance),
        Tensor::new("explained_variance_ratio", &[k], &model.explained_variance_ratio),
    ];
    Ok(writer.write_tensors(TensorFile::Model, &tensors, &metadata)?)
}

/// The embedding with its labels and some of its pictures, the whole spectrum, and one test image of each class rebuilt
/// from few components.
fn write_arrays(
    writer: &RunWriter,
    model: &Pca,
    embedding: &[f64],
    context: &RunContext,
    run: &PcaRun,
) -> Result<(), LabError> {
    let (train, test) = (&context.set().train, &context.set().test);
    let (height, width) = (train.images.height, train.images.width);
    let originals = first_of_each_class(test, context.set().info.classes.len());
    let mut rebuilt = Vec::new();
    for &k in &run.reconstructions {
        let features = model.inverse_transform(&model.transform(&originals, k), k);
        rebuilt.extend(features.iter().map(|x| *x as f32));
    }
    let images = originals.len() / model.features();
    let pictures = &train.images.pixels[..run.pictures * model.features()];
    let levels = run.reconstructions.len();
    let tensors = [
        Tensor::new("embedding", &[train.len(), PLANE], embedding),
        Tensor::new("labels", &[train.len()], &train.labels),
        Tensor::new("pictures", &[run.pictures, height, width], pictures),
        Tensor::new("spectrum", &[model.features()], &model.spectrum),
        Tensor::new("originals", &[images, height, width], &originals),
        Tensor::new("rebuilt", &[levels, images, height, width], &rebuilt),
    ];
    Ok(writer.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new())?)
}

/// Pixels of the first image of each class.
fn first_of_each_class(samples: &Samples, classes: usize) -> Vec<u8> {
    let first = |class: usize| samples.labels.iter().position(|&label| usize::from(label) == class);
    (0..classes).filter_map(first).flat_map(|i| samples.images.image(i)).copied().collect()
}
