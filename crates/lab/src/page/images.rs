//! Images for the page.

use inkling_data::import::stratified;
use inkling_data::{DataSet, Images};
use inkling_schema::PageImagesRun;
use inkling_schema::outcome::PageImagesOutcome;
use inkling_store::{Metadata, RunWriter, Tensor, TensorFile};

use crate::error::LabError;

/// Writes the images that the run asks for.
pub(super) fn run(
    spec: &PageImagesRun,
    set: &DataSet,
    writer: &RunWriter,
) -> Result<PageImagesOutcome, LabError> {
    let test = &set.test.images.pixels[..spec.test * set.test.images.dim()];
    let mut drawn = stratified(&set.train.labels, set.about.classes.len(), spec.seed);
    drawn.truncate(spec.train);
    drawn.sort_unstable();
    let numbers: Vec<u32> = drawn.into_iter().map(|number| number as u32).collect();
    let of_train = |number: &u32| set.train.images.image(*number as usize).iter().copied();
    let train: Vec<u8> = numbers.iter().flat_map(of_train).collect();
    let labels: Vec<u8> = numbers.iter().map(|&number| set.train.labels[number as usize]).collect();
    let Images { height, width, channels, .. } = set.train.images;
    let shape = |count: usize| [count, height, width, channels];
    let tensors = [
        Tensor::new("test_images", &shape(spec.test), test),
        Tensor::new("test_labels", &[spec.test], &set.test.labels[..spec.test]),
        Tensor::new("train_images", &shape(numbers.len()), &train),
        Tensor::new("train_labels", &[numbers.len()], &labels),
        Tensor::new("train_numbers", &[numbers.len()], &numbers),
    ];
    writer.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new())?;
    let brightness = set.train.images.brightness();
    Ok(PageImagesOutcome { test: spec.test, train: numbers.len(), brightness })
}
