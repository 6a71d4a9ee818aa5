//! Task 1, the second half: which classes a line separates in the plane of the first two components, and which a
//! hyperplane separates in all pixels.

use inkling_engine::Affine;
use inkling_engine::perceptron::one_vs_one;
use inkling_engine::separability::{
    Hyperplane, HyperplaneSearch, Line, best_line, linearly_separable_2d, separating_hyperplane,
};
use inkling_schema::SeparabilityRun;
use inkling_schema::outcome::{PairSeparability, SeparabilityOutcome};
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
    let plane = Plane::read(pca, train.images.dim())?;
    let classes = context.set().about.classes.len();
    let clouds: Vec<Vec<[f64; 2]>> = (0..classes)
        .map(|class| {
            let points = embedding.as_chunks::<2>().0.iter().zip(&train.labels);
            points.filter(|(_, label)| usize::from(**label) == class).map(|(point, _)| *point).collect()
        })
        .collect();

    let compared = compared(run, classes);
    let found = one_vs_one(compared.len(), |a, b| {
        let [a, b] = [a, b].map(|place| compared[usize::from(place)]);
        if context.observer.interrupted() {
            return None;
        }
        let (cloud_a, cloud_b) = (&clouds[usize::from(a)], &clouds[usize::from(b)]);
        let line = best_line(cloud_a, cloud_b, run.directions);
        let (pixels, y) = train.pair(a, b);
        let found = separating_hyperplane(&pixels, &y, run.max_passes, &|| !context.observer.interrupted());
        let hyperplane = plane.or_lifted(found, &line, &pixels, &y);
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

/// The classes that are compared with each other, of so many.
pub(crate) fn compared(run: &SeparabilityRun, classes: usize) -> Vec<u8> {
    if run.classes.is_empty() { (0..=u8::MAX).take(classes).collect() } else { run.classes.clone() }
}

/// The plane of the first two principal components, in pixels.
struct Plane {
    /// Mean image in features from −1 to 1, shape `[d]`.
    mean: Vec<f64>,
    /// The first two components, shape `[d]` each.
    axes: [Vec<f64>; 2],
}

impl Plane {
    fn read(pca: &RunDir, d: usize) -> Result<Plane, LabError> {
        let model = pca.tensors(TensorFile::Model)?;
        let components = model.values::<f64>("components", &[model.shape("components")?[0], d])?;
        let mean = model.values::<f64>("mean", &[d])?;
        Ok(Plane { mean, axes: [components[..d].to_vec(), components[d..2 * d].to_vec()] })
    }

    /// What a search found, or, where it found no certificate and a line separates the pair in the plane, that line as a
    /// hyperplane, if it is a certificate. A line in the plane is a hyperplane whose normal lies in the plane; like every
    /// other it counts only where it is checked on the bytes, with the bound on rounding.
    fn or_lifted(&self, found: HyperplaneSearch, line: &Line, pixels: &[u8], y: &[i8]) -> HyperplaneSearch {
        if found.errors == 0 || line.errors > 0 {
            return found;
        }
        // The line says which points it separates, not which of them lie beyond it.
        let lifted = self.lift(line);
        let turned = Hyperplane { w: lifted.w.iter().map(|w| -w).collect(), c: -lifted.c };
        let certificate = [lifted, turned].into_iter().find(|plane| plane.errors(pixels, y) == 0);
        match certificate {
            // It took no pass of the search.
            Some(hyperplane) => HyperplaneSearch { hyperplane, errors: 0, passes: 0 },
            None => found,
        }
    }

    /// cos φ·z₁ + sin φ·z₂ − threshold, with z = V(x − μ) and x = p·factor + shift, in terms of the bytes p.
    fn lift(&self, line: &Line) -> Hyperplane {
        let Affine { factor, shift } = Affine::SIGNED_UNIT;
        let (sin, cos) = line.angle.sin_cos();
        let normal: Vec<f64> = self.axes[0]
            .iter()
            .zip(&self.axes[1])
            .map(|(first, second)| cos * first + sin * second)
            .collect();
        let centre: f64 = normal.iter().zip(&self.mean).map(|(n, mean)| n * (shift - mean)).sum();
        Hyperplane { w: normal.iter().map(|n| n * factor).collect(), c: centre - line.threshold }
    }
}

#[cfg(test)]
mod tests {
    use inkling_engine::pca::Pca;

    use super::*;

    /// Images of four pixels of two classes that the first one tells apart, and what a search that found nothing says.
    fn made() -> (Vec<u8>, Vec<i8>, HyperplaneSearch) {
        let image = |i: u8| [if i < 20 { 20 + i } else { 180 + i }, 3 * i % 50, 90, 5 * i % 40];
        let pixels = (0..40).flat_map(image).collect();
        let y = (0..40).map(|i| if i < 20 { -1 } else { 1 }).collect();
        let nothing = Hyperplane { w: vec![0.0; 4], c: 0.0 };
        (pixels, y, HyperplaneSearch { hyperplane: nothing, errors: 40, passes: 9 })
    }

    #[test]
    fn a_line_that_separates_in_the_plane_is_a_certificate_in_all_pixels() {
        let (pixels, y, nothing) = made();
        let model = Pca::fit(&pixels, 4, Affine::SIGNED_UNIT, 2).unwrap();
        let embedding = model.transform(&pixels, 2);
        let plane = Plane {
            mean: model.mean.clone(),
            axes: [model.components[..4].to_vec(), model.components[4..8].to_vec()],
        };
        let points = embedding.as_chunks::<2>().0;
        let of = |class: i8| -> Vec<[f64; 2]> {
            points.iter().zip(&y).filter(|(_, y)| **y == class).map(|(point, _)| *point).collect()
        };
        // Whichever of the two classes lies beyond the line.
        for (first, second, sign) in [(-1, 1, 1), (1, -1, -1)] {
            let line = best_line(&of(first), &of(second), 180);
            assert_eq!(line.errors, 0);
            let labels: Vec<i8> = y.iter().map(|y| sign * y).collect();
            let found = plane.or_lifted(nothing.clone(), &line, &pixels, &labels);
            assert_eq!((found.errors, found.passes), (0, 0));
            assert_eq!(found.hyperplane.errors(&pixels, &labels), 0);
        }
        // A line that errs lifts to nothing, and a certificate of the search's own stays.
        let line = Line { errors: 1, ..best_line(&of(-1), &of(1), 180) };
        assert_eq!(plane.or_lifted(nothing.clone(), &line, &pixels, &y), nothing);
        let own = HyperplaneSearch { errors: 0, ..nothing };
        assert_eq!(plane.or_lifted(own.clone(), &Line { errors: 0, ..line }, &pixels, &y), own);
    }

    #[test]
    fn a_line_that_lifts_to_no_hyperplane_is_no_certificate() {
        let (pixels, y, nothing) = made();
        let plane = Plane { mean: vec![0.0; 4], axes: [vec![0.0; 4], vec![0.0; 4]] };
        let line = Line { angle: 0.3, threshold: 0.0, errors: 0 };
        assert_eq!(plane.or_lifted(nothing.clone(), &line, &pixels, &y), nothing);
    }
}
