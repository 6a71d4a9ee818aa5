//! The features of a network for TensorBoard's projector: what comes out of its last hidden layer for test images.

use std::path::Path;

use inkling_data::{DataSet, Sources, catalogue};
use inkling_engine::{LayerHandle, Network, normalize_pixels};
use inkling_lab::{EVALUATION_BATCH, Trained};
use inkling_schema::outcome::{PlannedRun, StudyRecord};
use inkling_schema::{RunSpec, Task, TrainRun};
use inkling_store::{Reader, TensorFile};
use inkling_tensorboard::projector::{self, Embedding, Sprite};

use super::{ExchangeError, board};
use crate::failure::Failure;
use crate::interrupt::STOP;
use crate::progress::Progress;
use crate::{look, message};

/// Test images whose features are written at most.
const POINTS: usize = 2000;
/// Pixels of a sheet of pictures that browsers take each way.
const SHEET: usize = 8192;

/// The network that a study looks inside, or the one of a training.
fn inspected(record: &StudyRecord) -> Option<(&PlannedRun, &TrainRun)> {
    let is_it = |run: &&PlannedRun| match (&record.study.network, &record.study.inside) {
        (Some(_), _) => run.task == Task::Network,
        (None, Some(inside)) => run.task == Task::Cnn && run.name() == inside.network,
        _ => false,
    };
    let run = record.runs.iter().find(is_it)?;
    match &run.spec {
        RunSpec::Train(spec) => Some((run, spec)),
        _ => None,
    }
}

/// Writes the features into the run `features`, where there is such a network and its images are on this disk.
pub(super) fn write(
    dir: &Path,
    reader: &Reader,
    record: &StudyRecord,
    sources: &Sources,
) -> Result<(), Failure> {
    let Some((run, spec)) = inspected(record) else { return Ok(()) };
    let file = reader.run(run.id.as_ref()).path().join(TensorFile::Model.name());
    if !file.is_file() {
        return Ok(());
    }
    let Some(set) = images(record, &spec.data.set, sources) else {
        message::note(&format!(
            "TensorBoard's projector gets no features of {}: the images of {} are not where they were",
            run.full_title(),
            spec.data.set
        ));
        return Ok(());
    };
    let mut trained = Trained::read(&file).map_err(look::failure)?;
    let Some(layer) = last_hidden(&trained.network) else { return Ok(()) };
    let images = &set.test.images;
    let (height, width, channels) = (images.height, images.width, images.channels);
    let side = (SHEET / height.max(width)).max(1);
    let count = images.count.min(spec.data.test_images).min(POINTS).min(side * side);
    let pixels = &images.pixels[..count * height * width * channels];
    let values = features(&mut trained.network, &layer, pixels);
    let classes = &record.data[&spec.data.set].classes;
    let name = |&label: &u8| classes.get(usize::from(label)).cloned().unwrap_or_default();
    let labels: Vec<String> = set.test.labels[..count].iter().map(name).collect();
    let png = board::sprite(pixels, [width, height, channels]);
    let title = format!("{} of {}", layer.name, run.full_title());
    let embedding = Embedding {
        name: &title,
        values: &values,
        columns: layer.shape.len(),
        labels: &labels,
        sprite: Some(Sprite { png: &png, single: [width as u32, height as u32] }),
    };
    let dir = dir.join("features");
    let write = || {
        projector::write(&dir, &[embedding])?;
        // Only a folder with an event file is a run.
        let mut writer = board::writer(&dir, 0)?;
        writer.text("about", 0, &format!("What comes out of {title} for test images."))?;
        writer.close()
    };
    Ok(write().map_err(ExchangeError::from)?)
}

/// A study's set, where it is on this disk and the one that the study used: nothing is fetched.
fn images(record: &StudyRecord, name: &str, sources: &Sources) -> Option<DataSet> {
    let set = match record.study.data_set.iter().find(|own| own.name == name) {
        Some(own) => inkling_lab::read_own(own, sources, &Progress::new(&STOP)).ok()?,
        None => {
            let info = catalogue::find(name).ok()?;
            sources.locate(info).ok()??;
            sources.load(info).ok()?
        }
    };
    (record.data.get(name)?.checksum == set.checksum).then_some(set)
}

/// The last layer before the scores of the first head.
fn last_hidden(network: &Network) -> Option<LayerHandle> {
    let of_first = |layer: &LayerHandle| layer.head().is_none_or(|head| head == 0);
    network.layer_handles().into_iter().filter(of_first).rfind(|layer| layer.scores_of.is_none())
}

/// The output of a layer for images of these pixels, [images, outputs].
fn features(network: &mut Network, layer: &LayerHandle, pixels: &[u8]) -> Vec<f32> {
    let mut workspace = network.workspace(EVALUATION_BATCH, false);
    let mut found = Vec::new();
    let mut x = Vec::new();
    for batch in pixels.chunks(EVALUATION_BATCH * network.input_len()) {
        x.resize(batch.len(), 0.0);
        normalize_pixels(batch, &mut x);
        network.forward(&x, false, &mut workspace);
        found.extend_from_slice(network.output(layer, &x, &workspace));
    }
    found
}
