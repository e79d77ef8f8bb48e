"""The commands put together."""

import logging
from collections.abc import Sequence

import typer

from bootkit import __version__
from bootkit.cli import images, inspect, options_commands, output
from bootkit.cli.check import check
from bootkit.cli.log import log
from bootkit.cli.test import test
from bootkit.cli.tui_command import tui

MAIN_JOB = "The main job"
LOOKING = "Looking"
CHOICES = "Choices"
YOURS = "Your own things on every system"
MAINTENANCE = "Maintenance"


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="bootkit",
        help="Many unchanged ISO files on one USB stick: prepare it once, add images, generate, boot.",
        epilog="First steps: bootkit devices; bootkit prepare /dev/sdX; bootkit add FILE.iso; then boot from the stick.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_common)
    from bootkit.cli import stick

    app.command(rich_help_panel=MAIN_JOB)(stick.prepare)
    app.command(rich_help_panel=MAIN_JOB)(images.add)
    app.command(rich_help_panel=MAIN_JOB)(images.remove)
    app.command(rich_help_panel=MAIN_JOB)(images.generate)
    app.command(rich_help_panel=MAIN_JOB)(check)
    app.command(rich_help_panel=MAIN_JOB)(test)
    app.command(rich_help_panel=LOOKING)(stick.devices)
    app.command(name="list", rich_help_panel=LOOKING)(images.list_images)
    app.command(rich_help_panel=LOOKING)(inspect.inspect)
    app.command(rich_help_panel=LOOKING)(inspect.explain)
    app.command(rich_help_panel=LOOKING)(images.verify)
    app.command(rich_help_panel=LOOKING)(log)
    app.command(rich_help_panel=MAINTENANCE)(stick.doctor)
    app.command(rich_help_panel=MAINTENANCE)(stick.upgrade)
    app.command(rich_help_panel=MAINTENANCE)(stick.restore)
    app.command(rich_help_panel=CHOICES)(tui)
    app.add_typer(_options(), name="options", rich_help_panel=CHOICES)
    app.add_typer(_extensions(), name="ext", rich_help_panel=YOURS)
    app.add_typer(_homes(), name="home", rich_help_panel=YOURS)
    app.add_typer(_persistence(), name="persist", rich_help_panel=YOURS)
    app.add_typer(_seeds(), name="seed", rich_help_panel=YOURS)
    app.add_typer(_apps(), name="app", rich_help_panel=YOURS)
    return app


def _persistence() -> typer.Typer:
    from bootkit.cli import persist_commands

    group = typer.Typer(help="Persistence: live systems that keep their own changes.", no_args_is_help=True)
    group.command()(persist_commands.create)
    group.command(name="list")(persist_commands.list_kept)
    group.command()(persist_commands.remove)
    return group


def _seeds() -> typer.Typer:
    from bootkit.cli import seed_commands

    group = typer.Typer(help="Answer files: installers that ask nothing.", no_args_is_help=True)
    group.command()(seed_commands.add)
    group.command(name="list")(seed_commands.list_seeds)
    group.command()(seed_commands.remove)
    return group


def _apps() -> typer.Typer:
    from bootkit.cli import app_commands

    group = typer.Typer(help="AppImages: programs in the menu of every desktop.", no_args_is_help=True)
    group.command()(app_commands.add)
    group.command(name="list")(app_commands.list_apps)
    group.command()(app_commands.remove)
    return group


def _homes() -> typer.Typer:
    from bootkit.cli import home_commands

    group = typer.Typer(help="Homes: the user's folder, one file, the same on every live system.", no_args_is_help=True)
    group.command()(home_commands.create)
    group.command(name="list")(home_commands.list_homes)
    group.command()(home_commands.resize)
    group.command()(home_commands.check)
    group.command()(home_commands.backup)
    group.command()(home_commands.restore)
    group.command()(home_commands.remove)
    return group


def _extensions() -> typer.Typer:
    from bootkit.cli import ext_commands

    group = typer.Typer(
        help="Extensions: programs, drivers and files of yours, laid over every live system.", no_args_is_help=True
    )
    group.command()(ext_commands.create)
    group.command()(ext_commands.add)
    group.command(name="list")(ext_commands.list_extensions)
    group.command()(ext_commands.inspect)
    group.command()(ext_commands.enable)
    group.command()(ext_commands.disable)
    group.command()(ext_commands.remove)
    group.command()(ext_commands.verify)
    return group


def _options() -> typer.Typer:
    group = typer.Typer(
        help="Choose language, keyboard, kernel words, names and order, for the stick, a boot stack or an image.",
        no_args_is_help=True,
    )
    group.command(name="list")(options_commands.list_options)
    group.command()(options_commands.get)
    group.command(name="set")(options_commands.set_option)
    group.command()(options_commands.unset)
    return group


def run(arguments: Sequence[str]) -> None:
    """Carry out one command line; ends the process as typer does."""
    typer.main.get_command(build()).main(list(arguments), prog_name="bootkit")


def _print_version(wanted: bool) -> None:
    if wanted:
        output.answer(f"bootkit {__version__}")
        raise typer.Exit


def _common(
    debug: bool = typer.Option(
        False, "--debug", help="Show each program that is started, and why things are left out."
    ),
    _version: bool = typer.Option(
        False, "--version", help="Print the version and end.", is_eager=True, callback=_print_version
    ),
) -> None:
    output.log_to_stderr(logging.DEBUG if debug else logging.WARNING)
