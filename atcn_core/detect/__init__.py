"""2D detectors behind one small protocol, found by name. A detector's library is imported only when it is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import ModelError
from ..reporter import Reporter
from ..skeleton import Skeleton

__all__ = ["DETECTORS", "Detection", "Detector", "create_detector"]

# Name -> "module:class", the module seen from here. The class takes (model, world, reporter) by name and follows
# the Detector protocol.
DETECTORS = {"mediapipe": ".mediapipe:MediapipeDetector"}


@dataclass(frozen=True)
class Detection:
    """One person in one frame.

    xy_px:     (J, 2) float32, pixels of the upright frame; may lie outside of it.
    score:     (J,)   float32, 0..1; 0 where the joint was not seen.
    world_cam: (J, 3) float32, the detector's own 3D in camera axes, metres from the middle of the hips; None where
               it was not asked for.
    """

    xy_px: np.ndarray
    score: np.ndarray
    world_cam: np.ndarray | None = None


class Detector(Protocol):
    """Finds one person's joints in the frames of one video, fed in their order.

    `open` before the first frame (raises ModelError), `close` after the last one, even after an error.
    """

    skeleton: Skeleton

    def open(self) -> None:
        """Load the model and forget any person followed before."""
        ...

    def detect(self, picture_bgr: np.ndarray, time_s: float) -> Detection | None:
        """picture_bgr: (H, W, 3) uint8, upright. time_s: later than the frame before. None where nobody is seen."""
        ...

    def close(self) -> None:
        """Let the model go."""
        ...


def create_detector(name: str, *, model: str = "", world: bool = False, reporter: Reporter | None = None) -> Detector:
    """The detector of this name, not opened yet.

    model: the user's own model file, empty for the detector's default. world: also give the detector's own 3D.
    Raises ModelError where there is no such detector.
    """
    if name not in DETECTORS:
        raise ModelError(f"There is no detector called {name!r}.", hint=f"Choose one of: {', '.join(DETECTORS)}.")
    module, _, attribute = DETECTORS[name].partition(":")
    factory = getattr(importlib.import_module(module, __name__), attribute)
    return factory(model=model, world=world, reporter=reporter or Reporter())
