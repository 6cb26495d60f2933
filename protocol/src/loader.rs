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
    /// The one request: where to read and what to override; `search_path` is where runs look for programs. With
    /// `inspect` nothing will run: secrets that do not open are told and no error, and so is what files were merged to.
    1 Load { generation: Generation, sources: Sources, search_path: String, inspect: bool };
    /// The result of one `_configure` run: YAML text, or why there is none.
    2 DefaultConfig { task: TaskName, result: Result<String, String> };
}

messages! {
    /// Loader to engine.
    pub enum LoaderToEngine, ceiling CEILING_WORKER;
    /// These plugins must be asked for their default configuration.
    1 WantDefaults { tasks: Vec<WantedDefault> };
    /// The configuration is valid. Secrets that do not open, and what the files were merged to, for who only looks.
    2 Loaded { robot: Box<Robot>, unopened: Vec<(String, String)>, merged: Vec<MergedFile> };
    /// It is not: whole sentences with file, line and column.
    3 Refused { errors: Vec<String> };
}

messages! {
    /// Loader to secretd.
    pub enum LoaderToSecretd, ceiling CEILING_WORKER;
    /// What every task of the generation may start and may have, what connectors may have, and every reference that
    /// the configuration uses.
    1 Table {
        generation: Generation,
        tasks: Vec<TaskEntry>,
        connectors: Vec<ConnectorEntry>,
        references: Vec<SecretRef>,
    };
    /// Values of private names that the robot declares plain, before the table.
    2 Plain { names: Vec<String> };
}

messages! {
    /// Secretd to loader.
    pub enum SecretdToLoader, ceiling CEILING_WORKER;
    /// Plain values of the `GOPHER_*` settings, never those that are keys, and of the launch environment; names that
    /// are set and whose values are secrets; whether the robot's own key is at hand.
    1 Settings { values: Vec<(String, String)>, private: Vec<String>, encryption: bool };
    /// The table is in force for runs of its generation. References that do not open, each with the reason.
    2 TableTaken { generation: Generation, unopened: Vec<(SecretRef, String)> };
    /// Those that are set and no keys.
    3 Plain { values: Vec<(String, String)> };
}

wire! {
    /// One file of the configuration after all layers.
    pub struct MergedFile {
        /// Such as `robot.yaml` or `plugins/echo.yaml`.
        pub name: String,
        /// YAML, each line with the place where its value stands.
        pub lines: Vec<(String, String)>,
        /// The same as JSON text.
        pub json: String,
    }

    /// A plugin whose default configuration is wanted.
    pub struct WantedDefault {
        pub task: TaskName,
        /// Stands for all that it depends on; `None` if that cannot be told.
        pub fingerprint: Option<u64>,
        /// It may still speak v2: `configure` is tried where `_configure` fails or prints nothing.
        pub legacy: bool,
    }

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

    /// A secret by where it is kept.
    #[derive(Hash, PartialOrd, Ord)]
    pub enum SecretRef {
        /// A name of the private environment.
        Environment(String),
        /// An entry of `Secrets` of a variables file.
        Variable { name: String, ciphertext: Vec<u8> },
    }

    /// How the robot was found (spec: configuration §1.2).
    pub enum StartMode { TestDev, Demo, Bootstrap, Production }
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
    /// Texts in its `Config` that hold secrets, each named as the engine has it.
    pub config: Vec<Attachment>,
}

/// What a connector may have beside its configuration.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct ConnectorEntry {
    pub name: String,
    /// By JSON pointers into its `ProtocolConfig`.
    pub values: Vec<Attachment>,
}

/// A name and a text with holes: the loader knows what belongs into them, secretd what it is.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Attachment {
    pub name: String,
    pub value: Vec<Part>,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub enum Part {
    /// Text of the configuration.
    Plain(SecretBytes),
    Secret(SecretRef),
}

impl Attachment {
    /// A value that stands in the configuration as it is.
    pub fn plain(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), value: vec![Part::Plain(SecretBytes::new(value.into()))] }
    }
}
