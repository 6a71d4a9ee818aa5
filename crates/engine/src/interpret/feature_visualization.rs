//! Feature visualisation by gradient ascent (Mordvintsev, Olah and Tyka 2015; Olah, Mordvintsev and Schubert 2017).

use inkling_schema::AscentSpec;
use rayon::prelude::*;

use super::image_size::ImageSize;
use super::objective::ResolvedObjective;
use super::parametrisation::ImageBasis;
use super::regularisers;
use super::transforms::SampledTransform;
use crate::inspect::LayerHandle;
use crate::network::Network;
use crate::optimized_tensor::OptimizedTensor;
use crate::random::RngStream;
use crate::workspace::Workspace;

/// What an image of a feature visualisation starts from.
#[derive(Debug, Clone)]
pub struct InitialImage {
    /// What it raises.
    pub objective: ResolvedObjective,
    /// Its parameters in the [`ImageBasis`] of the ascent, [`ImageSize::num_values`] of them.
    pub parameters: Vec<f32>,
    /// Samples its transforms.
    pub stream: RngStream,
}

/// One image of the ascent.
#[derive(Debug)]
struct ImageState {
    objective: ResolvedObjective,
    variables: OptimizedTensor,
    /// Samples the transforms.
    stream: RngStream,
    /// The transforms of this step.
    sampled: Vec<SampledTransform>,
    /// The image, from 0 to 1.
    image: Vec<f32>,
    grad: Vec<f32>,
    scratch: Vec<f32>,
    /// The step at which it stopped being finite; it does not change from then on.
    diverged: Option<usize>,
}

/// Images that raise functions of one layer's output by gradient ascent. They share the network's passes, but each
/// image is the same as it would be alone: nothing of one depends on the others.
#[derive(Debug)]
pub struct FeatureVisualization<'a> {
    spec: &'a AscentSpec,
    size: ImageSize,
    basis: ImageBasis,
    layer: LayerHandle,
    states: Vec<ImageState>,
    /// The network's input, which is the transformed images, and its gradient: [n, height, width, channels].
    network_input: Vec<f32>,
    grads: Vec<f32>,
}

impl<'a> FeatureVisualization<'a> {
    /// Images before their first step. Their objectives are functions of the output of `layer`; `size` is that of the
    /// network's input.
    ///
    /// # Panics
    /// If an image has other than [`ImageSize::num_values`] parameters.
    pub fn new(
        spec: &'a AscentSpec,
        size: ImageSize,
        layer: LayerHandle,
        images: Vec<InitialImage>,
    ) -> FeatureVisualization<'a> {
        let basis = ImageBasis::new(spec.parametrisation, size);
        let zeros = || vec![0.0; size.num_values()];
        let states: Vec<ImageState> = images
            .into_iter()
            .map(|InitialImage { objective, parameters, stream }| {
                let mut image = zeros();
                basis.image(&parameters, &mut image);
                let variables = OptimizedTensor::new(&parameters, &spec.optimizer);
                let (grad, scratch) = (zeros(), zeros());
                let sampled = Vec::new();
                ImageState { objective, variables, stream, sampled, image, grad, scratch, diverged: None }
            })
            .collect();
        let all = vec![0.0; states.len() * size.num_values()];
        FeatureVisualization { spec, size, basis, layer, states, network_input: all.clone(), grads: all }
    }

    /// The images without transforms, [n, height, width, channels], from 0 to 1.
    pub fn images(&self) -> Vec<f32> {
        self.states.iter().flat_map(|state| &state.image).copied().collect()
    }

    /// The parameters of an image in the ascent's [`ImageBasis`].
    pub fn parameters(&self, number: usize) -> &[f32] {
        self.states[number].variables.values()
    }

    /// The step at which an image stopped being finite, if it did.
    pub fn diverged(&self, number: usize) -> Option<usize> {
        self.states[number].diverged
    }

    /// Sets an image to what it was when it was last finite, and stops its ascent: it has diverged at `step`.
    pub fn stop(&mut self, number: usize, step: usize, image: &[f32]) {
        let state = &mut self.states[number];
        state.diverged = state.diverged.or(Some(step));
        state.image.copy_from_slice(image);
    }

    /// One step of the ascent for every image; `step` is its number, counted from 1. An image that would not be finite
    /// after it stays as it is from then on.
    ///
    /// The gradient is taken with respect to the layer's response before its ReLU, because a neuron that is silent at
    /// the start has no gradient otherwise ([`Network::pre_activation_gradient`]).
    ///
    /// # Panics
    /// If `workspace` was not made for training or has no room for all images.
    pub fn step(&mut self, step: usize, network: &mut Network, workspace: &mut Workspace) {
        let FeatureVisualization { spec, size, basis, layer, states, network_input, grads } = self;
        let (size, dim) = (*size, size.num_values());
        states.par_iter_mut().zip(network_input.par_chunks_mut(dim)).for_each(|(state, network_input)| {
            let ImageState { stream, sampled, image, scratch, .. } = state;
            sampled.clear();
            sampled.extend(
                spec.transforms.iter().map(|transform| SampledTransform::new(transform, size, stream)),
            );
            network_input.copy_from_slice(image);
            for transform in sampled.iter() {
                scratch.copy_from_slice(network_input);
                transform.apply(size, scratch, network_input);
            }
        });
        network.forward(network_input, false, workspace);
        let outputs = layer.shape.len();
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
            let ImageState { variables, sampled, image, grad, scratch, diverged, .. } = state;
            if diverged.is_some() {
                return;
            }
            grad.copy_from_slice(input_grad);
            for transform in sampled.iter().rev() {
                scratch.copy_from_slice(grad);
                transform.backward(size, scratch, grad);
            }
            for regulariser in &spec.regularisers {
                regularisers::subtract_gradient(regulariser, size, image, grad);
            }
            // Descending along the negative gradient is ascending.
            grad.iter_mut().for_each(|grad| *grad = -*grad);
            basis.backward(image, grad, scratch);
            variables.descend(scratch, spec.learning_rate);
            // The image before the step is the last one that may be finite.
            scratch.copy_from_slice(image);
            basis.image(variables.values(), image);
            if !variables.values().iter().chain(&*image).all(|number| number.is_finite()) {
                image.copy_from_slice(scratch);
                *diverged = Some(step);
            }
        });
    }
}

#[cfg(test)]
mod tests;
