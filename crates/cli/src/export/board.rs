//! A study for TensorBoard: a run for each training, with its curves, weights, layers and hyperparameters; the figures; the plane
//! of task 1.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use inkling_engine::StateKind;
use inkling_interchange::metrics::MetricRow;
use inkling_lab::Trained;
use inkling_schema::outcome::{PlannedRun, StudyRecord};
use inkling_schema::{ModelSpec, PcaRun, RunSpec, Setting, Shape, TrainRun};
use inkling_store::{Reader, TensorFile};
use inkling_tensorboard::projector::{self, Embedding, Sprite};
use inkling_tensorboard::{
    BoardError, Domain, EventWriter, Experiment, Hyperparameter, Metric, Node, Status, Value,
};

use super::ExchangeError;
use crate::failure::Failure;
use crate::look;

/// Points of the plane that are written where there are no pictures of them.
const POINTS: usize = 5000;

/// Bytes of a run's folder at most, which file systems limit to 255: the points of a sweep are called by all of their values.
const NAME_BYTES: usize = 200;

/// Hyperparameters of a run, in the order of the columns.
type Hyperparameters = Vec<(String, Value)>;

/// Writes everything into `dir`, and says how many runs there are. `runs` are those that trained something, with their metrics, and
/// the choice of a sweep, which is none of TensorBoard's: it trains nothing.
pub(super) fn write(
    dir: &Path,
    reader: &Reader,
    record: &StudyRecord,
    runs: &[(&PlannedRun, Vec<MetricRow>)],
) -> Result<usize, Failure> {
    let settings = record.trial_settings();
    let swept = swept(settings.values());
    let sessions: Vec<(&PlannedRun, &TrainRun)> =
        runs.iter().filter_map(|(run, _)| Some((*run, training(run)?))).collect();
    if !sessions.is_empty() {
        let mut root = writer(dir, 0).map_err(ExchangeError::from)?;
        root.experiment(&experiment(&sessions, &swept)).map_err(ExchangeError::from)?;
        root.close().map_err(ExchangeError::from)?;
    }
    let mut written = 0;
    for (run, rows) in runs.iter().filter(|(run, _)| !matches!(run.spec, RunSpec::Choice(_))) {
        let mut writer = writer(&folder(dir, run), 0).map_err(ExchangeError::from)?;
        let hyperparameters = training(run).map(|spec| {
            let own = settings.get(&run.id).map_or(&[][..], Vec::as_slice);
            hyperparameters(spec).into_iter().chain(values(own, &swept)).collect::<Hyperparameters>()
        });
        one(&mut writer, reader, run, hyperparameters, rows)?;
        writer.close().map_err(ExchangeError::from)?;
        written += 1;
    }
    figures(dir, reader.path())?;
    for run in &record.runs {
        if let RunSpec::Pca(spec) = &run.spec {
            plane(&dir.join("pca"), reader, run, spec, &record.data[&spec.data.set].classes)?;
        }
    }
    Ok(written)
}

/// The folder of a run. A name that is too long for a folder is cut, and told from others by the run's id.
pub(super) fn folder(dir: &Path, run: &PlannedRun) -> PathBuf {
    let mut name = run.name().replace(['/', '\\'], "-");
    if name.len() > NAME_BYTES {
        name.truncate(name.floor_char_boundary(NAME_BYTES));
        name = format!("{name}… {}", run.id);
    }
    dir.join(run.task.name()).join(name)
}

/// A writer of a run from this step on: what earlier files say of later ones does not count.
pub(super) fn writer(dir: &Path, first_step: u64) -> Result<EventWriter, BoardError> {
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    EventWriter::create(dir, "inkling", first_step, now)
}

/// The training of a network, in a sweep too.
pub(super) fn training(run: &PlannedRun) -> Option<&TrainRun> {
    match &run.spec {
        RunSpec::Train(spec) | RunSpec::Trial(spec) => Some(spec),
        _ => None,
    }
}

/// Curves of a run; of a network also its layers, hyperparameters and weights.
fn one(
    writer: &mut EventWriter,
    reader: &Reader,
    run: &PlannedRun,
    hyperparameters: Option<Hyperparameters>,
    rows: &[MetricRow],
) -> Result<(), Failure> {
    let mut write = || -> Result<(), ExchangeError> {
        if let (Some(spec), Some(hyperparameters)) = (training(run), &hyperparameters) {
            writer.session_start(&format!("{}/{}", run.task.name(), run.name()), hyperparameters)?;
            writer.graph(&nodes(&spec.model))?;
            let text = serde_json::to_string_pretty(&spec.training).expect("plain data");
            writer.text("training", 0, &format!("```json\n{text}\n```"))?;
        }
        for row in rows {
            if let Some((tag, step)) = row.chart() {
                writer.scalar(&tag, step, row.value)?;
            }
        }
        Ok(())
    };
    write()?;
    let file = reader.run(run.id.as_ref()).path().join("model.safetensors");
    if training(run).is_none() || !file.is_file() {
        return Ok(());
    }
    let trained = Trained::read(&file).map_err(look::failure)?;
    let last = rows.iter().filter_map(|row| row.step).max().unwrap_or(0);
    let mut write = || -> Result<(), ExchangeError> {
        for tensor in trained.network.state_dict(StateKind::Values) {
            writer.histogram(&format!("weights/{}", tensor.name), last, &tensor.values)?;
        }
        writer.session_end(if trained.diverged.is_some() { Status::Failure } else { Status::Success })?;
        Ok(())
    };
    Ok(write()?)
}

/// What trainings differ in, and what came of them: trainings of a sweep have validation images, and no test images.
fn experiment(sessions: &[(&PlannedRun, &TrainRun)], swept: &[Hyperparameter]) -> Experiment {
    let names = sessions.first().map(|(_, spec)| hyperparameters(spec)).unwrap_or_default();
    let column = |(name, value): (String, Value)| {
        let domain = match value {
            Value::Number(_) => Domain::Numbers(Vec::new()),
            Value::Text(_) => Domain::Texts(Vec::new()),
            Value::Bool(_) => Domain::Bool,
        };
        Hyperparameter { name, domain }
    };
    let metrics = |part: &str, is_judged_by: fn(&RunSpec) -> bool| {
        let judged = sessions.iter().filter(|(run, _)| is_judged_by(&run.spec));
        let heads: BTreeSet<&str> = judged
            .flat_map(|(_, spec)| spec.model.heads.iter().filter(|head| head.loss.is_of_classes()))
            .map(|head| head.name.as_str())
            .collect();
        let metric = |head| Metric {
            tag: format!("accuracy/{part}/{head}"),
            title: format!("{part} accuracy, {head}"),
        };
        heads.into_iter().map(metric).collect::<Vec<_>>()
    };
    Experiment {
        hyperparameters: names.into_iter().map(column).chain(swept.iter().cloned()).collect(),
        metrics: [
            metrics("test", |spec| matches!(spec, RunSpec::Train(_))),
            metrics("validation", |spec| matches!(spec, RunSpec::Trial(_))),
        ]
        .concat(),
    }
}

/// Columns for the keys of a sweep that no column of every training shows.
fn swept<'a>(points: impl Iterator<Item = &'a Vec<Setting>>) -> Vec<Hyperparameter> {
    let mut columns: Vec<Hyperparameter> = Vec::new();
    for setting in points.flatten().filter(|setting| !is_of_every_training(setting)) {
        let text = Domain::Texts(Vec::new());
        let domain = if setting.number().is_some() { Domain::Numbers(Vec::new()) } else { text.clone() };
        match columns.iter_mut().find(|column| column.name == setting.key) {
            // A column has values of one kind, and everything can be a text.
            Some(column) if column.domain != domain => column.domain = text,
            Some(_) => {}
            None => columns.push(Hyperparameter { name: setting.key.clone(), domain }),
        }
    }
    columns
}

/// A point's values in these columns.
fn values(settings: &[Setting], columns: &[Hyperparameter]) -> Hyperparameters {
    let value = |setting: &Setting| {
        let column = columns.iter().find(|column| column.name == setting.key)?;
        let value = match column.domain {
            Domain::Numbers(_) => Value::Number(setting.number()?),
            _ => Value::Text(setting.shown()),
        };
        Some((setting.key.clone(), value))
    };
    settings.iter().filter_map(value).collect()
}

/// Whether [`hyperparameters`] has the whole value.
fn is_of_every_training(setting: &Setting) -> bool {
    ["learning_rate", "batch_size", "epochs"]
        .iter()
        .any(|name| setting.key.ends_with(&format!(".training.{name}")))
}

fn hyperparameters(spec: &TrainRun) -> Hyperparameters {
    let training = &spec.training;
    let parameters = spec.model.plan().map_or(0, |plan| plan.parameters);
    let optimizer = serde_json::to_value(training.optimizer).expect("plain data");
    let optimizer = optimizer["kind"].as_str().unwrap_or_default().to_owned();
    vec![
        ("data set".into(), Value::Text(spec.data.set.clone())),
        ("training images".into(), Value::Number(spec.data.train_images as f64)),
        ("parameters".into(), Value::Number(parameters as f64)),
        ("optimizer".into(), Value::Text(optimizer)),
        ("learning rate".into(), Value::Number(training.learning_rate)),
        ("batch size".into(), Value::Number(training.batch_size as f64)),
        ("epochs".into(), Value::Number(training.epochs as f64)),
        ("seed".into(), Value::Number(spec.seed as f64)),
    ]
}

/// A network's layers as nodes, each part after the other.
fn nodes(model: &ModelSpec) -> Vec<Node> {
    let Ok(plan) = model.plan() else { return Vec::new() };
    let input =
        Node { name: "images".into(), op: "images".into(), inputs: Vec::new(), output: model.input.to_vec() };
    let (mut nodes, mut shared) = (vec![input], "images".to_owned());
    let mut last = (String::new(), String::new());
    for layer in &plan.layers {
        let (part, name) = match layer.place.rsplit_once(' ') {
            Some((part, number)) => (part.to_owned(), format!("{part}/{number}")),
            None => (layer.place.clone(), layer.place.clone()),
        };
        // A head takes what the trunk gives.
        let before = if last.0 == part { last.1.clone() } else { shared.clone() };
        if part == "trunk" {
            shared.clone_from(&name);
        }
        let output = match layer.output {
            Shape::Image { height, width, channels } => vec![height, width, channels],
            Shape::Vector(length) => vec![length],
        };
        nodes.push(Node { name: name.clone(), op: layer.layer.kind().into(), inputs: vec![before], output });
        last = (part, name);
    }
    nodes
}

/// The study's figures as images of a run of their own.
fn figures(dir: &Path, study: &Path) -> Result<(), ExchangeError> {
    let entries = std::fs::read_dir(study.join("figures")).into_iter().flatten().flatten();
    let mut figures: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "png"))
        .collect();
    figures.sort();
    if figures.is_empty() {
        return Ok(());
    }
    let mut writer = writer(&dir.join("figures"), 0)?;
    for path in figures {
        let bytes = std::fs::read(&path)
            .map_err(|source| ExchangeError::Unreadable { path: path.clone(), source })?;
        let Some([width, height]) = size(&bytes) else { continue };
        let tag = path.file_stem().unwrap_or_default().to_string_lossy();
        writer.image(&tag, 0, &bytes, width, height)?;
    }
    Ok(writer.close()?)
}

/// Width and height that the header of a PNG file says.
fn size(png: &[u8]) -> Option<[u32; 2]> {
    let number = |at: usize| Some(u32::from_be_bytes(*png.get(at..)?.first_chunk()?));
    Some([number(16)?, number(20)?])
}

/// The plane of the first two components with the classes of its points: those of which there are pictures, with these.
fn plane(
    dir: &Path,
    reader: &Reader,
    run: &PlannedRun,
    spec: &PcaRun,
    classes: &[String],
) -> Result<(), Failure> {
    let folder = reader.run(run.id.as_ref());
    if !folder.path().join("result.json").exists() {
        return Ok(());
    }
    let arrays = folder.tensors(TensorFile::Arrays)?;
    let shape = arrays.shape("embedding")?.to_vec();
    let points: Vec<f64> = arrays.values("embedding", &shape)?;
    let labels: Vec<u8> = arrays.values("labels", &shape[..1])?;
    let shown = labels.len().min(if spec.pictures > 0 { spec.pictures } else { POINTS });
    let columns = shape.get(1).copied().unwrap_or(1).max(1);
    let values: Vec<f32> = points[..shown * columns].iter().map(|&value| value as f32).collect();
    let name = |&label: &u8| classes.get(usize::from(label)).cloned().unwrap_or_default();
    let labels: Vec<String> = labels[..shown].iter().map(name).collect();
    let shape = arrays.shape("pictures")?.to_vec();
    let sheet = match shape[..] {
        [count, height, width, ref channels @ ..] if count >= shown && count > 0 => {
            let channels = channels.first().copied().unwrap_or(1);
            let mut pictures: Vec<u8> = arrays.values("pictures", &shape)?;
            pictures.truncate(shown * height * width * channels);
            Some((sprite(&pictures, [width, height, channels]), [width as u32, height as u32]))
        }
        _ => None,
    };
    let sprite = sheet.as_ref().map(|(png, single)| Sprite { png, single: *single });
    let embedding = Embedding { name: "two components", values: &values, columns, labels: &labels, sprite };
    projector::write(dir, &[embedding]).map_err(ExchangeError::from)?;
    // Only a folder with an event file is a run.
    let mut writer = writer(dir, 0).map_err(ExchangeError::from)?;
    writer
        .text("about", 0, "The training images in the plane of the first two principal components.")
        .map_err(ExchangeError::from)?;
    Ok(writer.close().map_err(ExchangeError::from)?)
}

/// Pictures of width, height and channels as the square sheet that TensorBoard takes.
pub(super) fn sprite(pictures: &[u8], picture: [usize; 3]) -> Vec<u8> {
    let count = pictures.len() / picture.iter().product::<usize>();
    let columns = (1..).find(|side| side * side >= count).unwrap_or(1);
    inkling_report::sheet(pictures, picture, columns)
}

#[cfg(test)]
mod tests {
    use inkling_schema::{ChoiceRun, DataSlice, Task};

    use super::*;

    #[test]
    fn a_sweeps_keys_are_columns_of_one_kind_beside_those_of_every_training() {
        let point = |texts: [&str; 4]| texts.map(|text| Setting::parse(text).unwrap()).to_vec();
        let points = [
            point([
                "cnn.training.learning_rate=0.1",
                "cnn.training.clip_norm=2",
                "cnn.padding=same",
                "cnn.stride=1",
            ]),
            point([
                "cnn.training.learning_rate=0.2",
                "cnn.training.clip_norm=0.5",
                "cnn.padding=valid",
                "cnn.stride=[1,2]",
            ]),
        ];
        let columns = swept(points.iter());
        let (numbers, texts) = (Domain::Numbers(Vec::new()), Domain::Texts(Vec::new()));
        let column =
            |name: &str, domain: &Domain| Hyperparameter { name: name.into(), domain: domain.clone() };
        assert_eq!(
            columns,
            [
                column("cnn.training.clip_norm", &numbers),
                column("cnn.padding", &texts),
                column("cnn.stride", &texts)
            ]
        );
        let value = |name: &str, value: Value| (name.to_owned(), value);
        assert_eq!(
            values(&points[0], &columns),
            [
                value("cnn.training.clip_norm", Value::Number(2.0)),
                value("cnn.padding", Value::Text("same".into())),
                value("cnn.stride", Value::Text("1".into())),
            ]
        );
    }

    #[test]
    fn a_name_that_is_too_long_for_a_folder_is_cut_and_has_the_runs_id() {
        let named = |title: String| {
            let data = DataSlice { set: "mnist".into(), train_images: 10, test_images: 10 };
            let spec = RunSpec::Choice(ChoiceRun { data, points: Vec::new() });
            PlannedRun::new(spec.id("data"), Task::Sweep, title, spec)
        };
        let name = |run: &PlannedRun| {
            folder(Path::new("logs"), run).file_name().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(name(&named("3 conv, padding = same/valid".into())), "3 conv, padding = same-valid");
        let long = named("λ".repeat(200));
        let cut = name(&long);
        assert!(cut.len() <= 255 && cut.starts_with('λ') && cut.ends_with(long.id.as_ref()), "{cut}");
    }

    #[test]
    fn the_nodes_of_two_heads_begin_at_the_trunk() {
        let (_, text) = inkling_schema::MODELS.iter().find(|(name, _)| *name == "item-and-group").unwrap();
        let model = ModelSpec::from_toml("model.toml", text).unwrap();
        let nodes = nodes(&model);
        let names: BTreeSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names.len(), nodes.len(), "each name once");
        assert!(nodes.iter().flat_map(|node| &node.inputs).all(|input| names.contains(input.as_str())));
        let trunk = nodes.iter().rfind(|node| node.name.starts_with("trunk/")).unwrap();
        let from_trunk = nodes.iter().filter(|node| node.inputs == [trunk.name.clone()]);
        assert_eq!(from_trunk.count(), 2, "{nodes:?}");
    }
}
