"""The words by which a user, or a script, confirms that a disk may be changed."""

from pathlib import Path

from bootkit.model.prepare import PreparePlan
from bootkit.system.devices import clean


def needs_confirmation(plan: PreparePlan) -> bool:
    """Whether something would be lost that is there; an upgrade keeps even the loaders that it replaces."""
    return plan.destroys_data


def accepts(plan: PreparePlan, word: str) -> bool:
    """Whether ``word`` names the target of the plan: one of the words that the plan shows."""
    return clean(word) in plan.target.confirm


def expects(plan: PreparePlan, name: str) -> bool:
    """Whether a script's ``--expect`` names the target: the by-id name or the serial of a disk, the name of a file."""
    return name in expected_names(plan)


def expected_names(plan: PreparePlan) -> tuple[str, ...]:
    """What ``--expect`` takes, the best one first."""
    target = plan.target
    if not target.is_device:
        return (Path(target.path).name,)
    names = () if target.twins else (target.identity.by_id, target.identity.serial)
    # a device without either, such as a loop device, has no better name than its node
    return tuple(filter(None, names)) or (target.path,)
