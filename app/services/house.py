"""What every service is given: the door, and the few things of the house that stand beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.db.rounds import Rounds
from app.db.secrets import key_bytes
from app.papers.child import Drawers
from devices.camera import Camera

if TYPE_CHECKING:
    from app.db.door import Door
    from app.db.events import Feed
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """The application's parts that outlive a request."""

    settings: Settings
    door: Door
    feed: Feed
    """What happens, for whoever follows it; looks at the database only while somebody does."""
    camera: Camera = field(default_factory=Camera)
    """Starts its child with the first picture; closed with the application."""
    drawers: Drawers = field(default_factory=Drawers)
    """Draws papers, each in a child of its own."""
    rounds: Rounds = field(default_factory=Rounds)
    """How what stands before a gate answered when it was last asked; no record."""

    @property
    def totp_key(self) -> bytes:
        """What the secrets of one-time codes are encrypted with."""
        return key_bytes(self.settings.totp_key.get_secret_value())

    @property
    def identity_key(self) -> bytes:
        """What wraps each person's own key."""
        return key_bytes(self.settings.identity_key.get_secret_value())
