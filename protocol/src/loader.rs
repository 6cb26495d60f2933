//! Links of the configuration loader, a confined worker without secrets and without network.

use crate::{
    SecretBytes,
    frame::CEILING_WORKER,
    ids::{Generation, TaskName},
    message::{messages, wire},
    robot::{Robot, Runtime},
};

messages! {
    /// Engine to loader.
    pub enum EngineToLoader, ceiling CEILING_WORKER;
    /// The one request: where to read and what to override.
    1 Load { generation: Generation, sources: Sources };
    /// The result of one `_configure` run: YAML text, or why there is none.
    2 DefaultConfig { task: TaskName, result: Result<String, String> };
}

messages! {
    /// Loader to engine.
    pub enum LoaderToEngine, ceiling CEILING_WORKER;
    /// These plugins must be asked for their default configuration.
    1 WantDefaults { tasks: Vec<TaskName> };
    /// The configuration is valid.
    2 Loaded { robot: Box<Robot> };
    /// It is not: whole sentences with file, line and column.
    3 Refused { errors: Vec<String> };
}

messages! {
    /// Loader to secretd.
    pub enum LoaderToSecretd, ceiling CEILING_WORKER;
    /// What every task of the generation may start and may have, and what connectors have.
    1 Table {
        generation: Generation,
        tasks: Vec<TaskEntry>,
        connectors: Vec<ConnectorEntry>,
        /// Every distinct secret that the configuration uses.
        references: Vec<SecretRef>,
    };
}

messages! {
    /// Secretd to loader.
    pub enum SecretdToLoader, ceiling CEILING_WORKER;
    /// What the environment says.
    1 Settings {
        /// Plain values, never those that are keys.
        values: Vec<(String, String)>,
        /// Names that are set, whose values are secret.
        private: Vec<String>,
        /// Secrets of variables files can be opened.
        encryption: bool,
    };
    /// The table is in force for runs of its generation.
    2 TableTaken {
        generation: Generation,
        /// Names of references that do not open, with the reason.
        unopened: Vec<(String, String)>,
    };
}

wire! {
    /// Where configuration comes from. Directories are absolute.
    pub struct Sources {
        pub home: String,
        pub config_dir: String,
        pub install_dir: String,
        pub mode: StartMode,
        /// Replaces `PrimaryProtocol` (console and test robots).
        pub protocol: Option<String>,
        /// Extensions that exist in demo mode only are enabled.
        pub demo_extensions: bool,
        /// Where relative extension paths are looked up between robot and install tree.
        pub extra_root: Option<String>,
    }

    /// How the robot was found (spec: configuration §1.2).
    pub enum StartMode { TestDev, Demo, Bootstrap, Production }

    /// A secret, by where it is kept.
    #[derive(PartialOrd, Ord)]
    pub enum SecretRef {
        /// A name of the private environment.
        Environment(String),
        /// An entry of `Secrets` of a variables file.
        Variable { name: String, ciphertext: Vec<u8> },
    }
}

/// One task as secretd knows it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct TaskEntry {
    pub name: TaskName,
    pub program: String,
    pub runtime: Runtime,
    pub privileged: bool,
    /// Own parameters in order of precedence; the first of a name wins.
    pub parameters: Vec<Attachment>,
}

/// What secretd tells a connector.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct ConnectorEntry {
    pub name: String,
    /// JSON pointers into `ProtocolConfig`, and their values.
    pub values: Vec<Attachment>,
}

/// A name and what makes its value.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Attachment {
    pub name: String,
    pub value: Vec<Part>,
}

/// A part of a value.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub enum Part {
    Plain(SecretBytes),
    Secret(SecretRef),
}

impl Attachment {
    /// A value that stands in the configuration.
    pub fn literal(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), value: vec![Part::Plain(SecretBytes::new(value.into()))] }
    }
}
