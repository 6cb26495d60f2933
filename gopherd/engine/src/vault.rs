//! The link to secretd: what the engine has sealed, opened or encrypted there.

use std::os::fd::OwnedFd;

use gopher_protocol::{
    SecretBytes,
    ids::CallId,
    robot_api::MessageFormat,
    secretd::{EngineToSecretd, SecretdToEngine},
};
use gopher_sys::LinkError;

use crate::{
    access::Manner,
    connectors::Style,
    context::Context,
    engine::{Engine, Who},
    wire::Wire,
};

const NO_SECRETD: &str = "Sorry, the keeper of my keys is not there right now; please try again in a moment";

impl Engine {
    pub(crate) fn link_secretd(&mut self, socket: OwnedFd) {
        if let Some(old) = self.secretd.take() {
            self.forget_token(old.token());
            old.close(&self.poller);
        }
        let token = self.token(Who::Secretd);
        match Wire::new(&self.poller, socket, token) {
            Ok(wire) => {
                self.secretd = Some(wire);
                // A secretd that was restarted knows no tasks: only a load tells it, and no run starts before.
                if let Some(current) = &self.current {
                    self.log.warn("gopher-secretd was restarted; the configuration is loaded again");
                    let read_paths = current.robot.read_paths.clone();
                    self.request_load(read_paths);
                }
            }
            Err(error) => self.log.error(&format!("the link to secretd: {error}")),
        }
    }

    pub(crate) fn hear_secretd(&mut self) {
        while let Some(wire) = &mut self.secretd {
            match wire.receive() {
                Ok(Some((message, _))) => self.secretd_says(message),
                Ok(None) => return,
                Err(error) => self.end_secretd(&error),
            }
        }
    }

    fn secretd_says(&mut self, message: SecretdToEngine) {
        let (call, text) = match message {
            SecretdToEngine::Encrypted { call, text } => match self.copied(call, text) {
                Ok(()) => return,
                Err(text) => (call, Ok(text)),
            },
            SecretdToEngine::Failed { call, reason } => (call, Err(reason)),
            SecretdToEngine::Keys { own } => return self.know_keys(own),
            SecretdToEngine::Sealed { call, sealed } => {
                if !self.sealed(call, sealed) {
                    self.log.error(&format!("secretd sealed for call {call} that nobody made"));
                }
                return;
            }
            SecretdToEngine::Opened { call, plaintext } => {
                if !self.opened(call, &plaintext) {
                    self.log.error(&format!("secretd opened for call {call} that nobody made"));
                }
                return;
            }
        };
        if let Err(reason) = &text
            && self.not_done(call, reason)
        {
            return;
        }
        let Some(context) = self.encrypting.remove(&call) else { return };
        match text {
            Ok(text) => {
                let raw = Style { manner: Manner::Say, in_thread: false, format: Some(MessageFormat::Raw) };
                self.tell(&context, raw, text);
            }
            Err(reason) => self.tell(&context, Style::REPLY, reason),
        }
    }

    pub(crate) fn end_secretd(&mut self, error: &LinkError) {
        if let Some(wire) = self.secretd.take() {
            self.forget_token(wire.token());
            wire.close(&self.poller);
            self.log.warn(&format!("the link to secretd ended: {error}"));
        }
        self.memory_without_secretd();
        for (_, context) in std::mem::take(&mut self.encrypting) {
            self.tell(&context, Style::REPLY, NO_SECRETD);
        }
    }

    /// `encrypt-secret`: the answer comes when secretd has made it.
    pub(crate) fn encrypt(&mut self, context: &Context, plaintext: &str) {
        let call = self.next_call;
        self.next_call = CallId(call.0 + 1);
        let plaintext = SecretBytes::new(plaintext.as_bytes().to_vec());
        let sent = self.secretd.as_mut().is_some_and(|wire| wire.send(&EngineToSecretd::Encrypt { call, plaintext }));
        if sent {
            self.encrypting.insert(call, context.clone());
        } else {
            self.tell(context, Style::REPLY, NO_SECRETD);
        }
    }
}
