//! Counts what a piece of code allocates, to prove that hostile bytes cost little memory.

#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes that this thread has asked for. Tests run in threads of their own and do not disturb each other.
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

/// The bytes that `run` asks for in total, also those which it gives back meanwhile, and its result.
pub(crate) fn allocated<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATED.get();
    let result = run();
    (ALLOCATED.get() - before, result)
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: everything is left to the system's allocator; counting needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get().saturating_add(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn counts_what_is_allocated() {
    let (bytes, vec) = allocated(|| Vec::<u64>::with_capacity(1000));
    assert!(bytes >= 8000, "{bytes}");
    assert_eq!(allocated(|| vec.len()).0, 0);
}
