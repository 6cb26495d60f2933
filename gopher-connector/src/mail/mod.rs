//! The `mail` connector: no chat service, but what sends the robot's mail (spec: Robot API §1.11).
//!
//! Host, user and password come from the keeper of secrets alone. The engine gives it mails, one at a time; a thread
//! speaks with the server, because that may take its time.

mod message;
mod sender;
mod service;
mod settings;
#[cfg(test)]
mod testing;

use std::{os::unix::net::UnixStream, sync::mpsc};

use gopher_protocol::secretd::{ConnectorToSecretd, SecretdToConnector};
use gopher_sys::{confine, role};
use nix::sys::resource::{Resource, setrlimit};

pub(crate) use self::service::MailConnector;
use self::{sender::Sender, settings::Settings};
use crate::{error::ConnectorError, start::Started};

/// Memory of the whole process, whatever a server says.
const MEMORY: u64 = 256 << 20;
/// Where names of hosts are looked up; what is not there is left out.
const RESOLVER: [&str; 4] = ["/etc", "/run/NetworkManager", "/run/resolvconf", "/run/systemd/resolve"];
const DNS: u16 = 53;

/// Asks for the settings, reads the authorities that certificates may come from, and shuts the doors.
pub(crate) fn prepare(started: &mut Started) -> Result<MailConnector, ConnectorError> {
    let settings = redeem(started)?;
    let ports: Vec<u16> = settings.as_ref().map(|s| vec![s.port, DNS]).unwrap_or_default();
    let sender = settings.and_then(|settings| Sender::new(settings, None));
    let trouble = sender.as_ref().err().cloned();
    let (letters, waiting) = mpsc::sync_channel(1);
    let (done, results) = mpsc::channel();
    let (wake, waker) = UnixStream::pair().map_err(ConnectorError::Thread)?;
    wake.set_nonblocking(true).map_err(ConnectorError::Thread)?;
    setrlimit(Resource::RLIMIT_DATA, MEMORY, MEMORY).map_err(ConnectorError::system("setrlimit"))?;
    confine::only_client(RESOLVER, &ports)?;
    // A filter is of one thread: each applies it before anything else.
    std::thread::Builder::new()
        .name("smtp".to_owned())
        .spawn(move || {
            if let Err(error) = role::confine("mail") {
                eprintln!("gopher-connector: {error}");
                return;
            }
            service::work(&sender, &waiting, &done, &waker);
        })
        .map_err(ConnectorError::Thread)?;
    role::confine("mail")?;
    Ok(MailConnector::new(letters, results, wake, trouble))
}

/// The settings, or the sentence why they cannot be used.
fn redeem(started: &mut Started) -> Result<Result<Settings, String>, ConnectorError> {
    let Some(link) = &mut started.secretd else { return Err(ConnectorError::Order { message: "no link to secretd" }) };
    link.send(&ConnectorToSecretd::Redeem).map_err(ConnectorError::Secretd)?;
    match link.wait().map_err(ConnectorError::Secretd)?.0 {
        SecretdToConnector::Redeemed { values } => Ok(Settings::read(&values)),
        SecretdToConnector::Refused { reason } => Err(ConnectorError::Refused(reason)),
    }
}
