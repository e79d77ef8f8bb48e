"""Facts and wishes in, plans out. Pure."""
