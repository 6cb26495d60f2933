use gopher_protocol::{
    connector::Mail,
    robot_api::{Addressee, RetVal},
};

use super::*;

/// A robot that can send mail, with a connector for it played by the test and a run that is about to ask.
struct Office {
    stage: Stage,
    mail: Connector,
    worker: Worker,
    calls: u64,
}

fn with_mail() -> Robot {
    Robot { mail: Some("mail.example.com".into()), ..testing::robot_with(vec![deploy()]) }
}

impl Stage {
    fn wants(&mut self, wanted: &str) {
        let asked = self.asked();
        match wanted {
            "start" => assert!(matches!(asked, EngineToSupervisor::StartConnector { name } if name == "mail")),
            _ => assert!(matches!(asked, EngineToSupervisor::StopConnector { name } if name == "mail")),
        }
    }

    fn mail_connector(&mut self) -> Connector {
        let (mut mail, socket) = pair::<ConnectorToEngine, EngineToConnector>();
        self.supervisor.send_with(&SupervisorToEngine::Connector { name: "mail".into() }, vec![socket]).expect("sends");
        let (configured, _) = self.until("the start of mail", |_| mail.receive().expect("alive"));
        let EngineToConnector::Configure { settings } = configured else { panic!("settings first") };
        assert_eq!(settings.config, "{}", "the engine knows nothing that the connector needs");
        let capabilities =
            Capabilities { hidden_commands: false, threads: false, robot_id: None, mention: None, hidden_prefix: None };
        mail.send(&ConnectorToEngine::Up { capabilities }).expect("sends");
        self.settle();
        mail
    }

    fn run_of(&mut self, user: &str) -> Worker {
        self.say(testing::inbound(user, "general", ";deploy web"));
        self.worker().0
    }
}

impl Office {
    fn open() -> Self {
        let mut stage = Stage::load(with_mail());
        stage.wants("start");
        let mail = stage.mail_connector();
        stage.initialize(1);
        let worker = stage.run_of("bob");
        Self { stage, mail, worker, calls: 0 }
    }

    fn call(&mut self, to: Addressee, subject: &str) {
        self.calls += 1;
        let request = RobotCall::Email { to, subject: subject.into(), body: "Grüße\n".into(), html: false };
        self.worker.send(&WorkerToEngine::Call { call: CallId(self.calls), request }).expect("sends");
    }

    fn ret(&mut self) -> RetVal {
        let RobotAnswer::RetVal(ret) = self.stage.reply_to(&mut self.worker, self.calls) else { panic!("a value") };
        ret
    }

    fn letter(&mut self) -> (gopher_protocol::ids::DeliveryId, Mail) {
        let mail = &mut self.mail;
        let (message, _) = self.stage.until("a mail", |_| mail.receive().expect("alive"));
        let EngineToConnector::Mail { letter, mail } = message else { panic!("a mail: {message:?}") };
        (letter, mail)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.stage.directory.join(name)).expect("a file")
    }
}

#[test]
fn a_call_is_answered_with_what_the_server_said() {
    let mut office = Office::open();
    for (to, address) in [
        (Addressee::Sender, "bob@example.com"),
        (Addressee::User("carol".into()), "carol@example.com"),
        (Addressee::Address("team@example.org".into()), "team@example.org"),
        (Addressee::Address("alice".into()), "alice@example.com"),
    ] {
        for (refused, ret) in [(None, RetVal::Ok), (Some("550 no such mailbox".to_owned()), RetVal::MailError)] {
            office.call(to.clone(), "news");
            let (letter, mail) = office.letter();
            assert_eq!(mail.to, address);
            assert_eq!((mail.from.as_str(), mail.from_name.as_str()), ("floyd@example.com", "Floyd Gopherbot"));
            assert_eq!((mail.subject.as_str(), mail.body.as_str(), mail.html), ("news", "Grüße\n", false));
            office.mail.send(&ConnectorToEngine::Mailed { letter, refused }).expect("sends");
            assert_eq!(office.ret(), ret);
        }
    }
    let (audit, log) = (office.file("audit.log"), office.file("robot.log"));
    assert!(audit.contains("mails team@example.org for bob") && audit.contains("deploy/"), "{audit}");
    assert!(log.contains("a mail to team@example.org was not sent: 550 no such mailbox"), "{log}");
    assert!(!audit.contains("Grüße") && !log.contains("Grüße"), "what is in a mail is nobody's business");
}

#[test]
fn who_has_no_address_gets_no_mail() {
    let mut office = Office::open();
    for (to, ret) in [
        (Addressee::User("zoe".into()), RetVal::NoUserEmail),
        (Addressee::Address("zoe".into()), RetVal::AttributeNotFound),
    ] {
        office.call(to.clone(), "news");
        let EngineToConnector::LookUp { call, user, attribute } = office.stage.heard() else { panic!("a question") };
        assert_eq!((user.as_str(), attribute.as_str()), ("zoe", "email"));
        let unknown = ConnectorToEngine::Attribute { call, value: String::new(), ret: RetVal::UserNotFound };
        office.stage.connector.as_mut().expect("is connected").send(&unknown).expect("sends");
        assert_eq!(office.ret(), ret, "{to:?}");

        office.call(to, "news");
        let EngineToConnector::LookUp { call, .. } = office.stage.heard() else { panic!("a question") };
        let known = ConnectorToEngine::Attribute { call, value: "zoe@example.net".into(), ret: RetVal::Ok };
        office.stage.connector.as_mut().expect("is connected").send(&known).expect("sends");
        let (letter, mail) = office.letter();
        assert_eq!(mail.to, "zoe@example.net", "the service knows what the roster does not");
        office.mail.send(&ConnectorToEngine::Mailed { letter, refused: None }).expect("sends");
        assert_eq!(office.ret(), RetVal::Ok);
    }
}

#[test]
fn what_would_be_another_header_is_refused_at_once() {
    let mut office = Office::open();
    office.call(Addressee::Sender, "hi\r\nBcc: eve@example.com");
    assert_eq!(office.ret(), RetVal::MailError);
    office.call(Addressee::Address("a@b\r\nBcc: eve@example.com".into()), "hi");
    assert_eq!(office.ret(), RetVal::MailError);
    assert!(office.mail.receive().expect("alive").is_none());
    assert!(office.file("robot.log").contains("no mail was sent: its subject is more than a line of text"));
}

#[test]
fn a_robot_without_mail_says_so_at_once() {
    let mut nameless = with_mail();
    nameless.identity.email.clear();
    for (robot, ret) in [
        (testing::robot_with(vec![deploy()]), RetVal::MailError),
        (Robot { mail: None, ..nameless }, RetVal::NoBotEmail),
    ] {
        let mut stage = Stage::open(robot);
        let mut worker = stage.run_of("bob");
        for to in [Addressee::Sender, Addressee::User("carol".into()), Addressee::Address("a@b".into())] {
            let request = RobotCall::Email { to, subject: String::new(), body: String::new(), html: true };
            worker.send(&WorkerToEngine::Call { call: CallId(1), request }).expect("sends");
            assert!(matches!(stage.reply_to(&mut worker, 1), RobotAnswer::RetVal(got) if got == ret));
        }
    }
}

#[test]
fn a_server_that_hangs_keeps_nobody_but_mail_waiting() {
    let mut office = Office::open();
    office.call(Addressee::Sender, "first");
    let (letter, _) = office.letter();
    office.call(Addressee::Sender, "second");
    office.stage.say(testing::inbound("carol", "general", ";ping"));
    assert_eq!(office.stage.answer().text, "PONG");
    assert!(office.mail.receive().expect("alive").is_none(), "one at a time");
    // Its connector dies, nobody knows what became of the mail, and the next one goes to the next connector.
    office.mail = office.stage.mail_connector();
    assert_eq!(office.letter().1.subject, "second");
    office.mail.send(&ConnectorToEngine::Mailed { letter, refused: None }).expect("sends");
    office.stage.settle();
    office.calls = 1;
    assert_eq!(office.ret(), RetVal::MailError);
    assert!(office.worker.receive().expect("alive").is_none(), "an old number answers for nothing");
}

#[test]
fn a_reload_takes_a_new_connector_once_the_old_one_has_nothing_to_send() {
    let mut office = Office::open();
    let mut admin = office.stage.admitted();
    office.call(Addressee::Sender, "old");
    let (letter, _) = office.letter();
    admin.send(&AdminRequest::Reload).expect("sends");
    let mut robot = Robot { generation: Number(2), ..with_mail() };
    robot.extensions.clear();
    office.stage.reloads(Number(2)).send(&loaded(robot.clone())).expect("sends");
    assert!(matches!(office.stage.asked(), EngineToSupervisor::GenerationActive { .. }));
    office.stage.settle();
    assert!(office.stage.supervisor.receive().expect("alive").is_none(), "it is sending");
    office.mail.send(&ConnectorToEngine::Mailed { letter, refused: None }).expect("sends");
    assert_eq!(office.ret(), RetVal::Ok);
    office.stage.wants("stop");
    office.stage.wants("start");

    admin.send(&AdminRequest::Reload).expect("sends");
    robot.generation = Number(3);
    robot.mail = None;
    office.stage.reloads(Number(3)).send(&loaded(robot)).expect("sends");
    assert!(matches!(office.stage.asked(), EngineToSupervisor::GenerationActive { .. }));
    office.stage.wants("stop");
}
