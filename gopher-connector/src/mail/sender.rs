//! One server, and sending to it. May be slow: only the connector's second thread uses it.

use std::{io::ErrorKind, time::Duration};

use gopher_protocol::connector::Mail;
use lettre::{
    SmtpTransport, Transport as _,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::{
    message::message,
    settings::{Protection, Settings},
};

/// How long the server may take for one answer. Whoever waits for the whole has a limit of its own.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters of what a server says that are passed on.
const SAID: usize = 400;

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) sentence: String,
    /// The next one will fare no better.
    pub(super) of_server: bool,
}

pub(super) struct Sender {
    transport: SmtpTransport,
    settings: Settings,
}

impl Sender {
    /// `authority` is one that certificates may come from besides those of this machine.
    pub(super) fn new(settings: Settings, authority: Option<Certificate>) -> Result<Self, String> {
        let mut tls = TlsParameters::builder(settings.host.clone());
        if let Some(authority) = authority {
            tls = tls.add_root_certificate(authority);
        }
        let tls = tls.build_rustls().map_err(|error| format!("TLS cannot be prepared: {error}"))?;
        let mut builder = SmtpTransport::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .timeout(Some(PATIENCE))
            // Servers take this from who has no name of its own.
            .hello_name(ClientId::Domain("localhost".to_owned()))
            .tls(match settings.protection() {
                Protection::Implicit => Tls::Wrapper(tls),
                Protection::Required => Tls::Required(tls),
                Protection::Offered => Tls::Opportunistic(tls),
            });
        if let Some(login) = &settings.login {
            let password = String::from_utf8_lossy(login.password.expose()).into_owned();
            let credentials = Credentials::new(login.user.clone(), password);
            builder = builder.credentials(credentials).authentication(vec![Mechanism::Plain]);
        }
        Ok(Self { transport: builder.build(), settings })
    }

    pub(super) fn send(&self, mail: &Mail) -> Result<(), Refusal> {
        let message = message(mail).map_err(|sentence| Refusal { sentence, of_server: false })?;
        self.transport.send(&message).map(drop).map_err(|error| self.refusal(&error))
    }

    fn refusal(&self, error: &Error) -> Refusal {
        let server = &self.settings;
        let status = error.status().map(u16::from);
        let said = error.to_string();
        let (what, of_server) = match status {
            // What a server answers to a login may repeat it.
            Some(code @ (454 | 530 | 534 | 535 | 538)) => {
                (format!("does not accept `User` and `Password` of `MailConfig` ({code})"), true)
            }
            Some(_) => (format!("refused it: {}", self.harmless(&said)), false),
            None if said.contains("certificate") => {
                let hint = "its certificate must be for that name, from an authority in this machine's list";
                (format!("cannot be trusted: {}; {hint}", self.harmless(&said)), true)
            }
            None if said.contains("STARTTLS is not supported") => {
                ("offers no STARTTLS, and a password is not sent without TLS to another machine".to_owned(), true)
            }
            None if is_late(error) => ("did not answer in time".to_owned(), true),
            None => (format!("could not be spoken with: {}", self.harmless(&said)), true),
        };
        Refusal { sentence: format!("the mail server {server} {what}"), of_server }
    }

    /// One line without the password.
    fn harmless(&self, said: &str) -> String {
        let password = self.settings.login.as_ref().map(|login| String::from_utf8_lossy(login.password.expose()));
        let said = password.map_or_else(|| said.to_owned(), |password| said.replace(&*password, "(the password)"));
        said.chars().take(SAID).map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

/// Time was over: a socket with a limit says of it that there is nothing yet.
fn is_late(error: &Error) -> bool {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| matches!(io.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

#[cfg(test)]
mod tests {
    use gopher_tests::smtp::{CERTIFICATE, Manner, Smtp, Taken};

    use super::*;
    use crate::mail::testing::{mail, values};

    /// A password whose base64 is known to the tests.
    const LOGIN: &str = "AGZsb3lkAHN3b3JkZmlzaA==";

    fn sender(host: &str, server: &Smtp, authtype: &str, trusting: bool) -> Sender {
        let host = format!("{host}:{}", server.port);
        let given =
            values(&[("Mailhost", &host), ("Authtype", authtype), ("User", "floyd"), ("Password", "swordfish")]);
        let authority = trusting.then(|| Certificate::from_der(CERTIFICATE.to_vec()).expect("a certificate"));
        Sender::new(Settings::read(&given).unwrap_or_else(|why| panic!("{why}")), authority).expect("a sender")
    }

    fn one(server: &Smtp) -> Taken {
        let mut taken = server.taken();
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken.remove(0)
    }

    fn refused(host: &str, server: &Smtp, authtype: &str) -> Refusal {
        let refusal = sender(host, server, authtype, false).send(&mail("news", "text")).expect_err("refused");
        assert_eq!(server.taken(), []);
        refusal
    }

    #[test]
    fn a_mail_arrives_with_its_envelope() {
        let server = Smtp::start(Manner::Kind, false);
        sender("127.0.0.1", &server, "", false).send(&mail("news", "a\n.b")).expect("sent");
        let taken = one(&server);
        assert_eq!((taken.from.as_str(), taken.to.as_str()), ("FROM:<floyd@example.com>", "TO:<alice@example.com>"));
        assert!(taken.data.ends_with("\n\na\n.b\n"), "{}", taken.data);
        assert_eq!((taken.login, taken.encrypted), (None, false));
    }

    #[test]
    fn a_password_goes_in_clear_to_this_machine_only() {
        let server = Smtp::start(Manner::Kind, false);
        sender("localhost", &server, "plain", false).send(&mail("news", "text")).expect("sent");
        assert_eq!(one(&server).login.as_deref(), Some(format!("PLAIN {LOGIN}").as_str()));
        // This address is no loop-back address, and leads here all the same.
        let server = Smtp::start(Manner::Kind, false);
        let refusal = refused("0.0.0.0", &server, "plain");
        assert!(refusal.of_server && refusal.sentence.contains("offers no STARTTLS"), "{refusal:?}");
    }

    #[test]
    fn tls_is_used_where_it_is_offered_and_the_server_is_known() {
        let server = Smtp::start(Manner::Kind, true);
        sender("127.0.0.1", &server, "plain", true).send(&mail("news", "text")).expect("sent");
        let taken = one(&server);
        assert!(taken.encrypted && taken.login.is_some(), "{taken:?}");
    }

    #[test]
    fn a_server_that_signs_for_itself_is_refused() {
        for authtype in ["plain", "none"] {
            let refusal = refused("127.0.0.1", &Smtp::start(Manner::Kind, true), authtype);
            assert!(refusal.of_server, "{refusal:?}");
            assert!(
                refusal.sentence.contains("cannot be trusted: network error: invalid peer certificate: UnknownIssuer")
            );
        }
    }

    #[test]
    fn what_a_server_says_is_told_but_for_the_password() {
        let refusal = refused("127.0.0.1", &Smtp::start(Manner::Picky, false), "none");
        assert!(!refusal.of_server && refusal.sentence.contains("refused it"), "{refusal:?}");
        assert!(refusal.sentence.contains("no such mailbox"), "{refusal:?}");
        let refusal = refused("127.0.0.1", &Smtp::start(Manner::Suspicious, false), "plain");
        assert!(refusal.of_server && refusal.sentence.contains("`Password`"), "{refusal:?}");
        assert!(!refusal.sentence.contains(LOGIN) && !refusal.sentence.contains("swordfish"), "{refusal:?}");
        let refusal = refused("127.0.0.1", &Smtp::start(Manner::Rude, false), "none");
        assert!(refusal.of_server && refusal.sentence.contains("could not be spoken with"), "{refusal:?}");
    }

    #[test]
    fn nobody_at_the_other_end_is_told() {
        let server = Smtp::start(Manner::Kind, false);
        let sender = sender("127.0.0.1", &server, "none", false);
        drop(server);
        let refusal = sender.send(&mail("news", "text")).expect_err("nobody");
        assert!(refusal.of_server && refusal.sentence.contains("refused"), "{refusal:?}");
    }
}
