//! Tests of what the page gets for its laboratory, of random results.

use std::io::Read as _;

use serde_json::Value;

use super::index::{Blobs, Index};
use super::*;
use crate::document::tests::random::random_results;
use crate::{PageImages, Results};

/// Random results that have a laboratory.
fn laboratories() -> impl Iterator<Item = Results> {
    (0..60).map(random_results).filter(|results| results.page.is_some())
}

/// The index as the page reads it, and the bytes of a blob.
fn read(results: &Results) -> (Value, impl Fn(&Value) -> Vec<u8>) {
    let (index, Blobs(blobs)) = Index::new(results).unwrap();
    let bytes = move |blob: &Value| {
        let (_, bytes) = blobs.iter().find(|(key, _)| blob["key"] == **key).unwrap();
        if blob["gzip"] == true {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
            unpacked
        } else {
            bytes.clone()
        }
    };
    (serde_json::to_value(index).unwrap(), bytes)
}

fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

#[test]
fn images_labels_and_predictions_are_of_the_same_test_images() {
    let mut seen = 0;
    for results in laboratories() {
        let page = results.page.as_ref().unwrap();
        let (index, bytes) = read(&results);
        for set in index["sets"].as_array().unwrap() {
            let name = set["name"].as_str().unwrap();
            let PageImages { data, test, test_labels, train, .. } = &page.images[name];
            let dim = data.height * data.width * data.channels;
            let shown = numbers(&set["test"]["numbers"]);
            assert!(shown.is_sorted_by(|a, b| a < b) && shown.len() <= results.record.study.page.test_images);
            let pixels = bytes(&set["test"]["images"]);
            assert_eq!(pixels.len(), shown.len() * dim);
            for (place, &number) in shown.iter().enumerate() {
                assert_eq!(pixels[place * dim..][..dim], test[number * dim..][..dim]);
                assert_eq!(numbers(&set["test"]["labels"])[place], usize::from(test_labels[number]));
            }
            assert_eq!(bytes(&set["train"]["images"]), *train);
            let classes = test_labels.iter().max().map_or(0, |&last| usize::from(last) + 1);
            let of_class =
                |class: usize| shown.iter().any(|&number| usize::from(test_labels[number]) == class);
            let there = |class: usize| test_labels.iter().any(|&label| usize::from(label) == class);
            assert!((0..classes).all(|class| !there(class) || of_class(class)), "every class is shown");

            for (network, of) in index["networks"].as_array().unwrap().iter().zip(&page.networks) {
                assert_eq!(
                    (network["id"].as_str().unwrap(), &bytes(&network["model"])),
                    (of.id.as_ref(), &of.model)
                );
                for (head, answers) in of.network.heads.iter().enumerate() {
                    let expected: Vec<usize> =
                        shown.iter().map(|&number| usize::from(answers.predictions[number])).collect();
                    assert_eq!(numbers(&network["predictions"][head]), expected);
                }
                assert_eq!(network["changed"].is_null(), network["precision"] == "f32");
                seen += 1;
            }
        }
        assert_eq!(index["networks"].as_array().unwrap().len(), page.networks.len());
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn the_surest_mistakes_and_disagreements_come_first_and_are_counted_over_all_test_images() {
    for results in laboratories() {
        let page = results.page.as_ref().unwrap();
        let (index, _) = read(&results);
        for found in index["differences"].as_array().unwrap() {
            let of = |key: &str| page.networks[found[key].as_u64().unwrap() as usize].network.predictions();
            let (a, b) = (of("a"), of("b"));
            let differing = a.iter().zip(b).filter(|(a, b)| a != b).count();
            assert_eq!(
                (found["images"].as_u64(), found["of"].as_u64()),
                (Some(differing as u64), Some(a.len() as u64))
            );
        }
        for set in index["sets"].as_array().unwrap() {
            let shown = numbers(&set["test"]["numbers"]);
            let of_set = page.networks.iter().filter(|network| set["name"] == *network.network.spec.data.set);
            let surest = of_set.filter_map(|network| network.network.wrong.first()).map(|image| image.index);
            let there = page.images[set["name"].as_str().unwrap()].test_labels.len();
            let missing: Vec<usize> =
                surest.filter(|&image| image < there && !shown.contains(&image)).collect();
            assert!(missing.is_empty(), "{missing:?}");
        }
    }
}

#[test]
fn a_page_holds_every_byte_and_a_class_that_looks_like_the_end_of_a_script_ends_none() {
    let mut results = laboratories().next().unwrap();
    let page = results.page.as_mut().unwrap();
    page.images.values_mut().for_each(|images| images.data.classes[0] = "</script><b>".into());
    let laboratory = Laboratory::new(&results).unwrap();
    let whole = laboratory.put_into(&format!("<p>before</p>{PLACE}<p>after</p>"));
    assert!(whole.starts_with("<p>before</p>") && whole.ends_with("<p>after</p>") && !whole.contains("<b>"));
    let scripts = 2 + laboratory.blobs.len();
    assert_eq!((whole.matches("<script").count(), whole.matches("</script>").count()), (scripts, scripts));
    for (key, bytes) in &laboratory.blobs {
        let start = format!("id=\"laboratory-{key}\">");
        let (_, text) = whole.split_once(&start).unwrap();
        assert_eq!(STANDARD.decode(text.split('<').next().unwrap()).unwrap(), *bytes);
    }
}
