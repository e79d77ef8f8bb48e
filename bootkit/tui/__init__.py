"""The text interface: screens and widgets over the use cases of :mod:`bootkit.app`.

Rules live in ``app``, where the command line finds them too. A widget gets values and posts messages; whatever takes time
runs in a worker thread, and an error of ours becomes a line with its hint.
"""
