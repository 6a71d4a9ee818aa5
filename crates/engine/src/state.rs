//! The arrays of a network: parameters, moments, gradients, to read and to set.

use crate::layers::parameter::{ParamKind, Parameter, StateKind};
use crate::network::Network;

/// A named array of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Layer and parameter, such as "trunk.2.weight".
    pub name: String,
    /// A dense weight is [inputs, units], a convolution's [kernel height, kernel width, channels, filters].
    pub shape: Vec<usize>,
    /// Values, the last index the fastest.
    pub values: Vec<f32>,
}

/// A view of an array of a network, whose values are read when they are needed.
#[derive(Debug)]
pub struct TensorView<'a> {
    /// As that of a [`NamedTensor`].
    pub name: String,
    parameter: &'a Parameter,
    part: StateKind,
}

impl TensorView<'_> {
    /// As that of a [`NamedTensor`].
    pub fn shape(&self) -> &[usize] {
        &self.parameter.shape
    }

    /// Copies values from number `first` on to `values`, the last index the fastest.
    ///
    /// # Panics
    /// If the array has fewer values, or a matrix is not read in whole rows.
    pub fn read(&self, first: usize, values: &mut [f32]) {
        assert!(
            first + values.len() <= self.shape().iter().product(),
            "values of {} beyond its last",
            self.name
        );
        self.parameter.read(self.part, first, values);
    }
}

impl Network {
    /// The arrays of this kind in the order of the layers.
    ///
    /// # Panics
    /// If the gradients are asked for and none were stored ([`Network::gradients`]).
    pub fn state_dict(&self, part: StateKind) -> Vec<NamedTensor> {
        let array = |view: TensorView| {
            let mut values = vec![0.0; view.shape().iter().product()];
            view.read(0, &mut values);
            NamedTensor { shape: view.shape().to_vec(), values, name: view.name }
        };
        self.tensor_views(part).map(array).collect()
    }

    /// As [`Network::state_dict`], without copying the values: those of a large network are better read one by one.
    ///
    /// # Panics
    /// As [`Network::state_dict`].
    pub fn tensor_views(&self, part: StateKind) -> impl Iterator<Item = TensorView<'_>> {
        let mut views = Vec::new();
        self.visit(&mut |layer| {
            let kept = layer.op.parameters().iter().filter(|found| match part {
                StateKind::Values => true,
                StateKind::FirstMoments => !found.first.is_empty(),
                StateKind::SecondMoments => !found.second.is_empty(),
                StateKind::Gradients => found.kind != ParamKind::Buffer,
            });
            views.extend(kept.map(|parameter| TensorView {
                name: format!("{}.{}", layer.name, parameter.name),
                parameter,
                part,
            }));
        });
        let is_lacking = part == StateKind::Gradients
            && !views.is_empty()
            && views.iter().all(|view| view.parameter.gradient.is_empty());
        assert!(!is_lacking, "no gradient was stored: `Network::gradients` does");
        views.into_iter()
    }

    /// Sets the arrays of this kind: `find` returns the values for a name and a shape.
    ///
    /// # Errors
    /// The first error of `find`; arrays before it have been set.
    ///
    /// # Panics
    /// If `find` returns another number of values than the shape has.
    pub fn load_state_dict<E>(
        &mut self,
        part: StateKind,
        mut find: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<(), E> {
        let mut result = Ok(());
        self.visit_mut(&mut |layer| {
            for parameter in layer.op.parameters_mut() {
                let buffer = match part {
                    StateKind::Values => &mut parameter.value,
                    _ if parameter.kind == ParamKind::Buffer => continue,
                    StateKind::FirstMoments => &mut parameter.first,
                    StateKind::SecondMoments => &mut parameter.second,
                    StateKind::Gradients => {
                        parameter.store_gradient();
                        &mut parameter.gradient
                    }
                };
                // A moment that is not kept has nothing to set.
                if result.is_err() || buffer.is_empty() {
                    continue;
                }
                match find(&format!("{}.{}", layer.name, parameter.name), &parameter.shape) {
                    Err(error) => result = Err(error),
                    Ok(values) => {
                        let len: usize = parameter.shape.iter().product();
                        assert_eq!(values.len(), len, "values for the shape");
                        parameter.layout.pack(&values, buffer);
                    }
                }
            }
        });
        result
    }
}
