//! The heads' gradients on the layers that they share, and how they lie to each other.

use rayon::prelude::*;

use crate::kernels::flush::flushing_denormals;
use crate::network::{Network, Targets, Workspace};
use crate::operations::Pass;
use crate::operations::parameter::{Receive, Role};

/// On which shared parameters gradients are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedLayers {
    /// All of the trunk's.
    All,
    /// Those of its last layer that has any.
    Last,
}

/// Inner products of the heads' gradients on shared parameters, each of the head's own mean cross-entropy. Zero for a
/// head of weight zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GradientProducts {
    heads: usize,
    /// [heads, heads].
    products: Vec<f64>,
}

/// Numbers whose products are added one after the other; such sums are added in order.
const CHUNK: usize = 1 << 15;

impl GradientProducts {
    /// The inner product of two heads' gradients.
    pub fn product(&self, a: usize, b: usize) -> f64 {
        self.products[a * self.heads + b]
    }

    /// The Euclidean norm of a head's gradient.
    pub fn norm(&self, head: usize) -> f64 {
        self.product(head, head).sqrt()
    }

    /// The cosine of the angle between two heads' gradients; none where one of them is zero.
    pub fn cosine(&self, a: usize, b: usize) -> Option<f64> {
        let norms = self.norm(a) * self.norm(b);
        (norms > 0.0).then(|| self.product(a, b) / norms)
    }
}

impl Network {
    /// The products of the heads' gradients for the batch that went forward last, in training. Weights, moments and
    /// random streams stay; kept gradients of the trunk are overwritten.
    pub(crate) fn gradient_products(
        &mut self,
        x: &[f32],
        targets: Targets,
        over: SharedLayers,
        workspace: &mut Workspace,
    ) -> GradientProducts {
        let (batch, heads) = (x.len() / self.inputs(), self.heads.len());
        let pass = Pass { path: self.path, batch, training: true };
        let features = batch * self.trunk.outputs;
        let mut found = GradientProducts { heads, products: vec![0.0; heads * heads] };
        let parametrised = |link: &crate::chain::Link| !link.operation.parameters().is_empty();
        let Some(last) = self.trunk.links.iter().rposition(parametrised) else { return found };
        let first = if over == SharedLayers::All { 0 } else { last };
        let mut gradients: Vec<Option<Vec<f32>>> = Vec::new();
        for h in 0..heads {
            if targets.weights[h] == 0.0 {
                gradients.push(None);
                continue;
            }
            let Workspace { trunk, heads: memories, judged, .. } = &mut *workspace;
            flushing_denormals(|| {
                let (head, memory) = (&mut self.heads[h], &mut memories[h]);
                judged[h] = head.judge(memory, &targets.labels[h * batch..(h + 1) * batch], 1.0);
                let z = trunk.ys.last().map_or(x, |y| &y[..features]);
                let dz = trunk.dys.last_mut().map(|dy| &mut dy[..features]);
                head.backward(&pass, z, (0..head.links.len(), None), memory, dz, Receive::Discard);
                let links = (first..self.trunk.links.len(), None);
                self.trunk.backward(&pass, x, links, trunk, None, Receive::Keep);
            });
            let links = &self.trunk.links[first..=last];
            let trained = links.iter().flat_map(|link| link.operation.parameters());
            let trained = trained.filter(|parameter| parameter.role != Role::Statistic);
            gradients.push(Some(trained.flat_map(|parameter| &parameter.gradient[..]).copied().collect()));
            let this = gradients[h].as_ref().expect("just made");
            for (other, gradient) in gradients.iter().enumerate() {
                let product = gradient.as_ref().map_or(0.0, |gradient| dot(gradient, this));
                found.products[other * heads + h] = product;
                found.products[h * heads + other] = product;
            }
        }
        found
    }
}

/// The same sum on any number of threads.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let parts = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).map(|(a, b)| {
        // Eight sums, as many as hide the wait for an addition.
        let mut sums = [0.0_f64; 8];
        for (a, b) in a.chunks(8).zip(b.chunks(8)) {
            sums.iter_mut()
                .zip(a.iter().zip(b))
                .for_each(|(sum, (&a, &b))| *sum += f64::from(a) * f64::from(b));
        }
        sums.iter().sum::<f64>()
    });
    parts.collect::<Vec<f64>>().iter().sum()
}
