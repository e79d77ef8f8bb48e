"""A ``dataclass`` whose methods are not compiled when a module is imported.

The standard library writes six methods of each frozen class as text and compiles them: two fifths of the time of ``inspect``.
Here classes share what differs in the names of the fields only, and ``__init__`` is compiled for the first value of a class.
The fields, ``replace``, ``match`` and what type checkers know are the standard library's.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, **others: bool) -> object:
        """The decorator of the standard library, by other means for a class that is frozen and has slots.

        ``inspect.signature`` does not see the fields of such a class.
        """
        if frozen and slots:
            return lambda cls: _value_class(cls, **others)
        return dataclasses.dataclass(frozen=frozen, slots=slots, **others)


def _value_class(cls: Any, **others: bool) -> Any:
    # a class without words of its own would get its signature for them, which takes the whole of ``inspect``
    cls.__doc__ = cls.__doc__ or cls.__name__
    own = set(cls.__dict__)
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, **others)(cls)
    compared = [field.name for field in dataclasses.fields(made) if field.compare]
    methods = {
        "__init__": _init_of(made),
        "__eq__": _eq,
        "__hash__": _hash,
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": _get_state,
        "__setstate__": _set_state,
    }
    for name in methods.keys() - own:
        setattr(made, name, methods[name])
    made.compared_fields = attrgetter(*(compared or ["__class__"]))
    return made


def _init_of(cls: type) -> Callable[..., None]:
    """An ``__init__`` that puts the compiled one into its place when it is called."""

    def __init__(self: object, *args: object, **kwargs: object) -> None:  # noqa: N807 - it is one
        compiled = _compiled_init(cls)
        setattr(cls, "__init__", compiled)  # noqa: B010 - an assignment is taken for one to a method of ``type``
        compiled(self, *args, **kwargs)

    return __init__


def _compiled_init(cls: type) -> Callable[..., None]:
    """Takes the fields, by position unless they are ``kw_only``; sets each, past ``__setattr__``."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_missing": dataclasses.MISSING}
    parameters: dict[bool, list[str]] = {False: ["self"], True: []}
    body = ["pass"]
    for field in dataclasses.fields(cls):
        name, value, default = field.name, field.name, ""
        if field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            default = f"=_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            default, value = "=_missing", f"_make_{name}() if {name} is _missing else {name}"
        parameters[field.kw_only is True].append(name + default)
        body.append(f"_set(self, {name!r}, {value})")
    named = ["*", *parameters[True]] if parameters[True] else []
    text = f"def __init__({', '.join([*parameters[False], *named])}):\n " + "\n ".join(body)
    exec(text, known)  # noqa: S102 - the names of fields and nothing else, as the standard library does it
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"  # what a TypeError names
    return init


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.compared_fields(self) == other.compared_fields(other)


def _hash(self: Any) -> int:
    return hash(self.compared_fields(self))


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(_self: object, name: str, *_value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _get_state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
