"""The files that a data partition begins with."""

from bootkit import __version__
from bootkit.app.menu.grub_cfg import menu_of
from bootkit.model.catalog import MenuSettings
from bootkit.model.options import Choices, option
from bootkit.model.places import GRUBENV, IMAGE_FOLDER, MENU, MENU_FONT, STICK_FILE
from bootkit.model.plan import WriteFile
from bootkit.model.prepare import Wish
from bootkit.render.appearance import appearance_files
from bootkit.render.menu import empty_grubenv
from bootkit.system.loaders import menu_font


def first_files(wish: Wish) -> tuple[WriteFile, ...]:
    """What the data partition begins with."""
    font = menu_font()
    menu = menu_of((), Choices())
    return (
        WriteFile(path=menu.parts_path, content=menu.parts),
        WriteFile(path=MENU, content=menu.grub_cfg),
        WriteFile(path=GRUBENV, content=empty_grubenv()),
        *(WriteFile(path=path, content=content) for path, content in appearance_files(MenuSettings()).items()),
        *(() if font is None else (WriteFile(path=MENU_FONT, content=font),)),
        WriteFile(path=STICK_FILE, content=stick_file(wish).encode()),
    )


def stick_file(wish: Wish) -> str:
    """stick.toml as a new stick has it."""
    return f"""\
# Your choices for this stick. Change them with an editor. Run 'bootkit generate' afterwards. stick.toml(5) tells all keys.

[stick]
# Written by 'bootkit prepare', for you to know; nothing reads them back but 'bootkit upgrade'.
prepared_by = "{__version__}"
created = "{wish.created}"
layout = "{wish.layout}"

[menu]
# Seconds until the first entry starts; -1 waits for ever.
timeout = {option("timeout").default}
# Image that starts by itself, as a path on this partition: "{IMAGE_FOLDER}/debian.iso". Empty: the first one.
default = ""
# true: the menu and the kernels talk to the first serial port, too.
serial = false

[options]
# For all images; [stack.NAME] and [image."{IMAGE_FOLDER}/NAME.iso"] take the same choices for some of them.
# language = "de_DE.UTF-8"
# keyboard = "de(nodeadkeys)"
# timezone = "Europe/Berlin"
# Words added to every kernel command line: ["quiet"].
extra_words = []
"""
