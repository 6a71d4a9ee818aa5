//! Writes networks with every kind of layer, with the engine's scores, for `proofs/every_layer.py` to compare with PyTorch's and
//! Keras': `cargo run -p inkling-interchange --example every_layer -- DIR`.

use std::collections::HashMap;
use std::path::Path;
use std::{env, fs, io};

use inkling_engine::random::RngStream;
use inkling_engine::{Network, StateKind};
use inkling_interchange::{Portable, Tensor, keras, pytorch};
use inkling_schema::ModelSpec;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Images that each network gets.
const IMAGES: usize = 7;

/// Networks by their names, as files write them.
const NETWORKS: [(&str, &str); 9] = [
    ("mlp", include_str!("networks/mlp.toml")),
    ("same-odd", include_str!("networks/same-odd.toml")),
    ("valid-odd", include_str!("networks/valid-odd.toml")),
    ("activations", include_str!("networks/activations.toml")),
    ("residual", include_str!("networks/residual.toml")),
    ("residual-vector", include_str!("networks/residual-vector.toml")),
    ("norms-after-flatten", include_str!("networks/norms-after-flatten.toml")),
    ("scores-from-flatten", include_str!("networks/scores-from-flatten.toml")),
    ("two-heads", include_str!("networks/two-heads.toml")),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::args().nth(1).ok_or("the folder to write to is missing")?;
    for (name, text) in NETWORKS.into_iter().chain(inkling_schema::MODELS) {
        let mut model = ModelSpec::from_toml(name, text)?;
        model.fill_in([28, 28, 1], 10);
        write(&Path::new(&folder).join(name), name, &model)?;
    }
    Ok(())
}

/// Writes a network with random weights for both libraries, and what the engine makes of some images.
fn write(folder: &Path, name: &str, model: &ModelSpec) -> Result<(), Box<dyn std::error::Error>> {
    let mut network = Network::new(model, 1)?;
    let mut stream = RngStream::new(1, "proofs/every_layer");
    // Biases, scales and statistics start as zeros and ones, with which an error would not be seen.
    network.load_state_dict(StateKind::Values, |name, shape| {
        let is_positive = name.ends_with("variance") || name.ends_with("scale");
        let fan_in: usize = shape[..shape.len() - 1].iter().product();
        let bound = if fan_in > 1 { (3.0 / fan_in as f32).sqrt() } else { 0.5 };
        let start = if is_positive { 1.0 } else { 0.0 };
        let count = shape.iter().product();
        Ok::<_, io::Error>((0..count).map(|_| start + bound * (2.0 * stream.uniform() - 1.0)).collect())
    })?;
    let images: Vec<f32> = (0..IMAGES * network.input_len()).map(|_| stream.uniform()).collect();
    let mut workspace = network.workspace(IMAGES, false);
    network.forward(&images, false, &mut workspace);

    let state = network.state_dict(StateKind::Values).into_iter();
    let tensors = state.map(|array| Tensor { name: array.name, shape: array.shape, values: array.values });
    let portable =
        Portable { model: model.clone(), tensors: tensors.collect(), card: None, classes: Vec::new() };
    for (part, files) in [("pytorch", pytorch(&portable, name)?), ("keras", keras(&portable, name)?)] {
        fs::create_dir_all(folder.join(part))?;
        for file in files {
            fs::write(folder.join(part).join(file.name), file.bytes)?;
        }
    }
    let [height, width, channels] = model.input;
    let mut arrays: HashMap<String, (Vec<usize>, Vec<f32>)> = HashMap::new();
    arrays.insert("images".into(), (vec![IMAGES, height, width, channels], images));
    for (number, (head, classes)) in model.heads.iter().zip(network.num_classes()).enumerate() {
        let scores = workspace.logits(number)[..IMAGES * classes].to_vec();
        arrays.insert(format!("scores/{}", head.name), (vec![IMAGES, classes], scores));
    }
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let arrays: Vec<(String, Vec<usize>, Vec<u8>)> =
        arrays.into_iter().map(|(name, (shape, values))| (name, shape, bytes(&values))).collect();
    let mut views = Vec::new();
    for (name, shape, bytes) in &arrays {
        views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?));
    }
    fs::write(folder.join("engine.safetensors"), safetensors::serialize(views, None)?)?;
    Ok(())
}
