//! The settings of a node, which ONNX calls attributes.

use super::super::messages::{AttributeProto, NodeProto};
use super::{here, shown};
use crate::InterchangeError;

/// The settings of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'a>(&'a [AttributeProto]);

impl<'a> Settings<'a> {
    /// The settings of a node, if all of them are among those that are read: an unknown one may change what the node computes.
    pub(super) fn new(node: &'a NodeProto, known: &[&str]) -> Result<Settings<'a>, InterchangeError> {
        match node.attribute.iter().find(|attribute| !known.contains(&attribute.name.as_str())) {
            Some(attribute) => Err(InterchangeError::new(
                format!("{} has the attribute {}, which is not read", here(node), shown(&attribute.name)),
                "export the network without it, if it can do without it",
            )),
            None => Ok(Settings(&node.attribute)),
        }
    }

    fn find(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn int(self, name: &str, default: i64) -> i64 {
        self.find(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    pub(super) fn float(self, name: &str, default: f32) -> f32 {
        self.find(name).and_then(|attribute| attribute.f).unwrap_or(default)
    }

    pub(super) fn ints(self, name: &str) -> Option<&'a [i64]> {
        self.find(name).map(|attribute| attribute.ints.as_slice())
    }

    /// Text; empty if there is none.
    pub(super) fn text(self, name: &str) -> &'a [u8] {
        self.find(name).and_then(|attribute| attribute.s.as_ref()).map_or(&[], |text| text.as_ref())
    }

    /// Two lengths down and to the right, such as strides.
    pub(super) fn pair(self, name: &str) -> Option<[usize; 2]> {
        let &[down, right] = self.ints(name)? else { return None };
        Some([usize::try_from(down).ok()?, usize::try_from(right).ok()?])
    }
}
