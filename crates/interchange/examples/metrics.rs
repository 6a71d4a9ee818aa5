//! Writes the metrics of a study's finished runs in every form: `proofs/metrics.py` compares them. `cargo run -p
//! inkling-interchange --example metrics -- OUT FOLDER` reads the study in OUT and writes `FOLDER/metrics.{csv,json,parquet}`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use inkling_interchange::metrics::{csv, json, parquet, rows_of_perceptron, rows_of_training};
use inkling_schema::RunSpec;
use inkling_schema::outcome::{PerceptronOutcome, RunResult, StudyRecord, TrainOutcome};
use serde::de::DeserializeOwned;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [study, folder] = arguments.as_slice() else { return Err("which study, and which folder?".into()) };
    let record: StudyRecord = read(&study.join("study.json"))?;
    let mut rows = Vec::new();
    for run in &record.runs {
        let dir = study.join("runs").join(run.id.as_ref());
        rows.extend(match &run.spec {
            RunSpec::Train(spec) => {
                let result: RunResult<TrainOutcome> = read(&dir.join("result.json"))?;
                rows_of_training(run, spec, &lines(&dir)?, Some(&result.outcome))
            }
            RunSpec::Perceptron(spec) => {
                let result: RunResult<PerceptronOutcome> = read(&dir.join("result.json"))?;
                rows_of_perceptron(run, spec, &lines(&dir)?, Some(&result.outcome))
            }
            _ => Vec::new(),
        });
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("metrics.csv"), csv(&rows))?;
    fs::write(folder.join("metrics.json"), json(&rows))?;
    fs::write(folder.join("metrics.parquet"), parquet(&rows))?;
    Ok(())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Box<dyn Error>> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn lines<T: DeserializeOwned>(dir: &Path) -> Result<Vec<T>, Box<dyn Error>> {
    let text = fs::read_to_string(dir.join("metrics.jsonl"))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}
