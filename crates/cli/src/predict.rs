//! `inkling predict`: what a trained network makes of a person's pictures.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use inkling_data::import::{Fit, ImportError};
use inkling_data::{Images, Picture, PictureFit, Prepared, prepare};
use inkling_engine::logits::probability;
use inkling_lab::Trained;
use inkling_schema::format::percent;
use inkling_schema::{FitSpec, Preparation};
use serde_json::{Value, json};

use crate::args::PredictArgs;
use crate::failure::Failure;
use crate::trained::{self, Named};
use crate::{message, output, start_computing};

/// The largest picture that is read, in bytes.
const LARGEST: u64 = 256 << 20;
/// What a picture is called that comes from standard input.
const STDIN: &str = "standard input";

pub(crate) fn predict(args: &PredictArgs) -> Result<(), Failure> {
    start_computing(&args.compute)?;
    let Named { mut network, words, .. } = trained::read(&args.model)?;
    let head_name = args.head.clone().unwrap_or_else(|| network.first_head().to_owned());
    let head = network.head(&head_name)?;
    let classes = trained::classes(&network, head);
    let preparation = preparation(&network);
    let fit = args.fit.map_or(PictureFit::Whole(inkling_lab::fit(preparation.fit)), PictureFit::from);
    let how = Prepared {
        shape: [preparation.size[0], preparation.size[1], preparation.channels],
        fit,
        inverted: args.invert,
    };
    let look = trained::look(&network);
    let said = prepared_words(how);
    if !args.json {
        output::line(&format!("{words}\n{said}\n"));
    }
    let mut found: Vec<Value> = Vec::new();
    let mut failed: Option<Failure> = None;
    for path in all(&args.images)? {
        let picture = match read(&path, how) {
            Ok(picture) => picture,
            // The others are still of use; the first fault ends the program.
            Err(error) => {
                match &failed {
                    None => failed = Some(error.into()),
                    Some(_) => message::say(&error.to_string()),
                }
                continue;
            }
        };
        let name = name(&path);
        let notes: Vec<String> = picture.notes(look.as_ref()).iter().map(ToString::to_string).collect();
        notes.iter().for_each(|note| message::note(&format!("`{name}`: {note}")));
        let probabilities = probabilities(&mut network, head, &picture.image);
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]).then(a.cmp(&b)));
        order.truncate(args.top.get());
        if args.json {
            let top = order
                .iter()
                .map(|&class| json!({ "class": classes[class], "probability": probabilities[class] }));
            found.push(json!({ "image": name, "top": top.collect::<Vec<_>>(), "notes": notes }));
        } else {
            let top = order
                .iter()
                .map(|&class| format!("{} ({})", classes[class], percent(probabilities[class], 1)));
            output::line(&format!("{name}: {}", top.collect::<Vec<_>>().join(", ")));
        }
    }
    if args.json {
        let all = json!({ "model": words, "head": head_name, "preparation": said, "images": found });
        output::line(&serde_json::to_string_pretty(&all).expect("plain data"));
    }
    failed.map_or(Ok(()), Err)
}

/// The softmax of a head's scores of one image.
fn probabilities(network: &mut Trained, head: usize, image: &Images) -> Vec<f64> {
    let scores = network.scores_of_images(image).swap_remove(head);
    (0..scores.len()).map(|class| probability(&scores, class)).collect()
}

/// How the network's own images were prepared; of a file that does not say, as large as it takes them.
fn preparation(network: &Trained) -> Preparation {
    let [height, width, channels] = network.input();
    network.card.as_ref().map_or(
        Preparation { size: [height, width], channels, fit: FitSpec::Pad, brightness: [0.0; 2] },
        |card| card.preparation.clone(),
    )
}

/// What happens to each picture, as a sentence.
fn prepared_words(how: Prepared) -> String {
    let [height, width, channels] = how.shape;
    let colour = if channels == 1 { "grey" } else { "colour" };
    let invert = if how.inverted { ", inverted" } else { "" };
    let fit = match how.fit {
        PictureFit::Whole(Fit::Stretch) => "each side scaled for itself",
        PictureFit::Whole(Fit::Crop) => "scaled until it covers them, and cut",
        PictureFit::Whole(Fit::Pad) => "scaled until it fits, on black",
        PictureFit::Digit => "what is drawn scaled into their middle",
    };
    format!(
        "Each picture is read in {colour}{invert}, made {height} × {width} pixels ({fit}), and divided by 255."
    )
}

/// All pictures that are named, those of folders in the order of their names.
fn all(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "apng"];
    let mut found = Vec::new();
    for path in named {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let read = |source| ImportError::Read { path: path.clone(), source };
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(read)? {
            let file = entry.map_err(read)?.path();
            let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_lowercase();
            let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if file.is_file() && !hidden && ENDINGS.contains(&ending.as_str()) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            let help =
                "name a folder that holds PNG, JPEG, GIF, BMP, WebP or TIFF files, or the files themselves";
            let problem = "holds no picture".to_owned();
            return Err(ImportError::Unfit { path: path.clone(), problem, help: help.into() }.into());
        }
        inside.sort();
        found.extend(inside);
    }
    Ok(found)
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { STDIN.into() } else { path.display().to_string() }
}

fn read(path: &Path, how: Prepared) -> Result<Picture, ImportError> {
    let mut bytes = Vec::new();
    let stdin = path == Path::new("-");
    let read = if stdin {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        message::of_pipe(path);
        File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    let path = if stdin { PathBuf::from(STDIN) } else { path.to_owned() };
    read.map_err(|source| ImportError::Read { path: path.clone(), source })?;
    if bytes.len() as u64 > LARGEST {
        let (problem, help) = ("is larger than 256 MiB".to_owned(), "save it smaller".to_owned());
        return Err(ImportError::Unfit { path, problem, help });
    }
    prepare(&bytes, how).map_err(|(problem, help)| ImportError::Unfit {
        path,
        problem,
        help: help.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preparation_is_told_in_one_sentence() {
        let how = Prepared { shape: [28, 28, 1], fit: PictureFit::Whole(Fit::Pad), inverted: true };
        assert_eq!(
            prepared_words(how),
            "Each picture is read in grey, inverted, made 28 × 28 pixels (scaled until it fits, on black), and divided by 255."
        );
    }
}
