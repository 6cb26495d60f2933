//! `TaskSettings`: the values of `ExternalPlugins`, `ExternalJobs`, `ExternalTasks`, of their stock twins, and of
//! `NameSpaces` and `ParameterSets` (spec: configuration §2.1).

use schemars::JsonSchema;
use serde::Deserialize;

use crate::units::{Seconds, Size};

/// One extension, name space or parameter set.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct TaskSettings {
    /// Without effect: the key of the entry is the name.
    name: String,
    /// The file; relative ones are looked up in the robot, then in the install tree.
    pub(crate) path: String,
    /// What it is for, in a few words.
    pub(crate) description: String,
    /// An entry of `NameSpaces`: memories and parameters are shared with its other users.
    pub(crate) name_space: String,
    /// Entries of `ParameterSets` whose parameters it gets.
    pub(crate) parameter_sets: Vec<String>,
    /// Values that it gets.
    pub(crate) parameters: Vec<Parameter>,
    /// Switch it off.
    pub(crate) disabled: bool,
    /// It starts in the robot's directory.
    pub(crate) homed: bool,
    /// It gets what is attached to the starter of its pipeline and works in `WorkSpace`. By default jobs do, others do
    /// not.
    pub(crate) privileged: Option<bool>,
    /// Whether it has network besides the robot's own API (default true).
    pub(crate) network: Option<bool>,
    /// It may use the robot's ssh key through clients that do not bind it to a host (OpenSSH before 8.9).
    pub(crate) agent_allow_unbound: bool,
    /// What one run may use.
    pub(crate) limits: Limits,
}

/// A value with a name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Parameter {
    /// The name of the environment variable.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
}

/// What one run may use.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Limits {
    /// Memory of all its processes together.
    pub(crate) memory: Option<Size>,
    /// Number of its processes and threads.
    pub(crate) processes: Option<u32>,
    /// CPU time of each process.
    #[serde(rename = "CPU")]
    pub(crate) cpu: Option<Seconds>,
    /// What it may print.
    pub(crate) output: Option<Size>,
}
