//! Task 1, the second half: which classes a line separates in the plane of the first two components, and which a
//! hyperplane separates in all pixels.

use inkling_engine::perceptron::one_vs_one;
use inkling_engine::separability::{best_line, linearly_separable_2d, separating_hyperplane};
use inkling_schema::SeparabilityRun;
use inkling_schema::found::{PairSeparability, SeparabilityOutcome};
use inkling_store::{Metadata, RunDir, RunWriter, Tensor, TensorFile};

use crate::error::LabError;
use crate::observer::Event;
use crate::runs::RunContext;

/// `pca` is the finished run whose embedding is looked at.
pub(crate) fn run(
    context: &RunContext,
    run: &SeparabilityRun,
    pca: &RunDir,
    writer: &mut RunWriter,
) -> Result<Option<SeparabilityOutcome>, LabError> {
    let train = &context.set().train;
    let embedding = pca.tensors(TensorFile::Arrays)?.values::<f64>("embedding", &[train.len(), 2])?;
    let classes = context.set().info.classes.len();
    let clouds: Vec<Vec<[f64; 2]>> = (0..classes)
        .map(|class| {
            let points = embedding.as_chunks::<2>().0.iter().zip(&train.labels);
            points.filter(|(_, label)| usize::from(**label) == class).map(|(point, _)| *point).collect()
        })
        .collect();

    let found = one_vs_one(classes, |a, b| {
        if context.observer.interrupted() {
            return None;
        }
        let (cloud_a, cloud_b) = (&clouds[usize::from(a)], &clouds[usize::from(b)]);
        let line = best_line(cloud_a, cloud_b, run.directions);
        let (pixels, y) = train.pair(a, b);
        let hyperplane =
            separating_hyperplane(&pixels, &y, run.max_passes, &|| !context.observer.interrupted());
        let images = y.len();
        context.observer.event(Event::Advanced);
        let summary = PairSeparability {
            a,
            b,
            images,
            separable_in_plane: linearly_separable_2d(cloud_a, cloud_b),
            plane_accuracy: (images - line.errors) as f64 / images as f64,
            separable_in_full_space: hyperplane.errors == 0,
            full_space_errors: hyperplane.errors,
            full_space_passes: hyperplane.passes,
        };
        Some((summary, line, hyperplane.hyperplane))
    });
    if context.observer.interrupted() {
        return Ok(None);
    }
    let found: Vec<_> = found.into_iter().flatten().collect();

    let d = train.images.dim();
    let normals: Vec<f64> = found.iter().flat_map(|(_, _, plane)| plane.w.iter().copied()).collect();
    let offsets: Vec<f64> = found.iter().map(|(_, _, plane)| plane.c).collect();
    let lines: Vec<f64> = found.iter().flat_map(|(_, line, _)| [line.angle, line.threshold]).collect();
    let n = found.len();
    let tensors = [
        Tensor::new("hyperplane_normals", &[n, d], &normals),
        Tensor::new("hyperplane_offsets", &[n], &offsets),
        Tensor::new("lines", &[n, 2], &lines),
    ];
    writer.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new())?;
    Ok(Some(SeparabilityOutcome { pairs: found.into_iter().map(|(summary, _, _)| summary).collect() }))
}
