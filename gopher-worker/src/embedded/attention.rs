//! When a script needs somebody beside it: not before it prints, reads, starts something, waits, or takes its time.
//!
//! Most scripts ask the robot for a little and end, and another thread would cost more than they do.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

/// How long a script may take before somebody sees to it.
const AWHILE: Duration = Duration::from_millis(2);

/// How somebody comes, and from when on that is due.
type Waiting = (Instant, Box<dyn FnOnce()>);

thread_local! {
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

/// Says how somebody comes to the script that begins now on this thread.
pub(crate) fn on_call(come: impl FnOnce() + 'static) {
    on_call_after(AWHILE, come);
}

/// The same, where it may take this long.
pub(super) fn on_call_after(awhile: Duration, come: impl FnOnce() + 'static) {
    WAITING.set(Some((Instant::now() + awhile, Box::new(come))));
}

/// Somebody is needed now, if nobody is there.
pub(crate) fn call() {
    if let Some((_, come)) = WAITING.take() {
        come();
    }
}

/// The script has gone on for a while, and may go on; `true` once there is nobody left to call.
pub(crate) fn call_if_due() -> bool {
    let due = WAITING.with_borrow(|waiting| waiting.as_ref().map(|(due, _)| *due));
    match due {
        Some(due) if Instant::now() < due => false,
        Some(_) => {
            call();
            true
        }
        None => true,
    }
}

/// How long a script may wait before somebody is called; `None` if there is nobody left to call.
pub(crate) fn patience() -> Option<Duration> {
    WAITING.with_borrow(Option::is_some).then_some(AWHILE)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc, thread};

    use super::*;

    fn counted(awhile: Duration) -> Rc<Cell<u32>> {
        let came = Rc::new(Cell::new(0));
        let count = Rc::clone(&came);
        on_call_after(awhile, move || count.set(count.get() + 1));
        came
    }

    #[test]
    fn who_is_called_comes_once() {
        let came = counted(AWHILE);
        assert!(patience().is_some());
        call();
        call();
        assert!(call_if_due() && patience().is_none());
        assert_eq!(came.get(), 1);
    }

    #[test]
    fn who_takes_a_while_is_seen_to_and_who_is_quick_is_not() {
        let quick = counted(Duration::from_mins(10));
        assert!(!call_if_due());
        assert_eq!(quick.get(), 0);
        let slow = counted(AWHILE);
        thread::sleep(AWHILE);
        assert!(call_if_due());
        assert_eq!(slow.get(), 1);
    }
}
