//! A network as a folder for Keras 3: a model that a student can read, its weights, and a script that checks it.

mod layers;
#[cfg(test)]
mod tests;

pub(crate) use layers::{Layers, layers};

use inkling_schema::ModelSpec;

use crate::python::check::check;
use crate::python::description::{Framework, docstring};
use crate::python::listing::{BlockSyntax, lines};
use crate::python::places::{Place, weights_file};
use crate::python::text::{head_words, literal};
use crate::tensors::{Format, NamedLayers, plan};
use crate::{File, InterchangeError, Portable};

/// Keras, as texts name it.
const KERAS: Framework =
    Framework { name: "Keras", channels_first: false, predict: "network.predict(images)" };

/// How a residual block is written.
const RESIDUAL: BlockSyntax = BlockSyntax { open: "residual([", close: "]" };

/// Computes scores in `check.py`.
pub(crate) const SCORES: &str = include_str!("../python/templates/keras_scores.py");

/// Chooses the library that Keras computes with.
pub(crate) const BACKEND: &str = include_str!("../python/templates/keras_backend.py");

const REQUIREMENTS: &str = "keras>=3.3\nnumpy>=1.26\nsafetensors>=0.4\n\
                            # Keras computes with torch, tensorflow or jax: any one of them will do.\ntorch>=2.2\n";

/// The network as files for Keras 3 with any back end: `model.py`, `weights.safetensors` and `requirements.txt`, and `check.py`
/// where its card says how it does on the test images. `name` is what the text calls it.
///
/// Keras has the engine's layouts, so no number changes its place. The weights' file has the variables of each layer under the
/// layer's name and theirs, such as `trunk_2.kernel`.
///
/// # Errors
/// A network that cannot be built, a layer that Keras lacks, or tensors that do not fit the layers.
pub fn keras(network: &Portable, name: &str) -> Result<Vec<File>, InterchangeError> {
    let (mut files, places) = texts(network, name)?;
    files.insert(1, File::new("weights.safetensors", weights_file(network, &places)?));
    Ok(files)
}

/// All files but the weights, and where each tensor is in theirs.
pub(crate) fn texts(network: &Portable, name: &str) -> Result<(Vec<File>, Vec<Place>), InterchangeError> {
    let model = &network.model;
    let plan = plan(model, Format::Keras)?;
    let layers = layers(&NamedLayers::new(model, &plan), &parts(model));
    let imports = format!("{}\nimport numpy as np", BACKEND.trim_end());
    let mut files = vec![
        File::new("model.py", model_py(network, name, &layers)),
        File::new("requirements.txt", REQUIREMENTS),
    ];
    files.extend(check(network.card.as_ref(), model.input, &KERAS, (&imports, SCORES)));
    Ok((files, layers.places))
}

/// What the names of each head's layers begin with.
pub(crate) fn parts(model: &ModelSpec) -> Vec<String> {
    let words = head_words(model.heads.iter().map(|head| head.name.as_str()));
    (1..).zip(words).map(|(number, word)| word.unwrap_or_else(|| format!("head{number}"))).collect()
}

const CHAIN: &str = r#"
def chain(x, steps):
    """What comes out of the steps, one after the other."""
    for step in steps:
        x = step(x)
    return x

"#;

const RESIDUAL_FUNCTION: &str = r#"
def residual(steps, projection=None):
    """A step that adds to x, or to its projection, what the steps make of it."""
    return lambda x: layers.add([chain(x, steps), projection(x) if projection else x])

"#;

const LOAD: &str = r#"

def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights."""
    network, arrays = build(), load_file(weights)
    for layer in network.layers:
        layer.set_weights([arrays[f"{layer.name}.{variable.name}"] for variable in layer.weights])
    return network
"#;

/// The text of `model.py`.
fn model_py(network: &Portable, name: &str, layers: &Layers) -> String {
    let doc = docstring(network, name, &layers.scores, &KERAS);
    let mut text = format!(
        "\"\"\"{doc}\"\"\"\n\nfrom pathlib import Path\n\nimport keras\nfrom keras import layers\n\
         from safetensors.numpy import load_file\n\n"
    );
    let [height, width, channels] = network.model.input;
    let images = format!("keras.Input(({height}, {width}, {channels}))");
    if !layers.has_residual && layers.heads.len() == 1 {
        let parts = [&layers.trunk, &layers.heads[0]];
        let listed = parts.iter().filter(|items| !items.is_empty()).map(|items| lines(items, 8, RESIDUAL));
        let listed: Vec<String> = listed.collect();
        text.push_str(&format!(
            "\ndef build():\n    return keras.Sequential([\n        {images},\n{}\n    ])\n",
            listed.join("\n")
        ));
        return text + LOAD;
    }
    text.push_str(CHAIN);
    if layers.has_residual {
        text.push_str(RESIDUAL_FUNCTION);
    }
    text.push_str(&format!("\ndef build():\n    images = {images}\n"));
    let mut shared = "images";
    if !layers.trunk.is_empty() {
        shared = "x";
        text.push_str(&format!("    x = chain(images, [\n{}\n    ])\n", lines(&layers.trunk, 8, RESIDUAL)));
    }
    if let [head] = layers.heads.as_slice() {
        text.push_str(&format!(
            "    return keras.Model(images, chain({shared}, [\n{}\n    ]))\n",
            lines(head, 8, RESIDUAL)
        ));
        return text + LOAD;
    }
    text.push_str("    return keras.Model(images, {\n");
    for (head, items) in network.model.heads.iter().zip(&layers.heads) {
        let listed = lines(items, 12, RESIDUAL);
        text.push_str(&format!(
            "        {}: chain({shared}, [\n{listed}\n        ]),\n",
            literal(&head.name)
        ));
    }
    text + "    })\n" + LOAD
}
