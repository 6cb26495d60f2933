//! The calls that send mail, and the connector that does (spec: Robot API §1.11). It is no chat service: it is told
//! nothing but mails, and says nothing but what became of them.

use std::{os::fd::OwnedFd, rc::Rc, time::Instant};

use gopher_protocol::{
    connector::{ConnectorSettings, ConnectorToEngine, EngineToConnector, MAIL, Mail},
    ids::DeliveryId,
    robot_api::{Addressee, LogLevel, RetVal, RobotAnswer},
    supervisor::EngineToSupervisor,
};

use crate::{
    attributes::{self, Attribute},
    calls::{Inquirer, Subject},
    engine::{BURST, Engine, Phase, Who},
    generation::Generation,
    mail::{Letter, Post, objection},
    prompts::Caller,
    wire::Wire,
};

/// The mail connector, whether it is there or only wanted, and what waits for it.
pub(crate) struct Mailing {
    /// The configuration in force says how mail is sent.
    pub(crate) wanted: bool,
    pub(crate) wire: Option<Wire<EngineToConnector, ConnectorToEngine>>,
    pub(crate) up: bool,
    pub(crate) trouble: Option<String>,
    /// It knows the settings of an older configuration.
    stale: bool,
    post: Post,
}

/// A mail whose recipient is being looked up.
pub(crate) struct Draft {
    pub(crate) caller: Caller,
    generation: Rc<Generation>,
    tag: String,
    /// On whose behalf; empty if on nobody's.
    user: String,
    subject: String,
    body: String,
    html: bool,
    /// What is answered if there is no address.
    missing: RetVal,
}

impl Mailing {
    pub(crate) fn new(first: DeliveryId) -> Self {
        Self { wanted: false, wire: None, up: false, trouble: None, stale: false, post: Post::new(first) }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.post.deadline()
    }
}

impl Engine {
    /// `None` if the answer comes later.
    pub(crate) fn email(
        &mut self,
        subject: &Subject,
        to: Addressee,
        title: String,
        body: String,
        html: bool,
    ) -> Option<RobotAnswer> {
        let (context, generation) = (&*subject.context, &*subject.generation);
        let has_address = !generation.robot.identity.email.is_empty();
        let (found, user, missing) = match to {
            Addressee::Sender if context.automatic => (Attribute::NotFound, String::new(), RetVal::NoUserEmail),
            Addressee::Sender => {
                let found = attributes::of_sender(generation, context, "email");
                (found, context.user.as_str().to_owned(), RetVal::NoUserEmail)
            }
            Addressee::User(user) => (attributes::of_user(generation, &user, "email"), user, RetVal::NoUserEmail),
            Addressee::Address(address) if address.contains('@') || !has_address => {
                (Attribute::Known(address), String::new(), RetVal::AttributeNotFound)
            }
            Addressee::Address(user) => {
                (attributes::of_user(generation, &user, "email"), user, RetVal::AttributeNotFound)
            }
        };
        let draft = Draft {
            caller: subject.caller,
            generation: Rc::clone(&subject.generation),
            tag: subject.tag.clone(),
            user: context.user.as_str().to_owned(),
            subject: title,
            body,
            html,
            missing,
        };
        let ret = match found {
            Attribute::Known(address) => self.post(draft, address).err(),
            Attribute::NotFound => Some(missing),
            Attribute::AskConnector => {
                let asker = Inquirer::Mail(Box::new(draft));
                self.look_up(&context.protocol, &user, "email".to_owned(), asker).err().map(|_| missing)
            }
        };
        ret.map(RobotAnswer::RetVal)
    }

    /// A connector has said what it knows of the recipient, or nothing in time.
    pub(crate) fn recipient(&mut self, draft: Draft, address: String, ret: RetVal) {
        let (caller, missing) = (draft.caller, draft.missing);
        let posted = if ret == RetVal::Ok && !address.is_empty() { self.post(draft, address) } else { Err(missing) };
        if let Err(ret) = posted {
            self.answer(caller, RobotAnswer::RetVal(ret));
        }
    }

    /// Takes a mail in, or says at once what it comes to.
    fn post(&mut self, draft: Draft, to: String) -> Result<(), RetVal> {
        let robot = &draft.generation.robot;
        let mut refuse = |ret, why: &str| {
            self.log.line(LogLevel::Error, &draft.tag, &format!("no mail was sent: {why}"));
            Err(ret)
        };
        if robot.identity.email.is_empty() {
            return refuse(RetVal::NoBotEmail, "the robot has no address; set `Email` of `BotInfo` in robot.yaml");
        }
        if !self.mail.wanted {
            return refuse(RetVal::MailError, "robot.yaml has no usable `MailConfig`");
        }
        let name =
            if robot.identity.full_name.is_empty() { &robot.identity.user_name } else { &robot.identity.full_name };
        let mail = Mail {
            from: robot.identity.email.clone(),
            from_name: name.chars().filter(|c| !c.is_control()).collect(),
            to,
            subject: draft.subject,
            body: draft.body,
            html: draft.html,
        };
        if let Some(why) = objection(&mail) {
            return refuse(RetVal::MailError, &why);
        }
        let behalf = if draft.user.is_empty() { String::new() } else { format!(" for {}", draft.user) };
        if !self.audit.record(&mut self.log, &format!("{} mails {}{behalf}", draft.tag, mail.to)) {
            return Err(RetVal::MailError);
        }
        let now = Instant::now();
        if !self.mail.post.put(Letter { caller: draft.caller, mail }, now) {
            self.log.line(LogLevel::Warn, &draft.tag, "no mail was sent: too many wait for the server already");
            return Err(RetVal::MailError);
        }
        self.hand_out_mail(now);
        Ok(())
    }

    fn hand_out_mail(&mut self, now: Instant) {
        let mailing = &mut self.mail;
        let Some(wire) = mailing.wire.as_mut().filter(|_| mailing.up && !mailing.stale) else { return };
        if let Some((letter, mail)) = mailing.post.turn(now) {
            // It fits: its parts are shorter than a message may be.
            wire.send(&EngineToConnector::Mail { letter, mail: mail.clone() });
        }
    }

    fn mail_failed(&mut self, letter: &Letter, why: &str) {
        self.log.warn(&format!("[{MAIL}] a mail to {} was not sent: {why}", letter.mail.to));
        self.answer(letter.caller, RobotAnswer::RetVal(RetVal::MailError));
    }

    /// The connector of the configuration in force runs, with its settings.
    pub(crate) fn follow_mail(&mut self, generation: &Generation) {
        let wanted = generation.robot.mail.is_some();
        match (std::mem::replace(&mut self.mail.wanted, wanted), wanted) {
            (false, false) => {}
            (false, true) => {
                self.supervisor.send(&start());
            }
            (true, true) => {
                self.mail.stale = true;
                self.renew_mail();
            }
            (true, false) => {
                self.end_mail("it is no longer configured");
                (self.mail.trouble, self.mail.stale) = (None, false);
                self.supervisor.send(&stop());
                for letter in self.mail.post.give_up() {
                    self.mail_failed(&letter, "MailConfig was taken out of robot.yaml");
                }
            }
        }
    }

    /// A connector asks for its settings once, so that new ones take a new one; it may end what it is sending.
    fn renew_mail(&mut self) {
        if self.mail.stale && !self.mail.post.is_sending() {
            self.restart_mail();
        }
    }

    fn restart_mail(&mut self) {
        self.close_mail();
        self.mail.stale = false;
        self.supervisor.send(&stop());
        self.supervisor.send(&start());
    }

    pub(crate) fn link_mail(&mut self, socket: OwnedFd) {
        if self.mail.wire.is_some() {
            self.end_mail("it was started again");
        }
        let token = self.token(Who::Mail);
        match Wire::new(&self.poller, socket, token) {
            Ok(mut wire) => {
                let settings = ConnectorSettings {
                    config: "{}".to_owned(),
                    robot_name: String::new(),
                    robot_full_name: String::new(),
                    alias: None,
                    users: Vec::new(),
                    channels: Vec::new(),
                };
                wire.send(&EngineToConnector::Configure { settings });
                self.mail.wire = Some(wire);
            }
            Err(error) => self.log.error(&format!("the link to connector '{MAIL}': {error}")),
        }
    }

    pub(crate) fn hear_mail(&mut self) {
        for _ in 0..BURST {
            let Some(wire) = &mut self.mail.wire else { return };
            match wire.receive() {
                Ok(Some((message, _))) => self.mail_says(message),
                Ok(None) => return,
                Err(error) => self.end_mail(&error.to_string()),
            }
        }
        self.again.extend(self.mail.wire.as_ref().map(Wire::token));
    }

    fn mail_says(&mut self, message: ConnectorToEngine) {
        match message {
            ConnectorToEngine::Up { .. } => {
                self.mail.up = true;
                self.mail.trouble = None;
                self.log.info(&format!("[{MAIL}] is up"));
            }
            ConnectorToEngine::Mailed { letter, refused } => {
                if let Some(letter) = self.mail.post.answered(letter) {
                    if let Some(why) = refused {
                        self.mail_failed(&letter, &why);
                    } else {
                        self.log.info(&format!("[{MAIL}] the server has taken a mail to {}", letter.mail.to));
                        self.answer(letter.caller, RobotAnswer::RetVal(RetVal::Ok));
                    }
                }
                self.renew_mail();
            }
            ConnectorToEngine::Health { trouble } => self.mail.trouble = trouble,
            ConnectorToEngine::Inbound { .. }
            | ConnectorToEngine::Delivered { .. }
            | ConnectorToEngine::Attribute { .. }
            | ConnectorToEngine::AskIdle { .. } => self.end_mail("it spoke as a chat service does"),
        }
        self.hand_out_mail(Instant::now());
    }

    /// The process or its link is gone; the supervisor starts another.
    pub(crate) fn end_mail(&mut self, reason: &str) {
        self.close_mail();
        self.mail.trouble = Some(reason.to_owned());
        if self.mail.wanted && !matches!(self.phase, Phase::Leaving { .. }) {
            self.log.warn(&format!("[{MAIL}] ended: {reason}"));
        }
        if let Some(letter) = self.mail.post.interrupted() {
            self.mail_failed(&letter, "its connector has ended, and the server may have it or not");
        }
        if self.mail.wanted {
            self.renew_mail();
        }
    }

    fn close_mail(&mut self) {
        self.mail.up = false;
        if let Some(wire) = self.mail.wire.take() {
            self.forget_token(wire.token());
            wire.close(&self.poller);
        }
    }

    pub(crate) fn expire_mail(&mut self, now: Instant) {
        let late = self.mail.post.expire(now);
        for letter in &late.waited {
            self.mail_failed(letter, "its turn did not come in time");
        }
        if let Some(letter) = &late.stuck {
            self.mail_failed(letter, "the server took too long");
            self.restart_mail();
        }
    }
}

fn start() -> EngineToSupervisor {
    EngineToSupervisor::StartConnector { name: MAIL.to_owned() }
}

fn stop() -> EngineToSupervisor {
    EngineToSupervisor::StopConnector { name: MAIL.to_owned() }
}
