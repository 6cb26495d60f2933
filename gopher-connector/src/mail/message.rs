//! A mail as a message of the internet: headers and encodings. Pure, but for its name and its date.

use gopher_protocol::connector::Mail;
use gopher_sys::descriptors;
use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

/// The message, or the end of a sentence why it is none.
pub(super) fn message(mail: &Mail) -> Result<Message, String> {
    // The engine has looked at this too; a header that begins another line must not depend on it.
    if [&mail.subject, &mail.from_name, &mail.from, &mail.to].iter().any(|text| text.contains(char::is_control)) {
        return Err("a subject, name or address has more than one line".to_owned());
    }
    let address = |text: &str| text.parse::<Address>().map_err(|error| format!("the address {text:?}: {error}"));
    let name = Some(mail.from_name.clone()).filter(|name| !name.is_empty());
    let from = address(&mail.from)?;
    let id = name_of_message(from.domain())?;
    let kind = if mail.html { ContentType::TEXT_HTML } else { ContentType::TEXT_PLAIN };
    Message::builder()
        .message_id(Some(id))
        .from(Mailbox::new(name, from))
        .to(Mailbox::new(None, address(&mail.to)?))
        .subject(mail.subject.clone())
        // Nobody's absence is told to a robot.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .header(kind)
        .body(mail.body.clone())
        .map_err(|error| error.to_string())
}

fn name_of_message(domain: &str) -> Result<String, String> {
    let random = descriptors::random::<16>().map_err(|errno| format!("the system gave no random bytes: {errno}"))?;
    Ok(format!("<{:032x}@{domain}>", u128::from_ne_bytes(random)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::testing::mail;

    fn formatted(mail: &Mail) -> String {
        String::from_utf8(message(mail).expect("a message").formatted()).expect("is ASCII")
    }

    #[test]
    fn a_message_has_the_headers_of_one() {
        let text = formatted(&mail("Hello", "one\ntwo\n.\nthree"));
        for line in [
            "From: \"Floyd Gopherbot\" <floyd@example.com>\r\n",
            "To: alice@example.com\r\n",
            "Subject: Hello\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "\r\n\r\none\r\ntwo\r\n.\r\nthree",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        assert!(text.contains("@example.com>\r\n") && text.contains("Message-ID: <") && text.contains("Date: "));
    }

    #[test]
    fn what_is_not_ascii_is_encoded_and_html_is_said_to_be() {
        let mut other = mail("Grüße 🦀", "<p>Grüße</p>");
        (other.html, other.from_name) = (true, "Flöyd".into());
        let text = formatted(&other);
        assert!(text.contains("Subject: =?utf-8?b?") && text.contains("From: =?utf-8?b?"), "{text}");
        assert!(text.contains("Content-Type: text/html; charset=utf-8\r\n") && text.is_ascii(), "{text}");
        other.from_name = String::new();
        assert!(formatted(&other).contains("From: floyd@example.com\r\n"));
    }

    #[test]
    fn no_field_becomes_another_header() {
        let injected = "x\r\nBcc: eve@example.com";
        let fields: [fn(&mut Mail) -> &mut String; 4] =
            [|m| &mut m.subject, |m| &mut m.from_name, |m| &mut m.from, |m| &mut m.to];
        for field in fields {
            let mut bad = mail("s", "b");
            *field(&mut bad) = injected.into();
            assert!(message(&bad).is_err());
        }
        for address in ["", "alice", "a@b>", "a@", "<a@b>", "a@b c@d", "a@b,c@d"] {
            let mut bad = mail("s", "b");
            bad.to = address.into();
            assert!(message(&bad).is_err(), "{address:?}");
        }
    }
}
