//! From runs to arrays of jobs: which runs one job does, what it waits for, and how long and large it may be.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use inkling_schema::{RunId, SlurmSettings};

/// A run that is to be done.
#[derive(Debug, Clone)]
pub(super) struct ToDo {
    pub(super) id: RunId,
    /// The name of its task.
    pub(super) task: &'static str,
    /// Estimates.
    pub(super) seconds: f64,
    pub(super) bytes: u64,
    /// The runs to be done before it, by their places.
    pub(super) needs: Vec<usize>,
}

/// A job: runs that one process does one after the other.
pub(super) type Job = Vec<usize>;

/// A job by the number of its array and its own in it.
pub(super) type Place = (usize, usize);

/// Jobs that are submitted together: they wait for the same others, and may take as long and as much memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// The longest first.
    pub(super) jobs: Vec<Job>,
    /// The jobs of arrays before this one that must end first.
    pub(super) after: Vec<Place>,
    /// The time limit.
    pub(super) minutes: u64,
    /// MiB of memory.
    pub(super) memory: u64,
}

/// Jobs of one array: what Slurm allows unless it is told otherwise (`MaxArraySize`).
const MOST: usize = 1000;

/// The arrays that do these runs, each after those that it waits for.
pub(super) fn arrays(to_do: &[ToDo], settings: &SlurmSettings) -> Vec<Array> {
    let mut levels: Vec<usize> = Vec::with_capacity(to_do.len());
    for run in to_do {
        levels.push(run.needs.iter().map(|&needed| levels[needed] + 1).max().unwrap_or(0));
    }
    let mut arrays: Vec<Array> = Vec::new();
    let mut places: BTreeMap<usize, Place> = BTreeMap::new();
    for level in 0..=levels.iter().copied().max().unwrap_or(0) {
        // Runs that wait for the same jobs.
        let mut alike: BTreeMap<BTreeSet<Place>, Vec<usize>> = BTreeMap::new();
        for run in (0..to_do.len()).filter(|&run| levels[run] == level) {
            let after = to_do[run].needs.iter().map(|needed| places[needed]).collect();
            alike.entry(after).or_default().push(run);
        }
        for (after, runs) in alike {
            let mut sizes: BTreeMap<Reverse<(u64, u64)>, Vec<Job>> = BTreeMap::new();
            for job in packed(&runs, to_do, settings) {
                sizes.entry(Reverse(size(&job, to_do, settings))).or_default().push(job);
            }
            for (Reverse((minutes, memory)), mut jobs) in sizes {
                jobs.sort_by(|one, other| seconds(other, to_do).total_cmp(&seconds(one, to_do)));
                for jobs in jobs.chunks(MOST) {
                    for (number, job) in jobs.iter().enumerate() {
                        places.extend(job.iter().map(|&run| (run, (arrays.len(), number))));
                    }
                    let after = after.iter().copied().collect();
                    arrays.push(Array { jobs: jobs.to_vec(), after, minutes, memory });
                }
            }
        }
    }
    arrays
}

/// Short runs together until they fill the time that is asked for, and long ones alone.
fn packed(runs: &[usize], to_do: &[ToDo], settings: &SlurmSettings) -> Vec<Job> {
    let full = settings.pack_minutes * 60.0;
    let (mut jobs, mut open): (Vec<Job>, Job) = (Vec::new(), Vec::new());
    for &run in runs {
        if to_do[run].seconds >= full {
            jobs.push(vec![run]);
            continue;
        }
        if seconds(&open, to_do) + to_do[run].seconds > full {
            jobs.push(std::mem::take(&mut open));
        }
        open.push(run);
    }
    jobs.push(open);
    jobs.retain(|job| !job.is_empty());
    jobs
}

fn seconds(job: &[usize], to_do: &[ToDo]) -> f64 {
    job.iter().map(|&run| to_do[run].seconds).sum()
}

/// Minutes and MiB that a job gets. They are rounded up to a few sizes, so that there are few arrays.
fn size(job: &[usize], to_do: &[ToDo], settings: &SlurmSettings) -> (u64, u64) {
    let up = |least: usize, asked: f64| {
        let mut size = least as u64;
        while (size as f64) < asked && size < u64::from(u32::MAX) {
            size *= 2;
        }
        size
    };
    let bytes = job.iter().map(|&run| to_do[run].bytes).max().unwrap_or(0);
    let memory = settings.memory_factor * bytes as f64 / f64::from(1 << 20);
    let minutes = settings.time_factor * seconds(job, to_do) / 60.0;
    let most = settings.most_minutes.map_or(u64::MAX, |most| most as u64);
    (up(settings.least_minutes, minutes).min(most), up(settings.least_memory, memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: usize, minutes: f64, needs: &[usize]) -> ToDo {
        let id = RunId::try_from(format!("{number:016x}")).unwrap();
        ToDo { id, task: "cnn", seconds: 60.0 * minutes, bytes: 1 << 20, needs: needs.to_vec() }
    }

    #[test]
    fn short_runs_share_a_job_and_what_waits_for_a_network_waits_for_its_job_alone() {
        let mut runs: Vec<ToDo> = (0..45).map(|number| run(number, 0.1, &[])).collect();
        runs.extend([run(45, 60.0, &[]), run(46, 7.0, &[]), run(47, 8.0, &[])]);
        runs.extend([run(48, 0.5, &[45]), run(49, 0.5, &[45]), run(50, 1.0, &[45, 46])]);
        let arrays = arrays(&runs, &SlurmSettings::default());
        let told: Vec<_> =
            arrays.iter().map(|array| (array.jobs.clone(), &array.after[..], array.minutes)).collect();
        assert_eq!(
            told,
            [
                (vec![vec![45]], &[][..], 320),
                (vec![vec![47], vec![46]], &[][..], 40),
                (vec![(0..45).collect()], &[][..], 20),
                (vec![vec![48, 49]], &[(0, 0)][..], 10),
                (vec![vec![50]], &[(0, 0), (1, 1)][..], 10),
            ]
        );
        assert!(arrays.iter().all(|array| array.memory == 1024));
        let short = SlurmSettings { most_minutes: Some(30), ..SlurmSettings::default() };
        let minutes: Vec<u64> = super::arrays(&runs, &short).iter().map(|array| array.minutes).collect();
        assert_eq!(minutes, [30, 20, 10, 10], "long runs take several turns");
        assert!(super::arrays(&[], &SlurmSettings::default()).is_empty());
    }

    #[test]
    fn every_run_is_in_one_job_and_never_before_what_it_needs() {
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..300 {
            let mut runs = Vec::new();
            for number in 0..next(60) as usize {
                let needs: Vec<usize> = (0..number).filter(|_| next(10) == 0).collect();
                runs.push(run(number, next(1200) as f64 / 100.0, &needs));
                runs[number].bytes = next(1 << 33);
            }
            let settings = SlurmSettings { pack_minutes: 1.0 + next(9) as f64, ..SlurmSettings::default() };
            let arrays = arrays(&runs, &settings);
            let mut done: BTreeMap<usize, Place> = BTreeMap::new();
            for (number, array) in arrays.iter().enumerate() {
                assert!(!array.jobs.is_empty() && array.after.iter().all(|&(before, _)| before < number));
                for (place, job) in array.jobs.iter().enumerate() {
                    let long = seconds(job, &runs);
                    assert!(job.len() == 1 || long <= 60.0 * settings.pack_minutes);
                    assert!(array.minutes as f64 * 60.0 >= settings.time_factor * long);
                    for &run in job {
                        assert!(array.memory << 20 >= (1.5 * runs[run].bytes as f64) as u64);
                        let needed: BTreeSet<Place> =
                            runs[run].needs.iter().map(|needed| done[needed]).collect();
                        assert_eq!(needed, array.after.iter().copied().collect());
                        assert!(done.insert(run, (number, place)).is_none());
                    }
                }
            }
            assert_eq!(done.len(), runs.len());
        }
    }

    #[test]
    fn no_array_is_larger_than_slurm_allows() {
        let runs: Vec<ToDo> = (0..2500).map(|number| run(number, 6.0, &[])).collect();
        let sizes: Vec<usize> =
            arrays(&runs, &SlurmSettings::default()).iter().map(|array| array.jobs.len()).collect();
        assert_eq!(sizes, [1000, 1000, 500]);
    }
}
