//! Networks as TensorBoard's graphs.

use crate::messages::{AttrList, AttrValue, GraphDef, NodeDef, TensorShape};

/// A node of a graph: a layer, an input or a loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, of which no other node has the same. Slashes make groups that can be opened: `trunk/2`.
    pub name: String,
    /// What it does, in a word: `Dense`.
    pub op: String,
    /// Names of the nodes whose outputs it takes.
    pub inputs: Vec<String>,
    /// Shape of its output for one image, shown beside the edges that lead from it.
    pub output: Vec<usize>,
}

/// The graph of these nodes. The axis over the images of a batch is shown as one of unknown length.
pub(crate) fn graph_def(nodes: &[Node]) -> GraphDef {
    let node = |node: &Node| {
        let sizes = node.output.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX));
        let shape = TensorShape::new([-1].into_iter().chain(sizes));
        let shapes = AttrValue { list: Some(AttrList { shape: vec![shape] }) };
        NodeDef {
            name: node.name.clone(),
            op: node.op.clone(),
            input: node.inputs.clone(),
            attr: [("_output_shapes".to_owned(), shapes)].into(),
        }
    };
    GraphDef { node: nodes.iter().map(node).collect() }
}
