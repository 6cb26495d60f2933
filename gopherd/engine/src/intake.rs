//! The gates every inbound message passes before anything looks at its text (spec: configuration §4.1).
//!
//! Pure: the configuration and the message go in, a verdict comes out.

use gopher_protocol::{
    connector::Inbound,
    ids::{ThreadId, UserName},
};

use crate::{context::Context, generation::Generation};

/// What becomes of a message.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The robot's own words, and it was told not to listen to itself.
    Own,
    /// Neither a user's name nor an id.
    Nameless,
    /// Whoever speaks is not to be heard; the sentence says why.
    Ignored(String),
    Accepted(Box<Context>),
}

/// Judges identity. The mode of the context is left open: addressing comes later.
pub(crate) fn admit(generation: &Generation, protocol: &str, message: &Inbound) -> Verdict {
    let robot = &generation.robot;
    if message.self_message && !robot.hear_self {
        return Verdict::Own;
    }
    let given = message.user_name.as_ref().map(|n| n.as_str().trim().to_lowercase()).filter(|n| !n.is_empty());
    let user = match given {
        Some(name) => name,
        None if message.user_id.is_empty() => return Verdict::Nameless,
        None => format!("<{}>", message.user_id),
    };
    let user = UserName(user);
    let entry = generation.roster_entry(&user);
    let listed = entry.is_some();

    if robot.ignore_unlisted_users && !(listed && message.validated_user) {
        return Verdict::Ignored(format!("{user} of {protocol} is not a validated user of the roster"));
    }
    // Somebody claims a name of the roster and the service does not vouch for it.
    if listed && !message.validated_user {
        return Verdict::Ignored(format!("{protocol} does not vouch that {} is {user}", message.user_id));
    }
    if robot.ignore_users.iter().any(|ignored| ignored.to_lowercase() == user.as_str().to_lowercase()) {
        return Verdict::Ignored(format!("{user} is in IgnoreUsers"));
    }

    let bot_user = entry.is_some_and(|e| e.bot_user);
    let channel = if message.direct { String::new() } else { channel_name(generation, protocol, message) };
    Verdict::Accepted(Box::new(Context {
        protocol: protocol.to_owned(),
        user,
        user_id: message.user_id.clone(),
        listed,
        bot_user,
        channel,
        channel_id: message.channel_id.clone(),
        thread: if message.direct { ThreadId::default() } else { message.thread.clone() },
        message_id: message.message_id.clone(),
        threaded: message.threaded && !message.direct,
        direct: message.direct,
        hidden: message.hidden,
        self_message: message.self_message,
        bot_message: message.bot_message,
        mode: None,
        automatic: false,
        event: message.event.clone(),
        groups: Vec::new(),
    }))
}

fn channel_name(generation: &Generation, protocol: &str, message: &Inbound) -> String {
    if let Some(name) = generation.channel_name(protocol, message.channel_id.as_str()) {
        return name.to_owned();
    }
    match &message.channel_name {
        Some(name) if !name.is_empty() => name.as_str().to_owned(),
        _ => format!("<{}>", message.channel_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn verdict(change: impl FnOnce(&mut gopher_protocol::robot::Robot), message: &Inbound) -> String {
        let mut robot = testing::robot();
        change(&mut robot);
        let (generation, _) = Generation::new(robot);
        match admit(&generation, "test", message) {
            Verdict::Own => "own".into(),
            Verdict::Nameless => "nameless".into(),
            Verdict::Ignored(_) => "ignored".into(),
            Verdict::Accepted(c) => format!("{} listed={} in {:?}", c.user, c.listed, c.channel),
        }
    }

    #[test]
    fn listed_names_must_be_vouched_for() {
        let alice = testing::inbound("alice", "general", "hi");
        let forged = Inbound { validated_user: false, ..alice.clone() };
        let mallory = Inbound { user_name: Some("mallory".into()), validated_user: false, ..alice.clone() };
        assert_eq!(verdict(|_| {}, &alice), "alice listed=true in \"general\"");
        assert_eq!(verdict(|_| {}, &forged), "ignored");
        assert_eq!(verdict(|_| {}, &mallory), "mallory listed=false in \"general\"");
        let vouched = Inbound { validated_user: true, ..mallory.clone() };
        assert_eq!(verdict(|r| r.ignore_unlisted_users = true, &vouched), "ignored");
        assert_eq!(verdict(|r| r.ignore_unlisted_users = true, &forged), "ignored");
        assert_eq!(verdict(|r| r.ignore_unlisted_users = true, &alice), "alice listed=true in \"general\"");
    }

    #[test]
    fn ignored_users_are_ignored_in_any_case_and_names_are_lowered() {
        let alice = Inbound { user_name: Some(" Alice ".into()), ..testing::inbound("alice", "general", "hi") };
        assert_eq!(verdict(|_| {}, &alice), "alice listed=true in \"general\"");
        assert_eq!(verdict(|r| r.ignore_users = vec!["ALICE".into()], &alice), "ignored");
        let zoe = Inbound { user_name: Some("Zoë".into()), ..alice };
        assert_eq!(verdict(|r| r.ignore_users = vec!["ZOË".into()], &zoe), "ignored");
    }

    #[test]
    fn names_fall_back_to_bracketed_ids() {
        let mut message = testing::inbound("alice", "general", "hi");
        message.user_name = None;
        message.channel_name = None;
        message.channel_id = "C9".into();
        assert_eq!(verdict(|_| {}, &message), "<u-alice> listed=false in \"<C9>\"");
        assert_eq!(
            verdict(|r| r.protocols[0].channels = vec![("dev".into(), "C9".into())], &message),
            "<u-alice> listed=false in \"dev\""
        );
        message.user_id = "".into();
        assert_eq!(verdict(|_| {}, &message), "nameless");
    }

    #[test]
    fn direct_messages_have_neither_channel_nor_thread() {
        let message = Inbound { direct: true, threaded: true, ..testing::inbound("alice", "general", "hi") };
        let (generation, _) = Generation::new(testing::robot());
        let Verdict::Accepted(context) = admit(&generation, "test", &message) else { panic!("accepted") };
        assert!(context.channel.is_empty() && context.thread.is_empty() && !context.threaded);
    }

    #[test]
    fn own_words_are_dropped_when_told_so() {
        let own = Inbound { self_message: true, ..testing::inbound("floyd", "general", "hi") };
        assert_eq!(verdict(|r| r.hear_self = false, &own), "own");
        assert_eq!(verdict(|_| {}, &own), "floyd listed=false in \"general\"");
    }
}
