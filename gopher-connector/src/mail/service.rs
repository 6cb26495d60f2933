//! Between the engine and the thread that speaks with the server.

use std::{
    io::{Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::mpsc::{Receiver, Sender as Channel, SyncSender, TrySendError},
};

use gopher_protocol::{
    connector::{Capabilities, ConnectorToEngine, EngineToConnector, Mail},
    ids::DeliveryId,
};
use gopher_sys::poll::Ready;

use super::sender::{Refusal, Sender};
use crate::{
    error::ConnectorError,
    host::{FIRST_TOKEN, Io, Service},
};

type Letter = (DeliveryId, Mail);
type Fate = (DeliveryId, Result<(), Refusal>);

/// Sends what comes, one after the other, until nobody is there to give it more. `Err` of `sender` is why none can be sent.
pub(super) fn work(
    sender: &Result<Sender, String>,
    letters: &Receiver<Letter>,
    done: &Channel<Fate>,
    mut waker: &UnixStream,
) {
    while let Ok((letter, mail)) = letters.recv() {
        let fate = match sender {
            Ok(sender) => sender.send(&mail),
            Err(why) => Err(Refusal { sentence: why.clone(), of_server: true }),
        };
        if done.send((letter, fate)).is_err() || waker.write_all(&[0]).is_err() {
            return;
        }
    }
}

pub(crate) struct MailConnector {
    letters: SyncSender<Letter>,
    results: Receiver<Fate>,
    wake: UnixStream,
    watched: bool,
    /// What the engine was told last.
    trouble: Option<String>,
}

impl MailConnector {
    pub(super) fn new(
        letters: SyncSender<Letter>,
        results: Receiver<Fate>,
        wake: UnixStream,
        trouble: Option<String>,
    ) -> Self {
        Self { letters, results, wake, watched: false, trouble }
    }

    fn told(&mut self, fate: Fate, io: &mut Io) -> Result<(), ConnectorError> {
        let (letter, result) = fate;
        let (trouble, refused) = match result {
            Ok(()) => (None, None),
            Err(Refusal { sentence, of_server: true }) => (Some(sentence.clone()), Some(sentence)),
            // A server that answers is none to worry about.
            Err(Refusal { sentence, of_server: false }) => (None, Some(sentence)),
        };
        if trouble != self.trouble {
            self.trouble.clone_from(&trouble);
            io.tell(&ConnectorToEngine::Health { trouble })?;
        }
        io.tell(&ConnectorToEngine::Mailed { letter, refused }).map(drop)
    }
}

impl Service for MailConnector {
    fn engine(&mut self, message: EngineToConnector, _: Vec<OwnedFd>, io: &mut Io) -> Result<(), ConnectorError> {
        match message {
            EngineToConnector::Configure { .. } => {
                if !self.watched {
                    io.watch(&self.wake, FIRST_TOKEN)?;
                    self.watched = true;
                }
                let capabilities = Capabilities {
                    hidden_commands: false,
                    threads: false,
                    robot_id: None,
                    mention: None,
                    hidden_prefix: None,
                };
                io.tell(&ConnectorToEngine::Up { capabilities })?;
                if self.trouble.is_some() {
                    io.tell(&ConnectorToEngine::Health { trouble: self.trouble.clone() })?;
                }
                Ok(())
            }
            EngineToConnector::Mail { letter, mail } => {
                let why = match self.letters.try_send((letter, mail)) {
                    Ok(()) => return Ok(()),
                    Err(TrySendError::Full(_)) => "another mail is being sent",
                    Err(TrySendError::Disconnected(_)) => "what speaks with the server has ended",
                };
                let refused = Some(why.to_owned());
                io.tell(&ConnectorToEngine::Mailed { letter, refused }).map(drop)
            }
            // What chat services are told.
            EngineToConnector::Deliver { .. }
            | EngineToConnector::Join { .. }
            | EngineToConnector::LookUp { .. }
            | EngineToConnector::Accepted { .. }
            | EngineToConnector::GateOpen
            | EngineToConnector::Attach { .. }
            | EngineToConnector::Event { .. }
            | EngineToConnector::Idle { .. }
            | EngineToConnector::Stop
            | EngineToConnector::Heard { .. } => Ok(()),
        }
    }

    fn ready(&mut self, _: Ready, io: &mut Io) -> Result<(), ConnectorError> {
        let mut bytes = [0; 64];
        if let Ok(0) = self.wake.read(&mut bytes) {
            io.forget(&self.wake)?;
        }
        while let Ok(fate) = self.results.try_recv() {
            self.told(fate, io)?;
        }
        Ok(())
    }

    fn settle(&mut self, _: &mut Io) -> Result<bool, ConnectorError> {
        Ok(false)
    }

    fn listen(&mut self, _: OwnedFd, _: &mut Io) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn stop(&mut self, _: &str) {}
}
