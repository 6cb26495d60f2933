//! The links with engine, loaders, workers and connectors, and what each may ask when.
//!
//! | Peer | may send | how often |
//! |---|---|---|
//! | engine | `Seal`, `Open`, `Encrypt`, `OpenForeign` | any time |
//! | loader | `Plain`, before the table | any time |
//! | loader | `Table` of its generation | once |
//! | worker | `Redeem` of its task | once |
//! | connector | `Redeem` | once |
//!
//! Anything else, a malformed frame or a stale build ends that peer; the others do not notice.

use std::{
    fmt,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use gopher_protocol::{
    SecretBytes,
    ids::{Generation, RunId},
    loader::{Attachment, LoaderToSecretd, SecretdToLoader},
    secretd::{
        ConnectorToSecretd, EngineToSecretd, SecretValue, SecretdToConnector, SecretdToEngine, SecretdToWorker,
        WorkerToSecretd,
    },
};
use gopher_sys::{Link, LinkError};

use crate::{
    attachments::{OpenRun, Tables, forbidden},
    audit::{Audit, Event},
    environment::Environment,
    keyring::DataKey,
    records::{self, ForeignError},
    references::{self, Source},
};

/// Answers a peer leaves unread before it is cut off.
const MAX_BACKLOG: usize = 8 << 20;
/// The engine asks for many records at once, each as long as a frame may be.
const MAX_BACKLOG_ENGINE: usize = 256 << 20;

/// What every peer's requests work on.
pub(crate) struct Vault {
    pub(crate) environment: Environment,
    pub(crate) data_key: DataKey,
    /// The data key is the robot's, not one made for the moment.
    pub(crate) own_key: bool,
    pub(crate) tables: Tables,
    pub(crate) audit: Audit,
}

impl Vault {
    fn source(&self) -> Source<'_> {
        Source { environment: &self.environment, data_key: &self.data_key, own_key: self.own_key }
    }

    /// All of these values, or the sentence why they are not to be had.
    fn fill<'a>(&self, attachments: impl IntoIterator<Item = &'a Attachment>) -> Result<Vec<SecretValue>, String> {
        let source = self.source();
        let filled = attachments.into_iter().map(|attachment| {
            source.fill(attachment).map_err(|why| format!("The value of {} cannot be had: {why}.", attachment.name))
        });
        filled.collect()
    }
}

/// One link and the state it is in.
pub(crate) enum Peer {
    Engine { link: Link<SecretdToEngine, EngineToSecretd> },
    Loader { link: Link<SecretdToLoader, LoaderToSecretd>, generation: Generation, done: bool },
    Worker { link: Link<SecretdToWorker, WorkerToSecretd>, run: Box<OpenRun>, done: bool },
    Connector { link: Link<SecretdToConnector, ConnectorToSecretd>, name: String, done: bool },
}

/// Why a link is over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerEnd {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("it asked a second time")]
    Again,
    #[error("it sent a table of generation {got} over the link of generation {want}")]
    OtherGeneration { got: Generation, want: Generation },
    #[error("its table names task '{0}' twice")]
    DuplicateTask(String),
    #[error("it does not read its answers")]
    Deaf,
}

impl PeerEnd {
    /// Whether it just went away, as every peer does in time.
    pub(crate) fn is_ordinary(&self) -> bool {
        matches!(self, Self::Link(LinkError::Closed))
    }
}

impl Peer {
    /// The engine is told at once what keys there are.
    pub(crate) fn engine(fd: OwnedFd, vault: &Vault) -> Result<Self, LinkError> {
        let mut link = Link::new(fd)?;
        link.send(&SecretdToEngine::Keys { own: vault.own_key })?;
        Ok(Self::Engine { link })
    }

    /// A loader is told the settings at once.
    pub(crate) fn loader(fd: OwnedFd, generation: Generation, vault: &Vault) -> Result<Self, LinkError> {
        let (environment, encryption) = (&vault.environment, vault.own_key);
        let mut link = Link::new(fd)?;
        link.send(&SecretdToLoader::Settings {
            values: environment.settings(),
            private: environment.private_names(),
            encryption,
        })?;
        Ok(Self::Loader { link, generation, done: false })
    }

    pub(crate) fn worker(fd: OwnedFd, run: OpenRun) -> Result<Self, LinkError> {
        Ok(Self::Worker { link: Link::new(fd)?, run: Box::new(run), done: false })
    }

    pub(crate) fn connector(fd: OwnedFd, name: String) -> Result<Self, LinkError> {
        Ok(Self::Connector { link: Link::new(fd)?, name, done: false })
    }

    pub(crate) fn is_engine(&self) -> bool {
        matches!(self, Self::Engine { .. })
    }

    /// The run this link belongs to.
    pub(crate) fn run(&self) -> Option<RunId> {
        if let Self::Worker { run, .. } = self { Some(run.run) } else { None }
    }

    /// Answers all that has arrived.
    pub(crate) fn answer(&mut self, vault: &mut Vault) -> Result<(), PeerEnd> {
        match self {
            Self::Engine { link } => {
                while let Some((request, _)) = link.receive()? {
                    serve_engine(link, request, vault)?;
                }
            }
            Self::Loader { link, generation, done } => {
                while let Some((request, _)) = link.receive()? {
                    serve_loader(link, request, *generation, done, vault)?;
                }
            }
            Self::Worker { link, run, done } => {
                while let Some((WorkerToSecretd::Redeem { task }, _)) = link.receive()? {
                    once(done)?;
                    serve_worker(link, run, &task, vault)?;
                }
            }
            Self::Connector { link, name, done } => {
                while let Some((ConnectorToSecretd::Redeem, _)) = link.receive()? {
                    once(done)?;
                    link.send(&connector_answer(name, vault))?;
                }
            }
        }
        Ok(())
    }

    /// Sends what waits; `true` if something still does.
    pub(crate) fn flush(&mut self) -> Result<bool, PeerEnd> {
        let (flushed, backlog) = match self {
            Self::Engine { link } => (link.flush()?, link.backlog()),
            Self::Loader { link, .. } => (link.flush()?, link.backlog()),
            Self::Worker { link, .. } => (link.flush()?, link.backlog()),
            Self::Connector { link, .. } => (link.flush()?, link.backlog()),
        };
        let most = if self.is_engine() { MAX_BACKLOG_ENGINE } else { MAX_BACKLOG };
        if backlog > most { Err(PeerEnd::Deaf) } else { Ok(!flushed) }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine { .. } => f.write_str("engine"),
            Self::Loader { generation, .. } => write!(f, "loader of generation {generation}"),
            Self::Worker { run, .. } => write!(f, "worker of run {} ({})", run.run, run.task),
            Self::Connector { name, .. } => write!(f, "connector {name}"),
        }
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Engine { link } => link.as_fd(),
            Self::Loader { link, .. } => link.as_fd(),
            Self::Worker { link, .. } => link.as_fd(),
            Self::Connector { link, .. } => link.as_fd(),
        }
    }
}

fn once(done: &mut bool) -> Result<(), PeerEnd> {
    if std::mem::replace(done, true) { Err(PeerEnd::Again) } else { Ok(()) }
}

fn serve_loader(
    link: &mut Link<SecretdToLoader, LoaderToSecretd>,
    request: LoaderToSecretd,
    generation: Generation,
    done: &mut bool,
    vault: &mut Vault,
) -> Result<(), PeerEnd> {
    let (got, tasks, connectors, references) = match request {
        LoaderToSecretd::Plain { names } => {
            if *done {
                return Err(PeerEnd::Again);
            }
            let values = vault.environment.declared_plain(&names);
            return Ok(link.send(&SecretdToLoader::Plain { values })?);
        }
        LoaderToSecretd::Table { generation, tasks, connectors, references } => {
            (generation, tasks, connectors, references)
        }
    };
    once(done)?;
    if got != generation {
        return Err(PeerEnd::OtherGeneration { got, want: generation });
    }
    let count = tasks.len();
    vault.tables.note_secrets(&references);
    vault.tables.take(got, tasks, connectors).map_err(|twice| PeerEnd::DuplicateTask(twice.0.0))?;
    record_or_say(&mut vault.audit, &Event::Table { generation: got.0, tasks: count });
    let unopened = references.into_iter().filter_map(|reference| {
        let why = vault.source().open(&reference).err()?;
        Some((reference, why.to_string()))
    });
    Ok(link.send(&SecretdToLoader::TableTaken { generation: got, unopened: unopened.collect() })?)
}

fn serve_engine(
    link: &mut Link<SecretdToEngine, EngineToSecretd>,
    request: EngineToSecretd,
    vault: &mut Vault,
) -> Result<(), LinkError> {
    let (call, answer) = match request {
        EngineToSecretd::Seal { call, record, plaintext } => {
            let sealed = records::seal(&vault.data_key, &record, &plaintext).map_err(|error| error.to_string());
            (call, sealed.map(|sealed| SecretdToEngine::Sealed { call, sealed }))
        }
        EngineToSecretd::Open { call, record, sealed } => {
            let opened = records::open(&vault.data_key, &record, &sealed).map_err(|error| error.to_string());
            (call, opened.map(|plaintext| SecretdToEngine::Opened { call, plaintext }))
        }
        EngineToSecretd::Encrypt { call, .. } if !vault.own_key => {
            let why = "This robot has only a temporary key, so nothing could open it again; start it with GOPHER_ENCRYPTION_KEY.";
            (call, Err(why.to_owned()))
        }
        EngineToSecretd::OpenForeign { call, sealed } => {
            (call, open_foreign(&sealed, vault).map(|plaintext| SecretdToEngine::Opened { call, plaintext }))
        }
        EngineToSecretd::Encrypt { call, plaintext } => {
            let text = references::encrypt(&vault.data_key, &plaintext).map_err(|error| error.to_string());
            (call, text.map(|text| SecretdToEngine::Encrypted { call, text }))
        }
    };
    let failed = |reason: String| SecretdToEngine::Failed { call, reason };
    match link.send(&answer.unwrap_or_else(failed)) {
        // A record at the ceiling no longer fits once it is sealed.
        Err(LinkError::Wire(error)) => link.send(&failed(format!("The record is too long: {error}."))),
        sent => sent,
    }
}

/// The line stands before the effect: this is the one way on which the engine gets what it did not seal.
fn open_foreign(sealed: &[u8], vault: &mut Vault) -> Result<SecretBytes, String> {
    let refused = vault.tables.is_secret(sealed);
    vault
        .audit
        .record(&Event::Foreign { bytes: sealed.len() as u64, refused })
        .map_err(|error| format!("The audit line of a memory could not be written ({error}), so it is not opened."))?;
    if refused {
        return Err(ForeignError::Secret.to_string());
    }
    records::open_foreign(&vault.data_key, sealed).map_err(|error| error.to_string())
}

/// The hot path: one look-up, one audit line, one answer.
fn serve_worker(
    link: &mut Link<SecretdToWorker, WorkerToSecretd>,
    run: &OpenRun,
    asked: &gopher_protocol::ids::TaskName,
    vault: &mut Vault,
) -> Result<(), LinkError> {
    let released = vault.tables.release(run, asked).map_err(|denied| denied.to_string());
    let released = released.and_then(|release| {
        let values = vault.fill(release.values.iter().copied())?;
        Ok((values, vault.fill(release.config.iter().copied())?, release))
    });
    let answer = match released {
        Ok((values, config, release)) => {
            let names = release.names();
            let event =
                Event::Released { run, program: release.program, released: &names, withheld: &release.withheld };
            match vault.audit.record(&event) {
                Ok(()) => {
                    let (program, runtime) = (release.program.to_owned(), release.runtime);
                    SecretdToWorker::Redeemed { program, runtime, values, config }
                }
                Err(error) => SecretdToWorker::Refused {
                    reason: format!(
                        "The audit line of run {} ({}) could not be written ({error}), so nothing is released.",
                        run.run, run.task
                    ),
                },
            }
        }
        Err(reason) => {
            record_or_say(&mut vault.audit, &Event::Refused { run, reason: &reason });
            SecretdToWorker::Refused { reason }
        }
    };
    match link.send(&answer) {
        Err(LinkError::Wire(error)) => link.send(&SecretdToWorker::Refused {
            reason: format!("The values attached to task '{}' are too long: {error}.", run.task),
        }),
        sent => sent,
    }
}

fn connector_answer(name: &str, vault: &mut Vault) -> SecretdToConnector {
    let mut values = vault.tables.of_connector(name).iter();
    if let Some((value, key)) = values.find_map(|value| Some((value, forbidden(value)?))) {
        let reason = format!("{} of connector '{name}' refers to {key}, which is never released.", value.name);
        return SecretdToConnector::Refused { reason };
    }
    let values = match vault.fill(vault.tables.of_connector(name)) {
        Ok(values) => values,
        Err(reason) => return SecretdToConnector::Refused { reason },
    };
    let names: Vec<&str> = values.iter().map(|v| v.name.as_str()).collect();
    match vault.audit.record(&Event::ConnectorRedeemed { connector: name, released: &names }) {
        Ok(()) => SecretdToConnector::Redeemed { values },
        Err(error) => SecretdToConnector::Refused {
            reason: format!(
                "The audit line of connector '{name}' could not be written ({error}), so nothing is released."
            ),
        },
    }
}

/// For lines that release nothing: what they tell must not get lost, but nothing waits for them.
pub(crate) fn record_or_say(audit: &mut Audit, event: &Event<'_>) {
    if let Err(error) = audit.record(event) {
        eprintln!("gopher-secretd: audit line not written ({error}): {event:?}");
    }
}
