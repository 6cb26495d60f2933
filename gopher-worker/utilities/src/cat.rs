//! `cat`.

use std::{ffi::OsString, io::ErrorKind};

use crate::{
    job::{Job, Outcome, Stop},
    options::parse,
};

pub(crate) fn cat(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "u", &[])?;
    job.inputs(&options.operands, |_, input, output| {
        loop {
            let chunk = match input.fill_buf() {
                Ok([]) => return Ok(()),
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stop::Input(error)),
            };
            output.write_all(chunk)?;
            let count = chunk.len();
            input.consume(count);
            // What follows a slow writer shows at once.
            output.flush()?;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use crate::{
        Io,
        testing::{Case, table},
        utility,
    };

    #[test]
    fn files_and_stdin_are_joined() {
        table(&[
            ("cat", "in\n", "in\n", 0),
            ("cat a - b", "in\n", "one\ntwo\nthree\nin\nx y\n", 0),
            ("cat -u b", "", "x y\n", 0),
            ("cat -- b", "", "x y\n", 0),
        ]);
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_rest_still_shown() {
        let done = Case::line("cat none . f").file("f", b"\xff\n").run();
        assert_eq!(done.bytes, b"\xff\n");
        assert_eq!(done.stderr, "cat: none: No such file or directory\ncat: .: Is a directory\n");
        assert_eq!(done.status, 1);
    }

    /// A reader that went away.
    struct Closed;

    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_ends_a_utility_quietly() {
        for name in ["yes", "cat", "seq"] {
            let mut stderr = Vec::new();
            let mut run = |_: crate::Call<'_>| 0;
            let status = utility(name).unwrap()(
                &if name == "seq" { vec!["1000000".into()] } else { vec![] },
                &mut Io {
                    stdin: &mut io::repeat(b'x'),
                    stdout: &mut Closed,
                    stderr: &mut stderr,
                    directory: "/".as_ref(),
                    environment: &[],
                    run: &mut run,
                },
            );
            assert_eq!((status, stderr.len()), (141, 0), "{name}");
        }
    }
}
