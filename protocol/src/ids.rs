//! Identifiers that cross a link, each a type of its own.

use std::fmt;

macro_rules! name_ids {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
        pub struct $name(pub String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )* };
}

macro_rules! number_ids {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )* };
}

name_ids! {
    /// A canonical, lower-case user name of the roster, or a connector's name for an unlisted user.
    UserName,
    /// A user as the chat service knows it, without brackets.
    UserId,
    /// A channel's name, without `#`.
    ChannelName,
    /// A channel as the chat service knows it, without brackets.
    ChannelId,
    /// A thread as the chat service knows it.
    ThreadId,
    /// A message as the chat service knows it.
    MessageId,
    /// An extension: plugin, job or task.
    TaskName,
    /// A chat service: `slack`, `ssh`, `terminal`, `test`, …
    ProtocolName,
    /// An inbound event, unique within its protocol.
    EventId,
}

number_ids! {
    /// One step of a pipeline = one worker.
    RunId,
    /// What one command, job or event starts; shown to people as the *wid*.
    PipelineId,
    /// One loaded and validated configuration.
    Generation,
    /// Pairs a request with its answer on one link.
    CallId,
    /// One outbound message; the dedupe key towards the chat service.
    DeliveryId,
}
