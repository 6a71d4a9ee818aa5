//! Whether a look can be done, as far as that is known before anything is computed.

use inkling_schema::{Labels, RunSpec, Start};

use super::error::LookError;
use super::images::HeadLabels;
use super::inputs::LookInputs;
use super::{dream, filters, images};

/// Refuses a look that cannot be done. [`look`](super::look) does this too, and it is quick: to ask before a store is
/// opened spares a person the folder.
///
/// # Errors
/// [`LookError`]: the network has no such layer, head, class, channel or place, the set no such image, or an image has
/// another size than the network takes.
///
/// # Panics
/// If the run is no look.
pub fn check(run: &RunSpec, inputs: &LookInputs) -> Result<(), LookError> {
    let (trained, set) = (&*inputs.network, inputs.set);
    if let Some(set) = set.filter(|_| run.data().is_some()) {
        images::check_set(set, trained)?;
    }
    let image = |asked| move |choice| images::check(choice, trained, asked, set, inputs.user_images);
    match run {
        RunSpec::Filters(_) => filters::check(trained),
        RunSpec::Activations(run) => {
            let head = run.head.as_deref().unwrap_or(trained.first_head());
            trained.head(head)?;
            run.images.iter().try_for_each(image(HeadLabels { head, labels: run.labels() }))
        }
        RunSpec::Dream(run) => {
            dream::check(&run.pictures, inputs)?;
            let starts = run.pictures.iter().map(|picture| &picture.start);
            starts
                .filter_map(|start| if let Start::Image { image } = start { Some(image) } else { None })
                .try_for_each(image(HeadLabels {
                    head: trained.first_head(),
                    labels: Some(&Labels::Classes),
                }))
        }
        _ => panic!("a {run:?} is no look"),
    }
}
