//! Work divided among threads: by output, never by sum, so that results do not depend on the number of threads.

use std::marker::PhantomData;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Calls `work` with each of 0..tasks, on all threads of the current pool.
pub(crate) fn for_each(tasks: usize, work: impl Fn(usize) + Sync + Send) {
    if tasks == 1 {
        work(0);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// As [`for_each`], for tasks that come with the parts of slices that they read and write.
pub(crate) fn par_for_each<T>(parts: impl IndexedParallelIterator<Item = T>, work: impl Fn(T) + Sync + Send) {
    parts.for_each(work);
}

/// Numbers of which each task writes a part of its own.
#[derive(Clone, Copy)]
pub(crate) struct DisjointSlice<'a, T = f32> {
    start: *mut T,
    len: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: the pointer is only used through `part`, whose callers take disjoint parts.
#[expect(unsafe_code, reason = "tasks write disjoint parts of one slice")]
unsafe impl<T: Send> Send for DisjointSlice<'_, T> {}
// SAFETY: as above; of a `&DisjointSlice` nothing but exclusive parts can be had, for which it is enough that T can be sent.
#[expect(unsafe_code, reason = "tasks write disjoint parts of one slice")]
unsafe impl<T: Send> Sync for DisjointSlice<'_, T> {}

impl<'a, T> DisjointSlice<'a, T> {
    pub(crate) fn new(numbers: &'a mut [T]) -> Self {
        DisjointSlice { start: numbers.as_mut_ptr(), len: numbers.len(), owner: PhantomData }
    }

    /// Whether there are no numbers.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `len` numbers from `start`.
    ///
    /// # Safety
    /// No two parts that are alive at once overlap.
    ///
    /// # Panics
    /// If the part ends after the numbers do.
    #[expect(unsafe_code, reason = "tasks write disjoint parts of one slice")]
    pub(crate) unsafe fn slice_mut(&self, start: usize, len: usize) -> &'a mut [T] {
        assert!(
            start.checked_add(len).is_some_and(|end| end <= self.len),
            "{len} numbers from {start} of {}",
            self.len
        );
        // SAFETY: inside the slice that `new` borrowed exclusively; disjointness is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}
