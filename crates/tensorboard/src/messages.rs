//! The protocol-buffer messages that event files are made of: the fields that are written here, of all that TensorBoard knows.

pub(crate) mod hparams;

use prost::{Message, Oneof};

/// `tensorboard.Event`: one record.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    #[prost(double, tag = "1")]
    pub(crate) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(crate) step: i64,
    #[prost(oneof = "What", tags = "3, 4, 5, 7")]
    pub(crate) what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// An encoded [`GraphDef`].
    #[prost(bytes, tag = "4")]
    GraphDef(Vec<u8>),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// `tensorboard.SessionLog`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SessionLog {
    #[prost(enumeration = "SessionStatus", tag = "1")]
    pub(crate) status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
pub(crate) enum SessionStatus {
    Unspecified = 0,
    Start = 1,
}

/// `tensorboard.Summary`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(crate) value: Vec<SummaryValue>,
}

/// `tensorboard.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SummaryValue {
    #[prost(string, tag = "1")]
    pub(crate) tag: String,
    #[prost(message, optional, tag = "9")]
    pub(crate) metadata: Option<SummaryMetadata>,
    #[prost(oneof = "Content", tags = "2, 8")]
    pub(crate) content: Option<Content>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Content {
    #[prost(float, tag = "2")]
    SimpleValue(f32),
    #[prost(message, tag = "8")]
    Tensor(TensorProto),
}

/// `tensorboard.SummaryMetadata`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SummaryMetadata {
    #[prost(message, optional, tag = "1")]
    pub(crate) plugin_data: Option<PluginData>,
}

/// `tensorboard.SummaryMetadata.PluginData`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PluginData {
    #[prost(string, tag = "1")]
    pub(crate) plugin_name: String,
    /// A message of the plugin's; empty for those that have nothing to say but version 0.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) content: Vec<u8>,
}

/// `tensorboard.TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorProto {
    #[prost(enumeration = "DataType", tag = "1")]
    pub(crate) dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) tensor_shape: Option<TensorShape>,
    /// Little-endian numbers, the last axis the fastest.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) tensor_content: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(crate) string_val: Vec<Vec<u8>>,
}

/// `tensorboard.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
pub(crate) enum DataType {
    Invalid = 0,
    Float = 1,
    Double = 2,
    String = 7,
}

/// `tensorboard.TensorShapeProto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorShape {
    #[prost(message, repeated, tag = "2")]
    pub(crate) dim: Vec<Dim>,
}

/// `tensorboard.TensorShapeProto.Dim`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dim {
    /// Its length; −1 for one that is not known.
    #[prost(int64, tag = "1")]
    pub(crate) size: i64,
}

impl TensorShape {
    pub(crate) fn new(sizes: impl IntoIterator<Item = i64>) -> TensorShape {
        TensorShape { dim: sizes.into_iter().map(|size| Dim { size }).collect() }
    }
}

impl TensorProto {
    /// Rows of numbers.
    pub(crate) fn doubles<const COLUMNS: usize>(rows: &[[f64; COLUMNS]]) -> TensorProto {
        TensorProto {
            dtype: DataType::Double.into(),
            tensor_shape: Some(TensorShape::new([rows.len() as i64, COLUMNS as i64])),
            tensor_content: rows.as_flattened().iter().flat_map(|number| number.to_le_bytes()).collect(),
            ..TensorProto::default()
        }
    }

    /// No numbers, where a plugin's value is in its metadata.
    pub(crate) fn empty() -> TensorProto {
        TensorProto {
            dtype: DataType::Float.into(),
            tensor_shape: Some(TensorShape::new([0])),
            ..TensorProto::default()
        }
    }

    /// A vector of strings.
    pub(crate) fn strings(strings: Vec<Vec<u8>>) -> TensorProto {
        TensorProto {
            dtype: DataType::String.into(),
            tensor_shape: Some(TensorShape::new([strings.len() as i64])),
            string_val: strings,
            ..TensorProto::default()
        }
    }
}

/// `tensorboard.GraphDef`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct GraphDef {
    #[prost(message, repeated, tag = "1")]
    pub(crate) node: Vec<NodeDef>,
}

/// `tensorboard.NodeDef`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct NodeDef {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) op: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) input: Vec<String>,
    #[prost(btree_map = "string, message", tag = "5")]
    pub(crate) attr: std::collections::BTreeMap<String, AttrValue>,
}

/// `tensorboard.AttrValue`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttrValue {
    #[prost(message, optional, tag = "1")]
    pub(crate) list: Option<AttrList>,
}

/// `tensorboard.AttrValue.ListValue`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttrList {
    #[prost(message, repeated, tag = "7")]
    pub(crate) shape: Vec<TensorShape>,
}
