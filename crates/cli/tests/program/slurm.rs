//! `inkling study --on slurm`, with commands in the place of Slurm's that do at once what they are given, or only note it.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Done, done, inkling, run};

/// Notes its words, and starts the jobs of the script one after the other: they come after those that they wait for.
const DOES: &str = r#"#!/bin/bash
[ "$1" != --version ] || exit 0
echo "$*" >> "$NOTES/sbatch"
number=$(wc -l < "$NOTES/sbatch")
for script; do :; done
last=$(sed -n 's/^#SBATCH --array=0-//p' "$script")
for task in $(seq 0 "${last:-0}"); do
    SLURM_ARRAY_TASK_ID=$task SLURM_JOB_ID=$number bash "$script" >> "$NOTES/log" 2>&1
    echo "$number $task $?" >> "$NOTES/ended"
done
echo "$number;cluster"
"#;

/// Notes its words, and takes the job.
const NOTES: &str = r#"#!/bin/bash
[ "$1" != --version ] || exit 0
echo "$*" >> "$NOTES/sbatch"
wc -l < "$NOTES/sbatch"
"#;

/// Takes one job and no more.
const REFUSES: &str = r#"#!/bin/bash
[ "$1" != --version ] || exit 0
[ ! -e "$NOTES/sbatch" ] || { echo "sbatch: error: invalid partition specified: nowhere" >&2; exit 1; }
echo "$*" >> "$NOTES/sbatch"
echo 17
"#;

const SCONTROL: &str = "#!/bin/bash\necho \"$*\" >> \"$NOTES/scontrol\"\n";

/// A folder with Slurm's commands, and one for notes.
fn place(sbatch: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["bin", "notes"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    for (name, text) in [("sbatch", sbatch), ("scontrol", SCONTROL)] {
        let path = folder.path().join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn notes(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join("notes").join(name)).unwrap_or_default()
}

/// A command that finds the commands of `place`.
fn with_slurm(command: &mut Command, folder: &Path) {
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    command.current_dir(folder).env("PATH", path).env("NOTES", folder.join("notes"));
}

fn submit(folder: &Path, arguments: &[&str]) -> Done {
    let mut command = inkling();
    with_slurm(&mut command, folder);
    command.env_remove("INKLING_SLURM").args(["study", "mine.toml", "--on", "slurm"]).args(arguments);
    done(&command.output().unwrap())
}

/// Writes the study `mine.toml`: these tasks of the smoke preset, with so many epochs.
fn study(folder: &Path, tasks: &str, epochs: usize) {
    let text = run(folder, &["study", "smoke", "--only", tasks, "--print-spec"]).stdout;
    fs::write(folder.join("mine.toml"), text.replace("epochs = 2", &format!("epochs = {epochs}"))).unwrap();
}

fn states(folder: &Path, out: &str) -> Vec<Value> {
    let status = run(folder, &["status", out, "--json"]);
    status.says(0, &[]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    status["runs"].as_array().unwrap().clone()
}

#[test]
fn a_study_is_submitted_done_and_reported_and_the_same_command_submits_what_is_left() {
    let place = place(DOES);
    let folder = place.path();
    study(folder, "perceptron,inside", 2);
    fs::write(folder.join("slurm.toml"), "[slurm]\npartition = \"long\"\ncpus = 1\npack_minutes = 0.01\n")
        .unwrap();
    let out = "it's 50 % shared";
    let submitted = submit(folder, &["--out", out]);
    submitted.says(0, &[]);
    for words in ["runs are left to do; submitted to Slurm", "the report", "scancel 1 2", "--watch"] {
        assert!(submitted.stdout.contains(words), "{}", submitted.stdout);
    }
    let runs = states(folder, out);
    assert!(runs.len() > 60 && runs.iter().all(|run| run["state"] == "done"), "{}", notes(folder, "log"));
    for name in ["report.pdf", "report.html", "summary.json"] {
        assert!(folder.join(out).join(name).exists(), "{name}: {}", notes(folder, "log"));
    }
    let summary = fs::read_to_string(folder.join(out).join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["preset"], &summary["machine"]["threads"]), (&"mine.toml".into(), &1.into()));
    assert!(summary["seconds"].as_f64().unwrap() > 0.0);
    assert!(notes(folder, "ended").lines().all(|line| line.ends_with(" 0")), "{}", notes(folder, "log"));
    assert_eq!(notes(folder, "scontrol"), "");

    let given = notes(folder, "sbatch");
    let lines: Vec<&str> = given.lines().collect();
    // How the runs are packed depends on the machine's speed.
    assert!(lines.len() >= 3 && lines[0].starts_with("--parsable --output="), "{given}");
    assert!(given.contains("/it's 50 %% shared/slurm/%x-%A_%a.log"), "{given}");
    // The dreams wait for their networks alone, and the report for all.
    assert!(!lines[0].contains("--dependency"), "{given}");
    assert!(lines[1..].iter().any(|line| line.contains("--dependency=afterany:1_")), "{given}");
    let all = (1..lines.len()).map(|job| job.to_string()).collect::<Vec<_>>().join(":");
    let last = lines[lines.len() - 1];
    assert!(
        last.contains(&format!("--dependency=afterany:{all} ")) && last.ends_with("report.sh"),
        "{given}"
    );
    let script = fs::read_to_string(folder.join(out).join("slurm/0.sh")).unwrap();
    assert!(script.contains("#SBATCH --partition=long\n") && script.contains("#SBATCH --cpus-per-task=1\n"));

    // Nothing is left but the report, and who submits again is told of the jobs before.
    let again = submit(folder, &["--out", out]);
    again.says(0, &["was submitted before", "scancel 1 2"]);
    assert!(again.stdout.starts_with("0 of "), "{}", again.stdout);
    assert_eq!(notes(folder, "sbatch").lines().count(), lines.len() + 1);
}

#[test]
fn what_needs_a_run_that_failed_is_marked_and_the_report_names_it() {
    let place = place(DOES);
    let folder = place.path();
    study(folder, "perceptron,inside", 2);
    run(folder, &["plan", "mine.toml", "--rate", "1e9"]).says(0, &[]);
    let runs = states(folder, "out");
    let judge = runs.iter().find(|run| run["title"] == "judge").unwrap()["id"].as_str().unwrap();
    // Somebody else's folder stands in its place, which is a fault that stays.
    let elsewhere = folder.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let link = folder.join("out/runs").join(judge);
    symlink(&elsewhere, &link).unwrap();
    submit(folder, &["--threads", "1"]).says(0, &[]);
    let after = states(folder, "out");
    let count = |state: &str| after.iter().filter(|run| run["state"] == state).count();
    assert_eq!(count("failed"), 1);
    assert_eq!(count("failed") + count("blocked") + count("done"), after.len(), "{after:#?}");
    assert!(count("done") > 45 && count("blocked") > 3);
    // The job that had nothing else to do is not tried again; the report's job says that something is missing.
    assert!(notes(folder, "ended").lines().last().unwrap().ends_with(" 65"), "{}", notes(folder, "log"));
    let page = fs::read_to_string(folder.join("out/report.html")).unwrap();
    for words in ["The run “judge” failed: ", "is a link to another folder", "so they cannot be done"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!folder.join("out/summary.json").exists());

    fs::remove_file(&link).unwrap();
    submit(folder, &["--threads", "1"]).says(0, &[]);
    assert!(states(folder, "out").iter().all(|run| run["state"] == "done"), "{}", notes(folder, "log"));
    assert!(!fs::read_to_string(folder.join("out/report.html")).unwrap().contains("“judge” failed"));
}

/// Starts the first script of `out`, as Slurm would.
fn start(folder: &Path) -> Child {
    let mut command = Command::new("bash");
    with_slurm(&mut command, folder);
    command.arg(folder.join("out/slurm/0.sh")).env("SLURM_ARRAY_TASK_ID", "0").env("SLURM_JOB_ID", "12");
    command
        .env("INKLING_CACHE", "/nonexistent")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

fn wait_until(mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "what is waited for does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_job_whose_time_is_up_goes_back_into_the_queue_and_one_that_is_cancelled_does_not() {
    let place = place(NOTES);
    let folder = place.path();
    study(folder, "mlp", 3000);
    submit(folder, &["--threads", "1"]).says(0, &[]);
    let is_running = || states(folder, "out").iter().any(|run| run["state"] == "running");
    let checkpoints = || -> Vec<PathBuf> {
        let works = fs::read_dir(folder.join("out/runs")).unwrap().map(|entry| entry.unwrap().path());
        let attempts = works.flat_map(|work| fs::read_dir(work).unwrap()).map(|entry| entry.unwrap().path());
        attempts.map(|attempt| attempt.join("checkpoint.safetensors")).filter(|path| path.exists()).collect()
    };
    for (name, requeued) in [("TERM", ""), ("USR1", "requeue 12\n")] {
        let child = start(folder);
        wait_until(is_running);
        signal(&child, name);
        let ended = done(&child.wait_with_output().unwrap());
        ended.says(75, &["interrupted"]);
        assert_eq!(notes(folder, "scontrol"), requeued, "{name}");
        assert_eq!(checkpoints().len(), 1, "{name}");
        assert!(!is_running());
    }
    // While another process does the run, the job waits in the queue.
    let ids: Vec<String> =
        states(folder, "out").iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect();
    let other = inkling().current_dir(folder).args(["run", &ids[0]]).stderr(Stdio::null()).spawn().unwrap();
    wait_until(is_running);
    let script = folder.join("out/slurm/0.sh");
    let text = fs::read_to_string(&script).unwrap();
    let line = text.lines().find(|line| line.trim_start().starts_with('\'')).unwrap();
    fs::write(&script, text.replace(line, &format!("'{}'", ids[0]))).unwrap();
    done(&start(folder).wait_with_output().unwrap()).says(75, &["is being done by process"]);
    assert_eq!(notes(folder, "scontrol"), "requeue 12\nrequeue 12\n");
    signal(&other, "TERM");
    other.wait_with_output().unwrap();
}

#[test]
fn where_jobs_cannot_be_submitted_a_person_is_told_what_to_do() {
    let place = place(REFUSES);
    let folder = place.path();
    study(folder, "mlp", 2);
    let mut alone = inkling();
    alone.current_dir(folder).env("PATH", folder.join("notes")).args(["study", "mine.toml", "--on", "slurm"]);
    done(&alone.output().unwrap())
        .says(2, &["has no `sbatch`", "slurm-client", "inkling run --out shared --all", "docs/machines.md"]);
    assert!(!folder.join("out").exists(), "nothing was begun");

    submit(folder, &[]).says(74, &["did not take a job", "invalid partition", "scancel 17"]);
    fs::write(folder.join("slurm.toml"), "[slurm]\npartitoin = \"long\"\n").unwrap();
    submit(folder, &[])
        .says(78, &["slurm.toml, line 2: unknown key `partitoin`", "did you mean `partition`?"]);
    submit(folder, &["--slurm", "no.toml"]).says(74, &["`no.toml` cannot be read", "[slurm]"]);
    run(folder, &["study", "mine.toml", "--slurm", "slurm.toml"]).says(2, &["--on"]);
    run(folder, &["study", "mine.toml", "--on", "sge"]).says(2, &["slurm"]);
}

#[test]
fn what_the_host_that_submits_computes_with_does_not_matter() {
    let place = place(NOTES);
    let folder = place.path();
    study(folder, "mlp", 2);
    run(folder, &["plan", "mine.toml", "--rate", "1e9"]).says(0, &[]);
    run(folder, &["run", "--next"]).says(0, &[]);
    // Here, this would be a mixture.
    run(folder, &["study", "mine.toml", "--cpu", "portable"]).says(78, &["--mixed"]);
    let mut command = inkling();
    with_slurm(&mut command, folder);
    command.env("INKLING_CPU", "portable").args(["study", "mine.toml", "--on", "slurm"]);
    done(&command.output().unwrap()).says(0, &[]);
    let script = fs::read_to_string(folder.join("out/slurm/0.sh")).unwrap();
    assert!(!script.contains("--cpu "), "{script}");
    fs::write(folder.join("slurm.toml"), "[slurm]\ninstructions = \"avx512\"\n").unwrap();
    submit(folder, &["--mixed"]).says(0, &[]);
    let script = fs::read_to_string(folder.join("out/slurm/0.sh")).unwrap();
    assert!(script.contains(" --threads 4 --cpu avx512 --mixed ${runs[$SLURM_ARRAY_TASK_ID]}"), "{script}");
}
