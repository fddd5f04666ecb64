//! Counts how often the current thread allocates, what it has allocated, and how much of it at most at a time.

#![allow(dead_code, reason = "each of the test binaries that share this takes what it needs")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

pub(crate) struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn note(more: isize) {
    CALLS.with(|calls| calls.set(calls.get() + usize::from(more > 0)));
    LIVE.with(|live| live.set(live.get() + more));
    PEAK.with(|peak| peak.set(peak.get().max(LIVE.with(Cell::get))));
}

fn size(layout: Layout) -> isize {
    isize::try_from(layout.size()).unwrap_or(isize::MAX)
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(size(layout));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-size(layout));
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // The system's allocator moves the pages of a large block instead of copying it, so a block that grows counts
        // once. One that copies would hold the old block too for that moment.
        note(isize::try_from(new_size).unwrap_or(isize::MAX) - size(layout));
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, new_size) }
    }
}

/// How many allocations `work` makes, and how far it raises the live bytes at most.
pub(crate) fn cost<T>(work: impl FnOnce() -> T) -> (usize, usize, T) {
    let (calls, live) = (CALLS.with(Cell::get), LIVE.with(Cell::get));
    PEAK.with(|peak| peak.set(live));
    let result = work();
    let peak = PEAK.with(Cell::get) - live;
    (CALLS.with(Cell::get) - calls, usize::try_from(peak).unwrap_or(0), result)
}

/// By how many bytes `work` raises at most what is live.
pub(crate) async fn peak_of<T>(work: impl Future<Output = T>) -> (usize, T) {
    let live = LIVE.with(Cell::get);
    PEAK.with(|peak| peak.set(live));
    let result = work.await;
    (usize::try_from(PEAK.with(Cell::get) - live).unwrap_or(0), result)
}
