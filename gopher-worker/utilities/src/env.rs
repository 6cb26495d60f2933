//! `env`, which only shows, and `which`.

use std::{
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    job::{Job, Outcome, usage},
    options::parse,
    utility,
};

pub(crate) fn env(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    if !arguments.is_empty() {
        return usage("it takes no arguments: NAME=value COMMAND sets a variable for one command");
    }
    let mut variables: Vec<_> = job.environment.iter().collect();
    variables.sort();
    for (name, value) in variables {
        writeln!(job.stdout, "{name}={value}")?;
    }
    Ok(())
}

pub(crate) fn which(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "", &[])?;
    if options.operands.is_empty() {
        return usage("a name is needed");
    }
    for name in &options.operands {
        if name.to_str().and_then(utility).is_some() {
            writeln!(job.stdout, "{} (gsh builtin)", name.display())?;
        } else if let Some(path) = on_path(job, name) {
            job.stdout.write_all(path.as_os_str().as_bytes())?;
            job.stdout.write_all(b"\n")?;
        } else {
            job.status = 1;
        }
    }
    Ok(())
}

/// The program that the shell would start.
fn on_path(job: &Job<'_>, name: &OsString) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return executable(&job.resolve(name)).then(|| PathBuf::from(name));
    }
    let directories = std::env::split_paths(job.variable("PATH")?);
    let mut found = directories.map(|directory| job.resolve(directory).join(name));
    found.find(|path| executable(path))
}

fn executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use crate::testing::{Case, table};

    #[test]
    fn exported_variables_are_listed_in_order() {
        let done = Case::line("env").variable("B", "2 x").variable("A", "1").run();
        assert_eq!((done.stdout.as_str(), done.status), ("A=1\nB=2 x\n", 0));
        table(&[("env A=1 cat", "", "", 2)]);
    }

    #[test]
    fn programs_are_found_on_the_path_of_the_shell() {
        let case = Case::line("which cat tool none").file("bin/tool", "").file("bin/none", "").variable("PATH", "bin");
        let tool = case.place.path().join("bin/tool");
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        let done = case.run();
        assert_eq!(done.stdout, format!("cat (gsh builtin)\n{}\n", tool.display()));
        assert_eq!(done.status, 1);
    }
}
