//! Reads the ONNX files that `proofs/onnx_foreign.py` writes, and compares what the engine makes of their images with what
//! onnxruntime makes of them: `cargo run --release -p inkling-interchange --example onnx_foreign -- FOLDER`.

use std::error::Error;
use std::path::Path;

use inkling_engine::{Network, StateKind, logits};
use inkling_interchange::onnx::import;
use inkling_schema::Loss;
use safetensors::SafeTensors;

/// Of probabilities; of other numbers relative to the largest.
const TOLERANCE: f32 = 1e-5;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("give the folder that onnx_foreign.py wrote")?;
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "onnx") {
            count += 1;
            failures.extend(check(&path).err().map(|error| format!("{}: {error}", path.display())));
        }
    }
    match failures.is_empty() && count > 0 {
        true => Ok(()),
        false => Err(format!("{} of {count} networks fail:\n{}", failures.len(), failures.join("\n")).into()),
    }
}

/// Fails unless the engine gives the numbers that the file of this network has beside it.
fn check(path: &Path) -> Result<(), Box<dyn Error>> {
    let portable = import(std::fs::read(path)?)?;
    let mut network = Network::new(&portable.model, 1)?;
    network.load_state_dict(StateKind::Values, |name, shape| {
        let mut tensors = portable.tensors.iter();
        let found = tensors.find(|tensor| tensor.name == name && tensor.shape == shape);
        found.map(|tensor| tensor.values.clone()).ok_or_else(|| format!("no array {name} of {shape:?}"))
    })?;
    let bytes = std::fs::read(path.with_extension("safetensors"))?;
    let arrays = SafeTensors::deserialize(&bytes)?;
    let read = |name: &str| -> Result<Vec<f32>, Box<dyn Error>> {
        let (numbers, _) = arrays.tensor(name)?.data().as_chunks();
        Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
    };
    let images = read("images")?;
    let mut workspace = network.workspace(images.len() / network.input_len(), false);
    network.forward(&images, false, &mut workspace);
    for (number, head) in portable.model.heads.iter().enumerate() {
        let expected = read(["y", "z"][number])?;
        let scores = workspace.logits(number);
        let classes = network.num_classes()[number];
        let probabilities: Vec<f32> = match head.loss {
            Loss::BinaryCrossEntropy => scores.iter().map(|&score| 1.0 / (1.0 + (-score).exp())).collect(),
            _ => scores
                .chunks(classes)
                .flat_map(|row| (0..classes).map(|class| logits::probability(row, class) as f32))
                .collect(),
        };
        let logarithms = probabilities.iter().map(|probability| probability.ln()).collect();
        // Whether these are scores, probabilities or their logarithms is the network's to say.
        let differences =
            [scores.to_vec(), probabilities, logarithms].map(|found| difference(&found, &expected));
        let least = differences.into_iter().fold(f32::INFINITY, f32::min);
        if least.is_nan() || least > TOLERANCE {
            return Err(format!("`{}` differs by {least}", head.name).into());
        }
    }
    Ok(())
}

/// The largest difference, relative to the largest number if this is above one.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    if found.len() != expected.len() {
        return f32::INFINITY;
    }
    let scale = expected.iter().fold(1.0, |scale: f32, number| scale.max(number.abs()));
    let differences = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    differences.fold(0.0, f32::max) / scale
}
