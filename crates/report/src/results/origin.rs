//! Where the runs of a study come from: the machines and the programs that made them, each as its own result says.

use std::fmt;

use inkling_schema::outcome::{Machine, Origin, PlannedRun, RunResult};
use inkling_store::{Reader, StoreError};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::Moment;

/// The machines and programs that made the runs of a study. The study's own record knows only those that were last used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origins {
    /// The machines, the one with the most runs first. Numbers of threads tell machines apart, since times depend on them.
    pub machines: Vec<Share<Machine>>,
    /// The programs, the one with the most runs first.
    pub programs: Vec<Share<Program>>,
    /// Runs in which several machines or several programs had a part, one after the other; each of them counts these runs.
    pub shared: usize,
}

/// A machine or a program, and how many of the runs it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share<T> {
    /// The machine or the program.
    #[serde(flatten)]
    pub of: T,
    /// Runs that it made, or made a part of; at least one.
    pub runs: usize,
}

/// A program, as far as results depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// Digest of its sources that compute; absent where an older program made the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<String>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sources {
            Some(sources) => write!(f, "Inkling {} (sources {sources})", self.version),
            None => write!(f, "Inkling {}", self.version),
        }
    }
}

impl Origins {
    /// The machines and programs of these runs, which must be finished.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a result does not say where it comes from.
    pub fn read(store: &Reader, runs: &[PlannedRun]) -> Result<Origins, StoreError> {
        Ok(read(store, runs)?.0)
    }

    /// Whether one machine and one program made all runs, so that their times can be compared.
    pub fn times_compare(&self) -> bool {
        self.machines.len() <= 1 && self.programs.len() <= 1
    }

    /// Whether all runs were computed by one program and with instructions that agree to the bit, whatever the machine and
    /// its number of threads.
    pub fn bits_agree(&self) -> bool {
        let portable = |machine: &Share<Machine>| machine.of.instructions == PORTABLE;
        let machines = &self.machines;
        self.programs.len() <= 1 && (machines.iter().all(portable) || !machines.iter().any(portable))
    }

    /// Whether most runs were computed with portable instructions, which must be asked for on a machine that has others.
    pub fn portable(&self) -> bool {
        let of = |machine: &&Share<Machine>| machine.of.instructions == PORTABLE;
        let portable: usize = self.machines.iter().filter(of).map(|machine| machine.runs).sum();
        2 * portable > self.machines.iter().map(|machine| machine.runs).sum()
    }
}

/// What results call instructions that every processor has.
const PORTABLE: &str = "portable";

/// Where runs come from, and when the last of them ended, if they say so.
pub(super) fn read(store: &Reader, runs: &[PlannedRun]) -> Result<(Origins, Option<Moment>), StoreError> {
    let mut origins = Origins { machines: Vec::new(), programs: Vec::new(), shared: 0 };
    let mut last = None;
    for run in runs {
        let path = format!("runs/{}/result.json", run.id);
        let Some(result) = store.json::<RunResult<IgnoredAny>>(&path)? else { continue };
        // A run that was interrupted may be the work of several, and counts for each of them.
        let (mut machines, mut programs) = (Vec::new(), Vec::new());
        for Origin { version, sources, machine } in result.origins() {
            once(&mut machines, machine);
            once(&mut programs, Program { version, sources });
        }
        origins.shared += usize::from(machines.len() > 1 || programs.len() > 1);
        machines.into_iter().for_each(|machine| count(&mut origins.machines, machine));
        programs.into_iter().for_each(|program| count(&mut origins.programs, program));
        if let Some(text) = result.finished {
            let moment = Moment::read(&text).ok_or_else(|| StoreError::Damaged {
                path: store.path().join(&path),
                reason: format!("`finished` is `{text}`, which is not a date"),
            })?;
            last = last.max(Some(moment));
        }
    }
    // The order of runs decides between equals, and it is that of the study.
    origins.machines.sort_by_key(|machine| std::cmp::Reverse(machine.runs));
    origins.programs.sort_by_key(|program| std::cmp::Reverse(program.runs));
    Ok((origins, last))
}

fn once<T: PartialEq>(values: &mut Vec<T>, value: T) {
    if !values.contains(&value) {
        values.push(value);
    }
}

fn count<T: PartialEq>(shares: &mut Vec<Share<T>>, of: T) {
    match shares.iter_mut().find(|share| share.of == of) {
        Some(share) => share.runs += 1,
        None => shares.push(Share { of, runs: 1 }),
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::{DataSlice, PcaRun, RunSpec, Task};
    use inkling_store::Store;

    use super::*;

    fn origins(machines: &[(&str, usize, &str, usize)], programs: usize) -> Origins {
        let machine = |&(cpu, threads, instructions, runs): &(&str, usize, &str, usize)| {
            let of = Machine { cpu: cpu.into(), threads, instructions: instructions.into() };
            Share { of, runs }
        };
        let program =
            |i| Share { of: Program { version: "1".into(), sources: Some(format!("{i}")) }, runs: 1 };
        Origins {
            machines: machines.iter().map(machine).collect(),
            programs: (0..programs).map(program).collect(),
            shared: 0,
        }
    }

    #[test]
    fn a_run_that_several_machines_or_programs_made_counts_for_each_and_is_told() {
        let origin = |threads: usize, sources: &str| Origin {
            version: "1".into(),
            sources: Some(sources.into()),
            machine: Machine { cpu: "A".into(), threads, instructions: "avx2".into() },
        };
        let counted = |runs: &[&[Origin]]| {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let mut planned = Vec::new();
            for (number, origins) in runs.iter().enumerate() {
                let (last, earlier) = origins.split_last().unwrap();
                let spec = RunSpec::Pca(PcaRun {
                    data: DataSlice { set: "mnist".into(), train_images: 10 + number, test_images: 1 },
                    components: 1,
                    reconstructions: vec![],
                    pictures: 0,
                });
                let id = spec.id("0");
                let run = store.begin(id.as_ref(), &spec).unwrap();
                run.finish(&RunResult {
                    spec_hash: String::new(),
                    data_checksum: String::new(),
                    version: last.version.clone(),
                    sources: last.sources.clone(),
                    machine: last.machine.clone(),
                    earlier: earlier.to_vec(),
                    seconds: 1.0,
                    finished: None,
                    outcome: (),
                })
                .unwrap();
                planned.push(PlannedRun::new(id, Task::Pca, "", spec));
            }
            drop(store);
            Origins::read(&Reader::open(folder.path()).unwrap(), &planned).unwrap()
        };
        let runs = |origins: &Origins| -> Vec<usize> { origins.machines.iter().map(|of| of.runs).collect() };
        let (one, two, newer) = (origin(1, "a"), origin(2, "a"), origin(2, "b"));
        let alone = counted(&[std::slice::from_ref(&one), &[one.clone(), one.clone()]]);
        assert_eq!((runs(&alone), alone.shared, alone.times_compare()), (vec![2], 0, true));
        let threads = counted(&[&[one.clone(), two.clone()], std::slice::from_ref(&two)]);
        assert_eq!((runs(&threads), threads.shared, threads.times_compare()), (vec![2, 1], 1, false));
        assert_eq!(threads.machines[0].of.threads, 2, "the one with the most runs comes first");
        let programs = counted(&[&[two.clone(), newer.clone(), two.clone()], &[one, newer], &[two]]);
        assert_eq!((runs(&programs), programs.shared), (vec![3, 1], 2));
        assert_eq!(programs.programs.iter().map(|of| of.runs).collect::<Vec<_>>(), [3, 2]);
    }

    #[test]
    fn threads_tell_machines_apart_for_times_and_not_for_bits() {
        let one = origins(&[("A", 2, "avx2", 3)], 1);
        assert!(one.times_compare() && one.bits_agree() && !one.portable());
        let threads = origins(&[("A", 2, "avx2", 3), ("A", 1, "avx2", 1)], 1);
        assert!(!threads.times_compare() && threads.bits_agree());
        let vectors = origins(&[("A", 2, "avx512", 3), ("B", 2, "avx2", 1)], 1);
        assert!(!vectors.times_compare() && vectors.bits_agree());
        let mixed = origins(&[("A", 2, "portable", 3), ("A", 2, "avx2", 1)], 1);
        assert!(!mixed.times_compare() && !mixed.bits_agree() && mixed.portable());
        let programs = origins(&[("A", 2, "portable", 3)], 2);
        assert!(!programs.times_compare() && !programs.bits_agree() && programs.portable());
    }
}
