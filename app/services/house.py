"""What every service is given: the door, and the few things of the house that stand beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from devices.camera import Camera

if TYPE_CHECKING:
    from app.db.door import Door
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """The application's parts that outlive a request."""

    settings: Settings
    door: Door
    camera: Camera = field(default_factory=Camera)
    """Starts its child with the first picture; closed with the application."""
