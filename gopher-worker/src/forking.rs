//! What makes a process cheap to fork: a run is one.

use gopher_sys::heap;

/// Asks the processor what it can do, which takes long in a virtual machine, before each fork has to.
pub(crate) fn know_processor() {
    #[cfg(target_arch = "x86_64")]
    let _ = std::arch::is_x86_feature_detected!("avx2");
}

/// Has threads of this process, and of what it is forked into, start with little ado: the C library looks its symbols
/// up and keeps a stack now, and its threads share one heap.
pub(crate) fn prepare_threads() {
    heap::share();
    // A thread that cannot be started is missed by whoever needs one.
    if let Ok(thread) = std::thread::Builder::new().spawn(|| ()) {
        let _ = thread.join();
    }
}
