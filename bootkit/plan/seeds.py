"""Which answer files of the stick an image takes, and what its kernel is told of them."""

from bootkit.detect.registry import stack_of
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.places import SEED_FOLDER
from bootkit.model.stack import AnswerFile
from bootkit.model.variants import Seed
from bootkit.plan.persistence import first_linux


def answer_files(item: ImageItem) -> tuple[AnswerFile, ...]:
    """Those that an image understands.

    Raises:
        BootkitError: there is none; the message says why.
    """
    detection = item.detection
    if detection is None or not detection.entries:
        raise BootkitError(
            tr("{name} does not start from the menu", name=item.name),
            hint=tr("why: bootkit explain {name}", name=item.name),
        )
    lines = [word for entry in detection.entries for word in entry.cmdline]
    stack = stack_of(detection.stack)
    found = tuple(answers for answers in stack.answers if _fits(answers, detection.distro, lines))
    if not found or first_linux(item) is None:
        reason = stack.no_answers or tr("no way is known by which {stack} takes one", stack=stack.name)
        raise BootkitError(tr("{name} takes no answer file: {reason}", name=item.name, reason=reason))
    return found


def chosen_answer_file(item: ImageItem, file_name: str, head: str, wanted: str = "") -> AnswerFile:
    """The one that the user names, or that the file's own beginning or name tells.

    Raises:
        BootkitError: the image takes no such file.
    """
    known = answer_files(item)
    names = ", ".join(answers.kind for answers in known)
    if wanted:
        found = next((answers for answers in known if answers.kind == wanted), None)
        if found is None:
            raise UsageError(
                tr("{name} takes no {wanted} file", name=item.name, wanted=wanted),
                hint=tr("it takes: {names}", names=names),
            )
        return found
    lines = [line.strip() for line in head.splitlines()]
    by_content = [answers for answers in known if any(line.startswith(answers.first_words) for line in lines)]
    by_name = [answers for answers in known if file_name.endswith(answers.suffixes)]
    found = next(iter(by_content or by_name), None)
    if found is None:
        raise UsageError(
            tr("{file_name} does not look like one of: {names}", file_name=file_name, names=names),
            hint=tr("say what it is: --kind {kind}", kind=known[0].kind),
        )
    return found


def seed_path(image: str, kind: str, name: str, file: str) -> str:
    return f"{SEED_FOLDER}/{image}/{kind}/{name}/{file}"


def filled(text: str, seed: Seed) -> str:
    return text.replace("{path}", seed.path).replace("{folder}", seed.folder)


def _fits(answers: AnswerFile, distro: str, words: list[str]) -> bool:
    if answers.distro not in distro.lower():
        return False
    if answers.needs_word and not any(answers.needs_word in word for word in words):
        return False
    return not (answers.without_word and any(answers.without_word in word for word in words))
