//! What other libraries counted with the networks of a study, as the script `reproduce.py` writes it.

use serde::{Deserialize, Serialize};

/// The file in a study's folder.
pub const PEERS_FILE: &str = "peers.json";

/// Counts of right answers on the test images in other libraries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerCounts {
    /// When they were counted: a second in UTC, as RFC 3339 writes it.
    pub finished: String,
    /// The libraries, each of which counted with every network below.
    pub libraries: Vec<PeerLibrary>,
    /// The networks.
    pub networks: Vec<PeerNetwork>,
}

/// A library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerLibrary {
    /// What it is called: `PyTorch`, `Keras`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it computes with, if that is another library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerNetwork {
    /// The id of its run.
    pub run: String,
    /// Its heads, in their order.
    pub heads: Vec<PeerHead>,
}

/// A head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerHead {
    /// Its name.
    pub name: String,
    /// Test images.
    pub images: usize,
    /// Right answers in Inkling.
    pub correct: usize,
    /// What each library found, in the order of the libraries.
    pub found: Vec<PeerCount>,
}

/// What a library found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerCount {
    /// Right answers.
    pub correct: usize,
    /// Images whose two largest scores are equal but for rounding, so that either answer may be counted.
    pub ties: usize,
}
