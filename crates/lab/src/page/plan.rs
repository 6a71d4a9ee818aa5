//! From the networks of a study to the runs for its page.

use std::collections::BTreeSet;

use inkling_schema::outcome::PlannedRun;
use inkling_schema::{PageImagesRun, PageNetworkRun, PagePlace, RunSpec, Study, page_candidates};

use crate::plan::DataSets;

/// Test images of a set at most from which the page takes those that it has: the first ones, so that a large set does not
/// fill the store.
const TEST_IMAGES: usize = 10_000;

/// A run for each network that the page has, and one for the images of each of their data sets.
pub(crate) fn expand(study: &Study, runs: &[PlannedRun], sets: &DataSets) -> Vec<PlannedRun> {
    let (networks, candidates): (Vec<_>, Vec<_>) = page_candidates(study, runs).into_iter().unzip();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (network, place) in networks.into_iter().zip(study.page.places(&candidates)) {
        let (PagePlace::There(precision), Some(data)) = (place, network.spec.data()) else { continue };
        let set = &sets[data.set.as_str()];
        let mut plan = |title: String, spec: RunSpec| {
            found.push(PlannedRun::new(spec.id(&set.checksum), network.task, title, spec));
        };
        if seen.insert(&data.set) {
            let test = set.test.len().min(TEST_IMAGES);
            let train = set.train.len().min(study.page.train_images);
            let images = PageImagesRun { data: data.clone(), test, train, seed: study.first_seed() };
            plan(format!("images of {} for the page", set.about.title), RunSpec::PageImages(images));
        }
        let (of, data) = (network.id.clone(), data.clone());
        let spec = RunSpec::PageNetwork(PageNetworkRun { of, data, precision });
        plan(format!("{} for the page", network.title), spec);
    }
    found
}
