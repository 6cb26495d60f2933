//! The seam to the built-in utilities: which there are, and how one runs as a command of the shell.
