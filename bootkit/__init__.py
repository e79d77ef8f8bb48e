"""Many unchanged ISO files on one USB stick: what can boot, and how, is read out of the files themselves."""

__version__ = "0.1.0"
