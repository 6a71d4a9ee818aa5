//! A network as a folder for PyTorch: a module that a student can read, its weights, and a script that checks it.

mod modules;
#[cfg(test)]
mod tests;

pub(crate) use modules::{Modules, modules};

use inkling_schema::ModelSpec;

use crate::python::check::check;
use crate::python::description::{Framework, docstring};
use crate::python::listing::{BlockSyntax, Item, block, lines};
use crate::python::places::{Place, weights_file};
use crate::python::text::{head_words, literal};
use crate::tensors::{Format, NamedLayers, plan};
use crate::{File, InterchangeError, Portable};

/// PyTorch, as texts name it.
const PYTORCH: Framework = Framework { name: "PyTorch", channels_first: true, predict: "network(images)" };

/// How a residual block is written.
const RESIDUAL: BlockSyntax = BlockSyntax { open: "Residual(", close: "" };

/// Computes scores in `check.py`.
pub(crate) const SCORES: &str = include_str!("../python/templates/torch_scores.py");

const REQUIREMENTS: &str = "numpy>=1.26\nsafetensors>=0.4\ntorch>=2.2\n";

/// The network as files for PyTorch: `model.py`, `weights.safetensors` and `requirements.txt`, and `check.py` where its card
/// says how it does on the test images. `name` is what the text calls it.
///
/// `weights.safetensors` is the module's `state_dict`: a `Linear` is [units, inputs], a `Conv2d` [filters, channels, height,
/// width]. Images have their channels first, so `Flatten` gives the values of an image in another order than Inkling; where a
/// dense layer comes after it, that layer's inputs are reordered alike when the weights are written, and so is what normalises
/// them in between.
///
/// # Errors
/// A network that cannot be built, a layer that PyTorch lacks, or tensors that do not fit the layers.
pub fn pytorch(network: &Portable, name: &str) -> Result<Vec<File>, InterchangeError> {
    let (mut files, places) = texts(network, name)?;
    files.insert(1, File::new("weights.safetensors", weights_file(network, &places)?));
    Ok(files)
}

/// All files but the weights, and where each tensor is in theirs.
pub(crate) fn texts(network: &Portable, name: &str) -> Result<(Vec<File>, Vec<Place>), InterchangeError> {
    let model = &network.model;
    let plan = plan(model, Format::PyTorch)?;
    let modules = modules(&NamedLayers::new(model, &plan), &attributes(model));
    let imports = "import numpy as np\nimport torch";
    let mut files = vec![
        File::new("model.py", model_py(network, name, &modules)),
        File::new("requirements.txt", REQUIREMENTS),
    ];
    files.extend(check(network.card.as_ref(), model.input, &PYTORCH, (imports, SCORES)));
    Ok((files, modules.places))
}

/// What the module calls its heads.
pub(crate) fn attributes(model: &ModelSpec) -> Vec<String> {
    let heads = &model.heads;
    if heads.len() == 1 {
        return vec!["head".into()];
    }
    let words = head_words(heads.iter().map(|head| head.name.as_str()));
    let attribute = |(number, word): (usize, Option<String>)| match word {
        Some(word) => format!("{word}_head"),
        None => format!("head_{number}"),
    };
    (1..).zip(words).map(attribute).collect()
}

const CHANNEL_NORM: &str = r#"
class ChannelNorm(nn.LayerNorm):
    """Normalises the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

"#;

const FLATTEN_LAST: &str = r#"
class FlattenLast(nn.Module):
    """An image as a vector, channels fastest."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)

"#;

const RESIDUAL_CLASS: &str = r#"
class Residual(nn.Module):
    """What the layers make of x, plus x itself or its projection."""

    def __init__(self, *layers, projection=None):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.projection = projection or nn.Identity()

    def forward(self, x):
        return self.layers(x) + self.projection(x)

"#;

/// The text of `model.py`.
fn model_py(network: &Portable, name: &str, modules: &Modules) -> String {
    let mut doc = docstring(network, name, &modules.scores, &PYTORCH);
    if modules.has_padding {
        doc.push_str("\nZeros around an image are those of TensorFlow's \"same\": the odd one is below and to the right.\n");
    }
    let mut text = format!(
        "\"\"\"{doc}\"\"\"\n\nfrom pathlib import Path\n\nfrom safetensors.torch import load_file\nfrom torch import nn\n\n"
    );
    let classes = [
        (modules.has_channel_norm, CHANNEL_NORM),
        (modules.has_flatten_last, FLATTEN_LAST),
        (modules.has_residual, RESIDUAL_CLASS),
    ];
    classes.iter().filter(|(is_used, _)| *is_used).for_each(|(_, class)| text.push_str(class));
    text.push_str("\nclass Network(nn.Module):\n    def __init__(self):\n        super().__init__()\n");
    let trunk = (!modules.trunk.is_empty()).then(|| ("trunk".to_owned(), &modules.trunk));
    let attributes = attributes(&network.model);
    for (attribute, items) in trunk.into_iter().chain(attributes.iter().cloned().zip(&modules.heads)) {
        text.push_str(&format!("        self.{attribute} = {}\n", module(items)));
    }
    text.push_str("\n    def forward(self, x):\n");
    let shared = if modules.trunk.is_empty() { "x" } else { "self.trunk(x)" };
    if let [head] = attributes.as_slice() {
        text.push_str(&format!("        return self.{head}({shared})\n"));
    } else {
        if !modules.trunk.is_empty() {
            text.push_str("        x = self.trunk(x)\n");
        }
        let heads = network.model.heads.iter().zip(&attributes);
        let outputs: Vec<String> =
            heads.map(|(head, attribute)| format!("{}: self.{attribute}(x)", literal(&head.name))).collect();
        text.push_str(&format!("        return {{{}}}\n", outputs.join(", ")));
    }
    text.push_str(
        "\n\ndef load(weights=Path(__file__).with_name(\"weights.safetensors\")):\n    \
         \"\"\"The network with its trained weights, ready to classify.\"\"\"\n    \
         network = Network()\n    network.load_state_dict(load_file(weights))\n    return network.eval()\n",
    );
    text
}

/// The expression of a trunk or a head: its only layer, or a sequence.
fn module(items: &[Item]) -> String {
    match items {
        [item] => block(item, 8, RESIDUAL),
        _ => format!("nn.Sequential(\n{}\n        )", lines(items, 12, RESIDUAL)),
    }
}
