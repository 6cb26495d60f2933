//! What secretd releases to a run, and what a program finds in its environment.

use std::collections::HashSet;

use gopher_protocol::{
    robot::Runtime,
    secretd::{SecretValue, SecretdToWorker},
    worker::RunRequest,
};

use super::SecretdLink;
use crate::task_config;

pub(super) type Values = Vec<(String, String)>;

/// What a program finds in its environment.
pub(super) type Environment<'a> = Vec<(&'a str, &'a str)>;

/// What secretd had for this run.
pub(super) struct Released {
    pub(super) program: String,
    pub(super) runtime: Runtime,
    pub(super) values: Values,
    pub(super) config: task_config::Secrets,
}

/// Secretd was asked, once.
pub(super) fn redeemed(mut secretd: SecretdLink) -> Result<Released, String> {
    match secretd.wait().map_err(|error| format!("its secrets could not be had: {error}"))?.0 {
        SecretdToWorker::Redeemed { program, runtime, values, config } => {
            let text = |v: SecretValue| (v.name, String::from_utf8_lossy(v.value.expose()).into_owned());
            let texts = |values: Vec<SecretValue>| values.into_iter().map(text).collect();
            Ok(Released { program, runtime, values: texts(values), config: texts(config) })
        }
        SecretdToWorker::Refused { reason } => Err(reason),
    }
}

/// Parameters first, then engine values for names not yet present (spec: Robot API §2.3).
pub(super) fn environment<'a>(
    request: &'a RunRequest,
    values: &'a [(String, String)],
    own: &'a [(String, String)],
) -> Environment<'a> {
    let parameters = if request.secure_parameters { &[][..] } else { values };
    let mut seen = HashSet::with_capacity(parameters.len() + own.len() + request.env.len());
    let all = parameters.iter().chain(own).chain(&request.env).map(|(name, value)| (name.as_str(), value.as_str()));
    // A zero byte cannot be part of an environment.
    let valid = |(name, value): &(&str, &str)| !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
    all.filter(valid).filter(|(name, _)| seen.insert(*name)).collect()
}

#[cfg(test)]
mod tests {
    use gopher_protocol::{ids::RunId, robot::Limits, worker::WorkDir};

    use super::*;

    fn request(secure: bool) -> RunRequest {
        RunRequest {
            run: RunId(1),
            task: "t".into(),
            args: vec![],
            env: vec![("GOPHER_USER".into(), "alice".into()), ("SITE".into(), "engine".into())],
            work_dir: WorkDir::WorkSpace,
            secure_parameters: secure,
            parameters: vec![],
            configure: false,
            limits: Limits::default(),
        }
    }

    #[test]
    fn a_parameter_shadows_an_engine_value_unless_parameters_are_secure() {
        let values = vec![("SITE".into(), "a".into()), ("SITE".into(), "b".into()), ("bad=name".into(), "x".into())];
        let own = vec![("GOPHER_CALLER_ID".into(), "stdin".into())];
        let text = |secure| {
            let request = request(secure);
            let env = environment(&request, &values, &own);
            env.into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(false), "SITE=a GOPHER_CALLER_ID=stdin GOPHER_USER=alice");
        assert_eq!(text(true), "GOPHER_CALLER_ID=stdin GOPHER_USER=alice SITE=engine");
    }
}
