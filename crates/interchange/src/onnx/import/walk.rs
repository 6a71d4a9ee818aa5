//! The way through a graph from its input to its outputs, from which trunk, blocks and heads follow.

use super::super::messages::NodeProto;
use super::graph::{Graph, Heads};
use super::layer::{Form, Layer};
use super::values::Array;
use super::{here, shown};
use crate::InterchangeError;

/// The most blocks within each other.
const DEEPEST: usize = 16;
/// The most layers of a network.
const MOST_LAYERS: usize = 2048;

/// A place between two layers.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) value: &'a str,
    pub(super) form: Form,
}

/// Where a sequence of layers ends.
#[derive(Debug)]
pub(super) enum End {
    /// At the scores of a head.
    Head,
    /// Where the heads part.
    Fork,
    /// At the addition that ends a residual block.
    Sum(usize),
}

/// Layers one after the other.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) layers: Vec<Layer>,
    pub(super) end: End,
    /// What comes out of the last.
    pub(super) at: At<'a>,
}

/// What may be the shortcut of a block.
#[derive(Debug)]
struct Shortcut<'a> {
    /// The addition that ends the block.
    sum: usize,
    /// The value of the shortcut that is added.
    value: &'a str,
    /// Whether it has no layers.
    is_identity: bool,
}

/// What is read of a graph.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) graph: &'a Graph<'a>,
    /// How many numbers may still become weights: a file that uses an array many times must not take more memory than it has.
    pub(super) room: usize,
    /// The batch of the graph's input, if it is not open.
    pub(super) batch: Option<i64>,
    /// Whether bytes have been divided by 255.
    pub(super) is_prepared: bool,
    /// How many layers have been read.
    pub(super) layers: usize,
}

impl<'a> Reader<'a> {
    /// The layers from a value on that lead to these heads. `readers` are the nodes that the first of them may be.
    pub(super) fn chain(
        &mut self,
        mut at: At<'a>,
        heads: Heads,
        readers: Option<Vec<usize>>,
        depth: usize,
    ) -> Result<Chain<'a>, InterchangeError> {
        let mut layers = Vec::new();
        let mut first = readers;
        loop {
            let readers = first.take().unwrap_or_else(|| self.graph.readers(at.value, heads));
            if self.graph.is_end(at.value, heads) {
                if readers.is_empty() {
                    return Ok(Chain { layers, end: End::Head, at });
                }
                return Err(InterchangeError::new(
                    format!("the output {} is also the input of other layers", shown(at.value)),
                    "a network is read whose heads do not depend on each other; export it without this output",
                ));
            }
            match readers.as_slice() {
                [] => {
                    return Err(InterchangeError::new(
                        format!("the value {} leads to no output", shown(at.value)),
                        "export the network again, with constant shapes",
                    ));
                }
                &[number] => {
                    let node = &self.graph.nodes[number];
                    if self.is_sum(node) {
                        return Ok(Chain { layers, end: End::Sum(number), at });
                    }
                    let (layer, next) = self.step(node, at)?;
                    self.count(usize::from(layer.is_some()))?;
                    layers.extend(layer);
                    at = next;
                }
                several => {
                    if let Some((layer, value)) = self.activation_of_several(at.value, several) {
                        self.count(1)?;
                        layers.push(layer);
                        at.value = value;
                    } else if self.is_fork(several, heads)? {
                        return Ok(Chain { layers, end: End::Fork, at });
                    } else {
                        let (block, next) = self.block(at, several, heads, depth)?;
                        self.count(1)?;
                        layers.push(block);
                        at = next;
                    }
                }
            }
        }
    }

    /// Counts layers that have been read.
    fn count(&mut self, layers: usize) -> Result<(), InterchangeError> {
        self.layers += layers;
        match self.layers > MOST_LAYERS {
            true => Err(InterchangeError::new(
                format!("its network has more than {MOST_LAYERS} layers"),
                "give a network of fewer layers",
            )),
            false => Ok(()),
        }
    }

    /// Whether a node adds two values that depend on the images.
    fn is_sum(&self, node: &NodeProto) -> bool {
        node.op_type == "Add" && !node.input.iter().any(|name| self.graph.is_constant(name))
    }

    /// Whether the nodes that read a value lead to different heads.
    fn is_fork(&self, readers: &[usize], heads: Heads) -> Result<bool, InterchangeError> {
        let mut sets: Vec<Heads> =
            readers.iter().map(|&reader| self.graph.heads_of(reader) & heads).collect();
        sets.sort_unstable();
        sets.dedup();
        if sets.len() == 1 {
            return Ok(false);
        }
        match sets.iter().all(|set| set.is_power_of_two()) {
            true => Ok(true),
            false => Err(InterchangeError::new(
                "its heads part at more than one place",
                "a network is read whose heads all begin where one trunk ends",
            )),
        }
    }

    /// The residual block that begins at a value which these nodes read.
    fn block(
        &mut self,
        at: At<'a>,
        readers: &[usize],
        heads: Heads,
        depth: usize,
    ) -> Result<(Layer, At<'a>), InterchangeError> {
        let refuse = |what: &str| {
            InterchangeError::new(
                format!("the layers that read the value {} {what}", shown(at.value)),
                "branches are read that are a residual block: layers, and a shortcut that is added to what they give",
            )
        };
        if depth == DEEPEST {
            return Err(refuse(&format!("are within more than {DEEPEST} residual blocks")));
        }
        // Of several blocks that begin here, the outermost is the one that ends last. Of two branches that may both be its
        // shortcut, it is the one without layers, or else the one that is added to the other.
        let shortcuts = readers.iter().filter_map(|&reader| {
            let Shortcut { sum, value, is_identity } = self.shortcut(at.value, reader, heads)?;
            let is_second = self.graph.nodes[sum].input.get(1).is_some_and(|name| name == value);
            Some((sum, is_identity, is_second, reader))
        });
        let (sum, _, _, along) = shortcuts.max().ok_or_else(|| refuse("form no residual block"))?;
        let through = readers.iter().copied().filter(|&reader| reader != along).collect();
        let layers = self.chain(at, heads, Some(through), depth + 1)?;
        let mut shortcut = self.chain(at, heads, Some(vec![along]), depth + 1)?;
        let ends_here = |chain: &Chain| matches!(chain.end, End::Sum(number) if number == sum);
        if !ends_here(&layers) || !ends_here(&shortcut) || layers.layers.is_empty() {
            return Err(refuse("form no residual block"));
        }
        if layers.at.form != shortcut.at.form {
            let node = here(&self.graph.nodes[sum]);
            return Err(InterchangeError::new(
                format!("{node} adds {} and {}", layers.at.form, shortcut.at.form),
                "what a residual block adds must have one shape and order",
            ));
        }
        if let [projection, norm] = shortcut.layers.as_mut_slice()
            && projection.is_projection()
            && norm.is_batch_norm()
        {
            projection.absorb(norm);
            shortcut.layers.pop();
        }
        let projection = shortcut.layers.pop();
        if !shortcut.layers.is_empty() || projection.as_ref().is_some_and(|layer| !layer.is_projection()) {
            return Err(refuse("form a residual block whose shortcut is no single projection"));
        }
        let value = self.output(&self.graph.nodes[sum])?;
        Ok((Layer::block(layers.layers, projection), At { value, form: layers.at.form }))
    }

    /// What a node begins, if it may be the shortcut of a block.
    fn shortcut(&self, from: &'a str, reader: usize, heads: Heads) -> Option<Shortcut<'a>> {
        let (mut value, mut reader, mut is_identity) = (from, reader, true);
        // At most an identity or a transposition at each side of a projection, its bias, and a normalisation.
        for _ in 0..6 {
            let node = &self.graph.nodes[reader];
            if self.is_sum(node) {
                return Some(Shortcut { sum: reader, value, is_identity });
            }
            let is_single_pixels = |weight: Array| matches!(weight.dims.as_slice(), [_, _, 1, 1]);
            is_identity &= match node.op_type.as_str() {
                "Identity" | "Transpose" => true,
                "Gemm" | "MatMul" | "Add" | "BatchNormalization" => false,
                "Conv" if self.graph.needed(node, 1).is_ok_and(is_single_pixels) => false,
                _ => return None,
            };
            value = node.output.first()?;
            let &[next] = self.graph.readers(value, heads).as_slice() else { return None };
            reader = next;
        }
        None
    }

    /// What a node makes, if nothing but its first output is used.
    pub(super) fn output(&self, node: &'a NodeProto) -> Result<&'a str, InterchangeError> {
        let is_read = |name: &String| !self.graph.readers(name, Heads::MAX).is_empty();
        match node.output.split_first() {
            Some((first, others)) if !others.iter().any(is_read) => Ok(first),
            _ => Err(InterchangeError::new(
                format!("{} has an output that is not read", here(node)),
                "of each operator, the first output alone is read",
            )),
        }
    }
}
