"""One widget a file: it gets a value and posts a message."""
