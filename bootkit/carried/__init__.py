"""What starts the program where it was not installed: from its archive, and from a stick that carries that."""
