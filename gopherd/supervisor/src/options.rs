//! Command line of `gopherd`.

use std::{ffi::OsString, path::PathBuf};

use crate::error::SupervisorError;

/// Shown by `--help`.
pub(crate) const USAGE: &str = "\
Usage: gopherd [-C DIR] [options]

Runs the robot in DIR (default: the current directory) until it is told to stop.

  -C DIR                    the robot's home
  --demo                    run the default robot with its extra extensions
  --install-dir DIR         installed conf, lib and plugins (default: beside this program)
  --protocol NAME           talk through this protocol instead of PrimaryProtocol
  --root DIR                look relative extension paths up here too, before the install tree
  --read-path DIR           let runs read this directory too (may be repeated)
  --test-fd N               listening socket of a suite driver, for the test protocol
  --capability-off NAME     this connector has no hidden commands (may be repeated)
  --inspect DIR             only load the configuration, with sockets and state in DIR
  --no-isolation            run without user namespaces, where there are none
  --help, --version
";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of a command line")]
pub(crate) struct Options {
    pub(crate) home: Option<PathBuf>,
    pub(crate) demo: bool,
    pub(crate) install_dir: Option<PathBuf>,
    pub(crate) protocol: Option<String>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) read_paths: Vec<PathBuf>,
    pub(crate) test_fd: Option<i32>,
    pub(crate) capabilities_off: Vec<String>,
    pub(crate) no_isolation: bool,
    /// The configuration is only looked at: state and sockets are here, and nothing of the robot's own is written.
    pub(crate) inspect: Option<PathBuf>,
    /// Sealed memory with the `GOPHER_*` values; this program gives it to itself.
    pub(crate) launch_fd: Option<i32>,
    /// No key is among them.
    pub(crate) launch_settings: bool,
    pub(crate) help: bool,
    pub(crate) version: bool,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, SupervisorError> {
        let mut options = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let flag = arg.to_string_lossy().into_owned();
            let mut value = || {
                args.next().ok_or_else(|| SupervisorError::Usage(format!("{flag} needs a value; see gopherd --help")))
            };
            match flag.as_str() {
                "-C" => options.home = Some(value()?.into()),
                "--demo" => options.demo = true,
                "--install-dir" => options.install_dir = Some(value()?.into()),
                "--protocol" => options.protocol = Some(text(value()?)?),
                "--root" => options.root = Some(value()?.into()),
                "--read-path" => options.read_paths.push(value()?.into()),
                "--test-fd" => options.test_fd = Some(number(&flag, value()?)?),
                "--capability-off" => options.capabilities_off.push(text(value()?)?),
                "--inspect" => options.inspect = Some(value()?.into()),
                "--no-isolation" => options.no_isolation = true,
                "--launch-fd" => options.launch_fd = Some(number(&flag, value()?)?),
                "--launch-settings" => options.launch_settings = true,
                "-h" | "--help" => options.help = true,
                "--version" => options.version = true,
                _ => return Err(SupervisorError::Usage(format!("unknown option {flag}; see gopherd --help"))),
            }
        }
        Ok(options)
    }
}

fn text(value: OsString) -> Result<String, SupervisorError> {
    value.into_string().map_err(|v| SupervisorError::Usage(format!("{} is not UTF-8", v.display())))
}

fn number(flag: &str, value: OsString) -> Result<i32, SupervisorError> {
    let value = text(value)?;
    let number = value.parse().ok().filter(|n| *n > 2);
    number.ok_or_else(|| SupervisorError::Usage(format!("{flag} needs the number of an open descriptor, not {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, SupervisorError> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_option_is_read() {
        let options =
            parse("-C /r --demo --protocol test --test-fd 7 --capability-off test --read-path /a --read-path /b");
        let options = options.expect("valid");
        assert_eq!(options.home, Some("/r".into()));
        assert!(options.demo && !options.no_isolation);
        assert_eq!((options.test_fd, options.read_paths.len()), (Some(7), 2));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, word) in [("--frob", "--frob"), ("-C", "-C"), ("--test-fd x", "x"), ("--test-fd 1", "1")] {
            assert!(parse(line).expect_err(line).to_string().contains(word), "{line}");
        }
    }
}
