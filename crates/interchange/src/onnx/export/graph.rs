//! A graph that grows node by node, and the weights that it reads.

use std::collections::{BTreeMap, BTreeSet};

use inkling_schema::Shape;

use super::Layout;
use super::messages::{AttributeProto, NodeProto, attribute_type};
use crate::{InterchangeError, Portable, Tensor};

/// What one layer hands to the next.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) name: String,
    /// Its shape for one sample.
    pub(super) shape: Shape,
    /// The order of its axes, if it is an image.
    pub(super) layout: Layout,
}

/// An array of the file.
#[derive(Debug)]
pub(super) struct Weight<'a> {
    pub(super) name: String,
    /// The lengths of its axes in the file.
    pub(super) dims: Vec<i64>,
    pub(super) numbers: Numbers<'a>,
}

/// The numbers of an array of the file.
#[derive(Debug)]
pub(super) enum Numbers<'a> {
    /// In the order in which the network has them.
    Same(&'a [f32]),
    /// Those of a convolution, [kernel height, kernel width, channels, filters], which ONNX has as [filters, channels, kernel
    /// height, kernel width].
    Filters(&'a [f32], [usize; 4]),
    /// A setting of a node.
    Scalar(f32),
}

/// A graph that grows node by node.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    nodes: Vec<NodeProto>,
    weights: Vec<Weight<'a>>,
    /// The arrays of the network that no node has read yet.
    unread: BTreeMap<&'a str, &'a Tensor>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(network: &'a Portable) -> Result<Graph<'a>, InterchangeError> {
        let mut unread = BTreeMap::new();
        for tensor in &network.tensors {
            if unread.insert(tensor.name.as_str(), tensor).is_some() {
                return Err(InterchangeError::new(
                    format!("the network has two arrays called `{}`", tensor.name),
                    "give each array a name of its own",
                ));
            }
        }
        Ok(Graph { nodes: Vec::new(), weights: Vec::new(), unread })
    }

    /// Adds a node whose output has its name, and gives this name.
    pub(super) fn node(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.make(name, operator, inputs, attributes, name);
        name.to_owned()
    }

    /// Adds a node.
    pub(super) fn make(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&str],
        attribute: Vec<AttributeProto>,
        output: &str,
    ) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: name.to_owned(),
            op_type: operator.to_owned(),
            attribute,
            domain: String::new(),
        });
    }

    /// Adds an array of the network, which must have this shape, and gives its name.
    pub(super) fn weight(&mut self, name: String, shape: &[usize]) -> Result<String, InterchangeError> {
        let values = self.take(&name, shape)?;
        let dims = shape.iter().map(|&length| length as i64).collect();
        self.weights.push(Weight { name: name.clone(), dims, numbers: Numbers::Same(values) });
        Ok(name)
    }

    /// Adds the filters of a convolution, [kernel height, kernel width, channels, filters], and gives their name.
    pub(super) fn filters(&mut self, name: String, shape: [usize; 4]) -> Result<String, InterchangeError> {
        let values = self.take(&name, &shape)?;
        let [height, width, channels, filters] = shape;
        let dims = [filters, channels, height, width].map(|length| length as i64).to_vec();
        self.weights.push(Weight { name: name.clone(), dims, numbers: Numbers::Filters(values, shape) });
        Ok(name)
    }

    /// Adds a number, and gives its name.
    pub(super) fn scalar(&mut self, name: &str, number: f32) -> String {
        let numbers = Numbers::Scalar(number);
        self.weights.push(Weight { name: name.to_owned(), dims: Vec::new(), numbers });
        name.to_owned()
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<&'a [f32], InterchangeError> {
        let Some(tensor) = self.unread.remove(name) else {
            return Err(InterchangeError::new(
                format!("the network has no array `{name}`"),
                "a network is written with all its weights",
            ));
        };
        let length = shape.iter().product::<usize>();
        if tensor.shape != shape || tensor.values.len() != length {
            return Err(InterchangeError::new(
                format!(
                    "`{name}` is {:?} with {} numbers, but its layer takes {shape:?}",
                    tensor.shape,
                    tensor.values.len()
                ),
                "take the weights from the network that they belong to",
            ));
        }
        Ok(&tensor.values)
    }

    /// The nodes and the arrays.
    ///
    /// # Errors
    /// If two values have one name, which depends on the names of heads, or if the network has an array that no layer reads.
    pub(super) fn finish(self, input: &str) -> Result<(Vec<NodeProto>, Vec<Weight<'a>>), InterchangeError> {
        if let Some(name) = self.unread.keys().next() {
            return Err(InterchangeError::new(
                format!("the network has an array `{name}`, which belongs to no layer"),
                "take the weights from the network that they belong to",
            ));
        }
        let mut names = BTreeSet::from([input]);
        let made = self.nodes.iter().flat_map(|node| &node.output);
        for name in made.chain(self.weights.iter().map(|weight| &weight.name)) {
            if !names.insert(name) {
                return Err(InterchangeError::new(
                    format!("two values of the graph would be called `{name}`"),
                    "give the heads names that are neither those of layers nor of the input",
                ));
            }
        }
        Ok((self.nodes, self.weights))
    }
}

/// A setting that is a whole number.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), r#type: attribute_type::INT, ..named(name) }
}

/// A setting that is several whole numbers.
pub(super) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|&value| value as i64).collect();
    AttributeProto { ints, r#type: attribute_type::INTS, ..named(name) }
}

/// A setting that is a real number.
pub(super) fn float(name: &str, value: f64) -> AttributeProto {
    AttributeProto { f: Some(value as f32), r#type: attribute_type::FLOAT, ..named(name) }
}

fn named(name: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ..AttributeProto::default() }
}
