"""``log``: what the last boots have written to the stick."""

from bootkit.cli import output
from bootkit.cli.options import AsJson, StickOption
from bootkit.i18n import tr


def log(stick: StickOption = None, as_json: AsJson = False) -> None:
    """Print what the last boots from the stick have written to it, the newest first."""
    from bootkit.app.verbs.log import read_logs
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        logs = read_logs(opened.volume)
    if as_json:
        output.json({"logs": [{"name": name, "text": text} for name, text in logs]})
        return
    if not logs:
        output.say(tr("No boot has left a log on the stick yet."))
    for name, text in logs:
        output.answer(f"== {name}\n{text.rstrip()}\n")
