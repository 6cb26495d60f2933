// Ends whoever reads it.
process.exit(5);
