//! What `MailConfig` comes to: a host for people, and values for the connector alone.

use super::{ROBOT, draft, of, plain};

const COMPLETE: &str =
    "MailConfig: {Mailhost: 'mail.example.com:587', Authtype: plain, User: floyd, Password: swordfish}";

#[test]
fn settings_of_mail_belong_to_its_connector_and_the_host_is_told() {
    let yaml = format!("Alias: ';'\n{COMPLETE}\nPrimaryProtocol: test\n");
    let mut draft = draft(&[(ROBOT, &yaml)]).expect("valid");
    let table = draft.table();
    let mail = table.connectors.iter().find(|entry| entry.name == "mail").expect("an entry");
    let values: Vec<(&str, &[u8])> = mail.values.iter().map(|value| (value.name.as_str(), plain(value))).collect();
    let expected: [(&str, &[u8]); 4] =
        [("Mailhost", b"mail.example.com:587"), ("Authtype", b"plain"), ("User", b"floyd"), ("Password", b"swordfish")];
    assert_eq!(values, expected);
    let robot = draft.finish(Vec::new()).expect("finishes");
    assert_eq!(robot.mail.as_deref(), Some("mail.example.com:587"));
    assert!(!format!("{robot:?}").contains("swordfish"), "the engine is told no password");
    assert_eq!(robot.notices, [""; 0]);
}

#[test]
fn a_robot_whose_mail_cannot_be_sent_has_none() {
    for (yaml, notice) in [
        ("MailConfig: {}", None),
        ("MailConfig: {Mailhost: h, Authtype: plain, User: u}", Some("`plain` needs `User` and `Password`")),
        ("MailConfig: {Authtype: plain, User: u, Password: p}", Some("`MailConfig` has no `Mailhost`")),
        ("MailConfig: {Mailhost: 'a:b'}", Some("`a:b` is neither a host nor host:port")),
    ] {
        let robot = of(&format!("Alias: ';'\n{yaml}")).expect(yaml);
        assert_eq!(robot.mail, None, "{yaml}");
        match notice {
            None => assert_eq!(robot.notices, [""; 0]),
            Some(part) => assert!(robot.notices.concat().contains(&format!("{part}: no mail is sent")), "{yaml}"),
        }
    }
}

#[test]
fn mail_is_no_protocol() {
    let sentence = "`mail` is no chat service: mail is sent as `MailConfig` says";
    let robot = of("Alias: ';'\nSecondaryProtocols: [Mail]").expect("valid");
    assert_eq!(robot.notices, [format!("custom/conf/robot.yaml:2:21: {sentence}")]);
    let errors = draft(&[(ROBOT, "PrimaryProtocol: mail\n")]).err().expect("refused");
    assert_eq!(errors, [format!("custom/conf/robot.yaml:1:18: {sentence}")]);
}
