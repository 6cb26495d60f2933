//! `GetTaskConfig`: the engine knows the configuration, secretd the secrets in it; here they come together.

use gopher_protocol::robot_api::RobotAnswer;
use serde_json::Value;

/// Texts of the configuration as the engine has them, with what they stand for.
pub(crate) type Secrets = Vec<(String, String)>;

/// The answer for the extension: in a configuration, each text that stands for a secret is that secret.
pub(crate) fn opened(answer: RobotAnswer, secrets: &Secrets) -> RobotAnswer {
    let RobotAnswer::Config(text) = &answer else { return answer };
    if secrets.is_empty() {
        return answer;
    }
    match serde_json::from_str(text) {
        Ok(mut config) => {
            open(&mut config, secrets);
            RobotAnswer::Config(config.to_string())
        }
        Err(error) => RobotAnswer::Refused(format!("the robot answered with invalid JSON: {error}")),
    }
}

fn open(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => {
            if let Some((_, secret)) = secrets.iter().find(|(shown, _)| shown == text) {
                text.clone_from(secret);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| open(item, secrets)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| open(entry, secrets)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_opened_wherever_they_stand_and_nothing_else_changes() {
        let secrets = vec![("{{ secret \"KEY\" }}".to_owned(), "sword\"fish\n".to_owned())];
        let config =
            r#"{"A":["{{ secret \"KEY\" }}",{"B":"{{ secret \"KEY\" }}"}],"C":"{{ secret \"OTHER\" }}","D":7}"#;
        let RobotAnswer::Config(text) = opened(RobotAnswer::Config(config.into()), &secrets) else { panic!("config") };
        let expected = serde_json::json!({
            "A": ["sword\"fish\n", { "B": "sword\"fish\n" }], "C": "{{ secret \"OTHER\" }}", "D": 7
        });
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), expected);
        let text = RobotAnswer::Text("{{ secret \"KEY\" }}".into());
        assert_eq!(opened(text.clone(), &secrets), text, "only of a configuration");
    }
}
