//! Who said what where: the context that a message gives to everything it starts.

use gopher_protocol::{
    ids::{ChannelId, EventId, MessageId, ThreadId, UserId, UserName},
    robot::CommandMode,
};

/// The name of the console's connector, and of the one suites use.
pub(crate) const TERMINAL: &str = "terminal";
pub(crate) const TEST: &str = "test";

/// One accepted message without its text, or the context of an automatic run.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties of a message, as the specification lists them"
)]
pub(crate) struct Context {
    pub(crate) protocol: String,
    /// Canonical; empty for automatic runs.
    pub(crate) user: UserName,
    pub(crate) user_id: UserId,
    /// In the roster.
    pub(crate) listed: bool,
    pub(crate) bot_user: bool,
    /// Empty in a direct message.
    pub(crate) channel: String,
    pub(crate) channel_id: ChannelId,
    /// The thread, or the one an answer would start; empty in a direct message.
    pub(crate) thread: ThreadId,
    pub(crate) message_id: MessageId,
    pub(crate) threaded: bool,
    pub(crate) direct: bool,
    pub(crate) hidden: bool,
    pub(crate) self_message: bool,
    /// The service routed it to the robot.
    pub(crate) bot_message: bool,
    /// `None` if the robot was not addressed.
    pub(crate) mode: Option<CommandMode>,
    /// Started by the robot itself.
    pub(crate) automatic: bool,
    pub(crate) event: EventId,
    /// Groups the user was in when this was said: for what may be shown, never for what may be done.
    pub(crate) groups: Vec<String>,
}

impl Context {
    /// A context without user and channel.
    pub(crate) fn automatic(protocol: &str) -> Self {
        Self { protocol: protocol.to_owned(), automatic: true, ..Self::default() }
    }

    /// Only the robot and the sender can see it.
    pub(crate) fn private(&self) -> bool {
        self.direct || self.hidden
    }

    pub(crate) fn is_command(&self) -> bool {
        self.mode.is_some()
    }

    /// The thread a message was really said in; empty at top level.
    pub(crate) fn thread_if_threaded(&self) -> &str {
        if self.threaded { self.thread.as_str() } else { "" }
    }

    /// The channel as people read it.
    pub(crate) fn place(&self) -> String {
        if self.channel.is_empty() { "(direct message)".to_owned() } else { format!("#{}", self.channel) }
    }

    /// Whether a name or a bracketed id means the channel of this context.
    pub(crate) fn is_channel(&self, channel: &str) -> bool {
        channel == self.channel || bracketed(channel).is_some_and(|id| id == self.channel_id.as_str())
    }

    /// Whether a name or a bracketed id means the sender.
    pub(crate) fn is_sender(&self, user: &str) -> bool {
        user.eq_ignore_ascii_case(self.user.as_str()) || bracketed(user).is_some_and(|id| id == self.user_id.as_str())
    }
}

/// What stands between angle brackets.
pub(crate) fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('<').and_then(|t| t.strip_suffix('>'))
}
