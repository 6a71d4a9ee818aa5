//! `inkling study --init`: a study file to start from, fitted to a person's own images, with comments.

use std::path::Path;

use inkling_data::import::Imported;
use inkling_schema::Study;
use inkling_schema::format::thousands;

use crate::failure::Failure;
use crate::{output, own};

/// What a key or a table is, said above the first of its name. A table's name has its brackets.
const COMMENTS: &[(&str, &str)] = &[
    ("seed", "Every random stream begins with it: another seed is another study."),
    (
        "train_images",
        "The first so many images of each part are used; in every beginning, classes have their shares.",
    ),
    ("[[data_set]]", "The images. A path that is not absolute begins where this file lies."),
    ("channels", "1 for grey, 3 for colour. Tasks 1 and 2 look at grey images."),
    ("[pca]", "Task 1: principal components, and whether lines and hyperplanes separate the classes."),
    ("components", "Components that are kept, and the numbers of them from which some images are rebuilt."),
    ("pictures", "Images that can be looked at one by one in the page."),
    ("directions", "Directions in the plane that are tried before the best is refined."),
    ("max_passes", "Passes after which the search for a separating hyperplane is given up."),
    ("[perceptron]", "Task 2: a perceptron for every pair of classes."),
    ("rule", "online, batch, averaged or pocket."),
    ("max_iterations", "Passes at most, and the share of wrong images at which training stops."),
    ("[mlp]", "Task 3: multilayer perceptrons, compared with each other."),
    (
        "[mlp.training]",
        "How each of them is trained. `validation = { images = 200, patience = 3 }` would hold images out and stop early, and \
         `precision = \"bfloat16\"` multiplies rounded factors, faster on processors with AVX512-BF16.",
    ),
    ("log_every", "Steps between two points of the curves."),
    ("[mlp.training.schedule]", "constant, cosine or step."),
    ("[mlp.training.optimizer]", "adam, adam-w, sgd, rms-prop or lion."),
    ("[[mlp.networks]]", "As many as you like; `hidden` lists the units of each hidden layer."),
    ("[cnn]", "Task 4: convolutional networks, compared with each other and with those of task 3."),
    ("[[cnn.networks]]", "`filters`, `kernels` and `strides` have an entry for each convolution."),
    (
        "[inside]",
        "Task 5: a look inside one of the networks of task 4, at two classes by their numbers from 0.",
    ),
    ("integration_steps", "Steps of integrated gradients from black to the image."),
    ("seeds", "Dreams of each of the two classes."),
    (
        "[inside.judge]",
        "A second network like the first, trained from another seed, says what it recognises in the dreams.",
    ),
    ("[inside.dream]", "How dreams are made."),
    ("[inside.amplify]", "How images are changed to amplify what each layer responds to."),
];

/// Prints the study file of a preset, fitted to these images.
pub(crate) fn init(mut study: Study, source: &Path) -> Result<(), Failure> {
    let (name, set) = own::own_study(&mut study, source, &[])?;
    output::bytes(text(&study, &name, &set).as_bytes());
    Ok(())
}

fn text(study: &Study, name: &str, set: &Imported) -> String {
    let images = &set.train.images;
    let mut text = format!(
        "# A study of {name}: {} training and {} test images of {} × {} pixels in {} classes.\n#\n# {}\n#\n\
         # `inkling study FILE.toml` does it. Leave out the tables of tasks that you do not want.\n",
        thousands(set.train.len()),
        thousands(set.test.len()),
        images.height,
        images.width,
        set.classes.len(),
        classes(&set.classes),
    );
    let mut said: Vec<&str> = Vec::new();
    for line in study.to_toml().lines() {
        let key = line.split(" = ").next().unwrap_or_default();
        if let Some((key, comment)) = COMMENTS.iter().find(|(known, _)| *known == key)
            && !said.contains(key)
        {
            said.push(key);
            text += &format!("# {comment}\n");
        }
        text += line;
        text += "\n";
        if key == "source" {
            text += &further(set);
        }
    }
    text
}

/// The classes, with their numbers where these are not their names.
fn classes(names: &[String]) -> String {
    let alike = names.iter().enumerate().all(|(number, name)| *name == number.to_string());
    let named = |(number, name): (usize, &String)| {
        if alike { name.clone() } else { format!("{number} {name}") }
    };
    let named: Vec<String> = names.iter().enumerate().map(named).collect();
    format!("The classes{}: {}.", if alike { "" } else { ", with their numbers" }, named.join(", "))
}

/// What a data set can be told beside its source, as comments.
fn further(set: &Imported) -> String {
    let (images, first) = (&set.train.images, &set.classes[0]);
    let rest = set.classes[1..].iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let size = format!("size = [{}, {}]", images.height, images.width);
    let groups = format!(
        "groups = [{{ name = \"first\", classes = [{first:?}] }}, {{ name = \"others\", classes = [{rest}] }}]"
    );
    let lines = [
        format!("{size:20} # height and width; without it, as here"),
        format!("{:20} # or crop, or pad: how images of another shape get the size", "fit = \"stretch\""),
        format!(
            "{:20} # the share of test images that is drawn, or the folder or file that holds them",
            "test = 0.2"
        ),
        format!("{groups} # for [multitask], task 6, as `inkling study brief --print-spec` shows it"),
    ];
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use inkling_schema::preset;

    use super::*;

    #[test]
    fn every_comment_is_about_something_and_changes_nothing() {
        let mut study = preset("quick").unwrap();
        study.keep_only(&inkling_schema::Task::ALL[..6]);
        study.data_set.clear();
        let printed = study.to_toml();
        let mut missing = COMMENTS.iter().filter(|(key, _)| {
            !["[[data_set]]", "channels"].contains(key)
                && !printed.lines().any(|line| line.split(" = ").next() == Some(key))
        });
        assert_eq!(missing.next(), None);
    }
}
