//! The scripts that Slurm starts on its nodes.

use std::fmt::Write;

use inkling_schema::{RunId, SlurmSettings, quoted};

/// What both kinds of script have in common.
pub(super) struct Script<'a> {
    /// The name of the job, in lists of jobs.
    pub(super) name: &'a str,
    pub(super) settings: &'a SlurmSettings,
    pub(super) minutes: u64,
    /// MiB of memory.
    pub(super) memory: u64,
    /// The program, as a shell takes it.
    pub(super) program: &'a str,
    /// The study's folder, as a shell takes it.
    pub(super) out: &'a str,
    /// Options of both `inkling run` and `inkling study`, as a shell takes them, each after a space.
    pub(super) options: &'a str,
}

/// How a job attends to its process, and to Slurm's signals.
const ATTEND: &str = r#"
# Made by `inkling study`. Slurm sends USR1 a minute before the time is up: the program writes a checkpoint, and the job goes back
# into the queue. TERM comes when the job is cancelled or has to give way: the program writes a checkpoint, and Slurm decides.
child='' back='' stopped='' code=0
pass_on() { [ -z "$child" ] || kill -TERM "$child" 2>/dev/null; }
trap 'caught=yes back=yes; pass_on' USR1
trap 'caught=yes stopped=yes; pass_on' TERM

# Starts a command and waits for its end, whatever signals come meanwhile.
once() {
    code=127
    "$@" &
    child=$!
    [ -z "$back$stopped" ] || pass_on
    while :; do
        caught=''
        wait "$child"
        status=$?
        # After a signal one waits again, and of a process that was waited for already, nothing new is known.
        [ "$status" -eq 127 ] || code=$status
        [ -n "$caught" ] || break
    done
    child=''
}

# The same, again where the process was killed: it goes on from its checkpoint.
attend() {
    for try in 1 2 3; do
        once "$@"
        if [ "$code" -le 128 ] || [ -n "$back$stopped" ]; then
            break
        fi
        echo "The process was killed (exit code $code, attempt $try of 3)." >&2
    done
}

# Ends the job, or puts it back into the queue: when its time was up, and, a few times, while another process does a run or what a
# run needs is not finished (code 75). What is left then is left to the last job.
end() {
    if [ "$code" -ne 0 ] && [ -z "$stopped" ]; then
        if [ -n "$back" ] || { [ "$code" -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 5 ]; }; then
            for pause in 1 5 10 20 20; do
                scontrol requeue "$SLURM_JOB_ID" && break
                sleep "$pause"
            done
        fi
    fi
    exit "$code"
}
"#;

impl Script<'_> {
    /// The script of an array whose jobs do these runs.
    pub(super) fn of_runs(&self, jobs: &[Vec<&RunId>]) -> String {
        let array = format!("#SBATCH --array=0-{}\n", jobs.len() - 1);
        let mut text = self.head(&array);
        text.push_str("\n# The runs of each job of the array.\nruns=(\n");
        for job in jobs {
            let ids = job.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "    '{ids}'");
        }
        let Script { program, out, options, .. } = self;
        let _ = write!(
            text,
            ")\n\n# Words of digits, one for each run.\n# shellcheck disable=SC2086\nattend {program} run --out {out}{options} ${{runs[$SLURM_ARRAY_TASK_ID]}}\nend\n"
        );
        text
    }

    /// The script of the job that comes last: it does what is left and makes the report. `study` is the file of the study, as a
    /// shell takes it.
    pub(super) fn of_report(&self, study: &str) -> String {
        let Script { program, out, options, .. } = self;
        format!(
            "{}
attend {program} run --out {out}{options} --all
if [ \"$code\" -eq 75 ] || [ \"$code\" -gt 128 ] || [ -n \"$back$stopped\" ]; then
    end
fi
if [ \"$code\" -eq 0 ]; then
    # Nothing is left to do; this compares what must agree, and makes the report.
    attend {program} study {study} --out {out}{options}
else
    # The report says what is missing, and why.
    failed=$code
    attend {program} report {out}
    code=$failed
fi
end
",
            self.head("")
        )
    }

    fn head(&self, array: &str) -> String {
        let Script { name, settings, minutes, memory, .. } = self;
        let cpus = settings.cpus;
        let mut text = format!(
            "#!/bin/bash
#SBATCH --job-name={name}
{array}#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={cpus}
#SBATCH --time={minutes}
#SBATCH --mem={memory}M
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@60
"
        );
        let named =
            [("partition", &settings.partition), ("account", &settings.account), ("qos", &settings.qos)];
        for (key, value) in named {
            if let Some(value) = value {
                let _ = writeln!(text, "#SBATCH --{key}={}", quoted(value));
            }
        }
        for option in &settings.extra {
            let _ = writeln!(text, "#SBATCH {option}");
        }
        text.push_str(ATTEND);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_say_what_is_asked_for_and_what_is_done() {
        let settings = SlurmSettings {
            partition: Some("long".into()),
            account: Some("it's".into()),
            cpus: 8,
            extra: vec!["--constraint=avx512".into()],
            ..SlurmSettings::default()
        };
        let script = Script {
            name: "inkling-cnn",
            settings: &settings,
            minutes: 40,
            memory: 2048,
            program: "'/opt/my programs/inkling'",
            out: "/shared/out",
            options: " --threads 8",
        };
        let ids: Vec<RunId> = (0..3).map(|id| RunId::try_from(format!("{id:016x}")).unwrap()).collect();
        let runs = script.of_runs(&[vec![&ids[0], &ids[1]], vec![&ids[2]]]);
        let report = script.of_report("/shared/out/slurm/smoke");
        let (head, rest) = runs.split_once(ATTEND).unwrap();
        assert_eq!(
            head,
            "#!/bin/bash
#SBATCH --job-name=inkling-cnn
#SBATCH --array=0-1
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=40
#SBATCH --mem=2048M
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@60
#SBATCH --partition=long
#SBATCH --account='it'\\''s'
#SBATCH --constraint=avx512
"
        );
        assert_eq!(
            rest,
            "
# The runs of each job of the array.
runs=(
    '0000000000000000 0000000000000001'
    '0000000000000002'
)

# Words of digits, one for each run.
# shellcheck disable=SC2086
attend '/opt/my programs/inkling' run --out /shared/out --threads 8 ${runs[$SLURM_ARRAY_TASK_ID]}
end
"
        );
        let (head_of_report, rest) = report.split_once(ATTEND).unwrap();
        assert_eq!(head_of_report, head.replace("#SBATCH --array=0-1\n", ""));
        for line in [
            "attend '/opt/my programs/inkling' run --out /shared/out --threads 8 --all",
            "attend '/opt/my programs/inkling' study /shared/out/slurm/smoke --out /shared/out --threads 8",
            "attend '/opt/my programs/inkling' report /shared/out",
        ] {
            assert!(rest.lines().any(|found| found.trim() == line), "{rest}");
        }
    }
}
