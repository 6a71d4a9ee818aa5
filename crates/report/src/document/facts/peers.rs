//! What other libraries counted, for the sentence on it.

use serde::Serialize;

use crate::{Moment, PeerFound, PeerResults};

/// Libraries that found the same are told of together.
#[derive(Debug, Serialize)]
pub(in crate::document) struct PeersFacts<'a> {
    date: Moment,
    /// Networks that other libraries can be given.
    networks: usize,
    groups: Vec<Group<'a>>,
}

/// Libraries that found the same.
#[derive(Debug, Serialize)]
struct Group<'a> {
    /// Their names and versions.
    libraries: Vec<String>,
    compared: usize,
    /// Networks of which they found the same, ties aside.
    same: usize,
    /// Whether they were given all networks.
    whole: bool,
    tied: usize,
    different: &'a [String],
}

impl<'a> PeersFacts<'a> {
    pub(super) fn new(found: &'a PeerResults) -> PeersFacts<'a> {
        let mut groups: Vec<Group> = Vec::new();
        for PeerFound { library, compared, tied, different } in &found.libraries {
            let words = match &library.backend {
                Some(backend) => format!("{} {} (with {backend})", library.name, library.version),
                None => format!("{} {}", library.name, library.version),
            };
            let is_alike = |group: &&mut Group| {
                group.compared == *compared && group.tied == *tied && group.different == different
            };
            match groups.iter_mut().find(is_alike) {
                Some(group) => group.libraries.push(words),
                None => groups.push(Group {
                    libraries: vec![words],
                    compared: *compared,
                    same: compared - different.len(),
                    whole: *compared == found.networks,
                    tied: *tied,
                    different,
                }),
            }
        }
        PeersFacts { date: found.date, networks: found.networks, groups }
    }
}
