//! Images of a person's own: described, kept, and the whole study on them.

use std::fs;
use std::path::Path;

use crate::common::run;

/// A folder with so many pictures of 8 × 8 pixels for each of two classes: bars that stand, and bars that lie.
pub(crate) fn bars(folder: &Path, each: usize) {
    for class in ["lying", "standing"] {
        let class_folder = folder.join(class);
        fs::create_dir_all(&class_folder).unwrap();
        for number in 0..each {
            let mut pixels = [20_u8; 64];
            for i in 0..8 {
                let (place, shade) = (number % 8, 255 - (number * 7 % 90) as u8);
                pixels[if class == "lying" { 8 * place + i } else { 8 * i + place }] = shade;
            }
            let file = fs::File::create(class_folder.join(format!("{number}.png"))).unwrap();
            let mut encoder = png::Encoder::new(file, 8, 8);
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        }
    }
}

#[test]
fn a_folder_of_pictures_goes_through_description_import_and_study() {
    let folder = tempfile::tempdir().unwrap();
    bars(&folder.path().join("my bars"), 60);
    let told = run(folder.path(), &["data", "describe", "my bars"]);
    told.says(0, &[]);
    for words in ["2 classes, 96 training and 24 test images of 8 × 8, grey", "standing        48    12"] {
        assert!(told.stdout.contains(words), "{words:?} is not in {}", told.stdout);
    }
    run(folder.path(), &["data", "describe", "my bars", "--out", "seen"]).says(0, &[]);
    let page = fs::read_to_string(folder.path().join("seen/data.html")).unwrap();
    assert!(
        page.contains("<svg") && page.contains("standing: 48 training images"),
        "the page shows the classes"
    );
    assert!(folder.path().join("seen/contact_sheet.png").is_file());
    let json = run(folder.path(), &["data", "describe", "my bars", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(found["train"], serde_json::json!([48, 48]));
    run(folder.path(), &["data", "import", "my bars", "--out", "bars.npz"]).says(0, &[]);
    let again = run(folder.path(), &["data", "describe", "bars.npz", "--json"]);
    let again: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again["train"], found["train"]);
    // Nothing is written over that is no archive.
    fs::write(folder.path().join("notes.npz"), "mine").unwrap();
    run(folder.path(), &["data", "import", "my bars", "--out", "notes.npz"]).says(73, &["is not an archive"]);

    let study = run(folder.path(), &["study", "smoke", "--data", "my bars", "--threads", "2"]);
    study.says(0, &["task 6 is left out", "finished in"]);
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("out/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["data"]["my bars"]["classes"], serde_json::json!(["lying", "standing"]));
    assert_eq!(summary["tasks"]["cnn"]["networks"].as_array().unwrap().len(), 5);
    assert!(summary["tasks"]["multitask"].is_null());
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    // The report says where the images came from, and the command that makes it again.
    assert!(page.contains("my bars") && page.contains("--data"), "the page names the source");
    // The comments of the laboratory's program name the set whose preparation it has.
    let (before, program) = page.split_once(r#"<script id="laboratory-program">"#).unwrap();
    let (_, after) = program.split_once("</script>").unwrap();
    assert!(![before, after].iter().any(|part| part.contains("MNIST")), "nothing is said of other sets");
    // The same again does nothing, and so does a study file that names the same images.
    run(folder.path(), &["study", "smoke", "--data", "my bars"]).says(0, &["finished earlier"]);
    let spec = run(folder.path(), &["study", "smoke", "--data", "my bars", "--print-spec"]).stdout;
    let start = spec.find("source = ").unwrap();
    let end = start + spec[start..].find('\n').unwrap();
    fs::create_dir(folder.path().join("studies")).unwrap();
    let relative = format!("{}source = \"../my bars\"{}", &spec[..start], &spec[end..]);
    fs::write(folder.path().join("studies/bars.toml"), relative).unwrap();
    run(folder.path(), &["study", "studies/bars.toml"]).says(0, &["finished earlier"]);
}

#[test]
fn a_source_that_is_wrong_ends_the_study_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    bars(&folder.path().join("bars"), 8);
    fs::write(folder.path().join("bars/lying/broken.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    run(folder.path(), &["study", "smoke", "--data", "bars"]).says(65, &["broken.png", "help"]);
    assert!(!folder.path().join("out/runs").exists());
    run(folder.path(), &["data", "describe", "nowhere"]).says(74, &["nowhere"]);
    run(folder.path(), &["data", "describe", "bars", "--size", "big"]).says(2, &["such as 28x28"]);
}
