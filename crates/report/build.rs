//! Lists the modules and style sheets of the page's laboratory, so that none has to be named twice.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FOLDER: &str = "page/laboratory";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(FOLDER);
    let mut files = Vec::new();
    list(&root, &mut files)?;
    files.sort();
    let entries = |ending: &str| {
        let of_kind =
            files.iter().filter(|path| path.extension().is_some_and(|extension| extension == ending));
        // Paths start at the crate's folder, here and above: two copies of the project may share Cargo's target folder.
        let entry = |path: &PathBuf| {
            let name =
                path.strip_prefix(&root).expect("it was found there").to_string_lossy().replace('\\', "/");
            let path = format!("/{FOLDER}/{name}");
            format!("({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),\n")
        };
        of_kind.map(entry).collect::<String>()
    };
    let text = format!(
        "/// The modules, by their paths.\nconst MODULES: &[(&str, &str)] = &[\n{}];\n\
         /// The style sheets, by their paths.\nconst STYLES: &[(&str, &str)] = &[\n{}];\n",
        entries("js"),
        entries("css")
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("laboratory.rs");
    fs::write(out, text)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
