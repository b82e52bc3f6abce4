"""The table of bone errors, on a network whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest

from atcn_core.clip import Keypoints2D
from atcn_core.evaluate.fit_report import bone_error_rows
from atcn_core.evaluate.takes import KnownTake
from atcn_core.evaluate.views import CAMERA, make_views
from atcn_core.frames import Intrinsics
from atcn_core.lift.predict import Lifter
from atcn_core.reporter import Reporter
from atcn_core.skeleton import CAPTURE
from tests.moving_person import dancing


class OffByAWrist(Lifter):
    """Answers with the truth, but for the left wrist and what hangs on it, which it puts elsewhere."""

    def __init__(self, joints_cam: np.ndarray, away_cam: np.ndarray) -> None:
        self.answer = joints_cam - joints_cam[:, :1]
        self.answer[:, CAPTURE.indices("left_wrist", "left_index", "left_pinky")] += away_cam

    def lift(
        self, keypoints: Keypoints2D, camera: Intrinsics, reporter: Reporter, fixed_from_cam: np.ndarray | None = None
    ) -> np.ndarray:
        return self.answer


def test_a_bones_error_shows_at_its_far_joint_and_in_its_direction() -> None:
    joints_world = dancing(0.5).joints_world
    shown = np.ones(len(CAPTURE), dtype=bool)
    # Little and still, so that the limbs' constant lengths change almost nothing.
    views = make_views([KnownTake("dance", joints_world[:1].repeat(5, axis=0), shown)], 1)
    hip = views[0].joints_cam[0, CAPTURE.index("hip")]
    sight = hip / np.linalg.norm(hip)
    rows = bone_error_rows(views, OffByAWrist(views[0].joints_cam, 0.001 * sight))
    errors = {str(row["bone to the"]): row for row in rows}
    assert errors["index"]["along"] == errors["knee"]["along"] == 0.0
    wrist = errors["wrist"]
    # One of two wrists is off by 1 mm, and both forearms are then made as long as each other.
    assert 0.3 < float(str(wrist["along"])) < 1.0
    assert float(str(wrist["across"])) < float(str(wrist["along"]))
    assert views[0].lens == CAMERA


def test_nothing_is_off_where_the_answer_is_the_truth() -> None:
    views = make_views([KnownTake("dance", dancing(0.3).joints_world, np.ones(len(CAPTURE), dtype=bool))], 1)
    rows = bone_error_rows(views, OffByAWrist(views[0].joints_cam, np.zeros(3)))
    assert max(float(str(row[name])) for row in rows for name in ("along", "across")) == pytest.approx(0.0, abs=0.11)
