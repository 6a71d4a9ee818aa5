//! Activations that are several nodes of a graph: SiLU, and GELU where it is written with the error function.

use inkling_schema::LayerSpec;

use super::super::messages::NodeProto;
use super::graph::Heads;
use super::layer::Layer;
use super::walk::Reader;

impl<'a> Reader<'a> {
    /// If these nodes, which are all that read a value, compute an activation of it, the layer and what it gives.
    pub(super) fn activation_of_several(&self, x: &'a str, readers: &[usize]) -> Option<(Layer, &'a str)> {
        let &[one, other] = readers else { return None };
        let silu = || Some((LayerSpec::Silu, self.silu(x, one, other)?));
        let gelu = || Some((LayerSpec::Gelu, self.gelu(x, one, other)?));
        let (spec, value) = silu().or_else(gelu)?;
        Some((Layer::new(spec, Vec::new()), value))
    }

    /// x · σ(x).
    fn silu(&self, x: &'a str, one: usize, other: usize) -> Option<&'a str> {
        let (gate, product) = (self.node(one, "Sigmoid")?, self.node(other, "Mul")?);
        let gate = self.passed(gate)?;
        (self.only_reader(gate)? == other && multiplies(product, x, gate)).then(|| self.passed(product))?
    }

    /// x · (1 + erf(x / √2)) · ½, with the factors in any order that begins with the sum.
    fn gelu(&self, x: &'a str, one: usize, other: usize) -> Option<&'a str> {
        const ROOT: f32 = std::f32::consts::SQRT_2;
        let scaled = &self.graph.nodes[one];
        let divisor = match scaled.op_type.as_str() {
            "Div" if scaled.input.first()? == x => self.factor(scaled)?,
            "Mul" => self.factor(scaled)?.recip(),
            _ => return None,
        };
        let erf = self.node(self.only_reader(self.passed(scaled)?)?, "Erf")?;
        let sum = self.node(self.only_reader(self.passed(erf)?)?, "Add")?;
        if !is_near(divisor, ROOT) || !is_near(self.factor(sum)?, 1.0) {
            return None;
        }
        let mut value = self.passed(sum)?;
        let (mut by_x, mut by_half) = (false, false);
        while !(by_x && by_half) {
            let number = self.only_reader(value)?;
            let product = self.node(number, "Mul")?;
            if number == other && !by_x && multiplies(product, x, value) {
                by_x = true;
            } else if !by_half && is_near(self.factor(product)?, 0.5) {
                by_half = true;
            } else {
                return None;
            }
            value = self.passed(product)?;
        }
        Some(value)
    }

    /// The node of this number, if it has this operator and no settings.
    fn node(&self, number: usize, operator: &str) -> Option<&'a NodeProto> {
        let node = &self.graph.nodes[number];
        (node.op_type == operator && node.attribute.is_empty() && node.domain.is_empty()).then_some(node)
    }

    /// The number that a node combines with its other input.
    fn factor(&self, node: &NodeProto) -> Option<f32> {
        let constants = (0..2).filter_map(|input| self.graph.scalar(node, input).ok()?);
        let mut constants = constants.fuse();
        constants.next().filter(|_| node.input.len() == 2)
    }

    /// What a node makes.
    fn passed(&self, node: &'a NodeProto) -> Option<&'a str> {
        self.output(node).ok()
    }

    /// The node that reads a value, if it is a single one and the value is no output.
    fn only_reader(&self, value: &str) -> Option<usize> {
        match self.graph.readers(value, Heads::MAX).as_slice() {
            &[reader] if !self.graph.is_end(value, Heads::MAX) => Some(reader),
            _ => None,
        }
    }
}

/// Whether a node multiplies these two values.
fn multiplies(node: &NodeProto, one: &str, other: &str) -> bool {
    match node.input.as_slice() {
        [a, b] => a == one && b == other || a == other && b == one,
        _ => false,
    }
}

fn is_near(number: f32, expected: f32) -> bool {
    (number / expected - 1.0).abs() < 1e-6
}
