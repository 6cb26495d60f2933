//! The Robot API as calls and answers. Numbers are part of the contract with extensions
//! (spec: Robot API §1.1, §2.5).

use serde::{Deserialize, Serialize};

use crate::message::wire;

macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident { $($number:literal $variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
        pub enum $name { $($variant),* }

        impl $name {
            /// All there are, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The number extensions see.
            pub fn number(self) -> u8 {
                match self { $(Self::$variant => $number),* }
            }

            /// The name people see.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),* }
            }
        }
    };
}

numbered! {
    /// Result of most Robot methods.
    RetVal {
        0 Ok, 1 UserNotFound, 2 ChannelNotFound, 3 AttributeNotFound, 4 FailedMessageSend, 5 FailedChannelJoin,
        6 DatumNotFound, 7 DatumLockExpired, 8 DataFormatError, 9 BrainFailed, 10 InvalidDatumKey,
        11 InvalidConfigPointer, 12 ConfigUnmarshalError, 13 NoConfigFound, 14 RetryPrompt, 15 ReplyNotMatched,
        16 UseDefaultValue, 17 TimeoutExpired, 18 Interrupted, 19 MatcherNotFound, 20 NoUserEmail, 21 NoBotEmail,
        22 MailError, 23 TaskNotFound, 24 MissingArguments, 25 InvalidStage, 26 InvalidTaskType,
        27 CommandNotMatched, 28 TaskDisabled, 29 PrivilegeViolation, 30 IdentityProviderNotFound,
        31 IdentityNotLinked, 32 IdentityReauthRequired, 33 IdentityRefreshFailed, 34 IdentityInvalidLinkRequest,
        35 IdentityConfigError, 63 Failed,
    }
}

numbered! {
    /// How text is to be shown.
    MessageFormat { 0 Raw, 1 Fixed, 2 Variable, 3 BasicMarkdown }
}

impl MessageFormat {
    /// The format of its spelling, in any case; `None` if unknown.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "raw" => Some(Self::Raw),
            "fixed" => Some(Self::Fixed),
            "variable" => Some(Self::Variable),
            "basicmarkdown" | "basic_markdown" | "basic-markdown" => Some(Self::BasicMarkdown),
            _ => None,
        }
    }
}

numbered! {
    /// Severity of a log line.
    LogLevel { 0 Trace, 1 Debug, 2 Info, 3 Audit, 4 Warn, 5 Error }
}

impl LogLevel {
    /// The level of its spelling; whatever is unknown is an error, as in the reference.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" => Self::Info,
            "audit" => Self::Audit,
            "warn" => Self::Warn,
            _ => Self::Error,
        }
    }
}

/// Result of a run: the exit status, with names for the ones that have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct TaskRetVal(pub i32);

impl TaskRetVal {
    pub const NORMAL: Self = Self(0);
    pub const FAIL: Self = Self(1);
    pub const MECHANISM_FAIL: Self = Self(2);
    pub const CONFIGURATION_ERROR: Self = Self(3);
    pub const PIPELINE_ABORTED: Self = Self(4);
    pub const ROBOT_STOPPING: Self = Self(5);
    pub const NOT_FOUND: Self = Self(6);
    pub const SUCCESS: Self = Self(7);
}

impl std::fmt::Display for TaskRetVal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            0 => "Normal",
            1 => "Fail",
            2 => "MechanismFail",
            3 => "ConfigurationError",
            4 => "PipelineAborted",
            5 => "RobotStopping",
            6 => "NotFound",
            7 => "Success",
            other => return write!(f, "TaskRetVal({other})"),
        })
    }
}

wire! {
    /// A method called by an extension. Calls that only the worker can answer (parameters) never get here.
    pub enum RobotCall {
        /// `SendChannelThreadMessage`; an empty thread is the channel's top level.
        SendChannelThread { channel: String, thread: String, text: String, format: Option<MessageFormat> },
        /// `SendUserChannelThreadMessage`: addressed to the user in a channel.
        SendUserChannelThread { user: String, channel: String, thread: String, text: String, format: Option<MessageFormat> },
        /// `SendUserMessage`: a direct message.
        SendUser { user: String, text: String, format: Option<MessageFormat> },
        /// `SendProtocolUserChannelMessage`.
        SendProtocolUserChannel { protocol: String, user: String, channel: String, text: String, format: Option<MessageFormat> },
        /// `PromptUserChannelThreadForReply`; an empty channel asks in a direct message.
        Prompt { matcher: String, user: String, channel: String, thread: String, prompt: String, format: Option<MessageFormat> },
        CheckAdmin,
        BotAttribute { attribute: String },
        SenderAttribute { attribute: String },
        UserAttribute { user: String, attribute: String },
        TaskConfig,
        Log { level: LogLevel, text: String },
        /// `Remember` and `RememberThread`; an empty value forgets.
        Remember { key: String, value: String, shared: bool, thread: bool },
        Recall { key: String, shared: bool },
        DeleteMemory { key: String, shared: bool },
        CheckoutDatum { key: String, write: bool },
        CheckinDatum { key: String, token: String },
        /// The datum is JSON text.
        UpdateDatum { key: String, token: String, datum: String },
        DeleteDatum { key: String },
        /// A method that is known but not offered yet, by its name.
        Unsupported { function: String },
        /// The plugin wants to hear what is said in this thread and matches nothing.
        Subscribe,
        Unsubscribe,
        /// `AddTask`, `FinalTask`, `FailTask`.
        AddTask { to: StepList, name: String, args: Vec<String> },
        /// `AddCommand`, `FinalCommand`, `FailCommand`: a text that one of the plugin's `Commands` takes.
        AddCommand { to: StepList, plugin: String, text: String },
        /// What later steps of the pipeline are told.
        SetParameter { name: String, value: String },
        /// What help knows about the commands that the user may know of.
        HelpMetadata { query: String },
        /// `Email`, `EmailUser`, `EmailAddress`.
        Email { to: Addressee, subject: String, body: String, html: bool },
    }

    /// Who gets a mail.
    pub enum Addressee {
        /// Whoever sent the message that the run answers.
        Sender,
        User(String),
        /// An address; a name without `@` is that of a user.
        Address(String),
    }

    /// Which steps of a pipeline one is added to.
    pub enum StepList {
        /// Those that come right after the one that runs.
        Next,
        /// Those that run at the end in any case, the newest first.
        Final,
        /// Those that run at the end of a pipeline that failed.
        Fail,
    }

    /// What the engine answers.
    pub enum RobotAnswer {
        RetVal(RetVal),
        Boolean(bool),
        /// A string with no return value (`Recall`, `GetHelpMetadata`).
        Text(String),
        Attribute { value: String, ret: RetVal },
        /// A prompt's reply.
        Reply { text: String, ret: RetVal },
        /// The `Config` tree as JSON text.
        Config(String),
        /// The datum is JSON text; absent if the key is.
        Datum { token: String, datum: Option<String>, ret: RetVal },
        /// The run has no right to this call, or it came after its end.
        Refused(String),
    }
}
