"""Keys: what they do, what the footer and F1 call it, and the command that does the same."""

from textual.binding import Binding

from bootkit.i18n import tr


def key(
    keys: str, action: str, words: str, *, shown: bool = True, display: str = "", twin: str = "", first: bool = False
) -> Binding:
    """A binding that a key map can change by the name of its action, ``add``.

    ``twin`` is the command of the same effect. ``first`` takes the key before the focused widget can.
    """
    return Binding(
        keys,
        action,
        words,
        show=shown,
        key_display=display or None,
        priority=first,
        tooltip=twin,
        # ``app.quit`` and ``step(1)`` are quit and step to whoever writes a key map
        id=action.rpartition(".")[2].partition("(")[0],
    )


HELP = key("f1", "app.help", tr("Help"), display="F1")
"""On dialogs: the keys of the program itself do not reach them."""
