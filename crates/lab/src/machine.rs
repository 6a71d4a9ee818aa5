//! The program and the machine that make a result.

use inkling_engine::Path;
use inkling_spec::found::{Machine, Origin};

use crate::runs::SOURCES;

/// This machine, with the number of threads that compute.
pub fn machine() -> Machine {
    let instructions = Path::current().name().into();
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
