if (true) {
