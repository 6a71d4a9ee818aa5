//! Dreams: pictures that a trained network is made to see. They are composed of small parts, a file each, as in Lucent:
//! a start, a parametrisation, transforms, an objective, regularisers; this file lets them climb.

mod objective;
mod parametrisation;
mod regularisers;
mod run;
mod start;
mod transforms;

use inkling_engine::random::RngStream;
use inkling_engine::{LayerHandle, OptimizedTensor};
use inkling_schema::AscentSpec;
use rayon::prelude::*;

pub(crate) use objective::Goal;
use parametrisation::Basis;
pub(crate) use run::{check, run};
use transforms::Drawn;

use super::trained::Trained;

/// Height, width and channels of a picture; numbers lie rows first, channels last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl Size {
    pub(crate) fn new([height, width, channels]: [usize; 3]) -> Size {
        Size { height, width, channels }
    }

    /// Numbers of a picture.
    pub(crate) fn len(self) -> usize {
        self.height * self.width * self.channels
    }
}

/// A picture on its way up.
struct Climber {
    goal: Goal,
    variables: OptimizedTensor,
    /// Draws the transforms.
    stream: RngStream,
    /// The transforms of this step.
    drawn: Vec<Drawn>,
    /// The picture, from 0 to 1.
    picture: Vec<f32>,
    slope: Vec<f32>,
    scratch: Vec<f32>,
    /// The step at which it stopped being finite, from which on it stands still.
    diverged: Option<usize>,
}

/// Pictures climbing together, each as it would alone: nothing of one depends on the others.
pub(crate) struct Ascent<'a> {
    spec: &'a AscentSpec,
    size: Size,
    basis: Basis,
    layer: LayerHandle,
    climbers: Vec<Climber>,
    /// What the network sees, and its gradient: [n, height, width, channels].
    seen: Vec<f32>,
    slopes: Vec<f32>,
}

impl<'a> Ascent<'a> {
    /// Pictures with their goals, at a layer's output, from the parameters that they start with; `streams` draw their
    /// transforms.
    pub(crate) fn new(
        spec: &'a AscentSpec,
        size: Size,
        layer: LayerHandle,
        pictures: Vec<(Goal, Vec<f32>, RngStream)>,
    ) -> Ascent<'a> {
        let basis = Basis::new(spec.parametrisation, size);
        let zeros = || vec![0.0; size.len()];
        let climbers: Vec<Climber> = pictures
            .into_iter()
            .map(|(goal, parameters, stream)| {
                let mut picture = zeros();
                basis.picture(&parameters, &mut picture);
                let variables = OptimizedTensor::new(&parameters, &spec.optimizer);
                let (slope, scratch) = (zeros(), zeros());
                let drawn = Vec::new();
                Climber { goal, variables, stream, drawn, picture, slope, scratch, diverged: None }
            })
            .collect();
        let all = vec![0.0; climbers.len() * size.len()];
        Ascent { spec, size, basis, layer, climbers, seen: all.clone(), slopes: all }
    }

    /// The pictures as they are, without transforms, [n, height, width, channels].
    pub(crate) fn pictures(&self) -> Vec<f32> {
        self.climbers.iter().flat_map(|climber| &climber.picture).copied().collect()
    }

    /// The step at which a picture stopped being finite, if it did.
    pub(crate) fn diverged(&self, number: usize) -> Option<usize> {
        self.climbers[number].diverged
    }

    /// Stops a picture at this step, as it was when it was last finite.
    pub(crate) fn stop(&mut self, number: usize, step: usize, picture: &[f32]) {
        let climber = &mut self.climbers[number];
        climber.diverged = climber.diverged.or(Some(step));
        climber.picture.copy_from_slice(picture);
    }

    /// Step number `step`, from 1, up. A picture that would not be finite after it stays as it is from then on.
    pub(crate) fn step(
        &mut self,
        step: usize,
        trained: &mut Trained,
        workspace: &mut inkling_engine::Workspace,
    ) {
        let Ascent { spec, size, basis, layer, climbers, seen, slopes } = self;
        let (size, dim) = (*size, size.len());
        climbers.par_iter_mut().zip(seen.par_chunks_mut(dim)).for_each(|(climber, seen)| {
            let Climber { stream, drawn, picture, scratch, .. } = climber;
            drawn.clear();
            drawn.extend(spec.transforms.iter().map(|transform| Drawn::new(transform, size, stream)));
            seen.copy_from_slice(picture);
            for transform in drawn.iter() {
                scratch.copy_from_slice(seen);
                transform.apply(size, scratch, seen);
            }
        });
        let network = &mut trained.network;
        network.forward(seen, false, workspace);
        let outputs = layer.shape.len();
        // A neuron that is silent at the start has no gradient of its own.
        network.pre_activation_gradient(seen, layer, workspace, slopes, |y, dy| {
            let parts = y.chunks_exact(outputs).zip(dy.chunks_exact_mut(outputs));
            climbers.iter_mut().zip(parts).for_each(|(climber, (y, dy))| {
                climber.goal.slope(y, dy);
                if !climber.goal.value(y).is_finite() {
                    climber.diverged = climber.diverged.or(Some(step));
                }
            });
        });
        climbers.par_iter_mut().zip(slopes.par_chunks_mut(dim)).for_each(|(climber, seen_slope)| {
            let Climber { variables, drawn, picture, slope, scratch, diverged, .. } = climber;
            if diverged.is_some() {
                return;
            }
            slope.copy_from_slice(seen_slope);
            for transform in drawn.iter().rev() {
                scratch.copy_from_slice(slope);
                transform.backward(size, scratch, slope);
            }
            for regulariser in &spec.regularisers {
                regularisers::take_off(regulariser, size, picture, slope);
            }
            // Down the negative gradient is up.
            slope.iter_mut().for_each(|slope| *slope = -*slope);
            basis.backward(picture, slope, scratch);
            variables.descend(scratch, spec.learning_rate);
            // The picture before is the last one that may be finite.
            scratch.copy_from_slice(picture);
            basis.picture(variables.values(), picture);
            if !variables.values().iter().chain(&*picture).all(|number| number.is_finite()) {
                picture.copy_from_slice(scratch);
                *diverged = Some(step);
            }
        });
    }
}

#[cfg(test)]
mod tests;
