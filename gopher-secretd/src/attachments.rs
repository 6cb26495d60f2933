//! What belongs to which task, per generation, and what a run may therefore have. Pure: no links, no clock.
//!
//! The tables come from the loader. Nothing the engine says about a run can add to them.

use std::collections::{BTreeMap, HashMap, HashSet};

use gopher_protocol::{
    ids::{Generation, RunId, TaskName},
    loader::{Attachment, ConnectorEntry, Part, SecretRef, TaskEntry},
    robot::Runtime,
};

/// Never released to a run, whatever the configuration attaches.
const NEVER_RELEASED: [&str; 5] =
    ["BOT_SSH_PHRASE", "GOPHER_DEPLOY_KEY", "GOPHER_ENCRYPTION_KEY", "GOPHER_HOST_KEYS", "SSH_HOST_KEY"];
/// Generations kept even without an open run: the one in force and the one being loaded.
const KEPT: usize = 2;

/// A run as the supervisor announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenRun {
    pub(crate) run: RunId,
    pub(crate) task: TaskName,
    pub(crate) starter: TaskName,
    pub(crate) generation: Generation,
    pub(crate) configure: bool,
}

/// What a run gets.
#[derive(Debug)]
pub(crate) struct Release<'a> {
    pub(crate) program: &'a str,
    pub(crate) runtime: Runtime,
    pub(crate) values: Vec<&'a Attachment>,
    /// What stands for which text of its `Config`.
    pub(crate) config: Vec<&'a Attachment>,
    /// Attached names that are withheld from every run.
    pub(crate) withheld: Vec<&'a str>,
}

/// Why it gets nothing; the sentence goes to the worker and into the audit file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("Run {run} was started for task '{task}' but asked for task '{asked}'.")]
    OtherTask { run: RunId, task: TaskName, asked: TaskName },
    #[error("Generation {0} of the configuration is not known to gopher-secretd; reload the robot.")]
    UnknownGeneration(Generation),
    #[error("Task '{task}' is not in generation {generation} of the configuration; reload the robot.")]
    UnknownTask { task: TaskName, generation: Generation },
}

/// Two tasks of one name in a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DuplicateTask(pub(crate) TaskName);

/// The tables of all generations that may still have runs.
#[derive(Default)]
pub(crate) struct Tables {
    generations: BTreeMap<Generation, Table>,
    /// Ciphertext of every secret that any generation named.
    secrets: HashSet<Vec<u8>>,
}

/// The tables of one generation.
#[derive(Default)]
struct Table {
    tasks: HashMap<TaskName, TaskEntry>,
    connectors: Vec<ConnectorEntry>,
}

impl Tables {
    /// Puts a table in force, in place of an earlier one of that generation.
    pub(crate) fn take(
        &mut self,
        generation: Generation,
        tasks: Vec<TaskEntry>,
        connectors: Vec<ConnectorEntry>,
    ) -> Result<(), DuplicateTask> {
        let mut table = HashMap::with_capacity(tasks.len());
        for task in tasks {
            let name = task.name.clone();
            if table.insert(name.clone(), task).is_some() {
                return Err(DuplicateTask(name));
            }
        }
        self.generations.insert(generation, Table { tasks: table, connectors });
        Ok(())
    }

    /// These are secrets of the configuration, for good.
    pub(crate) fn note_secrets(&mut self, references: &[SecretRef]) {
        self.secrets.extend(references.iter().filter_map(|reference| match reference {
            SecretRef::Variable { ciphertext, .. } => Some(ciphertext.clone()),
            SecretRef::Environment(_) => None,
        }));
    }

    /// Whether these bytes are the ciphertext of a secret of the configuration.
    pub(crate) fn is_secret(&self, sealed: &[u8]) -> bool {
        self.secrets.contains(sealed)
    }

    /// What belongs to a connector in the newest generation.
    pub(crate) fn of_connector(&self, name: &str) -> &[Attachment] {
        let newest = self.generations.values().next_back();
        let entry = newest.and_then(|table| table.connectors.iter().find(|entry| entry.name == name));
        entry.map(|entry| entry.values.as_slice()).unwrap_or_default()
    }

    /// Whether there are more generations than are kept in any case.
    pub(crate) fn may_prune(&self) -> bool {
        self.generations.len() > KEPT
    }

    /// Drops generations older than the newest two that no open run belongs to.
    pub(crate) fn prune(&mut self, in_use: &HashSet<Generation>) {
        let Some(oldest_kept) = self.generations.keys().rev().nth(KEPT - 1).copied() else {
            return;
        };
        self.generations.retain(|generation, _| *generation >= oldest_kept || in_use.contains(generation));
    }

    /// Decides on the one request of `run`, which asked for `asked`.
    pub(crate) fn release(&self, run: &OpenRun, asked: &TaskName) -> Result<Release<'_>, Denied> {
        if *asked != run.task {
            return Err(Denied::OtherTask { run: run.run, task: run.task.clone(), asked: asked.clone() });
        }
        let table = self.generations.get(&run.generation).ok_or(Denied::UnknownGeneration(run.generation))?;
        let unknown = || Denied::UnknownTask { task: run.task.clone(), generation: run.generation };
        let task = table.tasks.get(&run.task).ok_or_else(unknown)?;
        let mut release = Release {
            program: &task.program,
            runtime: task.runtime.clone(),
            values: Vec::new(),
            config: Vec::new(),
            withheld: Vec::new(),
        };
        if run.configure {
            return Ok(release);
        }
        let starter = table.tasks.get(&run.starter).filter(|s| task.privileged && s.privileged && s.name != task.name);
        for value in task.parameters.iter().chain(starter.into_iter().flat_map(|s| &s.parameters)) {
            if let Some(name) = forbidden(value) {
                release.withheld.push(name);
            } else if !release.values.iter().any(|v| v.name == value.name) {
                release.values.push(value);
            }
        }
        for text in &task.config {
            match forbidden(text) {
                Some(name) => release.withheld.push(name),
                None => release.config.push(text),
            }
        }
        Ok(release)
    }
}

impl Release<'_> {
    /// Everything that is handed over, by the names that people gave it.
    pub(crate) fn names(&self) -> Vec<&str> {
        let values = self.values.iter().map(|value| value.name.as_str());
        values.chain(self.config.iter().flat_map(|text| references(text))).collect()
    }
}

/// The name for which an attachment is withheld: its own, or that of a secret in it.
pub(crate) fn forbidden(attachment: &Attachment) -> Option<&str> {
    let mut names = std::iter::once(attachment.name.as_str()).chain(references(attachment));
    names.find(|name| NEVER_RELEASED.contains(name))
}

fn references(attachment: &Attachment) -> impl Iterator<Item = &str> {
    attachment.value.iter().filter_map(|part| match part {
        Part::Plain(_) => None,
        Part::Secret(SecretRef::Environment(name) | SecretRef::Variable { name, .. }) => Some(name.as_str()),
    })
}

#[cfg(test)]
mod tests {
    use gopher_protocol::SecretBytes;

    use super::*;

    fn entry(name: &str, privileged: bool, parameters: &[(&str, &str)]) -> TaskEntry {
        TaskEntry {
            name: name.into(),
            program: format!("/robot/plugins/{name}"),
            runtime: Runtime::External,
            privileged,
            parameters: parameters.iter().map(|(n, v)| Attachment::plain(*n, *v)).collect(),
            config: Vec::new(),
        }
    }

    fn tables() -> Tables {
        let mut tables = Tables::default();
        let tasks = vec![
            entry("plain", false, &[("A", "own"), ("A", "second"), ("B", "b")]),
            entry("deploy", true, &[("A", "own")]),
            entry("nightly", true, &[("A", "starter's"), ("C", "c")]),
            entry("greedy", true, &[("GOPHER_DEPLOY_KEY", "x"), ("SSH_HOST_KEY", "x"), ("D", "d")]),
        ];
        tables.take(Generation(1), tasks, Vec::new()).expect("no duplicates");
        tables
    }

    fn run(task: &str, starter: &str) -> OpenRun {
        OpenRun {
            run: RunId(7),
            task: task.into(),
            starter: starter.into(),
            generation: Generation(1),
            configure: false,
        }
    }

    fn released(tables: &Tables, run: &OpenRun) -> Vec<(String, String)> {
        let release = tables.release(run, &run.task).expect("released");
        let text = |v: &&Attachment| match v.value.as_slice() {
            [Part::Plain(text)] => (v.name.clone(), String::from_utf8_lossy(text.expose()).into_owned()),
            _ => panic!("plain values only"),
        };
        release.values.iter().map(text).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_run_gets_its_own_values_the_first_of_a_name() {
        assert_eq!(released(&tables(), &run("plain", "plain")), pairs(&[("A", "own"), ("B", "b")]));
    }

    #[test]
    fn only_privileged_runs_get_what_a_privileged_starter_has() {
        let tables = tables();
        assert_eq!(released(&tables, &run("deploy", "nightly")), pairs(&[("A", "own"), ("C", "c")]));
        assert_eq!(released(&tables, &run("plain", "nightly")), pairs(&[("A", "own"), ("B", "b")]));
        assert_eq!(released(&tables, &run("deploy", "plain")), pairs(&[("A", "own")]), "unprivileged starter");
        assert_eq!(released(&tables, &run("deploy", "builtin-admin")), pairs(&[("A", "own")]), "not an extension");
    }

    #[test]
    fn a_configure_run_gets_its_program_and_no_value() {
        let configure = OpenRun { configure: true, ..run("deploy", "nightly") };
        let tables = tables();
        let release = tables.release(&configure, &"deploy".into()).expect("released");
        assert_eq!(release.program, "/robot/plugins/deploy");
        assert!(release.values.is_empty() && release.withheld.is_empty());
    }

    #[test]
    fn forbidden_names_are_withheld_from_every_run() {
        let tables = tables();
        let greedy = tables.release(&run("greedy", "greedy"), &"greedy".into()).expect("released");
        assert_eq!(greedy.values.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["D"]);
        assert_eq!(greedy.withheld, ["GOPHER_DEPLOY_KEY", "SSH_HOST_KEY"]);
        let through_starter = tables.release(&run("deploy", "greedy"), &"deploy".into()).expect("released");
        assert_eq!(through_starter.withheld, ["GOPHER_DEPLOY_KEY", "SSH_HOST_KEY"]);
    }

    #[test]
    fn a_forbidden_value_is_withheld_under_any_name() {
        let secret = |name: &str, of: &str| Attachment {
            name: name.into(),
            value: vec![Part::Plain(SecretBytes::new(b"x".to_vec())), Part::Secret(SecretRef::Environment(of.into()))],
        };
        let mut sly = entry("sly", false, &[]);
        sly.parameters = vec![secret("INNOCENT", "GOPHER_DEPLOY_KEY"), secret("URL", "TOKEN")];
        sly.config = vec![secret("x{{ env \"BOT_SSH_PHRASE\" }}", "BOT_SSH_PHRASE"), secret("x{{ env \"A\" }}", "A")];
        let mut tables = Tables::default();
        tables.take(Generation(1), vec![sly], Vec::new()).expect("no duplicates");
        let release = tables.release(&run("sly", "sly"), &"sly".into()).expect("released");
        assert_eq!(release.names(), ["URL", "A"]);
        assert_eq!(release.withheld, ["GOPHER_DEPLOY_KEY", "BOT_SSH_PHRASE"]);
    }

    #[test]
    fn other_tasks_and_unknown_ones_are_refused() {
        let tables = tables();
        let other = tables.release(&run("plain", "plain"), &"deploy".into()).expect_err("another task");
        assert_eq!(other.to_string(), "Run 7 was started for task 'plain' but asked for task 'deploy'.");
        let unknown = tables.release(&run("gone", "gone"), &"gone".into()).expect_err("not in the table");
        assert!(unknown.to_string().contains("'gone'"), "{unknown}");
        let later = OpenRun { generation: Generation(9), ..run("plain", "plain") };
        assert_eq!(tables.release(&later, &"plain".into()).err(), Some(Denied::UnknownGeneration(Generation(9))));
    }

    #[test]
    fn old_generations_go_once_no_run_needs_them() {
        let mut tables = Tables::default();
        for generation in 1..=4 {
            tables.take(Generation(generation), vec![entry("t", false, &[])], Vec::new()).expect("no duplicates");
        }
        tables.prune(&HashSet::from([Generation(1)]));
        assert_eq!(
            tables.generations.keys().copied().collect::<Vec<_>>(),
            [Generation(1), Generation(3), Generation(4)]
        );
        tables.prune(&HashSet::new());
        assert_eq!(tables.generations.keys().copied().collect::<Vec<_>>(), [Generation(3), Generation(4)]);
    }

    #[test]
    fn a_connector_gets_what_the_newest_generation_says() {
        let mut tables = Tables::default();
        for (generation, value) in [(1, "old"), (2, "new")] {
            let slack = ConnectorEntry { name: "slack".into(), values: vec![Attachment::plain("/BotToken", value)] };
            tables.take(Generation(generation), Vec::new(), vec![slack]).expect("no duplicates");
        }
        let [token] = tables.of_connector("slack") else { panic!("one value") };
        assert!(matches!(token.value.as_slice(), [Part::Plain(text)] if text.expose() == b"new"));
        assert!(tables.of_connector("mail").is_empty());
    }

    #[test]
    fn two_tasks_of_one_name_are_refused() {
        let twice = vec![entry("t", false, &[]), entry("t", true, &[])];
        assert_eq!(Tables::default().take(Generation(1), twice, Vec::new()), Err(DuplicateTask("t".into())));
    }
}
