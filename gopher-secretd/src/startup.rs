//! From the descriptors of the supervisor to keys in place.
//!
//! Collects what is handed over, then decides once: the start mode, which key file, and whether a key is opened, made
//! or temporary. What was read is wiped on the way out; only the data key and the settings stay.

use std::{collections::BTreeMap, io::Write as _, os::fd::OwnedFd};

use gopher_protocol::{
    loader::StartMode,
    supervisor::{Layout, LockedMemory},
};
use gopher_sys::secret_memory::MemoryKind;
use nix::{
    sys::{
        mman::{MlockAllFlags, mlockall},
        resource::{RLIM_INFINITY, Resource, getrlimit},
        stat::Mode,
    },
    unistd::fsync,
};
use zeroize::Zeroizing;

use crate::{
    audit::Audit,
    env_file::{self, Assignments},
    environment::{DEPLOY_KEY, ENCRYPTION_KEY, Environment},
    error::SecretdError,
    files::NamedFile,
    key_file,
    keyring::{DataKey, WrappingKey},
    start_mode::{self, Given},
};

/// Private files in order of preference: the first one at hand is read, the others are not.
const PRIVATE_FILES: [&str; 2] = [".env", "private/environment"];
/// More files of one kind than any robot has.
const MAX_FILES: usize = 64;

/// Longest part of the launch environment: the kernel gives a process no more.
const LONGEST_LAUNCH: usize = 2 << 20;

/// What the supervisor handed over so far.
#[derive(Default)]
pub(crate) struct Startup {
    launch: Option<OwnedFd>,
    host: Option<OwnedFd>,
    private: BTreeMap<String, OwnedFd>,
    key_files: BTreeMap<String, OwnedFd>,
    new_key_file: Option<OwnedFd>,
    audit: Option<OwnedFd>,
}

/// Keys in place.
pub(crate) struct Started {
    pub(crate) mode: StartMode,
    pub(crate) environment: Environment,
    pub(crate) data_key: DataKey,
    pub(crate) origin: KeyOrigin,
    pub(crate) audit: Audit,
}

/// Where the data key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOrigin {
    Opened,
    /// Written to the new key file.
    Made,
    /// Gone with this process.
    Temporary,
}

impl Startup {
    /// Each of these is `false` if the supervisor gave the same thing twice.
    pub(crate) fn launch_environment(&mut self, fd: OwnedFd) -> bool {
        self.launch.replace(fd).is_none()
    }

    pub(crate) fn host_environment(&mut self, fd: OwnedFd) -> bool {
        self.host.replace(fd).is_none()
    }

    pub(crate) fn private_environment(&mut self, name: String, fd: OwnedFd) -> bool {
        PRIVATE_FILES.contains(&name.as_str()) && self.private.insert(name, fd).is_none()
    }

    pub(crate) fn key_file(&mut self, name: String, fd: OwnedFd) -> bool {
        self.key_files.len() < MAX_FILES && self.key_files.insert(name, fd).is_none()
    }

    pub(crate) fn new_key_file(&mut self, fd: OwnedFd) -> bool {
        self.new_key_file.replace(fd).is_none()
    }

    pub(crate) fn audit_file(&mut self, fd: OwnedFd) -> bool {
        self.audit.replace(fd).is_none()
    }

    /// Reads, decides, opens or makes the data key.
    pub(crate) fn begin(mut self, layout: &Layout) -> Result<Started, SecretdError> {
        lock_all_memory();
        let audit = self.audit.take().map_or_else(|| Ok(Audit::standard_error()), Audit::file)?;
        let mut environment = self.environment(layout)?;
        let mode = start_mode::start_mode(
            layout,
            Given {
                repository: environment.is_set("GOPHER_CUSTOM_REPOSITORY"),
                deploy_key: environment.get(DEPLOY_KEY).is_some_and(|v| !v.is_empty()),
            },
        )?;
        let (data_key, origin) = self.data_key(&mode, layout, &environment)?;
        environment.forget(ENCRYPTION_KEY);
        Ok(Started { mode, environment, data_key, origin, audit })
    }

    fn environment(&mut self, layout: &Layout) -> Result<Environment, SecretdError> {
        let read = |fd: Option<OwnedFd>| match fd {
            Some(fd) => NamedFile::new("The launch environment", fd)?.read(LONGEST_LAUNCH),
            None => Ok(Zeroizing::default()),
        };
        let (launch, host) = (read(self.launch.take())?, read(self.host.take())?);
        let private = match PRIVATE_FILES.iter().find_map(|name| self.private.remove_entry(*name)) {
            Some((name, fd)) => private_file(&name, fd, layout)?,
            None => Assignments::new(),
        };
        Environment::new(&launch, &host, &private)
    }

    fn data_key(
        &mut self,
        mode: &StartMode,
        layout: &Layout,
        environment: &Environment,
    ) -> Result<(DataKey, KeyOrigin), SecretdError> {
        let temporary = start_mode::temporary_key_allowed(mode, layout);
        let Some(wrapping) = environment.get(ENCRYPTION_KEY).filter(|v| !v.is_empty()) else {
            if temporary {
                return Ok((DataKey::random()?, KeyOrigin::Temporary));
            }
            return Err(SecretdError::NoEncryptionKey { mode: start_mode::name(mode) });
        };
        let wrapping = WrappingKey::new(wrapping)?;
        let name = environment_name(environment)?;
        let chosen = key_file::choose(name, self.key_files.keys().map(String::as_str)).map(str::to_owned);
        if let Some((name, fd)) = chosen.and_then(|name| self.key_files.remove_entry(&name)) {
            let file = NamedFile::new(&name, fd)?;
            // It is ciphertext, and a fresh checkout of the repository leaves it open to others: no reason to stay down.
            if !layout.inspect
                && let Err(exposed) = file.close_to_others(Mode::S_IRUSR | Mode::S_IWUSR)
            {
                eprintln!("gopher-secretd: {exposed}");
            }
            let text = file.read(key_file::MAX_FILE)?;
            return Ok((DataKey::open(&wrapping, file.name(), &text)?, KeyOrigin::Opened));
        }
        match self.new_key_file.take() {
            Some(fd) => {
                let key = DataKey::random()?;
                write_new(fd, &key.wrap(&wrapping)?)?;
                Ok((key, KeyOrigin::Made))
            }
            None if temporary => Ok((DataKey::random()?, KeyOrigin::Temporary)),
            None => Err(SecretdError::NoNewKeyFile { reason: "the directory cannot be written".to_owned() }),
        }
    }
}

impl Started {
    /// The weakest kind of memory that holds a key.
    pub(crate) fn locked_memory(&self) -> LockedMemory {
        match (self.data_key.memory(), self.environment.memory()) {
            (MemoryKind::Plain, _) | (_, MemoryKind::Plain) => LockedMemory::Plain,
            (MemoryKind::Locked, _) | (_, MemoryKind::Locked) => LockedMemory::Locked,
            (MemoryKind::Secret, MemoryKind::Secret) => LockedMemory::Secret,
        }
    }
}

fn private_file(name: &str, fd: OwnedFd, layout: &Layout) -> Result<Assignments, SecretdError> {
    let file = NamedFile::new(name, fd)?;
    // Who only looks leaves everything as it is.
    if !layout.inspect {
        file.close_to_others(if name == ".env" { Mode::S_IRUSR } else { Mode::S_IRUSR | Mode::S_IWUSR })?;
    }
    let text = file.read(env_file::MAX_FILE)?;
    env_file::parse(&text).map_err(|problem| SecretdError::EnvFile { name: name.to_owned(), problem })
}

/// `GOPHER_ENVIRONMENT`, which becomes part of file names.
fn environment_name(environment: &Environment) -> Result<&str, SecretdError> {
    let name = environment.get("GOPHER_ENVIRONMENT").unwrap_or_default();
    match std::str::from_utf8(name) {
        Ok("." | "..") | Err(_) => Err(SecretdError::BadEnvironmentName),
        Ok(name) if name.contains(['/', '\0']) => Err(SecretdError::BadEnvironmentName),
        Ok(name) => Ok(name),
    }
}

/// Writes and syncs the text of a new key file. The supervisor names the file only after that.
fn write_new(fd: OwnedFd, text: &str) -> Result<(), SecretdError> {
    let failed = |reason: String| SecretdError::NoNewKeyFile { reason };
    let file = NamedFile::new("The new key file", fd)?;
    if !file.is_empty() {
        return Err(failed("the file for it is not empty".to_owned()));
    }
    file.close_to_others(Mode::S_IRUSR | Mode::S_IWUSR)?;
    let mut file = file.into_file();
    file.write_all(text.as_bytes()).map_err(|e| failed(e.to_string()))?;
    fsync(&file).map_err(|e| failed(e.to_string()))
}

/// Keeps all of this process out of swap, where its limit cannot starve it of memory; keys are in pages of their own in any case.
fn lock_all_memory() {
    const PLENTY: u64 = 256 << 20;
    if getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY || soft >= PLENTY) {
        // Refused by the kernel, the pages of the keys remain locked one by one.
        let _ = mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read as _, io::Seek as _, path::Path};

    use super::*;

    const PRODUCTION: Layout = Layout { robot_in_home: false, robot_in_custom: true, demo: false, inspect: false };
    const DEMO: Layout = Layout { robot_in_home: false, robot_in_custom: false, demo: true, inspect: false };
    const KEY: &str = "GOPHER_ENCRYPTION_KEY=0123456789abcdef0123456789abcdef\0";
    const REPOSITORY: &str = "GOPHER_CUSTOM_REPOSITORY=git@example.com:robot.git\0";

    fn file(content: &str) -> OwnedFd {
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(content.as_bytes()).expect("written");
        file.into()
    }

    fn launched(values: &[&str]) -> Startup {
        let mut startup = Startup::default();
        assert!(startup.launch_environment(file(&values.concat())));
        startup
    }

    fn sentence(startup: Startup, layout: &Layout) -> String {
        startup.begin(layout).err().expect("refused").to_string()
    }

    /// A key file as it was written by a robot started once.
    fn made() -> String {
        let mut out = tempfile::tempfile().expect("file");
        let mut startup = launched(&[KEY, REPOSITORY]);
        assert!(startup.new_key_file(out.try_clone().expect("cloned").into()));
        let started = startup.begin(&PRODUCTION).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(started.origin, KeyOrigin::Made);
        assert!(!started.environment.is_set(ENCRYPTION_KEY), "the wrapping key has done its duty");
        let mut text = String::new();
        out.rewind().expect("rewound");
        out.read_to_string(&mut text).expect("read");
        text
    }

    #[test]
    fn a_new_key_file_opens_at_the_next_start() {
        let text = made();
        assert_eq!(text.len(), 80);
        let mut startup = launched(&[KEY, REPOSITORY]);
        assert!(startup.key_file("binary-encrypted-key".into(), file(&text)));
        let started = startup.begin(&PRODUCTION).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((started.origin, &started.mode), (KeyOrigin::Opened, &StartMode::Production));
    }

    #[test]
    fn the_environment_chooses_the_key_file() {
        let text = made();
        let mut startup = launched(&[KEY, REPOSITORY, "GOPHER_ENVIRONMENT=staging\0"]);
        assert!(startup.key_file("binary-encrypted-key".into(), file("broken")));
        assert!(startup.key_file("binary-encrypted-key.staging".into(), file(&text)));
        assert!(startup.begin(&PRODUCTION).is_ok());
        let startup = launched(&[KEY, REPOSITORY, "GOPHER_ENVIRONMENT=../x\0"]);
        assert!(sentence(startup, &PRODUCTION).starts_with("GOPHER_ENVIRONMENT must be a single path segment"));
    }

    #[test]
    fn without_a_key_only_demo_and_test_robots_start() {
        let started = launched(&[]).begin(&DEMO).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((started.origin, started.mode), (KeyOrigin::Temporary, StartMode::Demo));
        assert_eq!(
            sentence(launched(&[REPOSITORY]), &PRODUCTION),
            "unable to initialize encryption for startup mode 'production', \
             no GOPHER_ENCRYPTION_KEY set in environment (or .env)"
        );
        let bootstrap = Layout { robot_in_custom: false, ..PRODUCTION };
        assert_eq!(
            sentence(launched(&[REPOSITORY, KEY]), &bootstrap),
            "unable to start in bootstrap mode with no GOPHER_DEPLOY_KEY in the environment (or .env)"
        );
        let short = launched(&["GOPHER_ENCRYPTION_KEY=short\0"]);
        assert!(sentence(short, &DEMO).starts_with("GOPHER_ENCRYPTION_KEY has 5 bytes"));
        assert!(sentence(launched(&[KEY, REPOSITORY]), &PRODUCTION).contains("none can be written"));
    }

    #[test]
    fn the_private_file_is_read_and_env_comes_first() {
        let mut startup = launched(&[]);
        let key = KEY.trim_end_matches('\0');
        assert!(startup.private_environment("private/environment".into(), file("not even valid")));
        assert!(startup.private_environment(".env".into(), file(&format!("GOPHER_CUSTOM_REPOSITORY=x\n{key}\n"))));
        assert!(startup.new_key_file(file("")));
        let started = startup.begin(&PRODUCTION).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(started.mode, StartMode::Production);
        let mut startup = launched(&[]);
        assert!(startup.private_environment(".env".into(), file("A=1\nB='swordfish")));
        assert_eq!(sentence(startup, &DEMO), ".env, line 2: the quoted value that begins here does not end.");
        assert!(!Startup::default().private_environment("other".into(), file("")), "only the two known names");
    }

    #[test]
    fn bad_files_are_refused_by_name() {
        let with_key_file = |fd| {
            let mut startup = launched(&[KEY, REPOSITORY]);
            assert!(startup.key_file("binary-encrypted-key".into(), fd));
            sentence(startup, &PRODUCTION)
        };
        assert!(with_key_file(file("")).starts_with("binary-encrypted-key is empty"));
        assert!(with_key_file(file("###")).starts_with("binary-encrypted-key is not base64"));
        assert!(with_key_file(file(&"A".repeat(9000))).starts_with("binary-encrypted-key is 9000 bytes long"));
        assert!(with_key_file(file(&"A".repeat(80))).starts_with("binary-encrypted-key does not open"));
        let directory = File::open(Path::new("/")).expect("root").into();
        assert!(with_key_file(directory).starts_with("binary-encrypted-key is not a regular file"));
        let mut startup = launched(&[KEY, REPOSITORY]);
        assert!(startup.new_key_file(file("taken")));
        assert!(sentence(startup, &PRODUCTION).contains("not empty"));
    }

    #[test]
    fn nothing_is_taken_twice() {
        let mut startup = launched(&[]);
        assert!(!startup.launch_environment(file("")));
        assert!(startup.key_file("k".into(), file("")) && !startup.key_file("k".into(), file("")));
        assert!(startup.audit_file(file("")) && !startup.audit_file(file("")));
        assert!(startup.new_key_file(file("")) && !startup.new_key_file(file("")));
    }
}
