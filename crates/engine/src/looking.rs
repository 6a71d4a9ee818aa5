//! Looking inside a network: what comes out of each layer, and the gradient of any function of it with respect to the
//! images. The network is as in evaluation: dropout drops nothing, batch normalisation uses its running statistics.

use inkling_spec::Shape;

use crate::chain::{Chain, ChainMemory};
use crate::kernels::flush::flushing_denormals;
use crate::network::{Network, Workspace};
use crate::operations::Pass;
use crate::operations::parameter::Receive;

/// A layer whose output can be looked at. A ReLU right after a dense or convolutional layer is part of that layer; to
/// flatten is no layer here, for it changes no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerOutput {
    /// Name of the layer in files, such as "trunk.3" or "class.1".
    pub name: String,
    /// What comes out of it for one image.
    pub shape: Shape,
    /// The head, by its number, whose scores it gives, if it is a head's last layer.
    pub scores_of: Option<usize>,
    /// The trunk, or a head by its number.
    head: Option<usize>,
    /// Its place among the operations of that part.
    link: usize,
}

impl LayerOutput {
    /// Whether all heads share it.
    pub fn in_trunk(&self) -> bool {
        self.head.is_none()
    }
}

impl Network {
    /// Every layer whose output can be looked at: the trunk's, then each head's; the last one of a head gives its scores.
    pub fn layer_outputs(&self) -> Vec<LayerOutput> {
        let of = |(head, chain): (Option<usize>, &Chain)| {
            let layer = move |(link, of): (usize, &crate::chain::Link)| LayerOutput {
                name: of.name.clone(),
                shape: of.output,
                scores_of: head.filter(|_| link + 1 == chain.links.len()),
                head,
                link,
            };
            chain.links.iter().enumerate().map(layer).collect::<Vec<_>>()
        };
        let heads = self.heads.iter().enumerate().map(|(number, head)| (Some(number), head));
        std::iter::once((None, &self.trunk)).chain(heads).flat_map(of).collect()
    }

    /// The output of a layer for the images x, [batch, inputs], that [`Network::forward`] has just seen: [batch, outputs],
    /// images with their channels last.
    pub fn output<'a>(&self, layer: &LayerOutput, x: &[f32], workspace: &'a Workspace) -> &'a [f32] {
        let memory = match layer.head {
            None => &workspace.trunk,
            Some(head) => &workspace.heads[head],
        };
        &memory.ys[layer.link][..x.len() / self.inputs() * layer.shape.len()]
    }

    /// The gradient, dx of [batch, inputs], of a function of a layer's output with respect to the images x that
    /// [`Network::forward`] has just seen without training. `slope` is given the layer's output y, [batch, outputs], and
    /// writes the function's gradient with respect to it.
    ///
    /// # Panics
    /// If the workspace was not made for training, or `dx` is not as long as `x`.
    pub fn input_gradient(
        &mut self,
        x: &[f32],
        layer: &LayerOutput,
        workspace: &mut Workspace,
        dx: &mut [f32],
        slope: impl FnOnce(&[f32], &mut [f32]),
    ) {
        assert_eq!(x.len(), dx.len(), "a gradient for every number");
        let batch = x.len() / self.inputs();
        let pass = Pass { path: self.path, batch, training: false };
        let count = batch * layer.shape.len();
        let fill = |memory: &mut ChainMemory| {
            assert!(memory.dys[layer.link].len() >= count, "a workspace that has room for gradients");
            slope(&memory.ys[layer.link][..count], &mut memory.dys[layer.link][..count]);
        };
        let features = batch * self.trunk.outputs;
        let Workspace { trunk, heads, .. } = workspace;
        flushing_denormals(|| {
            let Some(head) = layer.head else {
                fill(trunk);
                return self.trunk.backward(&pass, x, layer.link + 1, trunk, Some(dx), Receive::Discard);
            };
            fill(&mut heads[head]);
            let z = trunk.ys.last().map_or(x, |y| &y[..features]);
            let below = trunk.dys.last_mut().map(|dy| &mut dy[..features]);
            let chain = &mut self.heads[head];
            match below {
                Some(dz) => {
                    chain.backward(&pass, z, layer.link + 1, &mut heads[head], Some(dz), Receive::Discard);
                    let links = self.trunk.links.len();
                    self.trunk.backward(&pass, x, links, trunk, Some(dx), Receive::Discard);
                }
                None => {
                    chain.backward(&pass, z, layer.link + 1, &mut heads[head], Some(dx), Receive::Discard)
                }
            }
        });
    }
}
