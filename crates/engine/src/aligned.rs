//! Memory for numbers, aligned for vectors.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// A cache line, which is also the widest vector.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Bytes from which on numbers lie in pages of their own.
const LARGE: usize = 4 << 20;

/// A vector of f32 that starts at a cache line. It is zero at first and never grows.
///
/// Large ones lie in huge pages where the system has them (Linux gives them only on request): weights are prefetched a little
/// before they are needed, which does not help as long as the processor still looks up their page. Pages that have not been
/// written take no memory.
#[derive(Debug)]
pub(crate) struct AlignedVec {
    memory: Storage,
    len: usize,
}

#[derive(Debug)]
enum Storage {
    Lines(Vec<Line>),
    Pages(MmapMut),
}

impl AlignedVec {
    /// So many zeros.
    pub(crate) fn zeros(len: usize) -> AlignedVec {
        let lines = len.div_ceil(16);
        AlignedVec {
            memory: Storage::pages(lines * size_of::<Line>()).unwrap_or_else(|| Storage::lines(lines)),
            len,
        }
    }
}

impl Storage {
    /// Pages for so many bytes, if they are many and the system gives them.
    fn pages(bytes: usize) -> Option<Storage> {
        let pages = (bytes >= LARGE).then(|| MmapMut::map_anon(bytes))?.ok()?;
        // Where there are no huge pages, small ones do.
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        Some(Storage::Pages(pages))
    }

    fn lines(count: usize) -> Storage {
        Storage::Lines(vec![Line([0.0; 16]); count])
    }
}

impl Clone for AlignedVec {
    fn clone(&self) -> AlignedVec {
        let mut copy = AlignedVec::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Default for AlignedVec {
    fn default() -> AlignedVec {
        AlignedVec::zeros(0)
    }
}

impl Deref for AlignedVec {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let start = match &self.memory {
            Storage::Lines(lines) => lines.as_ptr().cast(),
            Storage::Pages(pages) => pages.as_ptr().cast(),
        };
        // SAFETY: the lines are 16 f32 each without padding, pages are aligned for more than that and hold any bytes, and
        // `len` numbers fit into either.
        #[expect(unsafe_code, reason = "aligned memory as the numbers in it")]
        unsafe {
            std::slice::from_raw_parts(start, self.len)
        }
    }
}

impl DerefMut for AlignedVec {
    fn deref_mut(&mut self) -> &mut [f32] {
        let start = match &mut self.memory {
            Storage::Lines(lines) => lines.as_mut_ptr().cast(),
            Storage::Pages(pages) => pages.as_mut_ptr().cast(),
        };
        // SAFETY: as for `deref`, and the borrow is exclusive.
        #[expect(unsafe_code, reason = "aligned memory as the numbers in it")]
        unsafe {
            std::slice::from_raw_parts_mut(start, self.len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_holds_its_numbers_at_a_cache_line() {
        for len in [0, 1, 16, 17, 1000, LARGE / 4 - 16, LARGE / 4, LARGE / 4 + 1] {
            let mut buffer = AlignedVec::zeros(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr().addr() % 64, 0);
            assert!(buffer.iter().all(|&number| number == 0.0));
            buffer.fill(1.5);
            let copy = buffer.clone();
            buffer.fill(0.0);
            assert!(copy.len() == len && copy.iter().all(|&number| number == 1.5));
        }
    }
}
