//! Starting an extension's program, and saying why it did not start.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt as _, process::CommandExt as _},
    },
    path::Path,
    process::{Command, Stdio},
};

use nix::errno::Errno;

/// What one run starts.
pub(crate) struct Start<'a> {
    pub(crate) path: &'a str,
    pub(crate) args: &'a [String],
    pub(crate) env: &'a [(&'a str, &'a str)],
    pub(crate) directory: &'a Path,
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

impl Start<'_> {
    /// Starts the program in a process group of its own; its number, or a whole sentence on why not.
    pub(crate) fn start(self) -> Result<u32, String> {
        let (path, directory) = (self.path, self.directory);
        #[expect(clippy::disallowed_methods, reason = "the one place where a confined run starts its program")]
        let mut command = Command::new(path);
        let started = command
            .args(self.args)
            .env_clear()
            .envs(self.env.iter().copied())
            .current_dir(directory)
            .process_group(0)
            .stdin(Stdio::from(self.stdin))
            .stdout(Stdio::from(self.stdout))
            .stderr(Stdio::from(self.stderr))
            .spawn();
        match started {
            Ok(child) => Ok(child.id()),
            Err(error) => Err(explain(path, directory, &error)),
        }
    }
}

/// Why a program did not start: what, where, what to do.
pub(crate) fn explain(path: &str, directory: &Path, error: &io::Error) -> String {
    let unseen = "is not there, or lies outside what runs may see";
    let file = Path::new(path);
    if !directory.is_dir() {
        return format!("its working directory `{}` {unseen}: create it", directory.display());
    }
    let Ok(metadata) = fs::metadata(file) else {
        return format!("`{path}` {unseen}: put it into the robot, or name its directory in ReadPaths");
    };
    if !metadata.is_file() {
        return format!("`{path}` is not a file: correct the Path of the extension");
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return format!("`{path}` is not executable: run `chmod +x` on it");
    }
    match (error.raw_os_error().map(Errno::from_raw), interpreter(file)) {
        (Some(Errno::ENOENT), Some(interpreter)) => format!(
            "`{path}` asks for the interpreter `{interpreter}`, which {unseen}: install it, or name its directory in ReadPaths"
        ),
        (Some(Errno::ENOEXEC), _) => {
            format!("`{path}` is not a program of this machine and has no interpreter line: begin it with `#!`")
        }
        (Some(Errno::E2BIG), _) => format!("`{path}` was given more arguments and environment than the kernel takes"),
        (Some(Errno::EAGAIN), _) => format!("`{path}` could not be started: the limit of processes is reached"),
        (Some(Errno::EACCES), Some(interpreter)) => {
            format!(
                "`{path}` asks for the interpreter `{interpreter}`, which runs may not execute: correct the interpreter line"
            )
        }
        _ => format!("`{path}` could not be started: {error}"),
    }
}

/// The interpreter that a script's first line names.
fn interpreter(file: &Path) -> Option<String> {
    let mut head = vec![0; 256];
    let count = io::Read::read(&mut fs::File::open(file).ok()?, &mut head).ok()?;
    head.truncate(count);
    let line = String::from_utf8_lossy(head.split(|b| *b == b'\n').next()?).into_owned();
    line.strip_prefix("#!")?.split_whitespace().next().map(str::to_owned)
}

/// The program that `env` was asked for, if that is how the script starts.
pub(crate) fn through_env(path: &str) -> Option<String> {
    let mut head = vec![0; 256];
    let count = io::Read::read(&mut fs::File::open(path).ok()?, &mut head).ok()?;
    let line = String::from_utf8_lossy(&head[..count]).lines().next()?.to_owned();
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    words.next().filter(|w| w.ends_with("/env"))?;
    words.find(|w| !w.starts_with('-') && !w.contains('=')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str, mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("file");
        fs::write(file.path(), text).expect("written");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("mode");
        file
    }

    fn refusal(text: &str, mode: u32, errno: Errno) -> String {
        let file = script(text, mode);
        explain(&file.path().to_string_lossy(), Path::new("/"), &io::Error::from_raw_os_error(errno as i32))
    }

    #[test]
    fn every_refusal_names_the_path_and_the_remedy() {
        assert!(refusal("#!/no/such/perl\n", 0o755, Errno::ENOENT).contains("interpreter `/no/such/perl`"));
        assert!(refusal("echo", 0o644, Errno::EACCES).contains("chmod +x"));
        assert!(refusal("echo", 0o755, Errno::ENOEXEC).contains("`#!`"));
        let error = io::Error::from_raw_os_error(libc_enoent());
        assert!(explain("/no/file", Path::new("/"), &error).contains("ReadPaths"));
        assert!(explain("/bin/sh", Path::new("/no/dir"), &error).contains("/no/dir"));
        assert!(explain("/etc", Path::new("/"), &error).contains("not a file"));
    }

    fn libc_enoent() -> i32 {
        Errno::ENOENT as i32
    }

    #[test]
    fn the_program_behind_env_is_found() {
        let named = |text| through_env(&script(text, 0o755).path().to_string_lossy());
        assert_eq!(named("#!/usr/bin/env python9\n"), Some("python9".into()));
        assert_eq!(named("#!/usr/bin/env -S A=1 deno run\n"), Some("deno".into()));
        assert_eq!(named("#!/bin/bash\n"), None);
    }
}
