//! What the robot says about itself: the welcome of somebody who asks for help, and `info`
//! (spec: configuration §6.3). Pure.

use gopher_protocol::ids::UserName;

use super::{Helper, address::inline};

/// What the engine knows about itself beyond the configuration.
pub(crate) struct Facts<'a> {
    pub(crate) host: Option<&'a str>,
    /// The robot's own id at the service.
    pub(crate) robot_id: Option<&'a str>,
    pub(crate) version: &'a str,
    pub(crate) install: &'a str,
    pub(crate) home: &'a str,
}

impl Helper<'_> {
    /// For somebody who just says `help`, to nobody in particular.
    pub(crate) fn welcome(&self) -> String {
        let named = |command: &str| inline(&self.by_name(command));
        let short = |command: &str| inline(&self.by_alias(command));
        let mut text = format!(
            "**Help**\n\
             Hi, I'm {name}, a staff robot. I see you've asked for help.\n\n\
             I've been programmed to perform a variety of tasks for your team. I answer to my name{alias}, so that I \
             can tell a command from your talk with others; for example, say {ping} to see whether I'm there.\n\n\
             **Getting command help**\n\
             Ask about a word, a plugin or a command, as in {about}. What I can do depends on who you are and on the \
             channel you ask in.\n\n\
             **Useful discovery commands**\n\
             - {overview} - the ways to ask for help\n\
             - {commands} - what I can do for you here\n\
             - {keyword} - commands that have to do with a word\n\
             - {everything} - everything I can do for you anywhere\n\n\
             **When I ask a follow-up question**\n\
             - `=` uses the default value\n\
             - `-` cancels\n\n\
             To learn more about me, try {info}.",
            name = self.given_name(),
            alias = self.generation.robot.alias.map(|a| format!(", or `{a}` for short")).unwrap_or_default(),
            ping = named("ping"),
            about = named("help ping"),
            overview = short("help"),
            commands = short("commands"),
            keyword = short("help <keyword>"),
            everything = short("help-all"),
            info = short("info"),
        );
        let contact = &self.generation.robot.admin_contact;
        if !contact.is_empty() {
            text.push_str("\nTo reach a person instead: ");
            text.push_str(contact);
        }
        text
    }

    /// The robot's name with a capital letter.
    fn given_name(&self) -> String {
        let mut letters = self.generation.robot.identity.user_name.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// `info`.
    pub(crate) fn information(&self, facts: &Facts<'_>) -> String {
        let robot = &self.generation.robot;
        let identity = &robot.identity;
        let alias = robot.alias.map_or_else(|| "no alias".to_owned(), |a| format!("alias '{a}'"));
        let id = facts.robot_id.map(|id| format!(", internal id '{id}'")).unwrap_or_default();
        let mut lines =
            vec![format!("Hello, I'm {} - my name is '{}', {alias}{id}.", identity.full_name, identity.user_name)];
        if let Some(host) = facts.host.filter(|h| !h.is_empty()) {
            lines.push(format!("The host I'm running on is: {host}"));
        }
        let (place, channel_id) = (self.context.place(), self.context.channel_id.as_str());
        let known = !self.context.channel.is_empty() && !channel_id.is_empty();
        let channel_id = if known { format!(", internal id '{channel_id}'") } else { String::new() };
        lines.push(format!("You are talking to me in {place}{channel_id}, over {}.", self.context.protocol));
        if self.generation.is_admin(&self.context.user) {
            lines.push(format!("My install directory is: {}", facts.install));
            lines.push(format!("My home is: {}", facts.home));
        }
        lines.push(format!("My software version is: Gopher {}", facts.version));
        if !robot.admin_users.is_empty() {
            let admins: Vec<&str> = robot.admin_users.iter().map(UserName::as_str).collect();
            lines.push(format!("My administrators are: {}", admins.join(", ")));
        }
        if !robot.admin_contact.is_empty() {
            lines.push(format!("The administrative contact is: {}", robot.admin_contact));
        }
        lines.join("\n")
    }
}
