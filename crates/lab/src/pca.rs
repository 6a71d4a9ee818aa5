//! Task 1, the first half: principal components, the embedding of the training images, some images rebuilt.

use std::time::Instant;

use inkling_data::{Images, Samples};
use inkling_engine::Affine;
use inkling_engine::pca::Pca;
use inkling_schema::PcaRun;
use inkling_schema::outcome::PcaOutcome;
use inkling_store::{Metadata, RunWriter, Tensor, TensorFile};

use crate::error::LabError;
use crate::runs::RunContext;

/// Dimensions of the scatter plot.
const PLANE: usize = 2;

pub(crate) fn run(
    context: &RunContext,
    run: &PcaRun,
    writer: &mut RunWriter,
) -> Result<Option<PcaOutcome>, LabError> {
    let train = &context.set().train;
    let images = &train.images;
    let d = images.dim();
    let start = Instant::now();
    let model = Pca::fit(&images.pixels, d, Affine::SIGNED_UNIT, run.components)?;
    let embedding = model.transform(&images.pixels, PLANE);
    let fit_seconds = start.elapsed().as_secs_f64();

    write_model(writer, &model, run.components)?;
    write_arrays(writer, &model, &embedding, context, run)?;
    Ok(Some(PcaOutcome {
        samples: model.samples,
        features: d,
        total_variance: model.total_variance,
        explained_variance_ratio: model.explained_variance_ratio,
        fit_seconds,
    }))
}

fn write_model(writer: &RunWriter, model: &Pca, k: usize) -> Result<(), LabError> {
    let d = model.features();
    let metadata = Metadata::from([
        ("samples".into(), model.samples.to_string()),
        ("total_variance".into(), model.total_variance.to_string()),
        ("pixel_factor".into(), model.affine.factor.to_string()),
        ("pixel_shift".into(), model.affine.shift.to_string()),
    ]);
    let tensors = [
        Tensor::new("mean", &[d], &model.mean),
        Tensor::new("components", &[k, d], &model.components),
        Tensor::new("singular_values", &[k], &model.singular_values),
        Tensor::new("explained_variance", &[k], &model.explained_variance),
        Tensor::new("explained_variance_ratio", &[k], &model.explained_variance_ratio),
    ];
    Ok(writer.write_tensors(TensorFile::Model, &tensors, &metadata)?)
}

/// The embedding with its labels and some of its pictures, the whole spectrum, and one test image of each class rebuilt
/// from few components.
fn write_arrays(
    writer: &RunWriter,
    model: &Pca,
    embedding: &[f64],
    context: &RunContext,
    run: &PcaRun,
) -> Result<(), LabError> {
    let (train, test) = (&context.set().train, &context.set().test);
    let originals = first_of_each_class(test, context.set().about.classes.len());
    let mut rebuilt = Vec::new();
    for &k in &run.reconstructions {
        let features = model.inverse_transform(&model.transform(&originals, k), k);
        rebuilt.extend(features.iter().map(|x| *x as f32));
    }
    let images = originals.len() / model.features();
    let pictures = &train.images.pixels[..run.pictures * model.features()];
    let levels = run.reconstructions.len();
    let shape = |leading: &[usize]| [leading, &image_shape(&train.images)].concat();
    let tensors = [
        Tensor::new("embedding", &[train.len(), PLANE], embedding),
        Tensor::new("labels", &[train.len()], &train.labels),
        Tensor::new("pictures", &shape(&[run.pictures]), pictures),
        Tensor::new("spectrum", &[model.features()], &model.spectrum),
        Tensor::new("originals", &shape(&[images]), &originals),
        Tensor::new("rebuilt", &shape(&[levels, images]), &rebuilt),
    ];
    Ok(writer.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new())?)
}

/// The shape of an image in a file: [height, width], and the channels after these where there are several.
fn image_shape(images: &Images) -> Vec<usize> {
    let mut shape = vec![images.height, images.width];
    shape.extend((images.channels > 1).then_some(images.channels));
    shape
}

/// Pixels of the first image of each class.
fn first_of_each_class(samples: &Samples, classes: usize) -> Vec<u8> {
    let first = |class: usize| samples.labels.iter().position(|&label| usize::from(label) == class);
    (0..classes).filter_map(first).flat_map(|i| samples.images.image(i)).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use inkling_data::{DataSet, catalogue};
    use inkling_schema::{DataSlice, RunSpec};
    use inkling_store::Store;

    use super::*;
    use crate::observer::{Event, Observer};

    struct Silent;

    impl Observer for Silent {
        fn event(&self, _event: Event) {}

        fn interrupted(&self) -> bool {
            false
        }

        fn checkpoint_is_due(&self, _: Duration) -> bool {
            false
        }
    }

    #[test]
    fn images_are_written_with_their_channels_where_they_have_several() {
        for (channels, shape) in [(1, &[2, 3][..]), (3, &[2, 3, 3])] {
            let samples = |count: usize| {
                let pixels = (0..count * 6 * channels).map(|i| (i * i % 251) as u8).collect();
                let images = Images { count, height: 2, width: 3, channels, pixels };
                Samples { images, labels: (0..count).map(|i| (i % 2) as u8).collect() }
            };
            let info = catalogue::find("mnist").unwrap();
            let set = DataSet {
                about: info.into(),
                train: samples(30),
                test: samples(4),
                validation: None,
                checksum: "made up".into(),
            };
            let data = DataSlice { set: "mnist".into(), train_images: 30, test_images: 4 };
            let spec = PcaRun { data, components: 4, reconstructions: vec![1, 3], pictures: 5 };
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let context = RunContext {
                store: &store,
                set: Some(&set),
                groups: &[],
                observer: &Silent,
                waits: true,
                mixes_instructions: false,
            };
            let run_spec = RunSpec::Pca(spec.clone());
            let id = run_spec.id(&set.checksum);
            let mut writer = store.begin(id.as_ref(), &run_spec).unwrap();
            run(&context, &spec, &mut writer).unwrap().unwrap();
            let arrays = writer.dir().tensors(TensorFile::Arrays).unwrap();
            for (name, leading) in [("pictures", &[5][..]), ("originals", &[2]), ("rebuilt", &[2, 2])] {
                assert_eq!(arrays.shape(name).unwrap(), [leading, shape].concat(), "{name}");
            }
            let pixels = arrays.values::<u8>("pictures", &[&[5], shape].concat()).unwrap();
            assert_eq!(pixels, set.train.images.pixels[..pixels.len()]);
        }
    }
}
