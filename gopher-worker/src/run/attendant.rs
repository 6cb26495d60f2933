//! The thread that serves a script beside it.

use std::{
    io,
    sync::mpsc::{Sender, channel},
    thread::{Builder, JoinHandle},
};

type Work = Box<dyn FnOnce() + Send>;

/// A thread that waits for its work, as its process does for its order: to start one takes a while.
pub(crate) struct Attendant {
    work: Sender<Work>,
    thread: JoinHandle<()>,
}

impl Attendant {
    pub(crate) fn new() -> io::Result<Self> {
        let (work, given) = channel::<Work>();
        let thread = Builder::new().spawn(move || {
            if let Ok(work) = given.recv() {
                work();
            }
        })?;
        Ok(Self { work, thread })
    }

    /// Has it do its work.
    pub(super) fn attend(self, work: impl FnOnce() + Send + 'static) {
        // It waits for nothing else, so it is there.
        let _ = self.work.send(Box::new(work));
    }

    /// Leaves it waiting until its process ends: a program starts beside it as well, and to end it takes a while.
    pub(super) fn leave(self) {
        std::mem::forget(self);
    }

    /// Ends it: who forks next has no thread beside.
    pub(super) fn dismiss(self) {
        drop(self.work);
        let _ = self.thread.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_its_work_or_is_gone() {
        let (told, heard) = channel();
        let attendant = Attendant::new().expect("a thread");
        attendant.attend(move || told.send(7).expect("somebody listens"));
        assert_eq!(heard.recv(), Ok(7));
        Attendant::new().expect("a thread").dismiss();
    }
}
