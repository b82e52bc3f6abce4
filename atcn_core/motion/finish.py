"""A captured motion as it is used: as tall as the performer, and smoothed. The capture itself stays as it is.

Plain and quick, so that the add-on does it anew whenever a setting changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..clip import Motion3D
from .stature import ASSUMED_HEIGHT_M, check_height, of_height
from .steady import DEFAULT_STRENGTH, Effect, check_strength, effect_of, steadied

__all__ = ["DEFAULT_STRENGTH", "Finished", "check_wishes", "finished"]


@dataclass(frozen=True)
class Finished:
    """A motion made ready, and what was done. height_m: the performer's; assumed: nobody has said it.

    effect: what the smoothing did, None where none was wished.
    """

    motion: Motion3D
    height_m: float
    assumed: bool
    effect: Effect | None

    @property
    def sentence(self) -> str:
        """What was done, for the user: one or two sentences."""
        height = f"The performer is {'taken to be ' if self.assumed else ''}{self.height_m:.2f} m tall."
        return height if self.effect is None else f"{self.effect.sentence} {height}"


def check_wishes(height_m: float, smooth: float) -> None:
    """Raise MotionError for what `finished` would refuse, before there is a motion."""
    check_height(height_m or ASSUMED_HEIGHT_M)
    check_strength(smooth)


def finished(motion: Motion3D, height_m: float = 0.0, smooth: float = DEFAULT_STRENGTH) -> Finished:
    """A capture made as tall as the performer and smoothed.

    height_m: 0 where it is not known; ASSUMED_HEIGHT_M is taken then. smooth: 0 not at all, to 1.
    Raises MotionError for a height that nobody has and for a strength outside 0..1.
    """
    used_m = height_m or ASSUMED_HEIGHT_M
    scaled = of_height(motion, used_m)
    calm = steadied(scaled, smooth)
    return Finished(calm, used_m, height_m == 0.0, effect_of(scaled, calm) if smooth > 0.0 else None)
