//! The named admin socket: gopherctl and the engine.

use crate::{
    SecretBytes,
    frame::CEILING,
    ids::PipelineId,
    loader::MergedFile,
    message::{messages, wire},
    robot::Cause,
    supervisor::Isolation,
};

messages! {
    /// gopherctl to engine.
    pub enum AdminRequest, ceiling CEILING;
    /// First message: the content of the cookie file, empty where the caller's uid is enough.
    1 Authenticate { cookie: String };
    2 Status;
    3 Ps;
    4 Kill { pipeline: PipelineId };
    /// The last lines of the log; with `follow` new ones keep coming.
    5 Logs { lines: u32, follow: bool };
    /// Hand this connection over to the terminal connector; console frames follow.
    6 Console;
    /// End the robot.
    7 Quit;
    /// Load the configuration anew; the answer comes when it is in force or refused.
    8 Reload;
    /// The report on the configuration in force, or being loaded.
    9 Report;
    /// What a file of the configuration was merged to; an empty name asks for the names. Only a robot that was started to
    /// be looked at knows.
    10 Merged { name: String };
    /// What a message would start, and why it would not start other things.
    11 Match { user: Option<String>, channel: Option<String>, text: String };
    /// Keys of long-term memories that come after this one; an empty one asks for the first.
    12 BrainList { after: String };
    /// A part of a memory, from this byte on.
    13 BrainGet { key: String, from: u64 };
    /// Parts of a memory's JSON, in order; the last one stores it.
    14 BrainSet { key: String, part: SecretBytes, last: bool };
    15 BrainDelete { key: String };
    /// As `BrainSet`, of what Gopherbot has encrypted.
    16 BrainMigrate { key: String, part: Vec<u8>, last: bool };
    /// A part of a memory as Gopherbot would keep it, from this byte on; the first one has it encrypted.
    17 BrainCopy { key: String, from: u64 };
}

messages! {
    /// Engine to gopherctl.
    pub enum AdminAnswer, ceiling CEILING;
    1 Welcome;
    2 Status { status: Status };
    3 Ps { rows: Vec<PsRow> };
    /// A whole sentence on what was done.
    4 Done { text: String };
    5 Log { lines: Vec<LogLine> };
    /// A whole sentence on why not.
    6 Refused { reason: String };
    /// The connection is a console from the next frame on.
    7 ConsoleFollows;
    8 Loaded { report: LoadReport };
    9 Merged { file: MergedFile };
    10 MergedNames { names: Vec<String> };
    11 Matched { report: MatchReport };
    12 BrainKeys { rows: Vec<BrainRow>, more: bool };
    /// A part of a memory, which has `whole` bytes; its version tells whether parts belong together.
    13 BrainValue { part: SecretBytes, whole: u64, version: u64 };
    /// There is no such memory.
    14 BrainAbsent;
    /// The part was taken; the next one may follow.
    15 BrainTaken;
    /// A part of the base64 of what is encrypted, which has `whole` bytes.
    16 BrainCopied { part: String, whole: u64 };
}

wire! {
    pub struct Status {
        pub robot: String,
        pub version: String,
        pub home: String,
        pub uptime_seconds: u64,
        pub generation: u64,
        pub isolation: Isolation,
        pub protocols: Vec<ProtocolStatus>,
        pub plugins: u32,
        pub live_runs: u32,
        pub queued_runs: u32,
        pub disabled: Vec<DisabledRow>,
        pub notices: Vec<String>,
        pub readiness: Readiness,
    }

    /// What came of loading a configuration.
    pub struct LoadReport {
        /// The generation that was loaded.
        pub generation: u64,
        /// Why it is not in force; none if it is.
        pub errors: Vec<String>,
        /// What is different from the configuration before, a line each.
        pub changes: Vec<String>,
        pub notices: Vec<String>,
        pub disabled: Vec<DisabledRow>,
        /// Secrets that do not open here, and why.
        pub unopened: Vec<(String, String)>,
        pub plugins: u32,
    }

    /// What a message would start.
    pub struct MatchReport {
        /// Who says it and where, as they were understood.
        pub user: String,
        pub place: String,
        /// What is left of the text without the robot's address; none if it is not addressed.
        pub command: Option<String>,
        /// What would happen, a whole sentence.
        pub outcome: String,
        /// Every matcher that the text fits or nearly fits.
        pub candidates: Vec<MatchRow>,
    }

    pub struct MatchRow {
        pub plugin: String,
        pub command: String,
        pub arguments: Vec<String>,
        pub runs: bool,
        /// Why it runs or does not.
        pub verdict: String,
    }

    pub struct DisabledRow {
        pub name: String,
        pub kind: String,
        pub reason: String,
        pub cause: Cause,
    }

    /// One long-term memory.
    pub struct BrainRow {
        pub key: String,
        pub bytes: u64,
    }

    /// Commands are taken while the robot is ready.
    pub enum Readiness { Starting, Ready, Stopping }

    pub struct ProtocolStatus {
        pub name: String,
        pub primary: bool,
        /// `running`, `starting`, `failed`.
        pub state: String,
        pub trouble: Option<String>,
    }

    /// One live pipeline.
    pub struct PsRow {
        pub pipeline: PipelineId,
        pub kind: String,
        /// What began it.
        pub plugin: String,
        /// The step that runs.
        pub task: String,
        pub command: String,
        pub user: String,
        pub channel: String,
        pub age_seconds: u64,
        /// `running`, `waiting for a reply`, `queued`.
        pub state: String,
    }

    pub struct LogLine {
        /// Seconds since 1970, with milliseconds.
        pub time_ms: u64,
        pub level: String,
        pub source: String,
        pub text: String,
    }
}
