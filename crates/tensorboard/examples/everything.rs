//! Writes a small log folder of everything that there is, and what TensorBoard must find in it: `proofs/check.py` compares the
//! two. `cargo run -p inkling-tensorboard --example everything -- FOLDER` writes `FOLDER/logs` and `FOLDER/expected.json`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use inkling_tensorboard::projector::{self, Embedding, Sprite};
use inkling_tensorboard::{Domain, EventWriter, Experiment, Hyperparameter, Metric, Node, Status, Value};
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder?")?);
    let logs = folder.join("logs");
    let metrics = [("loss/test", "test loss"), ("accuracy/test", "test accuracy")];
    let mut root = EventWriter::create(&logs, "host", 0, clock(1_700_000_000))?;
    root.experiment(&Experiment {
        hyperparameters: vec![
            hyperparameter("optimizer", Domain::Texts(vec!["adam".into(), "sgd".into()])),
            hyperparameter("learning rate", Domain::Interval(0.0, 1.0)),
            hyperparameter("epochs", Domain::Numbers(vec![2.0, 4.0])),
            hyperparameter("seed", Domain::Numbers(vec![])),
            hyperparameter("flips", Domain::Bool),
        ],
        metrics: metrics.map(|(tag, title)| Metric { tag: tag.into(), title: title.into() }).into(),
    })?;
    root.close()?;
    let expected = json!({
        "experiment": {
            "hyperparameters": {
                "optimizer": ["DATA_TYPE_STRING", {"domainDiscrete": ["adam", "sgd"]}],
                "learning rate": ["DATA_TYPE_FLOAT64", {"domainInterval": {"minValue": 0.0, "maxValue": 1.0}}],
                "epochs": ["DATA_TYPE_FLOAT64", {"domainDiscrete": [2.0, 4.0]}],
                "seed": ["DATA_TYPE_FLOAT64", {}],
                "flips": ["DATA_TYPE_BOOL", {"domainDiscrete": [false, true]}],
            },
            "metrics": metrics,
        },
        "runs": { "mlp": mlp(&logs)?, "deep/cnn": cnn(&logs)? },
    });
    fs::write(folder.join("expected.json"), serde_json::to_vec_pretty(&expected)?)?;
    Ok(())
}

fn hyperparameter(name: &str, domain: Domain) -> Hyperparameter {
    Hyperparameter { name: name.into(), domain }
}

/// A clock that starts at this second and is a second later each time that it is read.
fn clock(start: u64) -> impl Fn() -> Duration + Send + 'static {
    let seconds = AtomicU64::new(start);
    move || Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed))
}

/// A run with every kind of value.
fn mlp(logs: &Path) -> Result<Json, Box<dyn Error>> {
    let dir = logs.join("mlp");
    let mut writer = EventWriter::create(&dir, "host", 0, clock(1_700_000_100))?;
    writer.session_start(
        "mlp",
        &[
            ("optimizer".into(), Value::Text("adam".into())),
            ("learning rate".into(), Value::Number(0.001)),
            ("epochs".into(), Value::Number(4.0)),
            ("seed".into(), Value::Number(7.0)),
            ("flips".into(), Value::Bool(false)),
        ],
    )?;

    let mut scalars = json!({});
    for tag in ["loss/training", "loss/test", "accuracy/test", "learning rate"] {
        let points: Vec<(u64, f64)> =
            (1..=8).map(|step| (10 * step, tag.len() as f64 / step as f64)).collect();
        points.iter().try_for_each(|&(step, value)| writer.scalar(tag, step, value))?;
        scalars[tag] = json!(points);
    }

    let mut histograms = json!({});
    let weights = |scale: f32| (0..500).map(|n| scale * (n as f32 * 0.7).sin()).collect::<Vec<f32>>();
    for (tag, values) in [
        ("weights/trunk.0.weight", [weights(0.1), weights(0.3)]),
        ("weights/trunk.0.bias", [vec![0.0; 8], vec![-1.5, 0.25, 1e-20, 3.0]]),
        ("gradients/trunk.0.bias", [vec![], vec![1e30, -1e30]]),
    ] {
        let points: Vec<(u64, &Vec<f32>)> = (1..).zip(&values).collect();
        points.iter().try_for_each(|&(step, values)| writer.histogram(tag, step, values))?;
        histograms[tag] = json!(points);
    }

    let mut images = json!({});
    for (tag, [width, height]) in [("filters/trunk.0", [5, 5]), ("confusion", [30, 20])] {
        let png = gradient(width, height)?;
        writer.image(tag, 4, &png, width, height)?;
        images[tag] = json!([(4, width, height, png)]);
    }

    writer.text("network", 0, "**An MLP** with `relu`: ä, 東")?;
    let nodes = [
        node("images", "Input", &[], &[28, 28, 1]),
        node("trunk/0", "Flatten", &["images"], &[784]),
        node("trunk/1", "Dense", &["trunk/0"], &[64]),
        node("heads/class/0", "Dense", &["trunk/1"], &[10]),
        node("loss", "CrossEntropy", &["heads/class/0"], &[]),
    ];
    writer.graph(&nodes)?;
    writer.session_end(Status::Success)?;
    writer.close()?;

    Ok(json!({
        "scalars": scalars,
        "histograms": histograms,
        "images": images,
        "texts": { "network": [(0, "<strong>An MLP</strong> with <code>relu</code>: ä, 東")] },
        "graph": nodes.map(|node| json!({
            "name": node.name, "op": node.op, "inputs": node.inputs, "output": node.output,
        })),
        "session": {
            "hyperparameters": {
                "optimizer": "adam", "learning rate": 0.001, "epochs": 4.0, "seed": 7.0, "flips": false,
            },
            "metrics": { "loss/test": 9.0 / 8.0, "accuracy/test": 13.0 / 8.0 },
            "status": "STATUS_SUCCESS",
        },
        "embeddings": embeddings(&dir)?,
    }))
}

fn node(name: &str, op: &str, inputs: &[&str], output: &[usize]) -> Node {
    let inputs = inputs.iter().map(|&input| input.into()).collect();
    Node { name: name.into(), op: op.into(), inputs, output: output.into() }
}

/// Two embeddings of seven points: one with all that it may have, one bare.
fn embeddings(dir: &Path) -> Result<Json, Box<dyn Error>> {
    let values: Vec<f32> = (0..21).map(|n| (n as f32).sqrt() - 2.0).collect();
    let labels: Vec<String> = (0..7).map(|n| format!("class {n}: \"ä\"")).collect();
    let sprite = gradient(3 * 4, 3 * 4)?;
    let all = [
        Embedding {
            name: "pca: \"mnist\"",
            values: &values,
            columns: 3,
            labels: &labels,
            sprite: Some(Sprite { png: &sprite, single: [4, 4] }),
        },
        Embedding { name: "features", values: &values[..14], columns: 2, labels: &[], sprite: None },
    ];
    projector::write(dir, &all)?;
    let expected = all.iter().map(|embedding| {
        json!({
            "name": embedding.name,
            "values": embedding.values,
            "columns": embedding.columns,
            "labels": embedding.labels,
            "sprite": embedding.sprite.as_ref().map(|sprite| (sprite.single, sprite.png)),
        })
    });
    Ok(expected.collect())
}

/// A run that was interrupted after step 6 and goes on from the checkpoint after step 4, in a second file.
fn cnn(logs: &Path) -> Result<Json, Box<dyn Error>> {
    let dir = logs.join("deep/cnn");
    let mut first = EventWriter::create(&dir, "host", 0, clock(1_700_000_200))?;
    first.session_start("cnn", &[("optimizer".into(), Value::Text("sgd".into()))])?;
    (1..=6).try_for_each(|step| first.scalar("loss/test", step, 1.0 / step as f64))?;
    first.close()?;
    let mut second = EventWriter::create(&dir, "host", 5, clock(1_700_000_300))?;
    (5..=8).try_for_each(|step| second.scalar("loss/test", step, 2.0 / step as f64))?;
    second.session_end(Status::Failure)?;
    second.close()?;
    let points = (1..=8).map(|step| (step, if step < 5 { 1.0 } else { 2.0 } / f64::from(step)));
    Ok(json!({
        "scalars": { "loss/test": points.collect::<Vec<(u32, f64)>>() },
        "session": {
            "hyperparameters": { "optimizer": "sgd" },
            "metrics": { "loss/test": 0.25 },
            "status": "STATUS_FAILURE",
        },
    }))
}

/// A grey image that is brighter to the right and to the bottom.
fn gradient(width: u32, height: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| (5 * (x + y)) as u8)).collect();
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(bytes)
}
