//! Long-term memories: an update that is sealed and on disk, against what the disk costs. Both by turns in the same run,
//! for what a sync costs changes from one second to the next.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

use super::{
    figures::Row,
    robot::{PROTOCOL, Robot},
    sample::{Sample, ms, ratio},
};
use crate::step::{Failure, Scratch};

/// Updates, or commits, of one turn: as few as can be timed, so that both meet the same mood of the disk.
const BATCH: u32 = 10;
/// Turns that are measured.
const ROUNDS: usize = 150;
/// Turns before: a log of the database that still grows costs more to sync, so both fill theirs once.
const WARM: usize = 150;
const LIMIT: f64 = 2.0;

const ROBOT: &str = "
PrimaryProtocol: test
BotInfo: { UserName: bender, FullName: Bender Rodriguez }
Alias: \";\"
AdminUsers: [ alice ]
DefaultChannels: [ general ]
LogLevel: warn
UserRoster: [ { UserName: alice } ]
Brain: file
ExternalPlugins:
  mind: { Path: plugins/mind.js, Network: false }
";

/// One run that does a batch whenever it is told to, and says how many microseconds its updates took. An update needs a
/// checkout, which is not part of it.
const MIND: &str = r#"
const command = process.argv[2];
function main() {
  if (command === "_configure") return "Commands: [ { Command: begin, Regex: 'begin' } ]";
  if (command === "_init") return 0;
  const { Robot } = require("gopherbot_v1")();
  const bot = new Robot();
  const text = "x".repeat(480);
  let told = "next";
  while (bot.PromptForReply("SimpleString", told).reply === "update") {
    let spent = 0;
    for (let n = 0; n < 10; n++) {
      const memory = bot.CheckoutDatum("bench", true);
      memory.datum = { n, text };
      const begun = performance.now();
      const ret = bot.UpdateDatum(memory);
      spent += performance.now() - begun;
      if (ret !== 0) bot.Say("update failed: " + ret);
    }
    told = "took " + Math.round(spent * 1000);
  }
  bot.Say("over");
  return 0;
}
main();
"#;

pub(crate) fn rows(wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, Failure> {
    if wanted("brain") { Ok(vec![update()?]) } else { Ok(Vec::new()) }
}

fn update() -> Result<Row, Failure> {
    const NAME: &str = "brain update, durable and sealed / a bare SQLite commit";
    eprintln!("bench: {NAME}");
    let scratch = Scratch::new("bench-brain")?;
    let dir = scratch.path();
    for (name, text) in [
        ("conf/robot.yaml", ROBOT),
        ("conf/protocols/test.yaml", PROTOCOL),
        ("plugins/mind.js", MIND),
        // The key makes memories last.
        (".env", "GOPHER_ENCRYPTION_KEY=a-key-of-thirty-two-letters-only\n"),
    ] {
        let path = dir.join(name);
        let parent = path.parent().unwrap_or(dir);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|e| Failure::new(format!("{name}: {e}")))?;
    }
    let mut robot = Robot::start(dir)?;
    let bare = Bare::beneath(&dir.join("bare"))?;
    let mut turns = Turns::default();
    robot.ask(";begin", "next")?;
    for turn in 0..WARM + ROUNDS {
        let (update, bare) = (updates(&mut robot)?, bare.commits()?);
        if turn >= WARM {
            turns.take(update / BATCH, bare / BATCH);
        }
    }
    robot.ask("end", "over")?;
    Ok(turns.row(NAME))
}

/// How long the run's updates of a batch take.
fn updates(robot: &mut Robot) -> Result<Duration, Failure> {
    robot.say("u0001", "update")?;
    let (_, text) = robot.heard()?;
    let took = text.split_once("took ").and_then(|(_, number)| number.trim().parse().ok());
    took.map(Duration::from_micros).ok_or_else(|| Failure::new(format!("the run said `{text}`")))
}

/// What was measured, turn by turn.
#[derive(Default)]
struct Turns {
    sealed: Sample,
    commits: Sample,
}

impl Turns {
    fn take(&mut self, sealed: Duration, commit: Duration) {
        self.sealed.push(sealed);
        self.commits.push(commit);
    }

    fn row(&self, name: &'static str) -> Row {
        let spread = |sample: &Sample| {
            let [low, middle, high] = [10, 50, 90].map(|percent| ms(sample.percentile(percent)));
            format!("{middle} (a tenth below {low}, a tenth above {high})")
        };
        eprintln!("bench: a bare commit takes {}, an update {}", spread(&self.commits), spread(&self.sealed));
        let ratio = ratio(self.sealed.median(), self.commits.median());
        Row {
            name,
            measured: ms(self.sealed.median()),
            ratio: format!("{ratio:.2}"),
            goal: "<= 2 x",
            met: ratio <= LIMIT,
        }
    }
}

/// The table of the store.
const TABLE: &str = "CREATE TABLE record (store TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, \
    sealed BLOB NOT NULL, PRIMARY KEY (store, key)) WITHOUT ROWID";

/// One like it on the same disk, opened as the store is.
struct Bare {
    connection: gopher_sys::database::Connection,
    _directory: File,
}

impl Bare {
    fn beneath(path: &Path) -> Result<Self, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(format!("the bare database: {e}"));
        fs::create_dir_all(path).map_err(|e| failed(&e))?;
        let directory = File::open(path).map_err(|e| failed(&e))?;
        let connection = gopher_sys::database::open(&directory, "bare.db").map_err(|e| failed(&e))?;
        let made = gopher_sys::database::be_durable(&connection).and_then(|()| connection.execute_batch(TABLE));
        made.map_err(|e| failed(&e))?;
        Ok(Self { connection, _directory: directory })
    }

    /// How long a batch takes.
    fn commits(&self) -> Result<Duration, Failure> {
        let begun = Instant::now();
        for n in 0..BATCH {
            let put = "INSERT OR REPLACE INTO record VALUES ('brain', 'mind:bench', ?, randomblob(530))";
            self.connection.execute(put, [n]).map_err(|e| Failure::new(format!("the bare database: {e}")))?;
        }
        Ok(begun.elapsed())
    }
}
