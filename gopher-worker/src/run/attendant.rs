//! A script on the first thread of this process, and who serves it: nobody at first, and from when it needs somebody on
//! another thread, until both end.

use std::{
    cell::{Cell, OnceCell},
    io,
    mem::ManuallyDrop,
    os::fd::OwnedFd,
    rc::Rc,
    sync::Arc,
    thread,
};

use gopher_protocol::worker::Outcome;
use gopher_sys::{poll::Awake, process};
use nix::{fcntl::OFlag, sys::signal::SigSet, unistd::pipe2};

use super::{ENDED, Running, done, exchange::Exchange, start::Main};
use crate::{
    embedded::{Leave, Task, attention},
    error::WorkerError,
};

/// Runs a script to its end, which is that of this process. It waits for its answers as `awake` says.
pub(super) fn run(
    running: ManuallyDrop<Running>,
    exchange: Exchange,
    task: Task,
    awake: Awake,
) -> Result<(), WorkerError> {
    let exchange = Arc::new(exchange);
    let client =
        running.client(&exchange, awake).transpose().map_err(WorkerError::file("duplicate", "link".as_ref()))?;
    let alone = Rc::new(Alone { running: Cell::new(Some(running)), ended: OnceCell::new(), exchange });
    // What the script starts meets every signal that is meant for it.
    SigSet::empty().thread_set_mask().map_err(WorkerError::system("sigprocmask"))?;
    let called = Rc::clone(&alone);
    attention::on_call(move || called.attended());
    if task.needs_somebody() {
        attention::call();
    }
    let leave: Leave = Rc::new(move |status| alone.leave(status));
    let status = task.run(client, Rc::clone(&leave));
    leave(status);
    Ok(())
}

struct Alone {
    /// Until somebody serves it.
    running: Cell<Option<ManuallyDrop<Running>>>,
    /// Where its status is told to whoever serves it.
    ended: OnceCell<OwnedFd>,
    exchange: Arc<Exchange>,
}

impl Alone {
    /// From now on it is served.
    fn attended(&self) {
        let Some(mut running) = self.running.take() else { return };
        let begun = running.listen().and_then(|ended| {
            // It is called once, so nothing is there.
            let _ = self.ended.set(ended);
            let exchange = Arc::clone(&self.exchange);
            running.watch_all(&exchange)?;
            let serve = move || process::end_now(WorkerError::told(running.finish(&exchange)));
            thread::Builder::new().spawn(serve).map(drop)
        });
        if let Err(error) = begun {
            let reason = format!("it needs a second thread, which could not be started: {error}");
            let outcome = Outcome::Stopped { reason };
            process::end_now(WorkerError::told(done(&mut self.exchange.turn().link, outcome)))
        }
    }

    /// The script is over.
    fn leave(&self, status: i32) {
        if let Some(mut running) = self.running.take() {
            process::end_now(WorkerError::told(running.conclude(status, &self.exchange)))
        }
        // Whoever would read it is gone, and this process with it.
        let _ = self.ended.get().map(|ended| nix::unistd::write(ended, &status.to_le_bytes()));
        loop {
            thread::park();
        }
    }
}

impl Running {
    /// Listens for the end of the script, which is told at the other end of a pipe.
    fn listen(&mut self) -> io::Result<OwnedFd> {
        let (heard, ended) = pipe2(OFlag::O_CLOEXEC)?;
        self.poller.add(&heard, ENDED, false)?;
        self.main = Main::Script { ended: Some(heard) };
        Ok(ended)
    }
}
