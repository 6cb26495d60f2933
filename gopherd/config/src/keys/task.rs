//! `TaskSettings`: the values of `ExternalPlugins`, `ExternalJobs`, `ExternalTasks`, `NameSpaces` and `ParameterSets`.

use serde::Deserialize;

use crate::units::{Seconds, Size};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct TaskSettings {
    /// Accepted; the key of the entry is the name.
    name: String,
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) name_space: String,
    pub(crate) parameter_sets: Vec<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) disabled: bool,
    pub(crate) homed: bool,
    pub(crate) privileged: Option<bool>,
    pub(crate) network: Option<bool>,
    pub(crate) limits: Limits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Limits {
    pub(crate) memory: Option<Size>,
    pub(crate) processes: Option<u32>,
    #[serde(rename = "CPU")]
    pub(crate) cpu: Option<Seconds>,
    pub(crate) output: Option<Size>,
}
