"""Which package brings a program."""


def hint_for(program: str) -> str:
    """What to do when ``program`` is not installed."""
    return f"install the package of your distribution that has {program}"
