"""Read a booting machine's serial console: pure, bytes in, stage and failure out.

The lines of the witness overlay are the proof; the kernel's and the initrds' own lines serve where an initrd does not
take the overlay, and tell why a boot has failed.
"""

import codecs
import re
from collections import deque

from bootkit.model.testboot import Stage
from bootkit.system.witness import MENU_LINE

TAIL_LINES = 20
LINE_LIMIT = 4096
"""Characters of one line that are looked at: a guest may print for ever without a line end."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours and cursor
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: window titles
    r"|[()*+][0-9A-Za-z]|[=>78cDEHMNOZ])"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_SIGNS: tuple[tuple[Stage, re.Pattern[str]], ...] = (
    (Stage.MENU, re.compile(re.escape(MENU_LINE))),
    (Stage.KERNEL, re.compile(r"Linux version \d|^EFI stub:")),
    (Stage.INITRD, re.compile(r"bootkit-witness: initrd|Run /\S+ as init process")),
    (Stage.ISO, re.compile(r"bootkit-witness: (?:iso|root) ")),
    (Stage.USERSPACE, re.compile(r"bootkit-witness: userspace |^[\w.-]+ login: ?$")),
)
_NAME = re.compile(r"bootkit-witness: userspace (.+)")
_ISO = re.compile(r"bootkit-witness: iso (.+)")

_GRUB_ERROR = re.compile(r"error: (?:\.\./\S+:\d+:)?(.+)")
_HARMLESS = re.compile(
    r"no suitable video mode|no video mode activated|can't find command|terminal .* isn't found"
    # what 2.06 and 2.12 say when a vendor's shim has come back
    r"|unknown error|image not loaded"
)

_FAILURES: tuple[tuple[re.Pattern[str], str], ...] = (
    # firmware by its serial console, then shim, which switches the machine off
    (
        re.compile(r"BdsDxe: failed to load .*USB.*: (Access Denied|Security Violation)"),
        "the firmware refused the loader: {found}",
    ),
    (re.compile(r"(SBAT self-check failed.*)"), "shim is too old for this machine: {found}"),
    (re.compile(r"No bootable (?:device|option)|not a bootable disk"), "the firmware found nothing to start"),
    (re.compile(r"^Shell> "), "the firmware found nothing to start"),
    (re.compile(r"^grub(?: rescue)?> ?$"), "GRUB found no menu"),
    (re.compile(r"Kernel panic - not syncing: (.+)"), "kernel panic: {found}"),
    (re.compile(r"(Unable to find a (?:live |medium).*)"), "the initrd did not find its ISO: {found}"),
    (re.compile(r"^\s*\(initramfs\) ?$"), "the initrd gave up and opened a shell"),
    (re.compile(r"rdsosreport\.txt|Entering emergency mode|^dracut:/# ?$"), "dracut gave up and opened a shell"),
    # archiso has no root=, and says every time that device '' is not found
    (re.compile(r"(device '[^']+' not found\. Skipping fsck|device did not show up.*)"), "the initrd gave up: {found}"),
    (re.compile(r"^\[rootfs [^]]*\]# ?$"), "the initrd gave up and opened a shell"),
    (re.compile(r"You are in (?:emergency|rescue) mode"), "the live system went into emergency mode"),
)


class ConsoleWatcher:
    """Feed it what the serial line says; look at the attributes afterwards.

    ``sign`` is a regular expression for programs that no initrd can bear witness for: seen behind the menu, on the
    serial line or on the screen, it proves that the program runs.
    """

    def __init__(self, sign: str = "") -> None:
        self._sign = re.compile(sign) if sign else None
        self.stage = Stage.FIRMWARE
        self.failure = ""
        """Why the boot cannot go on; empty as long as it can."""
        self.complaint = ""
        """What GRUB printed as an error after the menu: fatal if no kernel follows."""
        self.pretty_name = ""
        self.iso = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._open = ""

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, without escape sequences."""
        last = plain(self._open)
        return (*self._lines, last)[-TAIL_LINES:] if last else tuple(self._lines)

    def feed(self, data: bytes) -> None:
        text = self._open + self._decoder.decode(data)
        *lines, self._open = re.split(r"[\r\n]+", text)
        for line in lines:
            self._look(line, whole=True)
        self._look(self._open, whole=False)
        if len(self._open) > LINE_LIMIT:
            # keep the end: a prompt or the beginning of an escape sequence
            self._open = self._open[-LINE_LIMIT // 4 :]

    def see_screen(self, text: str) -> None:
        """Take in what a text screen shows."""
        self._look_for_sign(text)

    def _look_for_sign(self, text: str) -> None:
        if self._sign is not None and self.stage >= Stage.MENU and self._sign.search(text):
            self.stage = Stage.USERSPACE
            self.pretty_name = self.pretty_name or self._sign_line(text)

    def _sign_line(self, text: str) -> str:
        """The line in which the sign stands."""
        found = self._sign.search(text) if self._sign is not None else None
        if found is None:
            return ""
        return text[text.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0].strip()

    def _look(self, raw: str, *, whole: bool) -> None:
        line = plain(raw[:LINE_LIMIT])
        if not line:
            return
        if whole:
            self._lines.append(line)
            self._note_facts(line)
        for stage, sign in _SIGNS:
            # a name may still be incomplete in a line without its end
            if stage > self.stage and sign.search(line) and (whole or "witness" not in line):
                self.stage = stage
        self._look_for_sign(line)
        self._look_for_failure(line)

    def _note_facts(self, line: str) -> None:
        if match := _NAME.search(line):
            self.pretty_name = match[1].strip()
        elif match := _ISO.search(line):
            self.iso = match[1].strip()
        elif self.stage is Stage.MENU and (match := _GRUB_ERROR.search(line)) and not _HARMLESS.search(line):
            self.complaint = self.complaint or match[1].strip()

    def _look_for_failure(self, line: str) -> None:
        if self.failure or self.stage is Stage.USERSPACE:
            return
        for sign, sentence in _FAILURES:
            if match := sign.search(line):
                self.failure = sentence.format(found=next(iter(match.groups()), "").strip())
                return


def plain(raw: str) -> str:
    return _CONTROLS.sub("", _ESCAPES.sub("", raw)).rstrip()
