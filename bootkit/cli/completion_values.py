"""What a word may be that no list in the program holds: images, homes and extensions of the stick, options, disks."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bootkit.cli.command import Command, Parameter, parameters
from bootkit.errors import BootkitError
from bootkit.system.volume import Volume


def values_for(command: Command, words: Sequence[str], before: Sequence[str]) -> list[str]:
    """The values of the parameter that is next behind ``before``; none where only the shell can know, as of files.

    ``words`` are the command's own, from ``bootkit`` on. Nobody is asked for a passphrase, and no error is told.
    """
    declared = tuple(parameters(command))
    given = _given(declared, before)
    parameter = _next(declared, before, given)
    if parameter is None:
        return []
    if parameter.values:
        return [*parameter.values]
    try:
        return sorted(dict.fromkeys(_of_kind(words[1:], parameter.name, given)))
    except (BootkitError, OSError):
        return []  # there is no stick, or none that can be read by who presses Tab


def _given(declared: Sequence[Parameter], before: Sequence[str]) -> dict[str, list[str]]:
    """The words of ``before`` by the names of the parameters that take them."""
    flags = {flag: parameter for parameter in declared for flag in parameter.flags}
    places = [parameter for parameter in declared if not parameter.flags]
    given: dict[str, list[str]] = {}
    words = iter(before)
    for word in words:
        if word in flags:
            parameter = flags[word]
            if parameter.kind is not bool and (value := next(words, None)) is not None:
                given.setdefault(parameter.name, []).append(value)
        elif not word.startswith("-") and places:
            given.setdefault(places[0].name, []).append(word)
            if not places[0].many:
                places.pop(0)
    return given


def _next(declared: Sequence[Parameter], before: Sequence[str], given: dict[str, list[str]]) -> Parameter | None:
    last = before[-1] if before else ""
    for parameter in declared:
        if last in parameter.flags and parameter.kind is not bool:
            return parameter
    places = (parameter for parameter in declared if not parameter.flags)
    return next((parameter for parameter in places if parameter.many or parameter.name not in given), None)


def _of_kind(words: Sequence[str], name: str, given: dict[str, list[str]]) -> Iterable[str]:
    """The values of a parameter, by its name and by the command that it is one of."""
    match words[0], name:
        case _, "stack":
            return _stacks()
        case "options", "key":
            return _options()
        case "options", "value":
            return _option_values(given["key"][0], given)
        case ("prepare" | "upgrade" | "restore", "target") | ("disk", "to"):
            return _disks()
        case _, "stick":
            return _sticks()
        case ("home", "name") if words[1] != "create":
            return _on_stick(given, _homes)
        case "ext", "names" | "name" if words[1] in ("enable", "disable", "remove", "verify", "inspect"):
            return _on_stick(given, _extensions)
        case "app", "names":
            return _on_stick(given, _apps)
        case _, "images" | "image":
            return _on_stick(given, _images)
        case _:
            return ()


def _on_stick(given: dict[str, list[str]], look: Callable[[Volume], Iterable[str]]) -> Iterable[str]:
    from bootkit.cli.options import STICK_VARIABLE
    from bootkit.system.sticks import open_stick

    named = given.get("stick", [os.environ.get(STICK_VARIABLE, "")])[-1]
    with open_stick(Path(named) if named else None) as stick:
        return list(look(stick.volume))


def _images(volume: Volume) -> Iterable[str]:
    """Names, and paths where two have the same one."""
    from bootkit.app.stick.images import find_images

    paths = [path for path, _ in find_images(volume)]
    names = [path.rpartition("/")[2] for path in paths]
    return [name if names.count(name) == 1 else path for name, path in zip(names, paths, strict=True)]


def _homes(volume: Volume) -> Iterable[str]:
    from bootkit.app.stick.homes import home_names

    return home_names(volume)


def _extensions(volume: Volume) -> Iterable[str]:
    from bootkit.app.stick.extensions import find_extensions

    return [extension.name for extension in find_extensions(volume)]


def _apps(volume: Volume) -> Iterable[str]:
    from bootkit.app.stick.apps import find_apps

    return [app.name for app in find_apps(volume)]


def _stacks() -> Iterable[str]:
    from bootkit.detect.registry import stacks

    return stacks()


def _options() -> Iterable[str]:
    from bootkit.model.options import OPTIONS

    return [spec.key for spec in OPTIONS]


def _option_values(key: str, given: dict[str, list[str]]) -> Iterable[str]:
    from bootkit.model.options import OPTIONS, Kind
    from bootkit.system import hostdata

    spec = next((one for one in OPTIONS if one.key == key), None)
    if spec is None:
        return ()
    match spec.kind:
        case Kind.SWITCH:
            known: Iterable[str] = ("true", "false")
        case Kind.LOCALE:
            known = hostdata.locales()
        case Kind.KEYBOARD:
            known = hostdata.keyboards()
        case Kind.TIMEZONE:
            known = hostdata.time_zones()
        case Kind.HOME:
            known = _on_stick(given, _homes)
        case Kind.PATH:
            known = _on_stick(given, _image_paths)
        case _:
            known = ()
    return (*spec.choices, *known)


def _image_paths(volume: Volume) -> Iterable[str]:
    from bootkit.app.stick.images import find_images

    return [path for path, _ in find_images(volume)]


def _disks() -> Iterable[str]:
    """Those that no rule speaks against."""
    from bootkit.app.verbs.devices import list_devices

    return [device.node for device, refused in list_devices() if not refused]


def _sticks() -> Iterable[str]:
    from bootkit.system.sticks import mounted_sticks

    return map(os.fspath, mounted_sticks())
