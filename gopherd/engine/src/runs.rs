//! What the engine knows about one run: why it exists, how far it is, what it has printed.

use std::{
    collections::VecDeque,
    rc::Rc,
    time::{Duration, Instant},
};

use gopher_protocol::{
    admin::PsRow,
    ids::{PipelineId, RunId, TaskName},
    robot::Extension,
    supervisor::RunExit,
    worker::{EngineToWorker, Outcome, Stream, WorkerToEngine},
};
use nix::sys::signal::Signal;

use crate::{context::Context, generation::Generation, log::printable, wire::Wire};

/// Bytes of output kept for alerts, and written to the log per run.
const KEPT: usize = 64 << 10;
/// Standard output of a `_configure` run.
const CONFIGURATION: usize = 256 << 10;
/// What a line costs beside its text.
const OVERHEAD: usize = 64;
/// Bytes of one message that are looked at once a run has used its share of the log.
const SAMPLE: usize = 1024;
/// Longest line.
const LINE: usize = 2048;

/// Why a run exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Command,
    Message,
    CatchAll,
    /// `_subscribed`: something was said in a thread that the plugin listens to.
    Subscription,
    /// `_expiresub`: nothing was said there for long.
    SubscriptionEnd,
    /// `_authorize`: a command of somebody else's waits for this plugin's word.
    Authorize,
    /// `_init`, after a configuration was loaded.
    Init,
    /// `_configure`, while one is being loaded.
    Configure,
}

impl Purpose {
    /// Value of `GOPHER_PIPELINE_TYPE`.
    pub(crate) fn pipeline_type(self) -> &'static str {
        match self {
            // Its pipeline is that of the command.
            Self::Command | Self::Authorize => "plugCommand",
            Self::Message => "plugMessage",
            Self::CatchAll => "catchAll",
            Self::Subscription => "plugThreadSubscription",
            Self::Init | Self::Configure | Self::SubscriptionEnd => "",
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Queued,
    /// Asked of the supervisor.
    Spawning,
    /// There, and competing for the processor until it speaks or this moment has come.
    Starting(Instant),
    Live,
    /// Its outcome is known; its processes may still be there.
    Over,
}

/// An interruption by somebody or by a limit.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// Whole words after "was stopped": `by alice`.
    pub(crate) reason: String,
    /// When patience with it ends.
    pub(crate) force_at: Option<Instant>,
}

/// One run.
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) pipeline: PipelineId,
    /// Absent for `_configure`, which comes before there is one.
    pub(crate) generation: Option<(Rc<Generation>, usize)>,
    /// Place of the extension that began the pipeline, in a later step of one.
    pub(crate) starter: Option<usize>,
    pub(crate) task: TaskName,
    pub(crate) purpose: Purpose,
    pub(crate) command: String,
    /// Command and captures, as the program gets them.
    pub(crate) args: Vec<String>,
    pub(crate) context: Rc<Context>,
    pub(crate) state: State,
    pub(crate) wire: Option<Wire<EngineToWorker, WorkerToEngine>>,
    pub(crate) created: Instant,
    pub(crate) warn_at: Option<Instant>,
    pub(crate) kill_at: Option<Instant>,
    pub(crate) ending: Option<Ending>,
    /// Calls that wait for an answer.
    pub(crate) open_calls: usize,
    pub(crate) output: Output,
}

impl Run {
    /// The extension it runs, as configured when it was made.
    pub(crate) fn extension(&self) -> Option<&Extension> {
        self.generation.as_ref().and_then(|(generation, index)| generation.robot.extensions.get(*index))
    }

    /// The extension that began its pipeline.
    pub(crate) fn starter(&self) -> Option<&Extension> {
        let (generation, own) = self.generation.as_ref()?;
        generation.robot.extensions.get(self.starter.unwrap_or(*own))
    }

    /// As people call it: a plugin with its command.
    pub(crate) fn title(&self) -> String {
        if self.command.is_empty() { self.task.to_string() } else { format!("{}/{}", self.task, self.command) }
    }

    /// Whose share of the machine it uses.
    pub(crate) fn lane(&self) -> &str {
        if self.context.automatic { "" } else { self.context.user.as_str() }
    }

    /// The name under which its lines stand in the log.
    pub(crate) fn tag(&self) -> String {
        format!("{}/{}", self.task, self.pipeline)
    }

    /// May still call the robot.
    pub(crate) fn has_voice(&self) -> bool {
        self.purpose != Purpose::Configure && self.ending.is_none() && self.state != State::Over
    }

    /// The earliest moment at which something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let starting = if let State::Starting(until) = self.state { Some(until) } else { None };
        let force = self.ending.as_ref().and_then(|e| e.force_at);
        [starting, force, self.warn_at, self.kill_at].into_iter().flatten().min()
    }

    pub(crate) fn row(&self, now: Instant, waits_for_reply: bool) -> PsRow {
        PsRow {
            pipeline: self.pipeline,
            kind: "plugin".to_owned(),
            plugin: self.starter().map_or(&self.task, |starter| &starter.name).to_string(),
            task: self.task.as_str().to_owned(),
            command: self.command.clone(),
            user: self.context.user.as_str().to_owned(),
            channel: if self.context.automatic { String::new() } else { self.context.place() },
            age_seconds: now.saturating_duration_since(self.created).as_secs(),
            state: match self.state {
                State::Queued => "queued",
                _ if waits_for_reply => "waiting for a reply",
                _ => "running",
            }
            .to_owned(),
        }
    }
}

/// A moment `after` later, if that is not switched off.
pub(crate) fn at(start: Instant, after: Duration) -> Option<Instant> {
    (!after.is_zero()).then(|| start.checked_add(after)).flatten()
}

/// An age as people read it.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// How the program ended, for people.
pub(crate) fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exited { signal: Some(number), .. } => format!("ended by {}", signal_name(*number)),
        Outcome::Exited { status, .. } => format!("exit code {} ({status})", status.0),
        Outcome::NotStarted { reason, .. } | Outcome::Stopped { reason } => reason.clone(),
    }
}

pub(crate) fn describe_exit(exit: &RunExit) -> String {
    match exit {
        RunExit::Code(code) => format!("exit code {code}"),
        RunExit::Signal(number) => signal_name(*number),
    }
}

fn signal_name(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => format!("signal {number} ({signal})"),
        Err(_) => format!("signal {number}"),
    }
}

/// What a run prints.
#[derive(Default)]
pub(crate) struct Output {
    lines: VecDeque<String>,
    kept: usize,
    logged: usize,
    partial: [Vec<u8>; 2],
    /// All of standard output, for `_configure`.
    configuration: Vec<u8>,
    too_long: bool,
    first_error: Option<String>,
}

impl Output {
    /// Adds bytes of a stream; the lines that are whole now come back for the log.
    pub(crate) fn push(&mut self, stream: &Stream, bytes: &[u8], configure: bool) -> Vec<String> {
        if configure && matches!(stream, Stream::Stdout) {
            self.too_long |= self.configuration.len() + bytes.len() > CONFIGURATION;
            if !self.too_long {
                self.configuration.extend_from_slice(bytes);
            }
            return Vec::new();
        }
        let mut fresh = Vec::new();
        let mut rest = bytes;
        // A flood is looked at in samples: reading all of it would cost everybody else time.
        if self.logged > KEPT && rest.len() > SAMPLE {
            self.partial_of(stream).clear();
            rest = &rest[rest.len() - SAMPLE..];
        }
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let (head, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            let whole = std::mem::take(self.partial_of(stream));
            fresh.extend(self.line(stream, &[&whole[..], head].concat()));
        }
        let partial = self.partial_of(stream);
        // The end of an over-long line is cut off when the line is.
        if partial.len() <= LINE {
            partial.extend_from_slice(rest);
        }
        fresh
    }

    /// The run is over: what is left without a line end is a line, too.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        let mut fresh = Vec::new();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = std::mem::take(self.partial_of(&stream));
            if !rest.is_empty() {
                fresh.extend(self.line(&stream, &rest));
            }
        }
        fresh
    }

    fn partial_of(&mut self, stream: &Stream) -> &mut Vec<u8> {
        let [stdout, stderr] = &mut self.partial;
        if matches!(stream, Stream::Stdout) { stdout } else { stderr }
    }

    fn line(&mut self, stream: &Stream, bytes: &[u8]) -> Option<String> {
        let text = printable(&String::from_utf8_lossy(&bytes[..bytes.len().min(LINE + 1)]));
        let mark = if matches!(stream, Stream::Stdout) { "OUT" } else { "ERR" };
        if mark == "ERR" && self.first_error.is_none() && !text.is_empty() {
            self.first_error = Some(text.clone());
        }
        self.note(format!("{mark} {text}"))
    }

    /// Keeps a line; gives it back while the run's share of the log lasts.
    pub(crate) fn note(&mut self, line: String) -> Option<String> {
        self.kept += line.len() + OVERHEAD;
        self.lines.push_back(line.clone());
        while self.kept > KEPT {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.kept -= oldest.len() + OVERHEAD;
        }
        let before = self.logged;
        self.logged += line.len() + OVERHEAD;
        if before > KEPT {
            None
        } else if self.logged > KEPT {
            Some("... (the rest of this run's output is left out)".to_owned())
        } else {
            Some(line)
        }
    }

    /// The last lines, within `limit` bytes.
    pub(crate) fn tail(&self, limit: usize) -> String {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        for line in self.lines.iter().rev() {
            let short: String = line.chars().take(512).collect();
            bytes += short.len() + 1;
            if bytes > limit {
                break;
            }
            taken.push(short);
        }
        taken.reverse();
        taken.join("\n")
    }

    pub(crate) fn first_error(&self) -> Option<&str> {
        self.first_error.as_deref()
    }

    /// What `_configure` printed.
    pub(crate) fn into_configuration(self) -> Result<String, String> {
        if self.too_long {
            return Err(format!("_configure printed more than {} KiB", CONFIGURATION >> 10));
        }
        String::from_utf8(self.configuration).map_err(|_| "what _configure printed is not UTF-8 text".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_becomes_marked_lines_wherever_it_is_cut() {
        let mut output = Output::default();
        assert_eq!(output.push(&Stream::Stdout, b"one\ntw", false), ["OUT one"]);
        assert_eq!(output.push(&Stream::Stderr, b"oh\n", false), ["ERR oh"]);
        assert_eq!(output.push(&Stream::Stdout, b"o\nthree", false), ["OUT two"]);
        assert_eq!(output.finish(), ["OUT three"]);
        assert_eq!(output.first_error(), Some("oh"));
        assert_eq!(output.tail(1000), "OUT one\nERR oh\nOUT two\nOUT three");
        assert_eq!(output.tail(10), "OUT three");
    }

    #[test]
    fn a_flood_is_bounded_in_memory_and_in_the_log() {
        let mut output = Output::default();
        let mut logged = 0;
        for _ in 0..1000 {
            logged += output.push(&Stream::Stdout, &[b'x'; 8192], false).len();
            logged += output.push(&Stream::Stdout, b"\n", false).len();
        }
        assert!(output.kept <= KEPT, "{}", output.kept);
        assert!(output.partial[0].len() <= LINE + 8192);
        assert!((20..40).contains(&logged), "{logged}");
    }

    #[test]
    fn a_default_configuration_is_text_of_limited_size() {
        let mut output = Output::default();
        output.push(&Stream::Stdout, b"Help: []\n", true);
        output.push(&Stream::Stderr, b"warning\n", true);
        assert_eq!(output.into_configuration(), Ok("Help: []\n".to_owned()));
        let mut long = Output::default();
        for _ in 0..33 {
            long.push(&Stream::Stdout, &[b'x'; 8192], true);
        }
        assert!(long.into_configuration().is_err());
    }

    #[test]
    fn ages_are_short() {
        for (seconds, text) in [(119, "119s"), (120, "2m"), (3700, "1h1m"), (90_000, "1d1h")] {
            assert_eq!(age(seconds), text);
        }
    }
}
