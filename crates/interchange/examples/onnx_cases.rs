//! Writes ONNX files of networks of every kind of layer, each with images and the numbers that the engine makes of them, for
//! `proofs/onnx_check.py`: `cargo run --release -p inkling-interchange --example onnx_cases -- FOLDER IMAGES`, where IMAGES is an
//! IDX file that is not compressed.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use inkling_engine::random::RngStream;
use inkling_engine::{Network, StateKind, logits};
use inkling_interchange::onnx::{Layout, Options, export, import};
use inkling_interchange::{Portable, Tensor};
use inkling_schema::{Head, Initializer, LayerSpec, Loss, MODELS, ModelSpec, Padding};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

/// Images of each case.
const IMAGES: usize = 1000;
/// Bytes before the first image of an IDX file.
const HEADER: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), Some(images)) = (arguments.next(), arguments.next()) else {
        return Err("give a folder and an IDX file of images".into());
    };
    let bytes = std::fs::read(images)?.split_off(HEADER);
    std::fs::create_dir_all(&folder)?;
    for (number, (name, model)) in cases()?.into_iter().enumerate() {
        // Every case in one of the four ways, and some networks in all of them.
        for way in 0..4 {
            if way == number % 4 || matches!(name.as_str(), "cnn" | "layer-norm") {
                let layout = if way % 2 == 0 { Layout::Nchw } else { Layout::Nhwc };
                let options = Options { layout, preparation: way / 2 == 0 };
                write(Path::new(&folder), &format!("{name}-{way}"), &model, &options, &bytes)?;
            }
        }
    }
    Ok(())
}

/// Writes a network with random weights, and what it makes of the images.
fn write(
    folder: &Path,
    name: &str,
    model: &ModelSpec,
    options: &Options,
    bytes: &[u8],
) -> Result<(), Box<dyn Error>> {
    let mut network = Network::new(model, 1)?;
    let mut stream = RngStream::new(2, name);
    let mut tensors = Vec::new();
    for tensor in network.state_dict(StateKind::Values) {
        let kind = tensor.name.rsplit('.').next().unwrap_or_default().to_owned();
        let values = tensor.values.into_iter().map(|value| match kind.as_str() {
            "weight" => value,
            "scale" | "running_variance" => 0.5 + stream.uniform(),
            _ => stream.uniform() - 0.5,
        });
        tensors.push(Tensor { values: values.collect(), name: tensor.name, shape: tensor.shape });
    }
    let values: HashMap<&str, &Tensor> =
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let find =
        |name: &str, _: &[usize]| values.get(name).map(|tensor| tensor.values.clone()).ok_or("no tensor");
    network.load_state_dict(StateKind::Values, find)?;
    let portable = Portable { model: model.clone(), tensors, card: None, classes: Vec::new() };
    let file = export(&portable, options)?;
    let back = import(file.clone())?;
    if back != portable || export(&back, options)? != file {
        return Err(format!("{name} does not come back as it was").into());
    }
    std::fs::write(folder.join(format!("{name}.onnx")), file)?;

    let bytes = &bytes[..IMAGES * network.input_len()];
    let images: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let mut workspace = network.workspace(100, false);
    let mut outputs: Vec<Vec<f32>> = vec![Vec::new(); model.heads.len()];
    for batch in images.chunks(100 * network.input_len()) {
        network.forward(batch, false, &mut workspace);
        for (head, outputs) in outputs.iter_mut().enumerate() {
            outputs.extend(workspace.logits(head));
        }
    }
    let mut arrays =
        vec![("images".to_owned(), Dtype::U8, [&[IMAGES], model.input.as_slice()].concat(), bytes.to_vec())];
    for ((head, scores), classes) in model.heads.iter().zip(&outputs).zip(network.num_classes()) {
        let rows = scores.chunks(classes);
        let made: Vec<f32> = match head.loss {
            Loss::CrossEntropy { .. } => rows
                .flat_map(|row| (0..classes).map(|class| logits::probability(row, class) as f32))
                .collect(),
            Loss::BinaryCrossEntropy => scores.iter().map(|&score| 1.0 / (1.0 + (-score).exp())).collect(),
            Loss::MeanSquaredError => scores.clone(),
        };
        let ending = if head.loss == Loss::MeanSquaredError { "" } else { "_probabilities" };
        let bytes = made.iter().flat_map(|number| number.to_le_bytes()).collect();
        arrays.push((format!("{}{ending}", head.name), Dtype::F32, vec![IMAGES, classes], bytes));
    }
    let views: Result<Vec<(&str, TensorView)>, _> = arrays
        .iter()
        .map(|(name, kind, shape, bytes)| Ok((name.as_str(), TensorView::new(*kind, shape.clone(), bytes)?)))
        .collect();
    serialize_to_file(
        views.map_err(|error: safetensors::SafeTensorError| error)?,
        None,
        &folder.join(format!("{name}.safetensors")),
    )?;
    Ok(())
}

fn dense(units: usize) -> LayerSpec {
    LayerSpec::Dense { units, initializer: Initializer::GlorotUniform }
}

fn conv(filters: usize, kernel_size: [usize; 2], stride: [usize; 2], padding: Padding) -> LayerSpec {
    LayerSpec::Conv2d { filters, kernel_size, stride, padding, initializer: Initializer::HeUniform }
}

/// Networks by name: those that ship with the program, and small ones of every kind of layer.
fn cases() -> Result<Vec<(String, ModelSpec)>, Box<dyn Error>> {
    use LayerSpec::{Elu, Flatten, Gelu, GlobalAvgPool, LeakyRelu, Relu, Sigmoid, Silu, Tanh};
    use Padding::{Same, Valid};
    let mut cases = Vec::new();
    for (name, text) in MODELS {
        cases.push((name.to_owned(), ModelSpec::from_toml(name, text)?));
    }
    let mut add = |name: &str, input: [usize; 3], trunk: Vec<LayerSpec>, head: Vec<LayerSpec>| {
        cases.push((name.to_owned(), ModelSpec { input, trunk, heads: vec![Head::new("class", head)] }));
    };
    for (padding, word) in [(Same, "same"), (Valid, "valid")] {
        for stride in [2, 3] {
            for input in [[13, 11, 3], [12, 9, 2]] {
                let trunk =
                    vec![conv(5, [4, 3], [stride; 2], padding), Relu, conv(4, [2, 2], [1, stride], padding)];
                let name = format!("{word}-{stride}-{}", input[0]);
                add(&name, input, trunk, vec![Flatten, dense(7)]);
            }
        }
    }
    for activation in [Relu, LeakyRelu { slope: 0.2 }, Elu { alpha: 1.5 }, Gelu, Silu, Sigmoid, Tanh] {
        let name = activation.kind().to_owned();
        let trunk = vec![conv(6, [3, 3], [1, 1], Same), activation.clone(), Flatten, dense(20), activation];
        add(&name, [9, 8, 2], trunk, vec![dense(5)]);
    }
    let norm = || LayerSpec::BatchNorm { epsilon: 1e-3, momentum: 0.1 };
    let layer_norm = || LayerSpec::LayerNorm { epsilon: 1e-3 };
    let trunk =
        vec![norm(), conv(6, [3, 3], [1, 1], Valid), norm(), Relu, Flatten, norm(), dense(12), norm(), Tanh];
    add("batch-norm", [9, 8, 3], trunk, vec![dense(5)]);
    let trunk = vec![
        layer_norm(),
        conv(6, [3, 3], [1, 1], Same),
        layer_norm(),
        Relu,
        LayerSpec::MaxPool { pool_size: [3, 2], stride: [2, 2] },
        Flatten,
        layer_norm(),
        dense(30),
        layer_norm(),
    ];
    add("layer-norm", [9, 8, 3], trunk, vec![LayerSpec::Dropout { rate: 0.3 }, dense(5)]);
    let block = |layers, projection| LayerSpec::Residual { layers, projection };
    let trunk = vec![
        block(vec![block(vec![conv(3, [1, 1], [1, 1], Same)], None), Gelu, layer_norm()], None),
        block(vec![conv(5, [1, 1], [3, 2], Same)], Some(Initializer::HeUniform)),
        block(vec![Silu], None),
        LayerSpec::AvgPool { pool_size: [2, 2], stride: [1, 1] },
        GlobalAvgPool,
        block(vec![dense(9), Relu], Some(Initializer::HeUniform)),
    ];
    add("residual", [11, 8, 3], trunk, vec![dense(5)]);
    add("flat-head", [5, 4, 3], vec![conv(2, [3, 3], [1, 1], Valid)], vec![Flatten]);
    let heads = vec![
        Head { name: "numbers".into(), layers: vec![dense(3), Sigmoid], loss: Loss::MeanSquaredError },
        Head { name: "answers".into(), layers: vec![Silu, dense(4)], loss: Loss::BinaryCrossEntropy },
        Head::new("class", vec![dense(5)]),
    ];
    let trunk = vec![conv(4, [3, 3], [2, 2], Same), Gelu, Flatten];
    cases.push(("losses".into(), ModelSpec { input: [9, 8, 2], trunk, heads: heads.clone() }));
    let apart = heads.into_iter().map(|head| Head { layers: [vec![Flatten], head.layers].concat(), ..head });
    cases.push(("apart".into(), ModelSpec { input: [9, 8, 2], trunk: vec![], heads: apart.collect() }));
    Ok(cases)
}
