//! Dreams: pictures that a trained network is made to see. They are composed of small parts, a file each, as in Lucent:
//! a start, a parametrisation, transforms, an objective, regularisers; this file lets them climb.

mod init;
mod objective;
mod parametrisation;
mod regularisers;
mod run;
mod transforms;

use inkling_engine::random::RngStream;
use inkling_engine::{LayerHandle, OptimizedTensor};
use inkling_schema::AscentSpec;
use rayon::prelude::*;

pub(crate) use objective::ResolvedObjective;
use parametrisation::Basis;
pub(crate) use run::{check, run};
use transforms::SampledTransform;

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

/// One picture of the ascent.
struct ImageState {
    objective: ResolvedObjective,
    variables: OptimizedTensor,
    /// Draws the transforms.
    stream: RngStream,
    /// The transforms of this step.
    sampled: Vec<SampledTransform>,
    /// The picture, from 0 to 1.
    picture: Vec<f32>,
    grad: Vec<f32>,
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
    states: Vec<ImageState>,
    /// The network's input, which is the transformed pictures, and its gradient: [n, height, width, channels].
    network_input: Vec<f32>,
    grads: Vec<f32>,
}

impl<'a> Ascent<'a> {
    /// Pictures with their goals, at a layer's output, from the parameters that they start with; `streams` draw their
    /// transforms.
    pub(crate) fn new(
        spec: &'a AscentSpec,
        size: Size,
        layer: LayerHandle,
        pictures: Vec<(ResolvedObjective, Vec<f32>, RngStream)>,
    ) -> Ascent<'a> {
        let basis = Basis::new(spec.parametrisation, size);
        let zeros = || vec![0.0; size.len()];
        let states: Vec<ImageState> = pictures
            .into_iter()
            .map(|(objective, parameters, stream)| {
                let mut picture = zeros();
                basis.picture(&parameters, &mut picture);
                let variables = OptimizedTensor::new(&parameters);
                let (grad, scratch) = (zeros(), zeros());
                let sampled = Vec::new();
                ImageState { objective, variables, stream, sampled, picture, grad, scratch, diverged: None }
            })
            .collect();
        let all = vec![0.0; states.len() * size.len()];
        Ascent { spec, size, basis, layer, states, network_input: all.clone(), grads: all }
    }

    /// The pictures as they are, without transforms, [n, height, width, channels].
    pub(crate) fn pictures(&self) -> Vec<f32> {
        self.states.iter().flat_map(|state| &state.picture).copied().collect()
    }

    /// The step at which a picture stopped being finite, if it did.
    pub(crate) fn diverged(&self, number: usize) -> Option<usize> {
        self.states[number].diverged
    }

    /// Stops a picture at this step, as it was when it was last finite.
    pub(crate) fn stop(&mut self, number: usize, step: usize, picture: &[f32]) {
        let state = &mut self.states[number];
        state.diverged = state.diverged.or(Some(step));
        state.picture.copy_from_slice(picture);
    }

    /// Step number `step`, from 1, up. A picture that would not be finite after it stays as it is from then on.
    pub(crate) fn step(
        &mut self,
        step: usize,
        trained: &mut Trained,
        workspace: &mut inkling_engine::Workspace,
    ) {
        let Ascent { spec, size, basis, layer, states, network_input, grads } = self;
        let (size, dim) = (*size, size.len());
        states.par_iter_mut().zip(network_input.par_chunks_mut(dim)).for_each(|(state, network_input)| {
            let ImageState { stream, sampled, picture, scratch, .. } = state;
            sampled.clear();
            sampled.extend(
                spec.transforms.iter().map(|transform| SampledTransform::new(transform, size, stream)),
            );
            network_input.copy_from_slice(picture);
            for transform in sampled.iter() {
                scratch.copy_from_slice(network_input);
                transform.apply(size, scratch, network_input);
            }
        });
        let network = &mut trained.network;
        network.forward(network_input, false, workspace);
        let outputs = layer.shape.len();
        // A neuron that is silent at the start has no gradient of its own.
        network.pre_activation_gradient(network_input, layer, workspace, grads, |y, dy| {
            let parts = y.chunks_exact(outputs).zip(dy.chunks_exact_mut(outputs));
            states.iter_mut().zip(parts).for_each(|(state, (y, dy))| {
                state.objective.grad(y, dy);
                if !state.objective.value(y).is_finite() {
                    state.diverged = state.diverged.or(Some(step));
                }
            });
        });
        states.par_iter_mut().zip(grads.par_chunks_mut(dim)).for_each(|(state, input_grad)| {
            let ImageState { variables, sampled, picture, grad, scratch, diverged, .. } = state;
            if diverged.is_some() {
                return;
            }
            grad.copy_from_slice(input_grad);
            for transform in sampled.iter().rev() {
                scratch.copy_from_slice(grad);
                transform.backward(size, scratch, grad);
            }
            for regulariser in &spec.regularisers {
                regularisers::subtract_gradient(regulariser, size, picture, grad);
            }
            // Down the negative gradient is up.
            grad.iter_mut().for_each(|grad| *grad = -*grad);
            basis.backward(picture, grad, scratch);
            variables.descend(scratch, &spec.optimizer, spec.learning_rate);
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
