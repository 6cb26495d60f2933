//! `chmod`.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::{
    job::{Job, Outcome, Stop, usage},
    mode,
    options::parse,
};

pub(crate) fn chmod(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    // `-x` and the like are modes, not options.
    let protected: Vec<OsString> = arguments
        .iter()
        .map(|word| match word.to_str() {
            Some(text)
                if text.starts_with('-')
                    && text.len() > 1
                    && text[1..].chars().all(|c| "rwxXst,+=-ugoa".contains(c))
                    && !text.starts_with("--") =>
            {
                OsString::from(format!("a{text}"))
            }
            _ => word.clone(),
        })
        .collect();
    let mut options = parse(&protected, "RF:", &[("recursive", 'R'), ("reference", 'F')])?;
    let text = match options.value('F').map(OsStr::to_owned) {
        Some(reference) => {
            let found = fs::metadata(job.resolve(&reference));
            let Some(found) = job.check(&reference, found) else {
                return Ok(());
            };
            format!("{:o}", found.permissions().mode() & 0o7777)
        }
        None if options.operands.is_empty() => return usage("a mode is missing"),
        None => options.operands.remove(0).to_string_lossy().into_owned(),
    };
    if mode::changed(&text, 0, false).is_none() {
        return Err(Stop::Failed(format!("\"{text}\" is no mode"), 1));
    }
    if options.operands.is_empty() {
        return usage("a file is missing");
    }
    for file in &options.operands {
        apply(job, Path::new(file), &text, options.has('R'));
    }
    Ok(())
}

fn apply(job: &mut Job<'_>, file: &Path, text: &str, recursive: bool) {
    let path = job.resolve(file);
    let Some(found) = job.check(file, fs::metadata(&path)) else {
        return;
    };
    // Contents first, as the new mode may shut us out.
    if recursive
        && found.is_dir()
        && let Some(entries) = job.check(file, fs::read_dir(&path))
    {
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
                apply(job, &file.join(entry.file_name()), text, true);
            }
        }
    }
    if let Some(new) = mode::changed(text, found.permissions().mode(), found.is_dir()) {
        job.check(file, fs::set_permissions(&path, Permissions::from_mode(new)));
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use crate::testing::{Case, table};

    fn mode(case: &Case, path: &str) -> u32 {
        fs::metadata(case.place.path().join(path)).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn modes_are_changed() {
        let case = Case::line("chmod -R 700 d").file("d/f", "").file("g", "");
        assert_eq!(case.run().status, 0);
        assert_eq!((mode(&case, "d"), mode(&case, "d/f")), (0o700, 0o700));
        for (line, now) in [
            ("chmod u=rw,go= g", 0o600),
            ("chmod +x g", 0o711),
            ("chmod -x g", 0o600),
            ("chmod --reference=d/f g", 0o700),
            ("chmod --reference d g", 0o700),
        ] {
            let done = case.then(line);
            assert_eq!((done.status, mode(&case, "g")), (0, now), "{line} {}", done.stderr);
        }
    }

    #[test]
    fn wrong_calls_are_refused() {
        table(&[
            ("chmod q a", "", "", 1),
            ("chmod 644", "", "", 2),
            ("chmod 644 none", "", "", 1),
            ("chmod", "", "", 2),
        ]);
    }
}
