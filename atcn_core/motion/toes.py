"""How far toes bend up at the ball of the foot, so as to lie on the floor under a foot that stands on them."""

from __future__ import annotations

import numpy as np

from ..rotation import normalized, quat_rotate
from .rolls import about_rad
from .smoothing import fading

__all__ = ["toe_bend"]

# How far the tip of the toes lies before the ball of the foot, in lengths of the sole from heel to ball.
TIP_SHARE = 0.5
# How far toes bend up where a foot stands on them.
BEND_LIMIT_RAD = np.deg2rad(80.0)
# A foot that is pitched further than upright lies on its instep: then it is not the sole that meets the floor.
ON_INSTEP_RAD = np.deg2rad([105.0, 135.0])
_UP = np.array([0.0, 0.0, 1.0])


def toe_bend(foot_turn: np.ndarray, ahead: np.ndarray, room_m: np.ndarray | float = 0.0) -> np.ndarray:
    """The toes' turn (T, 4) against their foot, in the world.

    They bend up by what the foot is pitched down, less what there is room for under the ball: what is bent depends on
    where the foot is alone, so nothing jumps. foot_turn: (T, 4) from a standing rest; ahead: (3,) from heel to ball at
    rest; room_m: (T,) how high the ball is over the floor, 0 for a foot that stands on its toes.
    """
    along, down = quat_rotate(foot_turn, normalized(ahead)), quat_rotate(foot_turn, -_UP)
    pitch_rad = np.arctan2(-along[:, 2], -down[:, 2])
    room_rad = np.arcsin(np.clip(room_m / (TIP_SHARE * np.linalg.norm(ahead)), 0.0, 1.0))
    bend_rad = np.clip(pitch_rad - room_rad, 0.0, BEND_LIMIT_RAD) * fading(pitch_rad, *ON_INSTEP_RAD[::-1])
    return about_rad(quat_rotate(foot_turn, normalized(np.cross(ahead, _UP))), bend_rad)
