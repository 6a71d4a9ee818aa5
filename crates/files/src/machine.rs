//! Which computer a process runs on, which start of it, and whether the process still lives.

use std::fs;
use std::path::Path;
use std::process;

use sha2::{Digest, Sha256};

/// What is known of a process that wrote its name somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs on this computer.
    Alive,
    /// It ran on this computer and has ended.
    Ended,
    /// It may still be running: it is on another computer, or this system does not say.
    Unknown,
}

/// The name of this computer.
pub fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// What the kernel calls the time since it was started; none where it has no name for it. Containers of one computer
/// have it in common, although their host names differ.
pub fn boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|boot| !boot.is_empty())
}

/// When the process `pid` of this computer was started, in the kernel's ticks since its own start; none where no such
/// process runs. It tells two processes apart that were given one number.
pub fn started(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    // A process that has ended is still listed until its parent has taken note of it.
    let ended = matches!(fields.next()?, "Z" | "X");
    fields.nth(18)?.parse().ok().filter(|_| !ended)
}

/// Which processes this one sees, by the kernel's number of their namespace; none where it has none. In another namespace,
/// as in a container, the same number is another process.
pub fn pid_namespace() -> Option<String> {
    fs::read_link("/proc/self/ns/pid").ok().map(|link| link.to_string_lossy().into_owned())
}

/// Whether the process `pid` of this computer lives. `at` is what [`started`] said of it, if it was asked.
pub fn life(pid: u32, at: Option<u64>) -> Life {
    if !Path::new("/proc/self/stat").exists() {
        return if pid == process::id() { Life::Alive } else { Life::Unknown };
    }
    match (started(pid), at) {
        (None, _) => Life::Ended,
        (Some(now), Some(then)) if now != then => Life::Ended,
        _ => Life::Alive,
    }
}

/// Eight hexadecimal digits for the host and eight for its start, for names of files.
pub(crate) fn tag() -> String {
    format!("{}{}", short(&host()), short(&boot().unwrap_or_default()))
}

/// Length of each half of a [`tag`].
pub(crate) const HALF: usize = 8;

fn short(text: &str) -> String {
    let mut digits = crate::hex(Sha256::new().chain_update(text));
    digits.truncate(HALF);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_lives_until_it_has_ended() {
        assert_eq!(life(process::id(), started(process::id())), Life::Alive);
        if cfg!(target_os = "linux") {
            let mut child = Command::new("sleep").arg("60").spawn().unwrap();
            let (pid, at) = (child.id(), started(child.id()));
            assert!(at.is_some());
            assert_eq!(life(pid, at), Life::Alive);
            assert_eq!(life(pid, at.map(|at| at + 1)), Life::Ended, "its number was given to another one");
            child.kill().unwrap();
            while life(pid, at) != Life::Ended {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            child.wait().unwrap();
            assert_eq!(life(pid, at), Life::Ended);
        }
    }

    #[test]
    fn a_tag_is_sixteen_digits() {
        assert!(tag().len() == 2 * HALF && tag().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
