//! What is odd about settings of schedules, identity and time (spec: configuration §2): none of it keeps the
//! robot from starting, so each comes to a notice.

use std::collections::HashMap;

use crate::{
    keys::services::{IdentityProvider, ScheduledJob},
    layers::Notices,
    robot::{RobotKeys, items},
    schedule,
    yaml::Place,
};

/// Shortest `EncryptionKey`.
const SHORTEST_KEY: usize = 32;

/// A job of `ScheduledJobs` whose entry is sound.
pub(crate) struct Scheduled {
    pub(crate) job: String,
    pub(crate) at: Place,
}

/// Notices of everything here, and the schedules that are sound.
pub(crate) fn examine(robot: &RobotKeys, notices: &mut Notices) -> Vec<Scheduled> {
    let keys = &robot.keys;
    let mut say = |path: &[&str], message: String| notices.push(robot.at(path).says(message));
    if let Some(problem) = time_zone_problem(&keys.time_zone).filter(|_| !keys.time_zone.is_empty()) {
        say(&["TimeZone"], format!("{problem}; that of this machine is used"));
    }
    if (1..SHORTEST_KEY).contains(&keys.encryption_key.len()) {
        say(
            &["EncryptionKey"],
            format!("`EncryptionKey` is shorter than {SHORTEST_KEY} characters and cannot be used"),
        );
    }
    if !keys.ready_message.is_empty() && keys.ready_channel.is_empty() && keys.default_job_channel.is_empty() {
        say(&["ReadyMessage"], "`ReadyMessage` has no channel: set `ReadyChannel` or `DefaultJobChannel`".to_owned());
    }
    let mut lower = HashMap::new();
    for entry in robot.entries("IdentityProviders") {
        let name = &entry.key;
        if let Some(first) = lower.insert(name.to_lowercase(), name) {
            let message = format!("`{name}` is the same identity provider as `{first}`: case does not matter");
            notices.push(entry.at.says(message));
        }
        let known = |set: &str| keys.parameter_sets.contains_key(set);
        let problem = keys.identity_providers.get(name).and_then(|provider| identity_problem(provider, known));
        if let Some((key, problem)) = problem {
            let at = entry.value.find(&[key]).map_or(&entry.at, |value| &value.at);
            notices.push(at.says(format!("the identity provider `{name}` cannot be used: {problem}")));
        }
    }
    let mut sound = Vec::new();
    for (entry, node) in keys.scheduled_jobs.iter().zip(items(&robot.node, "ScheduledJobs")) {
        match schedule_problem(entry) {
            Some(problem) => notices.push(node.at.says(format!("this entry of `ScheduledJobs` is ignored: {problem}"))),
            None => sound.push(Scheduled { job: entry.name.clone(), at: node.at.clone() }),
        }
    }
    sound
}

fn schedule_problem(entry: &ScheduledJob) -> Option<String> {
    match (entry.name.is_empty(), entry.schedule.trim().is_empty()) {
        (true, _) => Some("it has no `Name`".to_owned()),
        (_, true) => Some("it has no `Schedule`".to_owned()),
        _ => schedule::problem(&entry.schedule),
    }
}

/// What keeps a text from being the name of a time zone, as the end of a sentence. Whether there is such a zone is not
/// known here.
pub(crate) fn time_zone_problem(zone: &str) -> Option<String> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    let fine = zone.len() <= 64 && zone.split('/').all(part);
    (!fine).then(|| format!("`{zone}` is not the name of a time zone, such as `Europe/Berlin`"))
}

fn identity_problem(provider: &IdentityProvider, known: impl Fn(&str) -> bool) -> Option<(&'static str, String)> {
    let IdentityProvider { kind, credential_parameter_set: set, oauth2 } = provider;
    if !kind.eq_ignore_ascii_case("oauth2") {
        return Some(("Type", format!("its `Type` is `{kind}`, and only `oauth2` is known")));
    }
    if set.is_empty() {
        return Some(("", "it has no `CredentialParameterSet`".to_owned()));
    }
    if !known(set) {
        return Some(("CredentialParameterSet", format!("there is no `{set}` in `ParameterSets`")));
    }
    let method = oauth2.token_endpoint_auth_method.as_str();
    if !matches!(method, "" | "client_secret_post" | "client_secret_basic") {
        return Some(("OAuth2", format!("`{method}` is neither `client_secret_post` nor `client_secret_basic`")));
    }
    let url = oauth2.token.url.as_str();
    let fine = ["https://", "http://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|r| !r.is_empty()));
    (!fine).then(|| ("OAuth2", "it has no `OAuth2.Token.URL` that begins with https://".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_look_like_names() {
        for good in ["UTC", "Local", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert_eq!(time_zone_problem(good), None, "{good}");
        }
        for bad in ["", "/etc/passwd", "Europe/", "../UTC", "UTC 1", "5"] {
            assert!(time_zone_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn identity_providers_need_type_credentials_and_address() {
        let provider = |kind: &str, set: &str, method: &str, url: &str| {
            let mut provider = IdentityProvider { kind: kind.into(), ..IdentityProvider::default() };
            provider.credential_parameter_set = set.into();
            provider.oauth2.token_endpoint_auth_method = method.into();
            provider.oauth2.token.url = url.into();
            identity_problem(&provider, |set| set == "creds").map(|(key, _)| key)
        };
        for (given, key) in [
            (provider("OAuth2", "creds", "", "https://x/token"), None),
            (provider("oauth2", "creds", "client_secret_basic", "http://x"), None),
            (provider("saml", "creds", "", "https://x"), Some("Type")),
            (provider("oauth2", "", "", "https://x"), Some("")),
            (provider("oauth2", "gone", "", "https://x"), Some("CredentialParameterSet")),
            (provider("oauth2", "creds", "magic", "https://x"), Some("OAuth2")),
            (provider("oauth2", "creds", "", "https://"), Some("OAuth2")),
        ] {
            assert_eq!(given, key);
        }
    }
}
