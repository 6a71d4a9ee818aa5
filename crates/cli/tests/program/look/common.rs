//! What the tests of `inkling look` share: a study with trained networks, model files of other shapes, pictures.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use inkling_engine::{NamedTensor, Network, StateKind};
use inkling_schema::ModelSpec;
use inkling_store::{Metadata, Store, Tensor, TensorFile};
use serde::Serialize;
use serde_json::Value;

use crate::common::{Done, run};

/// The folder of a finished smoke study of task 5, made once: its networks are `cnn 3 conv` and `inside judge`.
pub(crate) static STUDY: LazyLock<String> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("look");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let done = run(&folder, &["study", "smoke", "--only", "inside"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    folder.join("out").to_str().unwrap().into()
});

/// Images of 10 × 12 pixels in colour, and two heads.
pub(crate) const COLOUR: &str = r#"
input = [10, 12, 3]
trunk = [
    { layer = "conv2d", filters = 5, kernel_size = [3, 3], stride = [2, 2], padding = "same", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "flatten" },
]

[[heads]]
name = "kind"
layers = [{ layer = "dense", units = 4, initializer = "glorot-uniform" }]

[[heads]]
name = "hue"
layers = [{ layer = "dense", units = 3, initializer = "glorot-uniform" }]
"#;

/// Dense layers on images of 28 × 28 pixels.
pub(crate) const MLP: &str = r#"
input = [28, 28, 1]
trunk = [
    { layer = "flatten" },
    { layer = "dense", units = 16, initializer = "he-uniform" },
    { layer = "relu" },
]

[[heads]]
name = "item"
layers = [{ layer = "dense", units = 10, initializer = "glorot-uniform" }]
"#;

/// A `model.safetensors` of a network with random weights, in a folder of its own.
pub(crate) fn model(folder: &Path, network: &str, data: Option<&str>) -> PathBuf {
    changed_model(folder, network, data, &"none", |_| {})
}

/// As [`model`], with the run's spec beside it and the weights changed.
pub(crate) fn changed_model(
    folder: &Path,
    network: &str,
    data: Option<&str>,
    run: &impl Serialize,
    change: impl Fn(&mut Vec<NamedTensor>),
) -> PathBuf {
    let spec = ModelSpec::from_toml("network", network).unwrap();
    let mut arrays = Network::new(&spec, 7).unwrap().state_dict(StateKind::Values);
    change(&mut arrays);
    let tensors: Vec<Tensor> =
        arrays.iter().map(|array| Tensor::new(array.name.clone(), &array.shape, &array.values)).collect();
    let mut metadata = Metadata::from([("model".into(), serde_json::to_string(&spec).unwrap())]);
    metadata.extend(data.map(|data| ("data".into(), data.into())));
    let store = Store::open(&folder.join("made")).unwrap();
    let writer = store.begin("random", run).unwrap();
    writer.write_tensors(TensorFile::Model, &tensors, &metadata).unwrap();
    let (attempt, place) = (writer.dir().path(), folder.join("made/runs/random"));
    drop(writer);
    // As an older program left it: in its place, though not finished.
    fs::rename(attempt, &place).unwrap();
    place.join(TensorFile::Model.name())
}

/// A PNG file of so many rows and columns, every value another.
pub(crate) fn picture(path: &Path, [height, width]: [u32; 2], colour: png::ColorType) {
    let count = height as usize * width as usize * colour.samples();
    let values: Vec<u8> = (0..count).map(|i| (i * 7 % 256) as u8).collect();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&values).unwrap();
}

/// Runs `inkling look` in a folder.
pub(crate) fn look(folder: &Path, arguments: &[&str]) -> Done {
    run(folder, &[&["look"], arguments].concat())
}

/// What `inkling look --json` prints.
#[track_caller]
pub(crate) fn found(folder: &Path, arguments: &[&str]) -> Value {
    let done = look(folder, &[arguments, &["--json"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}
