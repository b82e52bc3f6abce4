"""Pictures of a textured room, by a virtual camera that may turn, zoom and go about: a background with known truth."""

from __future__ import annotations

import cv2
import numpy as np

from ..frames import Intrinsics

__all__ = ["Backdrop"]

_TEXELS = 1024
_TEXEL_M = 0.01


class Backdrop:
    """A closed room with wallpaper. half_m: (3,) half its width, height and length about the origin, `cam` axes."""

    def __init__(self, seed: int, half_m: tuple[float, float, float] = (5.0, 3.0, 6.0)) -> None:
        self._half_m = np.array(half_m)
        self._texture = _wallpaper(np.random.default_rng(seed))

    def picture(
        self, image_wh_px: tuple[int, int], lens: Intrinsics, room_from_cam: np.ndarray, place_m: np.ndarray
    ) -> np.ndarray:
        """What the camera sees, (H, W, 3) uint8 BGR. room_from_cam: (3, 3); place_m: (3,) inside the room."""
        width_px, height_px = image_wh_px
        # The texture is too fine for nothing to be gained by more than one ray a pixel.
        x = ((np.arange(width_px) + 0.5 - lens.centre_px[0]) / lens.focal_px).astype(np.float32)
        y = ((np.arange(height_px) + 0.5 - lens.centre_px[1]) / lens.focal_px).astype(np.float32)[:, None]
        turn = room_from_cam.astype(np.float32)
        rays = [turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2] for axis in range(3)]
        half, place = self._half_m.astype(np.float32), np.asarray(place_m, np.float32)
        with np.errstate(divide="ignore"):
            reach = [(np.copysign(half[axis], ray) - place[axis]) / ray for axis, ray in enumerate(rays)]
        nearest = np.minimum(np.minimum(reach[0], reach[1]), reach[2])
        hit = [place[axis] + ray * nearest for axis, ray in enumerate(rays)]
        walls = [nearest == one for one in reach]
        across = np.where(walls[0], hit[2], hit[0])
        along = np.where(walls[1], hit[2], hit[1])
        # Each wall shows another part of the paper.
        side = sum((2 * axis + (rays[axis] > 0)) * walls[axis] for axis in range(3))
        u = (across / _TEXEL_M + np.float32(171.0) * side) % _TEXELS
        v = (along / _TEXEL_M + np.float32(313.0) * side) % _TEXELS
        return cv2.remap(
            self._texture, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )


def _wallpaper(rng: np.random.Generator) -> np.ndarray:
    """(N, N, 3) uint8 that goes on where it ends: soft blots of several sizes, on which patterns sit."""
    total = np.zeros((_TEXELS, _TEXELS))
    for cells, weight in ((16, 0.6), (64, 1.0), (128, 0.8)):
        blots = rng.normal(size=(cells, cells))
        tiled = np.tile(blots, (3, 3))
        large = cv2.resize(tiled, None, fx=_TEXELS / cells, fy=_TEXELS / cells, interpolation=cv2.INTER_CUBIC)
        total += weight * large[_TEXELS : 2 * _TEXELS, _TEXELS : 2 * _TEXELS]
    grey = (128 + 38 * total / total.std()).clip(15, 240)
    tint = rng.uniform(0.8, 1.0, 3)
    return (grey[..., None] * tint).astype(np.uint8)
