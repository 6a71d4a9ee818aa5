//! Looking inside a network: what comes out of each layer, and the gradient of any function of it with respect to the
//! images. The network is as in evaluation: dropout drops nothing, batch normalisation uses its running statistics.

use inkling_schema::Shape;

use crate::aligned::AlignedVec;
use crate::layers::Context;
use crate::layers::parameter::GradMode;
use crate::layers::sequential::{NamedLayer, Sequential};
use crate::network::Network;
use crate::workspace::Workspace;

/// A layer whose output can be read. A ReLU right after a dense or convolutional layer is part of that layer, and a residual
/// block is one layer. Flattening is not a layer here, because it changes no value, unless a head consists of nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerHandle {
    /// Name of the layer in files, such as "trunk.3" or "class.1".
    pub name: String,
    /// Shape of its output for one image.
    pub shape: Shape,
    /// The number of the head whose outputs it computes, if it is the last layer of a head.
    pub scores_of: Option<usize>,
    /// The trunk, or a head by its number.
    head: Option<usize>,
    /// Its place among the layers of that part.
    layer: usize,
}

impl LayerHandle {
    /// Whether all heads share it.
    pub fn in_trunk(&self) -> bool {
        self.head.is_none()
    }

    /// The head that it is a layer of, by its number; none where all heads share it.
    pub fn head(&self) -> Option<usize> {
        self.head
    }
}

impl Network {
    /// Every layer whose output can be read: those of the trunk, then those of each head.
    pub fn layer_handles(&self) -> Vec<LayerHandle> {
        let of = |(head, chain): (Option<usize>, &Sequential)| {
            let layer = move |(layer, of): (usize, &NamedLayer)| LayerHandle {
                name: of.name.clone(),
                shape: of.output,
                scores_of: head.filter(|_| layer + 1 == chain.layers.len()),
                head,
                layer,
            };
            chain.layers.iter().enumerate().map(layer).collect::<Vec<_>>()
        };
        let heads = self.heads.iter().enumerate().map(|(number, head)| (Some(number), head));
        std::iter::once((None, &self.trunk)).chain(heads).flat_map(of).collect()
    }

    /// The output of a layer, [batch, outputs], for the images x, [batch, inputs], of the last forward pass. Images have their
    /// channels last.
    ///
    /// # Panics
    /// If the last forward pass was of another number of images.
    pub fn output<'a>(&self, layer: &LayerHandle, x: &[f32], workspace: &'a Workspace) -> &'a [f32] {
        let Context { batch, .. } = self.context_of(x, workspace);
        let activations = match layer.head {
            None => &workspace.trunk,
            Some(head) => &workspace.heads[head],
        };
        &activations.acts[layer.layer][..batch * layer.shape.len()]
    }

    /// The gradient dx, [batch, inputs], of a function of a layer's output with respect to the images x of the last forward pass,
    /// which was without training. `output_grad` is called with the layer's output y, [batch, outputs], and zeros as many, in
    /// whose place it writes the gradient of the function with respect to y.
    ///
    /// # Panics
    /// If the last forward pass was of another number of images or with training, the workspace was not made for training, or
    /// `dx` is not as long as `x`.
    pub fn input_gradient(
        &mut self,
        x: &[f32],
        layer: &LayerHandle,
        workspace: &mut Workspace,
        dx: &mut [f32],
        output_grad: impl FnOnce(&[f32], &mut [f32]),
    ) {
        self.backward_from(x, layer, workspace, dx, output_grad, false);
    }

    /// As [`Network::input_gradient`], but of a function of the layer's values before its ReLU, if it has one. `output_grad` is
    /// called with the output of the ReLU, and the gradient that it writes also passes where that is zero. A unit that is
    /// inactive can be activated along this gradient, whereas the gradient of its output is zero.
    ///
    /// # Panics
    /// As [`Network::input_gradient`].
    pub fn pre_activation_gradient(
        &mut self,
        x: &[f32],
        layer: &LayerHandle,
        workspace: &mut Workspace,
        dx: &mut [f32],
        output_grad: impl FnOnce(&[f32], &mut [f32]),
    ) {
        self.backward_from(x, layer, workspace, dx, output_grad, true);
    }

    fn backward_from(
        &mut self,
        x: &[f32],
        layer: &LayerHandle,
        workspace: &mut Workspace,
        dx: &mut [f32],
        output_grad: impl FnOnce(&[f32], &mut [f32]),
        before_relu: bool,
    ) {
        assert_eq!(x.len(), dx.len(), "a gradient for every number");
        let context = self.context_of(x, workspace);
        assert!(!context.training, "images that were seen without training");
        let (count, features) = (context.batch * layer.shape.len(), context.batch * self.trunk.outputs);
        let chain = layer.head.map_or(&self.trunk, |head| &self.heads[head]);
        // Other activations need their own outputs.
        let before_relu = before_relu && chain.layers[layer.layer].op.ignores_gradient_of_zeros(false);
        if before_relu && workspace.ones.len() < count {
            workspace.ones = AlignedVec::zeros(count);
            workspace.ones.fill(1.0);
        }
        let Workspace { trunk, heads, ones, .. } = workspace;
        let relu_mask = before_relu.then(|| &ones[..count]);
        let activations = match layer.head {
            None => &mut *trunk,
            Some(head) => &mut heads[head],
        };
        let (y, dy) = (&activations.acts[layer.layer][..count], &mut activations.grads[layer.layer]);
        assert!(dy.len() >= count, "a workspace that has room for gradients");
        // What the last batch left there is no part of this function's gradient.
        dy[..count].fill(0.0);
        output_grad(y, &mut dy[..count]);
        let mut dx = Some(dx);
        let mut layers = (0..layer.layer + 1, relu_mask);
        if let Some(head) = layer.head {
            let z = trunk.acts.last().map_or(x, |y| &y[..features]);
            let dz = trunk.grads.last_mut().map(|dy| &mut dy[..features]).or(dx.as_deref_mut());
            self.heads[head].backward(&context, z, layers, &mut heads[head], dz, GradMode::Skip);
            layers = (0..self.trunk.layers.len(), None);
        }
        self.trunk.backward(&context, x, layers, trunk, dx, GradMode::Skip);
    }

    /// The last forward pass, which must have been of as many images.
    fn context_of(&self, x: &[f32], workspace: &Workspace) -> Context {
        let context = workspace.context.expect("images that went forward first");
        assert_eq!(x.len(), context.batch * self.input_len(), "the images that went forward");
        context
    }
}
