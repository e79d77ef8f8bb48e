"""Values: as the standard library's frozen dataclasses, and nothing is compiled before there is one."""

import builtins
import copy
import dataclasses
import pickle
from typing import Any

import pytest

from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    name: str
    sizes: dict[str, int] = dataclasses.field(default_factory=dict[str, int], compare=False)
    count: int = 3


@dataclass(frozen=True, slots=True)
class Named:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    pass


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    name: str
    sizes: dict[str, int] = dataclasses.field(default_factory=dict[str, int], compare=False)
    count: int = 3


def test_a_value_says_what_one_of_the_standard_library_says() -> None:
    ours, theirs = Pair(name="a", sizes={"x": 1}), Same(name="a", sizes={"x": 1})
    assert repr(ours) == repr(theirs).replace("Same", "Pair") == "Pair(name='a', sizes={'x': 1}, count=3)"
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert [field.name for field in dataclasses.fields(ours)] == [field.name for field in dataclasses.fields(theirs)]
    assert repr(Nothing()) == "Nothing()"


def test_values_are_equal_by_the_fields_that_are_compared() -> None:
    assert Pair(name="a") == Pair(name="a", sizes={"x": 1})
    assert hash(Pair(name="a")) == hash(Pair(name="a", sizes={"x": 1}))
    assert Pair(name="a") != Pair(name="a", count=4)
    same: object = Same(name="a")
    assert Pair(name="a") != same
    assert Nothing() == Nothing()
    assert len({Named("a"), Named("a"), Named("b")}) == 2


def test_a_value_does_not_change() -> None:
    value: Any = Pair(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError, match="name"):
        value.name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError, match="count"):
        del value.count
    with pytest.raises(dataclasses.FrozenInstanceError, match="other"):
        value.other = "b"
    assert value == Pair(name="a")


def test_each_value_has_defaults_of_its_own() -> None:
    first, second = Pair(name="a"), Pair(name="a")
    first.sizes["x"] = 1
    assert (first.sizes, second.sizes) == ({"x": 1}, {})
    assert dataclasses.replace(first, count=5) == Pair(name="a", count=5)
    assert dataclasses.replace(first, count=5).sizes is first.sizes


def test_a_value_can_be_copied_pickled_and_matched() -> None:
    value = Pair(name="a", sizes={"x": 1})
    for other in (copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert (other, other.sizes) == (value, {"x": 1})
        assert other.sizes is not value.sizes
    match Named("b"):
        case Named(name):
            assert name == "b"


def test_wrong_arguments_are_refused_by_name() -> None:
    make: Any = Pair
    with pytest.raises(TypeError, match=r"Pair\.__init__\(\) missing 1 required keyword-only argument: 'name'"):
        make()
    with pytest.raises(TypeError, match="nobody"):
        make(name="a", nobody=1)
    with pytest.raises(TypeError, match="positional"):
        make("a")


def test_a_class_is_compiled_for_its_first_value(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    real = builtins.exec

    def counted(text: Any, *rest: Any, **named: Any) -> None:
        compiled.append(text)
        real(text, *rest, **named)

    monkeypatch.setattr(builtins, "exec", counted)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Late:
        """A class that nothing is made of at first."""

        name: str

    assert compiled == []
    assert [Late(name=name).name for name in "ab"] == ["a", "b"]
    assert len(compiled) == 1
