"""The sentences in a module's source: found by their shape, as texts with ``{name}`` for what is filled in."""

import ast
import re
from collections.abc import Collection, Iterator
from keyword import iskeyword

FOR_MACHINES = re.compile(
    r"^(bootkit |sudo |pkexec |--|#|bold |_bootkit|function |\w+\[)|^\w+$|^(boots only|could become)$"
)
"""Commands, scripts, styles, types, and the beginnings of English answers by which a table colours them."""
SLOT = re.compile(r"\{\w+\}")
_SENTENCE = re.compile(r"[A-Za-z]{3,}[,:;.]? [a-z]{2,}.* ?[a-z]{2,}|[a-z]{2,}\.$|^it [a-z]+ no [A-Za-z]+")


def sentences(
    tree: ast.AST, *, quiet: Collection[str], quiet_names: Collection[str]
) -> Iterator[tuple[ast.Constant | ast.JoinedStr, str]]:
    """Texts of several words, with the expressions that hold them.

    ``quiet`` are calls, and ``quiet_names`` arguments, that are given words which nobody reads.
    """
    match tree:
        case ast.Call() if called(tree) in quiet:
            return
        case ast.keyword(arg=str(name)) if name in quiet_names:
            return
        case ast.Expr(value=ast.Constant()) | ast.Compare() | ast.Assert():  # the first is a docstring
            return
        case ast.Dict(values=values):  # what stands before a colon is looked up, not read
            for value in values:
                yield from sentences(value, quiet=quiet, quiet_names=quiet_names)
            return
        case ast.JoinedStr() | ast.Constant(value=str()):
            text = template(tree)
            if _SENTENCE.search(SLOT.sub("{}", text)) and not FOR_MACHINES.match(text):
                yield tree, text
        case _:
            pass
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(tree, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from sentences(child, quiet=quiet, quiet_names=quiet_names)


def template(text: ast.Constant | ast.JoinedStr) -> str:
    """``text`` as a translator gets it: what is filled in is named after the last name in its expression."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    said = ""
    names: set[str] = set()
    for part in text.values:
        if isinstance(part, ast.Constant):
            said += str(part.value).replace("{", "{{").replace("}", "}}")
        else:
            assert isinstance(part, ast.FormattedValue)
            name = _name_of(part.value, names)
            names.add(name)
            said += f"{{{name}}}"
    return said


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _name_of(expression: ast.expr, taken: Collection[str]) -> str:
    words = re.findall(r"[A-Za-z]\w*", re.sub(r"'[^']*'|\"[^\"]*\"", "", ast.unparse(expression)))
    name = next((word.lower().strip("_") for word in reversed(words) if not iskeyword(word)), "part")
    return next(one for one in (name, *(f"{name}{number}" for number in range(2, 99))) if one not in taken)
