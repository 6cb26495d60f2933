//! A console on a terminal: rustyline edits the line, and a second thread prints what comes in above it.

use std::{
    fs::DirBuilder,
    io::{Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{fs::DirBuilderExt as _, net::UnixStream},
    },
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use gopher_protocol::connector::ConsoleToConnector;
use gopher_sys::LinkError;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::termios::{SetArg, Termios, tcgetattr, tcsetattr},
    unistd::dup2_stdin,
};
use rustyline::{
    CompletionType, Config, Context, Editor, ExternalPrinter, Helper, completion::Completer, error::ReadlineError,
    highlight::Highlighter, hint::Hinter, history::FileHistory, validate::Validator,
};

use super::{
    complete,
    session::{Heard, Session},
    switch::Step,
};
use crate::{admin::ConsoleLink, error::CtlError};

/// How long the next prompt waits for the answer to a switch.
const PATIENCE: Duration = Duration::from_secs(2);
const HISTORY: usize = 1000;
const AGAIN: &str = "(Ctrl-C again, or Ctrl-D, leaves; the robot stays)";

/// What both threads know.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    session: Session,
    /// Answers that came.
    answers: u64,
    /// Why the connection is at its end, once it is.
    gone: Option<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked ends the program; its state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Words(Arc<Shared>);

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete::candidates(line.get(..pos).unwrap_or(line), &self.0.lock().session.vocabulary))
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}

type LineEditor = Editor<Words, FileHistory>;

/// The terminal as it was found, to be left so.
struct Found {
    terminal: OwnedFd,
    modes: Termios,
}

impl Found {
    fn look() -> Result<Self, CtlError> {
        let terminal = std::io::stdin().as_fd().try_clone_to_owned().map_err(CtlError::Input)?;
        let modes = tcgetattr(&terminal).map_err(|errno| CtlError::System { call: "tcgetattr", errno })?;
        Ok(Self { terminal, modes })
    }

    /// The line editor cannot do it once its input was taken away.
    fn restore(&self) {
        const PASTE_OFF: &str = "\u{1b}[?2004l";
        let mut out = std::io::stdout();
        // What cannot be restored cannot be helped here.
        let _ = out.write_all(PASTE_OFF.as_bytes()).and_then(|()| out.flush());
        let _ = tcsetattr(&self.terminal, SetArg::TCSADRAIN, &self.modes);
    }
}

pub(super) fn run(
    link: ConsoleLink,
    session: Session,
    colours: bool,
    history: Option<PathBuf>,
) -> Result<ExitCode, CtlError> {
    let found = Found::look()?;
    let greeting = session.greeting();
    let shared =
        Arc::new(Shared { state: Mutex::new(State { session, answers: 0, gone: None }), changed: Condvar::new() });
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY)
        .and_then(|config| config.history_ignore_dups(true))
        .map_err(|error| terminal(&error))?
        .build();
    let mut editor = LineEditor::with_config(config).map_err(|error| terminal(&error))?;
    editor.set_helper(Some(Words(Arc::clone(&shared))));
    let history = history.filter(|file| open_history(&mut editor, file));
    let printer = editor.create_external_printer().map_err(|error| terminal(&error))?;
    let (outbox, messages) = mpsc::channel();
    let (wake, woken) = UnixStream::pair().map_err(|error| CtlError::Terminal(error.to_string()))?;
    woken.set_nonblocking(true).map_err(|error| CtlError::Terminal(error.to_string()))?;
    println!("{greeting}");
    let relay = Relay { link, shared: Arc::clone(&shared), colours, messages, woken };
    let thread = thread::Builder::new()
        .name("relay".to_owned())
        .spawn(move || relay.run(printer))
        .map_err(|error| CtlError::Terminal(error.to_string()))?;
    let mut desk = Desk { editor, shared, outbox, wake, history };
    let ended = desk.run();
    let gone = desk.shared.lock().gone.take();
    if let Some(reason) = gone {
        found.restore();
        return Err(CtlError::Closed(reason));
    }
    // The relay sends what is queued, then ends because its wake-up line does.
    drop(desk);
    let _ = thread.join();
    ended.map(|()| ExitCode::SUCCESS)
}

fn terminal(error: &ReadlineError) -> CtlError {
    CtlError::Terminal(error.to_string())
}

/// Reads the history of earlier consoles; `false` if there can be none.
fn open_history(editor: &mut LineEditor, file: &Path) -> bool {
    let Some(directory) = file.parent() else { return false };
    if DirBuilder::new().recursive(true).mode(0o700).create(directory).is_err() {
        return false;
    }
    // The first console finds no file.
    let _ = editor.load_history(file);
    true
}

/// The side of the person: reads lines.
struct Desk {
    editor: LineEditor,
    shared: Arc<Shared>,
    outbox: mpsc::Sender<ConsoleToConnector>,
    wake: UnixStream,
    history: Option<PathBuf>,
}

impl Desk {
    fn run(&mut self) -> Result<(), CtlError> {
        let mut interrupted = false;
        loop {
            let prompt = {
                let state = self.shared.lock();
                if state.gone.is_some() {
                    return Ok(());
                }
                state.session.prompt()
            };
            match self.editor.readline(&prompt) {
                Ok(line) => {
                    interrupted = false;
                    self.remember(&line);
                    self.line(&line);
                }
                Err(ReadlineError::Interrupted) if interrupted => return Ok(()),
                Err(ReadlineError::Interrupted) => {
                    interrupted = true;
                    println!("{AGAIN}");
                }
                Err(ReadlineError::Signal(_)) => {}
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return if self.shared.lock().gone.is_some() { Ok(()) } else { Err(terminal(&error)) },
            }
        }
    }

    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || line.len() > super::switch::LONGEST_LINE || holds_secret(line) {
            return;
        }
        // A history that cannot be kept is no reason to disturb the conversation.
        if matches!(self.editor.add_history_entry(line), Ok(true))
            && let Some(file) = &self.history
        {
            let _ = self.editor.append_history(file);
        }
    }

    fn line(&mut self, line: &str) {
        let steps = self.shared.lock().session.line(line);
        for step in steps {
            match step {
                Step::Print(text) => println!("{text}"),
                Step::Say(message) => self.send(message),
                Step::Ask(message) => {
                    let before = self.shared.lock().answers;
                    self.send(message);
                    let unanswered = |state: &mut State| state.answers == before && state.gone.is_none();
                    // The next prompt shows where the answer leads to; without one it shows where we are.
                    drop(self.shared.changed.wait_timeout_while(self.shared.lock(), PATIENCE, unanswered));
                }
            }
        }
    }

    fn send(&mut self, message: ConsoleToConnector) {
        // If the relay is gone, the next prompt finds out.
        let _ = self.outbox.send(message);
        let _ = self.wake.write_all(&[0]);
    }
}

/// What is to be encrypted is kept nowhere in the clear.
fn holds_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.contains("encrypt-secret") || line.contains("encrypt secret")
}

/// The side of the robot: sends what was typed, prints what comes.
struct Relay {
    link: ConsoleLink,
    shared: Arc<Shared>,
    colours: bool,
    messages: mpsc::Receiver<ConsoleToConnector>,
    woken: UnixStream,
}

/// Why a relay ends.
enum End {
    /// The person has left.
    Left,
    /// The connection is over, for this reason.
    Gone(String),
}

impl Relay {
    fn run(mut self, mut printer: impl ExternalPrinter) {
        let End::Gone(reason) = self.relay(&mut printer) else { return };
        // The editor takes one text after the other: with this one taken, the last words are on the screen.
        let _ = printer.print(String::new());
        self.shared.lock().gone = Some(reason);
        self.shared.changed.notify_all();
        // The person may sit in front of a prompt: without input, the line editor returns.
        if let Ok(nothing) = std::fs::File::open("/dev/null") {
            let _ = dup2_stdin(&nothing);
        }
        // Printing wakes the editor, which then finds its input at an end; the reason is told when it has returned.
        let _ = printer.print(String::new());
    }

    fn relay(&mut self, printer: &mut impl ExternalPrinter) -> End {
        let gone = |error: LinkError| End::Gone(CtlError::from(error).to_string());
        loop {
            // Words that are on their way are read before the end is noticed.
            let flushed = self.link.flush();
            loop {
                match self.link.receive() {
                    Ok(Some((message, _))) => {
                        let heard = self.shared.lock().session.receive(message, super::paper(self.colours));
                        match heard {
                            Heard::Text(text) => drop(printer.print(text + "\n")),
                            Heard::Answer(text) => {
                                drop(printer.print(text + "\n"));
                                self.shared.lock().answers += 1;
                                self.shared.changed.notify_all();
                            }
                            Heard::Nothing => {}
                            Heard::Closed(reason) => return End::Gone(reason),
                        }
                    }
                    Ok(None) => break,
                    Err(error) => return gone(error),
                }
            }
            let wanted = match flushed {
                Ok(true) => PollFlags::POLLIN,
                Ok(false) => PollFlags::POLLIN | PollFlags::POLLOUT,
                Err(error) => return gone(error),
            };
            let mut ready =
                [PollFd::new(self.link.as_fd(), wanted), PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
            match poll(&mut ready, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return End::Gone(format!("poll: {errno}")),
            }
            let left = ready[1].any() == Some(true) && matches!(self.woken.read(&mut [0; 64]), Ok(0));
            while let Ok(message) = self.messages.try_recv() {
                match self.link.send(&message) {
                    // The end is noticed when reading, after the last words.
                    Ok(()) | Err(LinkError::Closed) => {}
                    Err(error) => return gone(error),
                }
            }
            if left {
                return End::Left;
            }
        }
    }
}
