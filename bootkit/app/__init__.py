"""The use cases. The command line and the text interface call those in :mod:`bootkit.app.verbs` and nothing below them."""
