"""Who uses the desk, and what each of them may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.settings import DeskSettings

EVERYBODY = "*"


class Role(IntEnum):
    """What somebody may do; each role may do what the ones before it may."""

    VIEWER = 1
    """Look at queue, cases, sellers and figures; search."""
    ANALYST = 2
    """Claim cases and decide."""
    LEAD = 3
    """Overturn what others decided, decide for many listings at once, and export."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has signed in.

    Parameters
    ----------
    name
        As it stands in the audit; unique within the desk.
    role
        What they may do.
    """

    name: str
    role: Role


def known_user(name: str, settings: DeskSettings) -> User | None:
    """Return a user who was let in by somebody we trust, with the highest role that names them; else ``None``."""
    if not name.strip():
        return None
    roles = {Role.LEAD: settings.leads, Role.ANALYST: settings.analysts, Role.VIEWER: settings.viewers}
    for role, names in roles.items():
        if name in names or EVERYBODY in names:
            return User(name, role)
    return None
