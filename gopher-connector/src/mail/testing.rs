//! Mails and settings for the tests of this module.

use gopher_protocol::{SecretBytes, connector::Mail, secretd::SecretValue};

pub(super) fn mail(subject: &str, body: &str) -> Mail {
    Mail {
        from: "floyd@example.com".into(),
        from_name: "Floyd Gopherbot".into(),
        to: "alice@example.com".into(),
        subject: subject.into(),
        body: body.into(),
        html: false,
    }
}

pub(super) fn values(values: &[(&str, &str)]) -> Vec<SecretValue> {
    let value = |(name, value): &(&str, &str)| SecretValue {
        name: (*name).to_owned(),
        value: SecretBytes::new(value.as_bytes().to_vec()),
    };
    values.iter().map(value).collect()
}
