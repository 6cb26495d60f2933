//! System call filters, kept as data under `seccomp/` with a reason beside every line.
#![forbid(unsafe_code)]

use seccompiler::{BpfMap, BpfProgram, TargetArch};
use serde_json::Value;

use crate::shortcut;

/// Why a filter cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    #[error("seccomp: this processor is not supported: {0}")]
    Architecture(String),
    #[error("seccomp filter file {file}: {reason}")]
    Compile { file: &'static str, reason: String },
    #[error("seccomp: {0}")]
    Apply(String),
}

/// Programs compiled from one file, by name.
pub struct Filters(BpfMap);

impl Filters {
    /// The filters of runs: `known`, `forbidden`, `run` and `run-no-network`, which holds all of `run` too. Of the last two
    /// each run applies one, and that takes time.
    pub fn of_runs() -> Result<Self, FilterError> {
        let runs = rules_of_runs()?;
        let mut all = compile("seccomp/known.json", include_str!("../seccomp/known.json"))?;
        all.extend(compile(RUNS, &runs.to_string())?);
        let asking = compile(RUNS, &only_with_arguments(runs).to_string())?;
        for name in ["run", "run-no-network"] {
            if let (Some(asking), Some(whole)) = (asking.get(name), all.remove(name)) {
                all.insert(name.to_owned(), shortcut::before(asking, whole));
            }
        }
        Ok(Self(all))
    }

    /// The filters of roles: `secretd`, `engine`, `connector`, `mail`.
    pub fn of_roles() -> Result<Self, FilterError> {
        compile("seccomp/roles.json", include_str!("../seccomp/roles.json")).map(Self)
    }

    /// Applies the named filter to this process, for good. Filters add up; the strictest answer counts.
    pub fn apply(&self, name: &str) -> Result<(), FilterError> {
        seccompiler::apply_filter(self.named(name)?).map_err(|e| FilterError::Apply(format!("{name}: {e}")))
    }

    /// As [`Filters::apply`], to every thread that this process has.
    pub fn apply_to_all_threads(&self, name: &str) -> Result<(), FilterError> {
        seccompiler::apply_filter_all_threads(self.named(name)?).map_err(|e| FilterError::Apply(format!("{name}: {e}")))
    }

    fn named(&self, name: &str) -> Result<&BpfProgram, FilterError> {
        self.0.get(name).ok_or_else(|| FilterError::Apply(format!("there is no filter {name}")))
    }
}

const RUNS: &str = "seccomp/runs.json";

fn rules_of_runs() -> Result<Value, FilterError> {
    let wrong = |error: serde_json::Error| FilterError::Compile { file: RUNS, reason: error.to_string() };
    let mut runs: Value = serde_json::from_str(include_str!("../seccomp/runs.json")).map_err(wrong)?;
    let of_all = runs["run"]["filter"].as_array().cloned().unwrap_or_default();
    if let Some(rules) = runs["run-no-network"]["filter"].as_array_mut() {
        rules.extend(of_all);
    }
    Ok(runs)
}

/// The same filters without the rules that hold whatever the arguments are.
fn only_with_arguments(mut filters: Value) -> Value {
    let filters_of = filters.as_object_mut().into_iter().flat_map(|all| all.values_mut());
    for rules in filters_of.filter_map(|filter| filter["filter"].as_array_mut()) {
        rules.retain(|rule| rule.get("args").is_some());
    }
    filters
}

fn compile(file: &'static str, text: &str) -> Result<BpfMap, FilterError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|e| FilterError::Architecture(e.to_string()))?;
    seccompiler::compile_from_json(text.as_bytes(), arch)
        .map_err(|e| FilterError::Compile { file, reason: e.to_string() })
}

#[cfg(test)]
impl Filters {
    pub(crate) fn whole_and_shortened(name: &str) -> (BpfProgram, BpfProgram) {
        let whole = compile(RUNS, &rules_of_runs().expect("rules").to_string()).expect("compiles");
        (whole[name].clone(), Self::of_runs().expect("compiles").0[name].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_file_compiles() {
        let runs = Filters::of_runs().expect("filters of runs");
        for name in ["known", "forbidden", "run", "run-no-network"] {
            assert!(runs.0.contains_key(name), "{name}");
        }
        let [run, both] = ["run", "run-no-network"].map(|name| runs.0[name].len());
        assert!(both > run, "{both} instructions without network, {run} with it");
        let roles = Filters::of_roles().expect("filters of roles");
        for name in ["secretd", "engine", "connector", "mail"] {
            assert!(roles.0.contains_key(name), "{name}");
        }
    }

    #[test]
    fn every_rule_says_why() {
        for text in [include_str!("../seccomp/runs.json"), include_str!("../seccomp/roles.json")] {
            let rules = text.lines().filter(|l| l.contains("\"syscall\""));
            for rule in rules {
                assert!(rule.contains("\"comment\""), "no reason: {rule}");
            }
        }
    }
}
