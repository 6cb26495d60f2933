//! The link between the engine and one chat service, and between the terminal connector and its consoles.

use crate::{
    frame::CEILING,
    ids::{CallId, ChannelId, ChannelName, DeliveryId, EventId, MessageId, ThreadId, UserId, UserName},
    message::{messages, wire},
    robot_api::{MessageFormat, RetVal},
};

/// The name of the connector that sends mail, which is no chat service.
pub const MAIL: &str = "mail";
/// Bytes that the subject and the body of a mail may have, so that a message of this link holds both.
pub const LONGEST_SUBJECT: usize = 998;
pub const LONGEST_BODY: usize = 1_000_000;

messages! {
    /// Engine to connector.
    pub enum EngineToConnector, ceiling CEILING;
    /// First message, and again whenever the configuration changes.
    1 Configure { settings: ConnectorSettings };
    2 Deliver { delivery: DeliveryId, message: Outbound };
    3 Join { channel: ChannelName };
    /// A user attribute (spec: Robot API §1.6).
    4 LookUp { call: CallId, user: String, attribute: String };
    /// The event is journaled: it may be acknowledged to the service.
    5 Accepted { event: EventId };
    /// The start gate is open.
    6 GateOpen;
    /// A console that the engine has admitted, as this user. Terminal connector only.
    7 Attach { console: ConsoleIdentity } fds 1;
    /// A policy event for suites. Test connector only.
    8 Event { name: String };
    /// Answer to `AskIdle`.
    9 Idle { call: CallId };
    10 Stop;
    /// A typing indicator.
    11 Heard { user: UserName, channel: ChannelName };
    /// A mail to be sent; the next one comes when this one is answered. Mail connector only.
    12 Mail { letter: DeliveryId, mail: Mail };
}

messages! {
    /// Connector to engine.
    pub enum ConnectorToEngine, ceiling CEILING;
    /// The service is reachable with these properties.
    1 Up { capabilities: Capabilities };
    2 Inbound { message: Inbound };
    3 Delivered { delivery: DeliveryId, ret: RetVal };
    4 Attribute { call: CallId, value: String, ret: RetVal };
    /// Trouble with the service, a whole sentence; `None` when it is over.
    5 Health { trouble: Option<String> };
    /// Answered when no plugin is being initialized. Test connector only.
    6 AskIdle { call: CallId };
    /// The server has taken the mail, or why it was not sent: a whole sentence. Mail connector only.
    7 Mailed { letter: DeliveryId, refused: Option<String> };
}

messages! {
    /// Console (gopherctl) to the terminal connector.
    pub enum ConsoleToConnector, ceiling CEILING;
    /// A line for the robot; hidden if only robot and user can see it.
    1 Say { text: String, hidden: bool };
    /// Another channel; `None` is a direct message to the robot.
    2 SwitchChannel { channel: Option<String> };
    /// Speak as another user, where that is allowed.
    3 SwitchUser { user: String };
    /// Another thread; `None` leaves it; an empty one starts a thread at the next message.
    4 SwitchThread { thread: Option<String> };
    5 ListUsers;
    6 ListChannels;
}

messages! {
    /// Terminal connector to console.
    pub enum ConnectorToConsole, ceiling CEILING;
    1 Welcome { robot: String, alias: Option<char>, context: ConsoleContext, vocabulary: Vocabulary };
    /// The user, channel or thread changed.
    2 Context { context: ConsoleContext };
    3 Show { message: Shown };
    /// A sentence of the connector itself.
    4 Notice { text: String };
    5 Bye { reason: String };
}

wire! {
    pub struct ConnectorSettings {
        /// `ProtocolConfig` as JSON text.
        pub config: String,
        pub robot_name: String,
        pub robot_full_name: String,
        pub alias: Option<char>,
        /// Canonical users known to the robot.
        pub users: Vec<UserName>,
        /// Channels the robot is in.
        pub channels: Vec<ChannelName>,
    }

    /// What a service can do; texts adapt to it.
    pub struct Capabilities {
        /// A command that nobody else sees can reach the robot.
        pub hidden_commands: bool,
        pub threads: bool,
        /// The robot's own id at the service, if it has one.
        pub robot_id: Option<UserId>,
        /// How users mention the robot, if not by name.
        pub mention: Option<String>,
        /// How a user types a hidden command: text before the command, as `/bender `.
        pub hidden_prefix: Option<String>,
    }

    /// One event of the service, without policy (spec: configuration §4.1).
    #[expect(clippy::struct_excessive_bools, reason = "independent facts about one event")]
    pub struct Inbound {
        pub event: EventId,
        pub user_id: UserId,
        pub user_name: Option<UserName>,
        /// The connector vouches that the name belongs to the id.
        pub validated_user: bool,
        /// Absent in a direct message.
        pub channel_name: Option<ChannelName>,
        pub channel_id: ChannelId,
        pub thread: ThreadId,
        pub message_id: MessageId,
        pub threaded: bool,
        pub direct: bool,
        /// The robot said it.
        pub self_message: bool,
        /// The service itself routed it to the robot (a slash command).
        pub bot_message: bool,
        /// Only sender and robot can see it.
        pub hidden: bool,
        pub text: String,
    }

    /// One message of the robot.
    pub struct Outbound {
        pub destination: Destination,
        /// The thread to post in.
        pub thread: Option<ThreadId>,
        pub text: String,
        pub format: MessageFormat,
        /// The reply to a hidden command, to be seen by that user only.
        pub hidden: bool,
        /// The user whose message this answers, as in a destination; nobody else sees it if `hidden`.
        pub answers: Option<String>,
    }

    /// One mail, with addresses as they stand in configuration or as an extension gave them.
    pub struct Mail {
        pub from: String,
        /// The sender's name, if it has one.
        pub from_name: String,
        pub to: String,
        pub subject: String,
        pub body: String,
        /// The body is HTML, else plain text.
        pub html: bool,
    }

    /// Users and channels are names, or ids in angle brackets.
    pub enum Destination {
        Channel { channel: String },
        /// Addressed to the user in a channel.
        UserInChannel { user: String, channel: String },
        User { user: String },
    }

    /// Who sits at an admitted console.
    pub struct ConsoleIdentity {
        pub user: UserName,
        /// May speak as any user of the roster.
        pub any_user: bool,
        pub vocabulary: Vocabulary,
    }

    /// Words the console completes.
    pub struct Vocabulary {
        pub commands: Vec<String>,
        pub users: Vec<String>,
        pub channels: Vec<String>,
    }

    pub struct ConsoleContext {
        pub user: String,
        /// `None` in a direct message.
        pub channel: Option<String>,
        pub thread: Option<String>,
    }

    /// A message on its way to a terminal. The console renders it: it knows the terminal's colours and width.
    pub struct Shown {
        pub channel: Option<String>,
        pub thread: Option<String>,
        /// Whom it addresses.
        pub user: Option<String>,
        pub text: String,
        pub format: MessageFormat,
        pub hidden: bool,
    }
}
