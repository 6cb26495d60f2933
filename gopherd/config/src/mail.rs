//! `MailConfig`: whether the robot can send mail, and what the connector that sends it may have (spec: configuration §2).
//!
//! All of it goes to the keeper of secrets, and from there to that connector: whoever could tell the connector another
//! host would be told the password.

use gopher_protocol::{
    connector::MAIL,
    loader::{Attachment, ConnectorEntry},
};

use crate::{keys::services::MailConfig, layers::Notices, markers::Markers, robot::RobotKeys};

/// What is odd about a key.
struct Problem {
    key: &'static str,
    message: String,
    /// No mail can be sent like that.
    fatal: bool,
}

/// The host that takes mail, for people, and what belongs to its connector; nothing if the robot can send none.
pub(crate) fn mail(robot: &RobotKeys, markers: &Markers, notices: &mut Notices) -> Option<(String, ConnectorEntry)> {
    let mail = &robot.keys.mail_config;
    let problems = problems(mail, markers);
    let usable = !mail.mailhost.is_empty() && !problems.iter().any(|problem| problem.fatal);
    for Problem { key, message, .. } in problems {
        notices.push(robot.at(&["MailConfig", key]).says(message));
    }
    let fields = [
        ("Mailhost", &mail.mailhost),
        ("Authtype", &mail.authtype),
        ("User", &mail.user),
        ("Password", &mail.password),
    ];
    let given = fields.into_iter().filter(|(_, text)| !text.is_empty());
    let values: Vec<Attachment> = given.map(|(name, text)| markers.attachment(name, text)).collect();
    usable.then(|| (markers.readable(&mail.mailhost), ConnectorEntry { name: MAIL.to_owned(), values }))
}

fn problems(mail: &MailConfig, markers: &Markers) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |key, fatal, message: String| problems.push(Problem { key, message, fatal });
    let MailConfig { mailhost, authtype, user, password } = mail;
    let plain = authtype.eq_ignore_ascii_case("plain");
    // What is secret is looked at where it is known.
    if !plain && !authtype.is_empty() && !authtype.eq_ignore_ascii_case("none") && !markers.hold(authtype) {
        say("Authtype", false, format!("`{authtype}` is not `plain`: mail is sent without logging in"));
    }
    if plain && (user.is_empty() || password.is_empty()) {
        say("Authtype", true, "`plain` needs `User` and `Password`: no mail is sent".to_owned());
    }
    if mailhost.is_empty() && [authtype, user, password].iter().any(|text| !text.is_empty()) {
        say("", true, "`MailConfig` has no `Mailhost`: no mail is sent".to_owned());
    }
    // An address of IPv6 stands in brackets.
    let after = mailhost.rsplit_once(']').map_or(mailhost.as_str(), |(_, after)| after);
    let port = after.rsplit_once(':').map(|(_, port)| port);
    let bad_port = port.is_some_and(|port| !markers.hold(port) && !port.parse::<u16>().is_ok_and(|n| n > 0));
    if bad_port || mailhost.contains(char::is_whitespace) {
        let shown = markers.readable(mailhost);
        say("Mailhost", true, format!("`{shown}` is neither a host nor host:port: no mail is sent"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_settings_are_looked_at() {
        let mail = |host: &str, authtype: &str, user: &str| MailConfig {
            mailhost: host.into(),
            authtype: authtype.into(),
            user: user.into(),
            password: user.into(),
        };
        let markers = Markers::new(&[7; 16]);
        for (config, keys) in [
            (mail("", "", ""), vec![]),
            (mail("mail.example.com:587", "PLAIN", "u"), vec![]),
            (mail("[::1]:25", "none", ""), vec![]),
            (mail("mail:", "plain", ""), vec![("Authtype", true), ("Mailhost", true)]),
            (mail("a b", "ntlm", ""), vec![("Authtype", false), ("Mailhost", true)]),
            (mail("mail:99999", "", ""), vec![("Mailhost", true)]),
            (mail("", "plain", "u"), vec![("", true)]),
        ] {
            let found: Vec<_> = problems(&config, &markers).iter().map(|p| (p.key, p.fatal)).collect();
            assert_eq!(found, keys, "{config:?}");
        }
    }
}
