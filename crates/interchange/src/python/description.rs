//! What a folder says of its network in words: the text at the top of `model.py`.

use inkling_schema::{CardHead, Labels, ModelCard};

use super::text::{in_docstring, wrapped};
use crate::Portable;

/// Characters of a line.
const WIDTH: usize = 96;

/// A library that networks are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Framework {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether its images have their channels before height and width.
    pub(crate) channels_first: bool,
    /// The line that computes scores, and what comes out.
    pub(crate) predict: &'static str,
}

impl Framework {
    /// The shape of a batch of images.
    fn images(&self, [height, width, channels]: [usize; 3]) -> String {
        match self.channels_first {
            true => format!("[batch, {channels}, {height}, {width}]"),
            false => format!("[batch, {height}, {width}, {channels}]"),
        }
    }
}

/// The lines between the quotes at the top of `model.py`, with the number of scores of each head.
pub(crate) fn docstring(network: &Portable, name: &str, scores: &[usize], framework: &Framework) -> String {
    let Portable { model, card, .. } = network;
    let trained = card.as_ref().map_or_else(String::new, |card| {
        format!(", trained on {} by {}", in_docstring(&card.data.title), in_docstring(&card.program))
    });
    let what = format!("The network `{}` in {}{trained}.", in_docstring(name), framework.name);
    let mut text = format!("{}\n\n", wrapped(&what, WIDTH, ""));
    for (number, (head, count)) in model.heads.iter().zip(scores).enumerate() {
        let classes = card.as_ref().and_then(|card| card.heads.get(number)).map(|head| &head.classes);
        let classes = classes.filter(|classes| !classes.is_empty());
        let head = in_docstring(&head.name);
        let line = match classes {
            Some(classes) => {
                format!("Scores of `{head}`, in this order: {}.", in_docstring(&classes.join(", ")))
            }
            None => format!("Scores of `{head}`: {count}."),
        };
        text.push_str(&format!("{}\n", wrapped(&line, WIDTH, "    ")));
    }
    if model.heads.len() > 1 {
        text.push_str("They are in a dictionary, by the names of the heads.\n");
    }
    let images = format!(
        "Images: float32 in the shape {}, from 0 to 1: bytes are divided by 255.",
        framework.images(model.input)
    );
    let load =
        format!("    from model import load\n    network = load()\n    scores = {}\n", framework.predict);
    format!("{text}{}\n\n{load}", wrapped(&images, WIDTH, "    "))
}

/// A head whose results on the test images are known.
#[derive(Debug, Clone)]
pub(crate) struct TestedHead<'a> {
    pub(crate) head: &'a CardHead,
    /// The group of each class, where the head says groups.
    pub(crate) groups: Option<&'a [u8]>,
    /// Test images.
    pub(crate) images: usize,
    /// Those that it classifies rightly.
    pub(crate) correct: usize,
}

/// The heads of which the card says how they do on the test images.
pub(crate) fn tested_heads(card: &ModelCard) -> Vec<TestedHead<'_>> {
    let heads = card.heads.iter().zip(&card.run.labels);
    let tested = heads.filter_map(|(head, labels)| {
        let test = head.test?;
        let groups = match labels {
            Labels::Classes => None,
            Labels::Groups(groups) => Some(groups.as_slice()),
        };
        Some(TestedHead { head, groups, images: test.images, correct: test.correct })
    });
    tested.collect()
}
