//! The graph of a file: who makes each value, who reads it, and which outputs it leads to.

use std::collections::{HashMap, HashSet};

use super::super::messages::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use super::values::{self, Array};
use super::{here, shown};
use crate::InterchangeError;

/// The most outputs of a graph, so that a set of heads has a bit for each.
const MOST_OUTPUTS: usize = 128;

/// A set of heads, a bit for each.
pub(super) type Heads = u128;

/// Where a head ends.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    /// The value that is its scores.
    pub(super) scores: &'a str,
    /// The operator that makes probabilities of the scores, if the graph has one.
    pub(super) probabilities: Option<&'a str>,
    /// The names of its outputs.
    pub(super) outputs: Vec<&'a str>,
}

/// A value that no node computes from the images.
#[derive(Debug, Clone, Copy)]
enum Constant<'a> {
    Array(&'a TensorProto),
    Setting(&'a AttributeProto),
}

/// The graph of a file.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) nodes: &'a [NodeProto],
    pub(super) input: &'a ValueInfoProto,
    pub(super) endings: Vec<Ending<'a>>,
    constants: HashMap<&'a str, Constant<'a>>,
    /// The node that makes a value.
    makers: HashMap<&'a str, usize>,
    /// The nodes that compute with a value, in their order.
    readers: HashMap<&'a str, Vec<usize>>,
    /// Of a value that is a copy, the value that was copied first.
    origins: HashMap<&'a str, &'a str>,
    /// The heads whose scores a value is.
    ends: HashMap<&'a str, Heads>,
    /// The heads that each node leads to.
    reach: Vec<Heads>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(graph: &'a GraphProto) -> Result<Graph<'a>, InterchangeError> {
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            if constants.insert(tensor.name.as_str(), Constant::Array(tensor)).is_some() {
                return Err(twice(&tensor.name));
            }
        }
        if !graph.sparse_initializer.is_empty() {
            return Err(InterchangeError::new(
                "it has sparse arrays, which are not read",
                "export the network with dense weights",
            ));
        }
        let inputs: Vec<&ValueInfoProto> =
            graph.input.iter().filter(|input| !constants.contains_key(input.name.as_str())).collect();
        let &[input] = inputs.as_slice() else {
            let names: Vec<String> = inputs.iter().take(8).map(|input| shown(&input.name)).collect();
            let problem = match names.as_slice() {
                [] => "its graph has no input".to_owned(),
                names => format!("its graph has {} inputs ({}), not one", inputs.len(), names.join(", ")),
            };
            return Err(InterchangeError::new(problem, "a network is read that takes one array of images"));
        };
        let mut this = Graph {
            nodes: &graph.node,
            input,
            endings: Vec::new(),
            constants,
            makers: HashMap::new(),
            readers: HashMap::new(),
            origins: HashMap::new(),
            ends: HashMap::new(),
            reach: vec![0; graph.node.len()],
        };
        this.connect()?;
        if graph.output.is_empty() || graph.output.len() > MOST_OUTPUTS {
            return Err(InterchangeError::new(
                format!("its graph has {} outputs, not 1 to {MOST_OUTPUTS}", graph.output.len()),
                "export the network with the scores of its tasks as outputs",
            ));
        }
        for output in &graph.output {
            this.end(&output.name)?;
        }
        this.trace();
        Ok(this)
    }

    /// Finds who makes and who reads each value. Every value must be made before it is read, as ONNX demands, so that there are
    /// no cycles.
    fn connect(&mut self) -> Result<(), InterchangeError> {
        let later: HashSet<&str> = self.nodes.iter().flat_map(made).collect();
        for (number, node) in self.nodes.iter().enumerate() {
            for name in node.input.iter().map(String::as_str).filter(|name| !name.is_empty()) {
                if name == self.input.name || self.makers.contains_key(name) {
                    let readers = self.readers.entry(name).or_default();
                    if readers.last() != Some(&number) {
                        readers.push(number);
                    }
                } else if !self.constants.contains_key(name) {
                    return Err(unknown(node, name, later.contains(name)));
                }
            }
            let constant = match (node.op_type.as_str(), node.input.first()) {
                ("Constant", None) => constant_of(node),
                ("Identity", Some(input)) => self.constants.get(input.as_str()).copied(),
                _ => None,
            };
            for name in made(node) {
                let is_known = self.constants.contains_key(name) || name == self.input.name;
                match constant {
                    _ if is_known => return Err(twice(name)),
                    Some(constant) => drop(self.constants.insert(name, constant)),
                    None if self.makers.insert(name, number).is_some() => return Err(twice(name)),
                    None => {}
                }
                if let ("Identity", Some(input)) = (node.op_type.as_str(), node.input.first()) {
                    self.origins.insert(name, self.origin(input));
                }
            }
        }
        Ok(())
    }

    /// Finds the head that an output belongs to: one that is the softmax or the sigmoid of scores is their probabilities.
    fn end(&mut self, output: &'a str) -> Result<(), InterchangeError> {
        if !self.makers.contains_key(output) {
            return Err(InterchangeError::new(
                format!("its output {} is made by no node", shown(output)),
                "the file is damaged: export the network again",
            ));
        }
        // A sigmoid that an identity follows is a layer. This is how files of Inkling tell the two apart.
        let probabilities = match self.maker(output) {
            Some(node) if node.op_type == "Sigmoid" => Some((node, "Sigmoid")),
            _ => match self.maker(self.origin(output)) {
                Some(node) if matches!(node.op_type.as_str(), "Softmax" | "LogSoftmax") => {
                    Some((node, "Softmax"))
                }
                _ => None,
            },
        };
        let scores = match probabilities {
            Some((node, _)) => self.origin(node.input.first().map_or("", String::as_str)),
            None => self.origin(output),
        };
        let probabilities = probabilities.map(|(_, operator)| operator);
        match self.endings.iter_mut().find(|ending| ending.scores == scores) {
            Some(ending) => {
                ending.probabilities = ending.probabilities.or(probabilities);
                ending.outputs.push(output);
            }
            None => self.endings.push(Ending { scores, probabilities, outputs: vec![output] }),
        }
        Ok(())
    }

    /// Finds the heads that each node leads to, from the last node to the first.
    fn trace(&mut self) {
        for (head, ending) in self.endings.iter().enumerate() {
            *self.ends.entry(ending.scores).or_default() |= 1 << head;
        }
        let mut wanted = self.ends.clone();
        for (number, node) in self.nodes.iter().enumerate().rev() {
            let heads = made(node).filter_map(|name| wanted.get(name)).fold(0, |all, heads| all | heads);
            self.reach[number] = heads;
            // What a `Reshape` reads beside its data is a shape, of which it is checked elsewhere what it is.
            let inputs = if node.op_type == "Reshape" { 1 } else { node.input.len() };
            for name in node.input.iter().take(inputs).filter(|_| heads != 0) {
                *wanted.entry(name).or_default() |= heads;
            }
        }
    }

    /// The value of which this one is a copy, or itself.
    fn origin(&self, name: &'a str) -> &'a str {
        self.origins.get(name).copied().unwrap_or(name)
    }

    /// The node that makes a value.
    pub(super) fn maker(&self, value: &str) -> Option<&'a NodeProto> {
        Some(&self.nodes[*self.makers.get(value)?])
    }

    /// The nodes that compute one of these heads from a value.
    pub(super) fn readers(&self, value: &str, heads: Heads) -> Vec<usize> {
        let readers = self.readers.get(value).into_iter().flatten().copied();
        readers.filter(|&reader| self.reach[reader] & heads != 0).collect()
    }

    /// The heads that a node leads to.
    pub(super) fn heads_of(&self, node: usize) -> Heads {
        self.reach[node]
    }

    /// Whether a value is the scores of one of these heads.
    pub(super) fn is_end(&self, value: &str, heads: Heads) -> bool {
        self.ends.get(value).is_some_and(|ends| ends & heads != 0)
    }

    /// Whether a value is the same for all images.
    pub(super) fn is_constant(&self, value: &str) -> bool {
        self.constants.contains_key(value)
    }

    /// The array that a node reads as its input of this number; none if it has no such input.
    pub(super) fn array(
        &self,
        node: &'a NodeProto,
        input: usize,
    ) -> Result<Option<Array<'a>>, InterchangeError> {
        let Some(name) = node.input.get(input).filter(|name| !name.is_empty()) else { return Ok(None) };
        match self.constants.get(name.as_str()) {
            Some(Constant::Array(tensor)) => Array::new(tensor).map(Some),
            _ => Err(InterchangeError::new(
                format!("{} reads weights, {}, which the graph computes", here(node), shown(name)),
                "export the network in evaluation mode, with constants folded",
            )),
        }
    }

    /// The array that a node needs as its input of this number.
    pub(super) fn needed(&self, node: &'a NodeProto, input: usize) -> Result<Array<'a>, InterchangeError> {
        self.array(node, input)?.ok_or_else(|| lacking(node, input))
    }

    /// The single number that a node reads as its input of this number, if it is constant.
    pub(super) fn scalar(&self, node: &NodeProto, input: usize) -> Result<Option<f32>, InterchangeError> {
        match node.input.get(input).and_then(|name| self.constants.get(name.as_str())) {
            Some(Constant::Setting(setting)) => Ok(setting.f),
            Some(Constant::Array(tensor)) => {
                let array = Array::new(tensor)?;
                Ok((array.len() == 1).then(|| array.at(0)))
            }
            None => Ok(None),
        }
    }

    /// The whole numbers that a node reads as its input of this number, if they are constant.
    pub(super) fn ints(&self, node: &NodeProto, input: usize) -> Result<Option<Vec<i64>>, InterchangeError> {
        match node.input.get(input).and_then(|name| self.constants.get(name.as_str())) {
            Some(Constant::Setting(setting)) => {
                Ok(Some(setting.i.map_or(setting.ints.clone(), |int| vec![int])))
            }
            Some(Constant::Array(tensor)) => values::ints(tensor).map(Some),
            None => Ok(None),
        }
    }
}

/// What a node makes.
fn made(node: &NodeProto) -> impl Iterator<Item = &str> {
    node.output.iter().map(String::as_str).filter(|name| !name.is_empty())
}

/// What a node of the kind `Constant` holds.
fn constant_of(node: &NodeProto) -> Option<Constant<'_>> {
    let setting = node.attribute.first()?;
    match setting.name.as_str() {
        "value" => setting.t.as_deref().map(Constant::Array),
        "value_float" | "value_int" | "value_ints" => Some(Constant::Setting(setting)),
        _ => None,
    }
}

/// An input that a node must have and has not.
pub(super) fn lacking(node: &NodeProto, input: usize) -> InterchangeError {
    InterchangeError::new(
        format!("{} has no input {}, which its operator needs", here(node), input + 1),
        "the file is damaged: export the network again",
    )
}

fn unknown(node: &NodeProto, name: &str, is_made_later: bool) -> InterchangeError {
    let (name, node) = (shown(name), here(node));
    if is_made_later {
        return InterchangeError::new(
            format!(
                "{node} reads {name}, which is made after it: the graph has a cycle, or its nodes are in no order"
            ),
            "export the network again; `onnx.checker` finds the node too",
        );
    }
    InterchangeError::new(
        format!("{node} reads {name}, which nothing in the file makes"),
        "the file is damaged, or its weights are in another file: export the network again into one file",
    )
}

fn twice(name: &str) -> InterchangeError {
    InterchangeError::new(
        format!("its graph has two values called {}", shown(name)),
        "the file is damaged: export the network again",
    )
}
