//! A source of images of one's own on the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use inkling_data::import::{Fit, Request};

use super::values;

/// What a source may be.
pub(crate) const SOURCES: &str = "\
SOURCE is one of
  a folder with a sub-folder of images for each class (PNG, JPEG, GIF, BMP, WebP, TIFF), or with folders train, val and test \
of such sub-folders
  an .npz file with x_train, y_train, x_test, y_test (as Keras writes it), train_images, … (as MedMNIST has it), or X and y
  a .csv file with a label and the pixels of an image in each line, or a folder with train.csv and test.csv
  a .parquet file with the bytes of an image and its label in each row (as the Hugging Face Hub has them), or a folder with \
train-….parquet and test-….parquet
  a folder of IDX files, such as train-images-idx3-ubyte.gz (MNIST, KMNIST, EMNIST with --transposed)
  a folder of the binary files of CIFAR-10 or CIFAR-100, or the archive that they come in
  the name of a set whose files, as published, lie in data/, data/NAME or ~/.medmnist: kmnist, emnist-letters (-balanced, -byclass, \
-bymerge, -digits, -mnist), cifar-10, cifar-100, pathmnist, dermamnist, octmnist, pneumoniamnist, retinamnist, breastmnist, \
bloodmnist, tissuemnist, organamnist, organcmnist, organsmnist (and bloodmnist_64 and the like); their MD5 checksums are compared

Classes are known by their names and stand in natural order: 1, 2, 10.";

/// Where images lie, and how they are prepared.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// A folder, an .npz, a .csv or a .parquet file, or the name of a set.
    pub(crate) source: PathBuf,

    #[command(flatten)]
    preparation: PreparationArgs,

    /// Seed of the draw and of the order of the images.
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::seed, allow_negative_numbers = true)]
    seed: u64,
}

/// How images are prepared.
#[derive(Debug, Args)]
pub(crate) struct PreparationArgs {
    /// Height and width of the images; default: the size that all of them have, if no side is above 64, else 32x32.
    #[arg(long, value_name = "HxW", value_parser = values::size)]
    size: Option<[usize; 2]>,

    /// 1 for grey, 3 for colour; default: 1 if every image is grey, else 3.
    #[arg(long, value_name = "N", value_parser = values::channels)]
    channels: Option<usize>,

    /// How an image of another shape gets this size.
    #[arg(long, value_enum, default_value_t = FitName::Stretch)]
    fit: FitName,

    /// Test images: the share of each class that is drawn where the source has none (0.2), or a source of their own.
    #[arg(long, value_name = "SHARE|SOURCE", default_value = "0.2")]
    test: String,

    /// Exchange rows and columns, as EMNIST's files need it.
    #[arg(long)]
    transposed: bool,
}

/// How an image of another shape gets the size that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FitName {
    /// Scale each side for itself.
    Stretch,
    /// Scale until the size is covered, and cut what is over.
    Crop,
    /// Scale until it fits, on black.
    Pad,
}

impl From<FitName> for Fit {
    fn from(name: FitName) -> Fit {
        match name {
            FitName::Stretch => Fit::Stretch,
            FitName::Crop => Fit::Crop,
            FitName::Pad => Fit::Pad,
        }
    }
}

impl SourceArgs {
    /// What is asked of the source.
    pub(crate) fn request(&self) -> Request {
        self.preparation.request(self.seed)
    }
}

impl PreparationArgs {
    /// What is asked of a source, with this seed of the draw and of the order.
    pub(crate) fn request(&self, seed: u64) -> Request {
        let share = self.test.trim().parse::<f64>().ok();
        Request {
            size: self.size,
            channels: self.channels,
            fit: self.fit.into(),
            test: if share.is_none() { Some(PathBuf::from(&self.test)) } else { None },
            test_share: share.unwrap_or_else(|| Request::default().test_share),
            seed,
            transposed: self.transposed,
            cache: inkling_data::cache_folder(),
            places: inkling_data::usual_places(),
        }
    }
}
