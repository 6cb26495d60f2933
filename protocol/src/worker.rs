//! The link between the engine and one run.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    frame::CEILING_WORKER,
    ids::{CallId, RunId, TaskName},
    message::{messages, wire},
    robot::Limits,
    robot_api::{RobotAnswer, RobotCall, TaskRetVal},
};

messages! {
    /// Engine to worker.
    pub enum EngineToWorker, ceiling CEILING_WORKER;
    /// What to run; the first message.
    1 Run { request: RunRequest };
    2 Answer { call: CallId, answer: RobotAnswer };
    /// End the run: TERM to its processes, KILL after a grace period.
    3 Cancel { reason: String };
}

messages! {
    /// Worker to engine.
    pub enum WorkerToEngine, ceiling CEILING_WORKER;
    1 Call { call: CallId, request: RobotCall };
    /// Whole lines where possible, at most 8 KiB a message.
    2 Output { stream: Stream, bytes: Bytes };
    /// The run is over; the worker exits after this.
    3 Done { outcome: Outcome };
}

wire! {
    pub struct RunRequest {
        pub run: RunId,
        pub task: TaskName,
        /// Arguments after the program: command and captures, or a job's arguments.
        pub args: Vec<String>,
        /// Engine values of the environment (spec: Robot API §2.3); parameters come from secretd.
        pub env: Vec<(String, String)>,
        pub work_dir: WorkDir,
        /// Parameters are not exported to the environment.
        pub secure_parameters: bool,
        /// Set by earlier steps of the pipeline; they come before what secretd has.
        pub parameters: Vec<(String, String)>,
        /// `_configure`: no API, standard output is the result.
        pub configure: bool,
        pub limits: Limits,
    }

    /// Where a run starts.
    pub enum WorkDir {
        /// The pipeline's scratch workspace, or the persistent one of a privileged pipeline.
        WorkSpace,
        /// The robot home, read-only.
        Home,
    }

    pub enum Stream { Stdout, Stderr }

    /// How a run ended.
    pub enum Outcome {
        /// Exit status of the program; death by signal is -1.
        Exited { status: TaskRetVal, signal: Option<i32> },
        /// The program did not start: a whole sentence that names the path and what to do.
        NotStarted { status: TaskRetVal, reason: String },
        /// The worker ended it for a limit: a whole sentence.
        Stopped { reason: String },
    }
}

/// What a run prints. On the wire it is as a list of numbers is, but copied whole: a flood costs the engine little.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Bytes(pub Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}
