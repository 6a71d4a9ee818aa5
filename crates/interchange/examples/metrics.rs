//! Writes the metrics of a study's finished runs in every form: `proofs/metrics.py` compares them. `cargo run -p
//! inkling-interchange --example metrics -- OUT FOLDER` reads the study in OUT and writes `FOLDER/metrics.{csv,json,parquet}`,
//! and `FOLDER/logs` with `FOLDER/expected.json`, which the proof of the crate for TensorBoard compares.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use inkling_interchange::metrics::{MetricRow, csv, json, parquet, rows_of_perceptron, rows_of_training};
use inkling_schema::RunSpec;
use inkling_schema::outcome::{PerceptronOutcome, RunResult, StudyRecord, TrainOutcome};
use inkling_tensorboard::EventWriter;
use serde::de::DeserializeOwned;
use serde_json::{Value, json as json_value};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [study, folder] = arguments.as_slice() else { return Err("which study, and which folder?".into()) };
    let record: StudyRecord = read(&study.join("study.json"))?;
    let (mut rows, mut runs) = (Vec::new(), serde_json::Map::new());
    for run in &record.runs {
        let dir = study.join("runs").join(run.id.as_ref());
        let of_run = match &run.spec {
            RunSpec::Train(spec) => {
                let result: RunResult<TrainOutcome> = read(&dir.join("result.json"))?;
                rows_of_training(run, spec, &lines(&dir)?, Some(&result.outcome))
            }
            RunSpec::Perceptron(spec) => {
                let result: RunResult<PerceptronOutcome> = read(&dir.join("result.json"))?;
                rows_of_perceptron(run, spec, &lines(&dir)?, Some(&result.outcome))
            }
            _ => continue,
        };
        let name = format!("{}/{}", run.task.name(), run.title.replace('/', "-"));
        runs.insert(name.clone(), log(&folder.join("logs").join(name), &of_run)?);
        rows.extend(of_run);
    }
    fs::write(folder.join("expected.json"), json_value!({ "runs": runs }).to_string())?;
    fs::write(folder.join("metrics.csv"), csv(&rows))?;
    fs::write(folder.join("metrics.json"), json(&rows))?;
    fs::write(folder.join("metrics.parquet"), parquet(&rows))?;
    Ok(())
}

/// Writes the rows of a run for TensorBoard, and says what it must find.
fn log(dir: &Path, rows: &[MetricRow]) -> Result<Value, Box<dyn Error>> {
    let mut writer = EventWriter::create(dir, "host", 0, || Duration::from_secs(1_700_000_000))?;
    let mut scalars: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
    for row in rows {
        let Some((tag, step)) = row.chart() else { continue };
        writer.scalar(&tag, step, row.value)?;
        scalars.entry(tag).or_default().push((step, row.value));
    }
    writer.close()?;
    Ok(json_value!({ "scalars": scalars }))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Box<dyn Error>> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn lines<T: DeserializeOwned>(dir: &Path) -> Result<Vec<T>, Box<dyn Error>> {
    let text = fs::read_to_string(dir.join("metrics.jsonl"))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}
