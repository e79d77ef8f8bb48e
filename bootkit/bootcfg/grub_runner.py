"""GRUB script, fourth step: statements are run, one after the other."""

import abc

from bootkit.bootcfg.grub_commands import COMMANDS, FAILING, assign
from bootkit.bootcfg.grub_lexer import Arg
from bootkit.bootcfg.grub_machine import MAX_DEPTH, MAX_WARNINGS, GrubMachine
from bootkit.bootcfg.grub_syntax import Block, Command, For, Function, If, Loop, Statement, parse_script

_MAX_ROUNDS = 200
_MAX_TEXT = 128 << 10


class Return(Exception):
    """``return`` or ``exit``: ends a function or a file."""

    def __init__(self, *, success: bool) -> None:
        super().__init__()
        self.success = success


class Break(Exception):
    """``break`` ends a loop."""


class Continue(Exception):
    """``continue`` goes on with a loop's next round."""


class Runner(abc.ABC):
    """What runs scripts on a machine."""

    def __init__(self, machine: GrubMachine, functions: dict[str, Block]) -> None:
        self.machine = machine
        self.functions = functions

    def run_text(self, text: str) -> bool:
        try:
            return self.run_block(self._parsed(text))
        except (Break, Continue):
            return True
        except Return as ended:
            return ended.success

    def _parsed(self, text: str) -> Block:
        machine = self.machine
        known = machine.budget.scripts.get(text)
        if known is not None:
            return known
        if len(text) > _MAX_TEXT:
            machine.warn("the file is too long; it is cut")
        machine.step(len(text) // 256)
        complaints: list[int] = []

        def complain(position: int, clause: str) -> None:
            complaints.append(position)
            if len(complaints) <= MAX_WARNINGS:
                machine.warn(f"line {text.count(chr(10), 0, position) + 1}: {clause}")

        script = machine.budget.scripts[text] = parse_script(text[:_MAX_TEXT], complain)
        return script

    def run_block(self, block: Block) -> bool:
        machine = self.machine
        if machine.depth >= MAX_DEPTH:
            machine.warn(f"scripts are nested deeper than {MAX_DEPTH}; the inner ones are skipped")
            return False
        machine.depth += 1
        try:
            result = True
            for statement in block:
                result = self._statement(statement)
            return result
        finally:
            machine.depth -= 1

    def _statement(self, statement: Statement) -> bool:
        self.machine.step()
        match statement:
            case Command():
                return self._command(statement)
            case If():
                return self._if(statement)
            case Function():
                self.functions[statement.name] = statement.body
                return True
            case For():
                return self._for(statement)
            case Loop():
                return self._loop(statement)

    def _if(self, statement: If) -> bool:
        for condition, body in statement.branches:
            if self.run_block(condition):
                return self.run_block(body)
        return self.run_block(statement.otherwise)

    def _for(self, statement: For) -> bool:
        for arg in self.machine.expand(statement.words)[:_MAX_ROUNDS]:
            self.machine.step()
            self.machine.set(statement.name, arg.text, arg.uses)
            if not self._round(statement.body):
                break
        return True

    def _loop(self, statement: Loop) -> bool:
        for _ in range(_MAX_ROUNDS):
            self.machine.step()
            if self.run_block(statement.condition) == statement.until or not self._round(statement.body):
                return True
        self.machine.warn(f"a loop does not end within {_MAX_ROUNDS} rounds")
        return True

    def _round(self, body: Block) -> bool:
        """One round of a loop; false after ``break``."""
        try:
            self.run_block(body)
        except Continue:
            pass
        except Break:
            return False
        return True

    def _command(self, command: Command) -> bool:
        args = self.machine.expand(command.words)
        negated = False
        while args and args[0].text == "!":
            args, negated = args[1:], not negated
        if not args:
            return True
        return self.call(args[0], args[1:], command.body) != negated

    def call(self, name: Arg, args: list[Arg], body: Block | None) -> bool:
        """Run a command; true is success."""
        text = name.text
        done = self.special(text, args, body)
        if done is not None:
            return done
        function = self.functions.get(text)
        if function is not None:
            return self._function(function, args)
        run = COMMANDS.get(text)
        if run is not None:
            return run(self.machine, args)
        if "=" in text:
            return assign(self.machine, text, name.uses)
        return self._control(text, args)

    @abc.abstractmethod
    def special(self, name: str, args: list[Arg], body: Block | None) -> bool | None:
        """Run a command that makes entries or reads files; ``None`` if ``name`` is no such command."""

    def _control(self, name: str, args: list[Arg]) -> bool:
        match name:
            case "eval":
                return self.run_text(" ".join(self.machine.as_script(arg) for arg in args))
            case "return" | "exit":
                raise Return(success=not args or args[0].text == "0")
            case "break":
                raise Break
            case "continue":
                raise Continue
            case _:
                return name not in FAILING

    def _function(self, body: Block, args: list[Arg]) -> bool:
        machine = self.machine
        outer, machine.params = machine.params, tuple(args)
        try:
            return self.run_block(body)
        except Return as ended:
            return ended.success
        finally:
            machine.params = outer
