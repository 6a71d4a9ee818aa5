//! Denormal numbers flushed to zero.
//!
//! Adam's first moments of silent units decay through the denormal range, where arithmetic is tens of times slower; as
//! numbers they are nothing. Flushing is part of what is computed, so every path does it.

/// Calls `work` with denormal results and operands flushed to zero on this thread, and restores its mode afterwards.
#[inline]
pub(crate) fn flushing_denormals<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(Mode);
    impl Drop for Restore {
        fn drop(&mut self) {
            set(self.0);
        }
    }
    let before = mode();
    let _restore = Restore(before);
    set(before | FLUSH);
    work()
}

#[cfg(target_arch = "x86_64")]
mod register {
    pub(super) type Mode = u32;
    /// Flush-to-zero and denormals-are-zero in MXCSR.
    pub(super) const FLUSH: Mode = 0x8040;

    #[inline]
    pub(super) fn mode() -> Mode {
        let mut mode: Mode = 0;
        // SAFETY: stores the thread's MXCSR in a local.
        #[expect(unsafe_code, reason = "reads a control register")]
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags));
        }
        mode
    }

    #[inline]
    pub(super) fn set(mode: Mode) {
        // SAFETY: `mode` is a value that MXCSR had, with the two flush bits at most added; exceptions stay masked.
        #[expect(unsafe_code, reason = "writes a control register")]
        unsafe {
            std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, readonly, preserves_flags));
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod register {
    pub(super) type Mode = u64;
    /// Flush-to-zero in FPCR, for results and operands.
    pub(super) const FLUSH: Mode = 1 << 24;

    #[inline]
    pub(super) fn mode() -> Mode {
        let mode: Mode;
        // SAFETY: reads the thread's FPCR.
        #[expect(unsafe_code, reason = "reads a control register")]
        unsafe {
            std::arch::asm!("mrs {}, fpcr", out(reg) mode, options(nomem, nostack, preserves_flags));
        }
        mode
    }

    #[inline]
    pub(super) fn set(mode: Mode) {
        // SAFETY: `mode` is a value that FPCR had, with the flush bit at most added.
        #[expect(unsafe_code, reason = "writes a control register")]
        unsafe {
            std::arch::asm!("msr fpcr, {}", in(reg) mode, options(nostack, preserves_flags));
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod register {
    /// Other processors are left as they are.
    pub(super) type Mode = u32;
    pub(super) const FLUSH: Mode = 0;

    pub(super) fn mode() -> Mode {
        0
    }

    pub(super) fn set(_mode: Mode) {}
}

use register::{FLUSH, Mode, mode, set};

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn denormals_are_zero_inside_and_not_outside() {
        let tiny = black_box(f32::MIN_POSITIVE);
        let half = || black_box(black_box(tiny) * black_box(0.5_f32));
        assert!(half() > 0.0);
        flushing_denormals(|| assert_eq!(half(), 0.0));
        flushing_denormals(|| assert_eq!(black_box(f32::from_bits(1)) * black_box(1e30_f32), 0.0));
        assert!(half() > 0.0, "the thread's mode is restored");
        let caught = std::panic::catch_unwind(|| flushing_denormals(|| panic!("inside")));
        assert!(caught.is_err() && half() > 0.0, "also after a panic");
    }
}
