"""What the user can do, one module each, called as the command is."""
