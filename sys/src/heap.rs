//! The C library's heap, in a process that is forked into many.
//!
//! With another C library than GNU's all of this does nothing, and nothing is different but how long forks take.

/// Bytes by which the heap grows, and the most that is free at its end.
#[cfg(target_env = "gnu")]
const STEP: usize = 256 << 10;

/// Has all threads of this process, present and to come, use one heap that grows in large steps: what a second one
/// costs, few threads earn back.
pub fn share() {
    #[cfg(target_env = "gnu")]
    {
        let step = libc::c_int::try_from(STEP).unwrap_or(libc::c_int::MAX);
        // SAFETY: sets numbers inside the C library.
        let _ = unsafe { (libc::mallopt(libc::M_ARENA_MAX, 1), libc::mallopt(libc::M_TOP_PAD, step)) };
    }
}

/// Leaves what is free in the heap unused, but for its end: what a fork allocates lies side by side there, and few of
/// our pages have to become its own.
pub fn leave_gaps() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: gives back what is free; nobody has a pointer to it.
        unsafe { libc::malloc_trim(STEP) };
        let end = end();
        // From the largest a gap can be, in steps that leave little of one, to the smallest.
        let mut size = STEP / 4;
        while size >= 24 {
            // SAFETY: takes a size. What it gives is never used and never given back, unless it was taken at the end.
            let taken = unsafe { libc::malloc(size) };
            if taken.is_null() {
                return;
            }
            if taken.addr() < end {
                continue;
            }
            if size > SMALL {
                // SAFETY: just taken. What is small is kept, or it would be a gap.
                unsafe { libc::free(taken) };
            }
            size -= if size > SMALL { (size / 8).next_multiple_of(16) } else { 16 };
        }
    }
}

/// Takes so much of the free end of the heap, as far as it reaches, at once: what is allocated next lies there.
pub fn take_end(bytes: usize) {
    #[cfg(target_env = "gnu")]
    {
        let start = end();
        let pages = start / PAGE * PAGE..(start + bytes).next_multiple_of(PAGE);
        // What cannot be had now is taken when it is used.
        let _ = crate::raw::populate(&pages, true);
    }
}

/// Of this architecture's kernel, or a part of one.
#[cfg(target_env = "gnu")]
const PAGE: usize = 4096;

/// Most bytes of what the C library keeps apart for its thread when it is given back.
#[cfg(target_env = "gnu")]
const SMALL: usize = 1032;

/// Where the free end of the heap begins.
#[cfg(target_env = "gnu")]
fn end() -> usize {
    // SAFETY: asks for numbers; a step of 0 moves nothing.
    let (top, free) = unsafe { (libc::sbrk(0), libc::mallinfo().keepcost) };
    top.addr().saturating_sub(usize::try_from(free).unwrap_or(0))
}
