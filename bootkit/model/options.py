"""The options that a user can choose, each declared once; command line, form, stick.toml and manual read them here."""

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from functools import lru_cache

from bootkit.model.catalog import DARK, LAST, LIGHT, MENU_LANGUAGES, PLAIN
from bootkit.model.places import IMAGE_FOLDER
from bootkit.values import dataclass

Value = bool | int | str | tuple[str, ...]

PBKDF2 = re.compile(r"grub\.pbkdf2\.sha512\.[1-9][0-9]{0,8}(?:\.[0-9A-F]{2,512}){2}")
"""A password as ``grub-mkpasswd-pbkdf2`` prints it: rounds, salt, digest."""
LOCALE = re.compile(r"[a-z]{2,3}_[A-Z]{2}(\.UTF-8(@[a-z]+)?)?")
KEYBOARD = re.compile(r"(?P<layout>[a-z]{2,8})(?:\((?P<variant>[A-Za-z0-9_-]{1,32})\))?")
"""An XKB layout, its variant in parentheses as in XKB's own rules: ``de``, ``de(nodeadkeys)``."""


class Scope(StrEnum):
    """Where a value comes from, the widest first: the narrowest wins."""

    DEFAULT = "default"
    USER = "user"
    STICK = "stick"
    STACK = "stack"
    IMAGE = "image"

    @property
    def words(self) -> str:
        """The scope in words for people: what the value is from."""
        words = {
            Scope.DEFAULT: "default",
            Scope.USER: "your configuration",
            Scope.STICK: "the stick",
            Scope.STACK: "all of its kind",
            Scope.IMAGE: "this image",
        }
        return words[self]


AUTO = "auto"
UNTOUCHED = "untouched"
"""The computer's own disks are closed until the system is up."""
ANYWHERE = frozenset({Scope.USER, Scope.STICK, Scope.STACK, Scope.IMAGE})
OF_MENU = frozenset({Scope.STICK})
OF_IMAGE = frozenset({Scope.IMAGE})


class Kind(StrEnum):
    """What a value must look like."""

    TEXT = "text"
    SWITCH = "switch"
    NUMBER = "number"
    WORDS = "words"
    LOCALE = "locale"
    KEYBOARD = "keyboard"
    TIMEZONE = "timezone"
    USER = "user"
    HOST = "host"
    PATH = "path"
    """Of an image on the stick."""
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    CHOICE = "choice"
    HOME = "home"
    FILES = "files"

    @property
    def expects(self) -> str:
        """What to write in stick.toml."""
        return {
            Kind.SWITCH: "true or false",
            Kind.NUMBER: "a number",
            Kind.WORDS: "a list of texts in quotes",
            Kind.FILES: "a list of texts in quotes",
        }.get(self, "a text in quotes")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """One option."""

    key: str
    kind: Kind
    default: Value
    title: str
    """A word or two, for a form."""
    help: str
    """One or two sentences."""
    scopes: frozenset[Scope] = ANYWHERE
    choices: tuple[str, ...] = ()
    """All values that there are of a choice; for any other kind words that may stand for a value."""
    least: int = 0
    most: int = 0
    variable: str = ""
    """The shell variable in which every overlay gets it, unless it is the default; empty if none does."""

    @property
    def table(self) -> str:
        """The table of stick.toml in which it stands for the whole stick; empty if it stands for images only."""
        return "menu" if self.scopes == OF_MENU else "options" if Scope.STICK in self.scopes else ""


OPTIONS: tuple[OptionSpec, ...] = (
    OptionSpec(
        key="timeout",
        kind=Kind.NUMBER,
        default=30,
        title="Timeout",
        help="Seconds until the default entry starts; -1 waits for ever.",
        scopes=OF_MENU,
        least=-1,
        most=86400,
    ),
    OptionSpec(
        key="default",
        kind=Kind.PATH,
        default="",
        title="Default image",
        help="The image that starts by itself, as a path on the stick; last: what was started last. "
        "Empty, or an image that is gone: the first one.",
        scopes=OF_MENU,
        choices=(LAST,),
    ),
    OptionSpec(
        key="menu_language",
        kind=Kind.CHOICE,
        default=AUTO,
        title="Menu language",
        help="Of the menu's own texts; auto: the language of the live systems, where the menu speaks it. "
        "A text screen and the serial line get English.",
        scopes=OF_MENU,
        choices=(AUTO, *MENU_LANGUAGES),
    ),
    OptionSpec(
        key="theme",
        kind=Kind.PATH,
        default=DARK,
        title="Look of the menu",
        help="dark, light, plain (GRUB's own look), or the path of a GRUB theme's theme.txt on the stick. "
        "Where the screen shows text only, every menu is plain.",
        scopes=OF_MENU,
        choices=(DARK, LIGHT, PLAIN),
    ),
    OptionSpec(
        key="large_letters",
        kind=Kind.SWITCH,
        default=False,
        title="Large letters",
        help="Larger lines in the dark and the light menu, for a screen of so many points that they are small, or to read them "
        "more easily. Not under Secure Boot.",
        scopes=OF_MENU,
    ),
    OptionSpec(
        key="serial",
        kind=Kind.SWITCH,
        default=False,
        title="Serial console",
        help="Menu and kernels talk to the first serial port, too, at 115200 baud. The menu can switch it.",
        scopes=OF_MENU,
    ),
    OptionSpec(
        key="beep",
        kind=Kind.SWITCH,
        default=False,
        title="Tones",
        help="Two tones say that the menu is there, for those who do not see it. A machine without a speaker stays silent.",
        scopes=OF_MENU,
    ),
    OptionSpec(
        key="password",
        kind=Kind.PASSWORD,
        default="",
        title="Menu password",
        help="Asked for by the menu, of the user 'owner'. Only its PBKDF2 digest is kept.",
        scopes=OF_MENU,
    ),
    OptionSpec(
        key="protect",
        kind=Kind.CHOICE,
        default="editing",
        title="Password for",
        help="editing: for changing entries, for GRUB's command line and for locked images. everything: for starting, too.",
        scopes=OF_MENU,
        choices=("editing", "everything"),
    ),
    OptionSpec(
        key="language",
        kind=Kind.LOCALE,
        default="",
        title="Language",
        help="Of the live system, as a locale: de_DE.UTF-8.",
        variable="BK_LANGUAGE",
    ),
    OptionSpec(
        key="keyboard",
        kind=Kind.KEYBOARD,
        default="",
        title="Keyboard",
        help="XKB layout, its variant in parentheses: de, de(nodeadkeys).",
        variable="BK_KEYBOARD",
    ),
    OptionSpec(
        key="timezone",
        kind=Kind.TIMEZONE,
        default="",
        title="Time zone",
        help="As the time zone database names it: Europe/Berlin.",
        variable="BK_TIMEZONE",
    ),
    OptionSpec(
        key="user",
        kind=Kind.USER,
        default="",
        title="User name",
        help="Login name of the live system's user.",
        variable="BK_USER",
    ),
    OptionSpec(
        key="host",
        kind=Kind.HOST,
        default="",
        title="Host name",
        help="Name of the live system's computer.",
        variable="BK_HOSTNAME",
    ),
    OptionSpec(
        key="home",
        kind=Kind.HOME,
        default="",
        title="Home",
        help="Name of the home in /boot/home that becomes the live user's folder; none for none. "
        "Empty: the only one there is.",
        variable="BK_HOME",
    ),
    OptionSpec(
        key="extensions_off",
        kind=Kind.FILES,
        default=(),
        title="Extensions left out",
        help="File names of extensions that are not laid over the system.",
        variable="BK_EXTENSIONS_OFF",
    ),
    OptionSpec(
        key="customize",
        kind=Kind.SWITCH,
        default=True,
        title="Scripts",
        help="Run the scripts of /boot/customize in the live system.",
        variable="BK_CUSTOMIZE",
    ),
    OptionSpec(
        key="own_things",
        kind=Kind.SWITCH,
        default=False,
        title="Own things",
        help="Lay home, extensions, names, language and scripts over an installed system in a file also when it keeps its changes. "
        "What is set in its files, as its host name, stays there. Off: over its live run only.",
        variable="BK_OWN_THINGS",
    ),
    OptionSpec(
        key="own_disks",
        kind=Kind.CHOICE,
        default=UNTOUCHED,
        title="Other disks",
        help="The computer's own. untouched: closed while the system looks for its ISO file, so that nothing on them changes. "
        "closed: read-only until the computer is switched off. open: as the image itself does it.",
        choices=(UNTOUCHED, "closed", "open"),
        variable="BK_OWN_DISKS",
    ),
    OptionSpec(
        key="guard_stick",
        kind=Kind.SWITCH,
        default=False,
        title="Guard the stick",
        help="Nothing is written to the stick once the system is up, unless a home or changes are kept on it: "
        "no installer can take it for the disk to install to.",
        variable="BK_GUARD_STICK",
    ),
    OptionSpec(
        key="persistence",
        kind=Kind.SWITCH,
        default=True,
        title="Keep changes",
        help="Start by itself the entry that keeps changes, where bootkit persist has made room for them. "
        "Off: that entry has to be chosen; of an installed system in a file there is only the live one.",
    ),
    OptionSpec(
        key="to_ram",
        kind=Kind.SWITCH,
        default=False,
        title="Copy to RAM",
        help="Copy the system to RAM, where it can be. For the stick it is how the menu starts; "
        "what an image or a kind of system has of its own stands, whatever the menu says.",
    ),
    OptionSpec(
        key="safe_graphics",
        kind=Kind.SWITCH,
        default=False,
        title="Safe graphics",
        help="For a screen that stays black. For the stick it is how the menu starts; "
        "what an image or a kind of system has of its own stands, whatever the menu says.",
    ),
    OptionSpec(
        key="extra_words",
        kind=Kind.WORDS,
        default=(),
        title="Kernel words",
        help="Words added to the kernel's command line of every entry; they take the place of the image's own of that name.",
    ),
    OptionSpec(
        key="alias",
        kind=Kind.TEXT,
        default="",
        title="Name in the menu",
        help="Shown instead of what the image was recognised as.",
        scopes=OF_IMAGE,
    ),
    OptionSpec(
        key="tip",
        kind=Kind.TEXT,
        default="",
        title="Tip",
        help="A few words beside the image's name in the menu.",
        scopes=OF_IMAGE,
    ),
    OptionSpec(
        key="order",
        kind=Kind.NUMBER,
        default=0,
        title="Place in the menu",
        help="Images with a lower number stand higher; those with the same are sorted by name.",
        scopes=OF_IMAGE,
        least=-1000,
        most=1000,
    ),
    OptionSpec(
        key="hidden",
        kind=Kind.SWITCH,
        default=False,
        title="Hidden",
        help="Leave the image out of the menu.",
        scopes=OF_IMAGE,
    ),
    OptionSpec(
        key="entry",
        kind=Kind.TEXT,
        default="",
        title="Default entry",
        help="Title of the entry that starts by itself when the image does. Empty: the first that can start.",
        scopes=OF_IMAGE,
    ),
    OptionSpec(
        key="seed",
        kind=Kind.TEXT,
        default="",
        title="Answer file",
        help="The answer file, as KIND/NAME, whose entry starts by itself when the image does. "
        "Empty: none; its entry has to be chosen.",
        scopes=OF_IMAGE,
    ),
    OptionSpec(
        key="locked",
        kind=Kind.SWITCH,
        default=False,
        title="Locked",
        help="Start the image only after the menu password.",
        scopes=OF_IMAGE,
    ),
)
_BY_KEY = {spec.key: spec for spec in OPTIONS}


def option(key: str) -> OptionSpec:
    """The option of that key.

    Raises:
        KeyError: there is no such option.
    """
    return _BY_KEY[key]


def problem(spec: OptionSpec, value: Value) -> str:
    """What is wrong with ``value``, as words that can follow it; empty if nothing is."""
    match spec.kind:
        case Kind.SWITCH:
            return "" if isinstance(value, bool) else f"is not {spec.kind.expects}"
        case Kind.NUMBER:
            if not isinstance(value, int) or isinstance(value, bool):
                return f"is not {spec.kind.expects}"
            return "" if spec.least <= value <= spec.most else f"is not between {spec.least} and {spec.most}"
        case Kind.WORDS:
            if not isinstance(value, tuple):
                return f"is not {spec.kind.expects}"
            return next((trouble for word in value if (trouble := _word_problem(word))), "")
        case Kind.FILES:
            if not isinstance(value, tuple):
                return f"is not {spec.kind.expects}"
            bad = next((name for name in value if not name or re.search(r"[\x00-\x1f\x7f/]", name)), None)
            return "" if bad is None else f"holds {bad!r}, which is no file name"
        case _:
            return _text_problem(spec, value) if isinstance(value, str) else f"is not {spec.kind.expects}"


def _word_problem(word: str) -> str:
    if not word:
        return "holds an empty word"
    if re.search(r"[\x00-\x1f\x7f\\'\"]", word):
        return f"holds {word!r}; no kernel gets to see a quote, a backslash or a control character as it is"
    return ""


_PATTERNS: Mapping[Kind, tuple[re.Pattern[str], str]] = {
    Kind.LOCALE: (LOCALE, "is no locale, such as de_DE.UTF-8"),
    Kind.KEYBOARD: (KEYBOARD, "is no XKB layout, such as de or de(nodeadkeys)"),
    Kind.TIMEZONE: (re.compile(r"[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}"), "is no time zone, such as Europe/Berlin"),
    Kind.USER: (re.compile(r"[a-z_][a-z0-9_-]{0,31}"), "is no login name: small letters, digits, - and _"),
    Kind.HOST: (
        re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"),
        "is no host name: letters, digits and - inside",
    ),
    Kind.HOME: (
        re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"),
        "is no name of a home: letters, digits and ._- inside",
    ),
    Kind.PATH: (re.compile(r"/.+"), f"is no path on the stick, such as {IMAGE_FOLDER}/x.iso"),
    Kind.PASSWORD: (PBKDF2, "is no digest as grub-mkpasswd-pbkdf2 prints it"),
}


def _text_problem(spec: OptionSpec, value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", value):
        return "holds a control character"
    if value in spec.choices:
        return ""
    if spec.kind is Kind.CHOICE:
        return f"is none of {', '.join(spec.choices)}"
    pattern, trouble = _PATTERNS.get(spec.kind, (None, ""))
    return trouble if value and pattern is not None and not pattern.fullmatch(value) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where values are kept: for all images, those of a boot stack, or one."""

    scope: Scope
    name: str = ""
    """Of the boot stack, or the path of the image."""


USER = Place(scope=Scope.USER)
STICK = Place(scope=Scope.STICK)


def stack_place(stack: str) -> Place:
    return Place(scope=Scope.STACK, name=stack)


def image_place(path: str) -> Place:
    return Place(scope=Scope.IMAGE, name=path)


@lru_cache(maxsize=64)  # asked for each option of an image in turn
def _places(stack: str, image: str) -> tuple[Place, ...]:
    """Where a value for an image can be kept, the narrowest first."""
    return image_place(image), stack_place(stack), STICK, USER


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A value and where it comes from."""

    value: Value
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """All that the user has chosen, by place and key; every value has been checked."""

    values: Mapping[Place, Mapping[str, Value]] = field(default_factory=dict[Place, Mapping[str, Value]])

    def chosen(self, key: str, *, stack: str = "", image: str = "") -> Chosen:
        """The value that counts for an image (or for any image of a stack, or for any image)."""
        spec = option(key)
        for place in _places(stack, image):
            kept = self.values.get(place)
            if kept and key in kept and place.scope in spec.scopes:
                return Chosen(value=kept[key], scope=place.scope)
        return Chosen(value=spec.default, scope=Scope.DEFAULT)

    def are_of(self, image: str) -> bool:
        """Whether something was chosen for this image alone."""
        return image_place(image) in self.values

    def text(self, key: str, *, stack: str = "", image: str = "") -> str:
        value = self.chosen(key, stack=stack, image=image).value
        return value if isinstance(value, str) else ""

    def words(self, key: str, *, stack: str = "", image: str = "") -> tuple[str, ...]:
        value = self.chosen(key, stack=stack, image=image).value
        return value if isinstance(value, tuple) else ()

    def number(self, key: str, *, stack: str = "", image: str = "") -> int:
        """A number, or a switch as 0 or 1."""
        value = self.chosen(key, stack=stack, image=image).value
        return value if isinstance(value, int) else 0

    def with_user(self, other: "Choices") -> "Choices":
        """These choices, with the user's own configuration below what the stick has."""
        return Choices(values={**self.values, **{place: kept for place, kept in other.values.items() if place == USER}})
