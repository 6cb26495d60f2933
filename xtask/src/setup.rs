//! What the tests need besides Rust: interpreters, and a mail server.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::step::{Failure, announce, is_root, on_path, run};

/// A program, the Debian package that brings it, and what is skipped without it.
struct Need {
    program: &'static str,
    package: &'static str,
    without: &'static str,
}

const NEEDS: [Need; 4] = [
    Need { program: "bash", package: "bash", without: "tests of bash extensions" },
    Need { program: "python3", package: "python3", without: "tests of Python extensions" },
    Need { program: "ruby", package: "ruby", without: "tests of Ruby extensions" },
    Need { program: "aiosmtpd", package: "python3-aiosmtpd", without: "a test with a real mail server" },
];

/// Where a confined run finds programs, whatever version managers the author uses.
const SYSTEM: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/bin"];

/// As root installs what is missing; else, or if that fails, names it. Tests skip what they cannot run, by name.
pub(crate) fn install_missing() {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !is_there(need.program)).collect();
    if missing.is_empty() {
        return;
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if is_root() && on_path("apt-get").is_some() {
        announce(&format!("installing {}", packages.join(", ")));
        if install(&packages).is_ok() {
            return;
        }
    }
    for need in missing.iter().filter(|need| !is_there(need.program)) {
        println!("{} is missing (package {}): {} will be skipped.", need.program, need.package, need.without);
    }
}

/// The command: says so when nothing is missing.
pub(crate) fn run_command() {
    install_missing();
    if NEEDS.iter().all(|need| is_there(need.program)) {
        println!("Everything the tests use is installed.");
    }
}

fn is_there(program: &str) -> bool {
    // Root's runs see system directories only, not what lies in a home.
    system_program(program).is_some() || (!is_root() && on_path(program).is_some())
}

/// The machine's own program of that name.
pub(crate) fn system_program(name: &str) -> Option<PathBuf> {
    SYSTEM.iter().map(|dir| Path::new(dir).join(name)).find(|file| file.is_file())
}

fn install(packages: &[&str]) -> Result<(), Failure> {
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(args);
        command
    };
    let mut wanted = vec!["install", "--yes", "--no-install-recommends"];
    wanted.extend_from_slice(packages);
    // The package lists of a fresh machine are empty or old.
    run(&mut apt(&wanted)).or_else(|_| run(&mut apt(&["update"])).and_then(|()| run(&mut apt(&wanted))))
}
