This is neither a script nor a program.
