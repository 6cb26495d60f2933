//! Known keys of `ProtocolConfig` and of the sections of providers (spec: configuration §2.4). Whose section it is
//! reads it without regard to case and leaves the rest alone, so that a slip would go unseen: it is a notice here.

use crate::{layers::Notices, suggest::nearest, yaml::Node};

/// Directory, name and keys.
type Section = (&'static str, &'static str, &'static [&'static str]);

const KNOWN: [Section; 11] = [
    ("brains", "mem", &[]),
    ("brains", "file", &["BrainDirectory", "Encode"]),
    ("brains", "dynamo", &["TableName", "Region", "AccessKeyID", "SecretAccessKey"]),
    (
        "brains",
        "cloudflare",
        &[
            "AccountID",
            "NamespaceID",
            "APIToken",
            "CloudWriteBudgetPerDay",
            "CloudWriteMinIntervalMillis",
            "CoalesceWindowMillis",
            "FlushOnShutdownMaxMillis",
        ],
    ),
    (
        "brains",
        "firestore",
        &["ProjectID", "DatabaseID", "Collection", "CredentialsEncryptedFile", "OperationTimeoutSeconds"],
    ),
    ("history", "mem", &["BufferSize", "MaxLineLength", "Truncated"]),
    ("history", "file", &["Directory", "URLPrefix", "LocalPort"]),
    (
        "queues",
        "gcloud",
        &[
            "ProjectID",
            "SubscriptionID",
            "CredentialsEncryptedFile",
            "MaxBodySize",
            "NumGoroutines",
            "MaxOutstandingMessages",
        ],
    ),
    (
        "protocols",
        "ssh",
        &[
            "ListenHost",
            "ListenPort",
            "HostKey",
            "DefaultChannel",
            "Channels",
            "ReplayBufferSize",
            "MaxMsgBytes",
            "WrapWidth",
            "UserHistoryLines",
            "Color",
            "ColorScheme",
            "UserKeys",
        ],
    ),
    (
        "protocols",
        "terminal",
        &[
            "StartChannel",
            "StartUser",
            "EOF",
            "Abort",
            "MockFormatting",
            "GenerateNewlines",
            "Users",
            "Channels",
            "HiddenCommands",
            "UnixUsers",
        ],
    ),
    (
        "protocols",
        "slack",
        &[
            "SlackToken",
            "AppToken",
            "BotToken",
            "MaxMessageSplit",
            "AcceptSlashCommands",
            "SlashCommand",
            "DisableReflection",
            "Debug",
            "UserMap",
        ],
    ),
];

/// Tells of keys that the owner of the section does not know.
pub(crate) fn check(directory: &str, name: &str, node: &Node, section: &str, notices: &mut Notices) {
    let Some((_, _, known)) = KNOWN.iter().find(|(d, n, _)| (*d, *n) == (directory, name)) else {
        return;
    };
    for entry in node.find(&[section]).map(Node::entries).unwrap_or_default() {
        if known.iter().any(|key| key.eq_ignore_ascii_case(&entry.key)) {
            continue;
        }
        let unknown = entry.at.says(format!("`{name}` does not know the key `{}`, which has no effect", entry.key));
        notices.push(match nearest(&entry.key, known.iter().copied()) {
            Some(meant) => unknown.hint(format!("did you mean `{meant}`?")),
            None => unknown,
        });
    }
}
