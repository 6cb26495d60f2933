//! Values of `ScheduledJobs`, `MailConfig`, `IdentityProviders` and `BrainCache` in `robot.yaml` (spec:
//! configuration §2, §2.2).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A job that starts by the clock.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct ScheduledJob {
    /// The job.
    pub(crate) name: String,
    /// `@init` (at start), `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, `@every 90m`, or the fields of cron:
    /// `[second] minute hour day-of-month month day-of-week`.
    pub(crate) schedule: String,
    /// Arguments of the job.
    pub(crate) arguments: Vec<String>,
    /// Without effect: jobs have no commands.
    command: String,
}

/// How mail is sent. What only its connector needs to know may be secret.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct MailConfig {
    /// Host, or host:port, that takes mail; without a port it is 587 with `plain`, else 25.
    /// STARTTLS is used where the host offers it, and TLS from the start with the port 465.
    pub(crate) mailhost: String,
    /// `plain` to log in with `User` and `Password`, over TLS unless the host is this machine; nothing to send without.
    pub(crate) authtype: String,
    /// Whom to log in as.
    pub(crate) user: String,
    /// The password of `User`.
    pub(crate) password: String,
}

/// The local copy of a remote brain.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct BrainCache {
    /// The directory, relative to the robot's.
    pub(crate) directory: String,
}

/// A service where users can link an account.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct IdentityProvider {
    /// `oauth2`.
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    /// The entry of `ParameterSets` that holds `CLIENT_ID` and `CLIENT_SECRET`.
    pub(crate) credential_parameter_set: String,
    /// The service, of the type `oauth2`.
    #[serde(rename = "OAuth2")]
    pub(crate) oauth2: OAuth2,
}

/// A service that speaks OAuth 2.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct OAuth2 {
    /// How the robot says who it is: `client_secret_post` (default) or `client_secret_basic`.
    pub(crate) token_endpoint_auth_method: String,
    /// Where tokens are had.
    pub(crate) token: TokenEndpoint,
}

/// Where tokens are had.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct TokenEndpoint {
    /// The address.
    #[serde(rename = "URL")]
    pub(crate) url: String,
    /// Further headers of every request.
    headers: BTreeMap<String, String>,
    /// Further parameters of the first request.
    parameters: BTreeMap<String, String>,
    /// Further parameters of a renewal.
    refresh_parameters: BTreeMap<String, String>,
}
