"""Byte formats: a binary file in, values out, :class:`~bootkit.errors.FormatError` with an offset for bad input."""
