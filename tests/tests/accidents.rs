//! Robots whose configuration an accident has hit: each loads, or is refused with a place and a sentence; and a robot
//! that runs goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::Path};

use gopher_config::{Diagnostic, Disk, Launch};
use gopher_protocol::{
    ids::Generation,
    loader::{Sources, StartMode},
};
use gopher_tests::{
    mutation::{Dice, configuration, spoil},
    programs::workspace,
    robot::{Home, Robot, Start},
};

const ROBOTS: [&str; 5] = ["api", "bad", "demo", "simple", "workshop"];
const ACCIDENTS: u64 = 100;

fn sources(home: &Path) -> Sources {
    let text = |path: &Path| path.display().to_string();
    let own = if home.join("custom").is_dir() { home.join("custom") } else { home.to_owned() };
    Sources {
        home: text(home),
        config_dir: text(&own),
        install_dir: text(&workspace().join("packaging/share")),
        mode: StartMode::Production,
        protocol: Some("test".into()),
        demo_extensions: false,
        extra_root: None,
    }
}

/// What is said of a robot: the errors that refuse it, or the reasons of what is disabled and the notices.
fn load(home: &Path) -> Result<Vec<String>, Vec<Diagnostic>> {
    let launch = Launch {
        private: vec!["GATE_TOKEN".into(), "GOPHER_DEPLOY_KEY".into()],
        encryption: true,
        nonce: *b"0123456789abcdef",
        ..Launch::default()
    };
    let mut draft = gopher_config::read(Generation(1), &sources(home), &launch, &Disk)?;
    draft.table();
    let default = "Commands: [ { Command: one, Regex: one } ]\n";
    let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(default.to_owned()))).collect();
    let robot = draft.finish(answers)?;
    Ok(robot.disabled.into_iter().map(|d| d.reason).chain(robot.notices).collect())
}

/// A place in a file of the robot or of the install tree that is really there: `FILE:LINE:COLUMN: `.
fn has_place(error: &Diagnostic, home: &Path) -> bool {
    let file = home.join(&error.file);
    let Ok(text) = fs::read(&file) else {
        // One that should be there is missing.
        return error.line == 0;
    };
    let lines = text.split(|b| *b == b'\n').count();
    let line = usize::try_from(error.line).expect("a usize");
    (1..=lines + 1).contains(&line) && error.column > 0
}

#[test]
fn every_accident_is_loaded_or_refused_with_its_place() {
    let mut refused = 0;
    for robot in ROBOTS {
        let home = Home::copy_of(robot);
        let files = configuration(home.path());
        assert!(load(home.path()).is_ok(), "{robot} is refused as it is");
        for seed in 0..ACCIDENTS {
            let mut dice = Dice::new(seed);
            let file = &files[dice.below(files.len())];
            let whole = fs::read(file).expect("readable");
            let spoilt = spoil(&whole, &mut dice);
            fs::write(file, &spoilt).expect("written");
            let shown = || format!("{robot} {seed} {}:\n{}", file.display(), String::from_utf8_lossy(&spoilt));
            match load(home.path()) {
                Ok(said) => {
                    assert!(said.iter().all(|s| !s.contains("GSECRET")), "{said:?}\n{}", shown());
                }
                Err(errors) => {
                    refused += 1;
                    assert!(!errors.is_empty(), "{}", shown());
                    for error in &errors {
                        let sentence = error.to_string();
                        assert!(has_place(error, home.path()), "{sentence}\n{error:?}\n{}", shown());
                        assert!(!sentence.contains("GSECRET"), "{sentence}\n{}", shown());
                    }
                }
            }
            fs::write(file, whole).expect("written");
        }
    }
    println!("{refused} of {} were refused", ROBOTS.len() as u64 * ACCIDENTS);
    assert!(refused > 100 && refused < 450, "accidents are neither harmless nor always deadly: {refused}");
}

#[test]
fn a_running_robot_survives_accidents() {
    let mut robot = Robot::start(Home::copy_of("workshop"), &Start::gopherd(&[]).with("GOPHER_ENVIRONMENT", "staging"));
    let files = configuration(robot.home.path());
    let (mut taken, mut refused) = (0, 0);
    for seed in 1000..1010 {
        let mut dice = Dice::new(seed);
        let file = &files[dice.below(files.len())];
        let whole = fs::read(file).expect("readable");
        fs::write(file, spoil(&whole, &mut dice)).expect("written");
        let output = robot.gopherctl(&["reload"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(0) => taken += 1,
            Some(78) => refused += 1,
            other => panic!("{seed}: {other:?}: {said}"),
        }
        robot.ping();
        fs::write(file, whole).expect("written");
        let output = robot.gopherctl(&["reload"]);
        assert!(output.status.success(), "{seed}: {}", String::from_utf8_lossy(&output.stdout));
        robot.ask(";lend saw", "lent: saw");
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
}
