//! `MailConfig` as its connector gets it. Pure.

use std::{fmt, net::IpAddr};

use gopher_protocol::{SecretBytes, secretd::SecretValue};

const IMPLICIT_TLS: u16 = 465;
const SUBMISSION: u16 = 587;
const SMTP: u16 = 25;

/// How far mail is protected on its way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS, or nothing is sent.
    Required,
    /// STARTTLS if the server offers it.
    Offered,
}

pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: SecretBytes,
}

pub(super) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Option<Login>,
}

impl Settings {
    /// The settings, or the sentence why they are none.
    pub(super) fn read(values: &[SecretValue]) -> Result<Self, String> {
        let value = |name: &str| values.iter().find(|value| value.name == name).map(|value| value.value.expose());
        let text = |name: &str| match value(name).map(std::str::from_utf8) {
            None => Ok(""),
            Some(Ok(text)) => Ok(text),
            Some(Err(_)) => Err(format!("`{name}` of `MailConfig` is no text")),
        };
        let plain = text("Authtype")?.eq_ignore_ascii_case("plain");
        let mailhost = text("Mailhost")?;
        let (host, port) = host_and_port(mailhost)
            .ok_or_else(|| "`Mailhost` of `MailConfig` is neither a host nor host:port".to_owned())?;
        let (user, password) = (text("User")?, text("Password")?);
        if plain && (user.is_empty() || password.is_empty()) {
            return Err("`Authtype: plain` of `MailConfig` needs `User` and `Password`".to_owned());
        }
        let login =
            plain.then(|| Login { user: user.to_owned(), password: SecretBytes::new(password.as_bytes().to_vec()) });
        let usual = if plain { SUBMISSION } else { SMTP };
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(usual), login })
    }

    /// A password is never sent where others could read it.
    pub(super) fn protection(&self) -> Protection {
        match (self.port, &self.login) {
            (IMPLICIT_TLS, _) => Protection::Implicit,
            (_, Some(_)) if !self.is_this_machine() => Protection::Required,
            _ => Protection::Offered,
        }
    }

    fn is_this_machine(&self) -> bool {
        let address = self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        address || self.host.eq_ignore_ascii_case("localhost")
    }
}

/// What people see of it.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} port {}", self.host, self.port)
    }
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    if let Some((host, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(number(port)?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => text.parse::<IpAddr>().ok().map(|_| (text, None)),
        Some((host, port)) => Some((host, Some(number(port)?))).filter(|_| !host.is_empty()),
        None => Some((text, None)),
    }
}

fn number(port: &str) -> Option<u16> {
    port.parse().ok().filter(|port| *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::testing::values;

    #[test]
    fn the_port_goes_by_what_is_asked_for() {
        for (host, authtype, expected) in [
            ("mail.example.com", "", ("mail.example.com", 25, Protection::Offered)),
            ("mail.example.com", "plain", ("mail.example.com", 587, Protection::Required)),
            ("mail.example.com:2525", "PLAIN", ("mail.example.com", 2525, Protection::Required)),
            ("mail.example.com:465", "none", ("mail.example.com", 465, Protection::Implicit)),
            ("localhost:25", "plain", ("localhost", 25, Protection::Offered)),
            ("127.0.0.1", "plain", ("127.0.0.1", 587, Protection::Offered)),
            ("[::1]:26", "plain", ("::1", 26, Protection::Offered)),
            ("::1", "", ("::1", 25, Protection::Offered)),
            ("[2001:db8::1]", "plain", ("2001:db8::1", 587, Protection::Required)),
        ] {
            let given = values(&[("Mailhost", host), ("Authtype", authtype), ("User", "u"), ("Password", "p")]);
            let settings = Settings::read(&given).unwrap_or_else(|why| panic!("{host}: {why}"));
            assert_eq!((settings.host.as_str(), settings.port, settings.protection()), expected, "{host} {authtype}");
            assert_eq!(settings.login.is_some(), authtype.eq_ignore_ascii_case("plain"));
        }
    }

    #[test]
    fn settings_that_are_none_are_told_without_their_values() {
        for host in ["", "a b", "host:", "host:0", "host:99999", ":25", "[::1", "[::1]25", "a:b:c", "h\r\n"] {
            let why = Settings::read(&values(&[("Mailhost", host)])).err().expect(host);
            assert!(why.contains("`Mailhost`"), "{why}");
        }
        let why = Settings::read(&values(&[("Mailhost", "h"), ("Authtype", "plain"), ("User", "u")])).err();
        assert!(why.expect("no password").contains("`Password`"));
    }
}
