//! Inner products of the heads' gradients on the layers that they share.
//!
//! A dense layer's gradient is a sum of outer products, dW = Σₙ xₙ·dyₙᵀ and db = Σₙ dyₙ over the images n, so that the inner
//! product of two heads' gradients a and b on it is Σₘₙ (1 + xₘ·xₙ)·(dyₘᵃ·dyₙᵇ). For a batch that is small beside the matrix,
//! that is less work than computing the gradients, and takes no memory.

use inkling_schema::Loss;
use rayon::prelude::*;

use crate::labels::Targets;
use crate::layers::dense::Size;
use crate::layers::parameter::{GradMode, ParamKind};
use crate::layers::sequential::NamedLayer;
use crate::network::Network;
use crate::workspace::Workspace;

/// The shared parameters on which gradients are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrunkScope {
    /// All of the trunk's.
    All,
    /// Those of its last layer that has any.
    Last,
}

/// Inner products of the heads' gradients on shared parameters, each of the head's own mean loss. Zero for a
/// head of weight zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GradientGram {
    heads: usize,
    /// [heads, heads].
    products: Vec<f64>,
}

/// Numbers whose products are added one after the other; such sums are added in order.
const CHUNK: usize = 1 << 15;

impl GradientGram {
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

/// What is stored of one head's gradient on a layer.
#[derive(Clone)]
enum Kept {
    /// The gradient of every parameter, one after the other.
    Whole(Vec<f32>),
    /// That of the output, [batch, units], zero where ReLU was silent.
    Output(Vec<f32>),
}

impl Network {
    /// The inner products of the heads' gradients for the batch of the last forward pass, which was with training. Weights,
    /// moments and random streams do not change; stored gradients of the trunk are overwritten.
    pub(crate) fn gradient_products(
        &mut self,
        x: &[f32],
        targets: Targets,
        over: TrunkScope,
        workspace: &mut Workspace,
    ) -> GradientGram {
        let (batch, heads) = (x.len() / self.input_len(), self.heads.len());
        let context = self.context(batch, true);
        let features = batch * self.trunk.outputs;
        let mut found = GradientGram { heads, products: vec![0.0; heads * heads] };
        let parametrised = |layer: &NamedLayer| {
            let mut any = false;
            layer.visit(&mut |layer| any |= !layer.op.parameters().is_empty());
            any
        };
        let Some(last) = self.trunk.layers.iter().rposition(parametrised) else { return found };
        let first = if over == TrunkScope::All { 0 } else { last };
        let losses: Vec<Loss> = self.spec().heads.iter().map(|head| head.loss).collect();
        // Of each head that is trained, what is kept of each layer from the last one back to the first.
        let mut kept: Vec<(usize, Vec<Kept>)> = Vec::new();
        for h in (0..heads).filter(|&h| targets.loss_weights[h] != 0.0) {
            let Workspace { trunk, heads: caches, metrics, .. } = &mut *workspace;
            let mut of_head = Vec::new();
            let (head, activations) = (&mut self.heads[h], &mut caches[h]);
            metrics[h] = head.loss(losses[h], activations, targets.labels[h].labels(), 1.0, &[]);
            let z = trunk.acts.last().map_or(x, |y| &y[..features]);
            let dz = trunk.grads.last_mut().map(|dy| &mut dy[..features]);
            head.backward(&context, z, (0..head.layers.len(), None), activations, dz, GradMode::Skip);
            for i in (first..self.trunk.layers.len()).rev() {
                let thin = self.thin_dense(i, batch);
                if let Some(relu) = thin {
                    let n = batch * self.trunk.layers[i].op.outputs();
                    let outputs = trunk.grads[i][..n].iter().zip(&trunk.acts[i][..n]);
                    let relu_mask = outputs.map(|(&dy, &y)| if relu && y <= 0.0 { 0.0 } else { dy });
                    of_head.push(Kept::Output(relu_mask.collect()));
                    if i == first {
                        break;
                    }
                }
                let grad_mode = if thin.is_some() { GradMode::Skip } else { GradMode::Store };
                self.trunk.backward(&context, x, (i..i + 1, None), trunk, None, grad_mode);
                if thin.is_none() {
                    let mut gradient = Vec::new();
                    self.trunk.layers[i].visit(&mut |layer| {
                        let parameters = layer.op.parameters().iter();
                        let trained = parameters.filter(|parameter| parameter.kind != ParamKind::Buffer);
                        trained.for_each(|parameter| gradient.extend_from_slice(&parameter.gradient));
                    });
                    of_head.push(Kept::Whole(gradient));
                }
            }
            kept.push((h, of_head));
        }
        for (place, i) in (first..self.trunk.layers.len()).rev().enumerate() {
            let mut gram = None;
            for (number, (a, of_a)) in kept.iter().enumerate() {
                for (b, of_b) in &kept[..=number] {
                    let product = match (&of_a[place], &of_b[place]) {
                        (Kept::Whole(a), Kept::Whole(b)) => dot(a, b),
                        (Kept::Output(a), Kept::Output(b)) => {
                            let gram = gram.get_or_insert_with(|| {
                                let before = i.checked_sub(1).map(|j| &self.trunk.layers[j].op);
                                let x = before.map_or(x, |before| {
                                    &workspace.trunk.acts[i - 1][..batch * before.outputs()]
                                });
                                products(x, x, batch)
                                    .iter()
                                    .map(|product| 1.0 + product)
                                    .collect::<Vec<f64>>()
                            });
                            let outputs = products(a, b, batch);
                            gram.iter().zip(&outputs).map(|(inputs, outputs)| inputs * outputs).sum()
                        }
                        _ => unreachable!("a layer is kept alike for every head"),
                    };
                    found.products[a * heads + b] += product;
                    if a != b {
                        found.products[b * heads + a] += product;
                    }
                }
            }
        }
        found
    }

    /// If a layer of the trunk is a dense layer whose gradients are compared without being computed, because the batch is small:
    /// whether ReLU is part of it.
    fn thin_dense(&self, layer: usize, batch: usize) -> Option<bool> {
        let Size { inputs, units, relu, .. } = self.trunk.layers[layer].op.dense_size()?;
        (batch * (inputs + units) < inputs * units).then_some(relu)
    }
}

/// The inner products of all rows of `a` with all of `b`, [rows, rows], the same on any number of threads.
fn products(a: &[f32], b: &[f32], rows: usize) -> Vec<f64> {
    let width = a.len() / rows;
    let row = |a: &[f32]| b.chunks_exact(width).map(|b| sum_of_products(a, b)).collect::<Vec<f64>>();
    a.par_chunks_exact(width).map(row).collect::<Vec<Vec<f64>>>().concat()
}

/// The same sum on any number of threads.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let parts = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).map(|(a, b)| sum_of_products(a, b));
    parts.collect::<Vec<f64>>().iter().sum()
}

fn sum_of_products(a: &[f32], b: &[f32]) -> f64 {
    // Eight sums, as many as hide the wait for an addition.
    let mut sums = [0.0_f64; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (&a, &b))| *sum += f64::from(a) * f64::from(b));
    }
    sums.iter().sum::<f64>()
}
