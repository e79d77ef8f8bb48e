"""The use cases, one module each. The command line and the text interface call these and nothing below them."""
