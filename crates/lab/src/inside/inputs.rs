//! The inputs of a look beside its run's spec.

use inkling_data::DataSet;

use super::images::UserImage;
use super::trained::Trained;

/// The networks, the data set and the images of a look.
#[derive(Debug)]
pub struct LookInputs<'a> {
    /// The network to look into.
    pub network: &'a mut Trained,
    /// An independently trained network that evaluates dreams, if there is one.
    pub judge: Option<&'a mut Trained>,
    /// The data set of the run, with as many images as it says.
    pub set: Option<&'a DataSet>,
    /// The image files that the user supplies and the run names.
    pub user_images: &'a [UserImage],
}

impl LookInputs<'_> {
    /// The classes' names, where they are known.
    pub(crate) fn names(&self) -> &[String] {
        self.set.map_or(&[], |set| &set.about.classes)
    }
}
