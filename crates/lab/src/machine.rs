//! The program and the machine that make a result.

use inkling_engine::Isa;
use inkling_schema::outcome::{Machine, Origin};

/// Digest of the sources that compute, by which results of two programs of one version are told apart.
pub const SOURCES: &str = env!("INKLING_SOURCES");

/// This machine, with the number of threads that compute.
pub fn machine() -> Machine {
    let instructions = Isa::current().name().into();
    Machine { cpu: cpu(), threads: rayon::current_num_threads(), instructions }
}

/// This program on this machine.
pub(crate) fn origin() -> Origin {
    let (version, sources) = (env!("CARGO_PKG_VERSION").into(), Some(SOURCES.into()));
    Origin { version, sources, machine: machine() }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn cpu() -> String {
    let brand = raw_cpuid::CpuId::new().get_processor_brand_string();
    brand.map_or_else(|| std::env::consts::ARCH.to_owned(), |brand| brand.as_str().trim().to_owned())
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn cpu() -> String {
    std::env::consts::ARCH.to_owned()
}

/// Bytes of memory that this machine has, where it says so.
pub(crate) fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}
