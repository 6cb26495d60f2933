//! Links of secretd with the engine and with workers.

use crate::{
    SecretBytes,
    frame::{CEILING, CEILING_RECORD},
    ids::{CallId, TaskName},
    message::{messages, wire},
    robot::Runtime,
};

/// Bytes by which a sealed record is longer than what was sealed.
pub const SEAL_OVERHEAD: u64 = 29;

messages! {
    /// Worker to secretd.
    pub enum WorkerToSecretd, ceiling CEILING;
    /// Asks, once, for the program and the values of its run.
    1 Redeem { task: TaskName };
}

messages! {
    /// Secretd to worker.
    pub enum SecretdToWorker, ceiling CEILING;
    /// The only program this run may start, and what is attached to it. `config`: what stands for which text in the
    /// `Config` that the engine gives.
    1 Redeemed { program: String, runtime: Runtime, values: Vec<SecretValue>, config: Vec<SecretValue> };
    2 Refused { reason: String };
}

messages! {
    /// Engine to secretd.
    pub enum EngineToSecretd, ceiling CEILING_RECORD;
    1 Seal { call: CallId, record: RecordName, plaintext: SecretBytes };
    2 Open { call: CallId, record: RecordName, sealed: Vec<u8> };
    /// Ciphertext for `Secrets` of a variables file.
    3 Encrypt { call: CallId, plaintext: SecretBytes };
    /// Opens a memory in the format of Gopherbot, which an administrator moves over. What configuration holds as a
    /// secret has the same format and is refused.
    4 OpenForeign { call: CallId, sealed: Vec<u8> };
}

messages! {
    /// Secretd to engine.
    pub enum SecretdToEngine, ceiling CEILING_RECORD;
    1 Sealed { call: CallId, sealed: Vec<u8> };
    2 Opened { call: CallId, plaintext: SecretBytes };
    3 Failed { call: CallId, reason: String };
    /// Base64 of the ciphertext.
    4 Encrypted { call: CallId, text: String };
    /// First, unasked. Without a key of the robot's own nothing that is sealed opens after a restart.
    5 Keys { own: bool };
}

messages! {
    /// Connector to secretd.
    pub enum ConnectorToSecretd, ceiling CEILING;
    /// Asks, once, for its own token.
    1 Redeem;
}

messages! {
    /// Secretd to connector.
    pub enum SecretdToConnector, ceiling CEILING;
    1 Redeemed { values: Vec<SecretValue> };
    2 Refused { reason: String };
}

wire! {
    /// What a sealed record is bound to: a record of another name or version does not open.
    pub struct RecordName {
        pub store: String,
        pub key: String,
        pub version: u64,
    }
}

/// A name and its value.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct SecretValue {
    pub name: String,
    pub value: SecretBytes,
}
