"""What the smoothing slider leaves alone, what it takes off, and that it tells the truth about both."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.motion.root import constant_limb_lengths
from atcn_core.motion.steady import DEFAULT_STRENGTH, effect_of, steadied
from atcn_core.skeleton import CAPTURE
from tests.moving_person import BACK, LEFT, about, after, posed

from .camera_motion import before_camera, dancer, placed

WRIST = CAPTURE.index("left_wrist")


def jitter(joints):
    return np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1).mean()


def trembling(joints, fps=30.0, seed=0, mm=4.0):
    """Joints (T, J, 3) with the tremble that a network's guesses have: a few millimetres at 4 to 8 Hz."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(len(joints)) / fps
    noise = np.zeros(joints.shape)
    for hz in (4.0, 5.1, 6.3, 7.9):
        phase = rng.uniform(0, 2 * np.pi, joints.shape[1:])
        noise += np.sin(2 * np.pi * hz * times_s[:, None, None] + phase)
    noisy = joints + 0.001 * mm * noise / np.sqrt(2.0 * 3.0)
    return constant_limb_lengths(noisy, CAPTURE, np.ones(noisy.shape[:2]))


def standing(seconds=4.0, fps=30.0, **local):
    """A person before the camera who stands, parts turned by `local` (role: turns)."""
    times_s = np.arange(round(seconds * fps)) / fps
    person = posed(times_s, np.array([0.0, 0.0, 0.9]), {r: turn(times_s) for r, turn in local.items()})
    return before_camera(person.joints_world[..., [0, 2, 1]] * [1.0, -1.0, 1.0] + [0.0, 1.0, 4.0], fps)


def swinging(hz, metres, fps):
    """A standing person whose left arm swings so far to either side of straight down, measured at the wrist."""

    def arm(times_s):
        return after(about(LEFT, metres / 0.55 * np.sin(2 * np.pi * hz * times_s)), about(BACK, 1.4))

    return standing(6.0, fps, left_upper_arm=arm)


def test_no_strength_is_no_change_at_all():
    motion = dancer()
    assert steadied(motion, 0.0) is motion


def test_hardly_any_strength_is_hardly_any_change():
    motion = dancer()
    assert np.abs(placed(steadied(motion, 0.02)) - placed(motion)).max() < 1e-4


def test_what_moves_evenly_passes_untouched():
    pose = standing(1 / 30).joints_cam
    way = np.arange(90)[:, None] * np.array([0.04, -0.01, 0.02])
    motion = before_camera(pose + way[:, None] + [0.0, 0.0, 4.0])
    assert np.allclose(placed(steadied(motion, 1.0)), placed(motion), atol=1e-6)


def test_the_clock_does_not_matter_nor_which_way_it_runs():
    motion = dancer()
    later = dataclasses.replace(motion, times_s=motion.times_s + 40.0)
    found = placed(steadied(motion))
    assert np.allclose(placed(steadied(later)), found, atol=1e-7)
    backwards = before_camera(placed(motion)[::-1], times_s=motion.times_s)
    assert np.allclose(placed(steadied(backwards))[::-1], found, atol=1e-7)


def test_mirrored_motion_gives_mirrored_result_and_a_turned_camera_a_turned_one():
    motion = dancer()
    found = placed(steadied(motion))
    mirrored = before_camera(placed(motion)[:, list(CAPTURE.mirror)] * [-1.0, 1.0, 1.0])
    assert np.allclose(placed(steadied(mirrored)), found[:, list(CAPTURE.mirror)] * [-1.0, 1.0, 1.0], atol=1e-9)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    assert np.allclose(placed(steadied(before_camera(placed(motion) @ turn))), found @ turn, atol=1e-9)


def test_limbs_keep_their_lengths():
    motion = before_camera(trembling(placed(dancer())))
    found = placed(steadied(motion, 1.0))
    parents, children = np.array(CAPTURE.bones).T
    before, after = (np.linalg.norm(j[:, children] - j[:, parents], axis=-1) for j in (placed(motion), found))
    assert np.allclose(before, after, atol=1e-9)


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0])
@pytest.mark.parametrize(("hz", "metres"), [(1.0, 0.1), (2.0, 0.12), (3.0, 0.12), (4.0, 0.1), (4.0, 0.2)])
def test_swings_and_claps_are_not_damped(hz, metres, fps):
    motion = swinging(hz, metres, fps)
    inside = slice(round(fps), -round(fps))
    before, after = (m.joints_cam[inside, WRIST] for m in (motion, steadied(motion)))
    kept = np.ptp(after[:, 2]) / np.ptp(before[:, 2])
    assert 0.95 <= kept <= 1.02
    swing = effect_of(motion, steadied(motion)).swing_percent
    assert swing == pytest.approx(100.0 * kept, abs=3.0)


def test_tremble_of_one_who_stands_goes_and_more_strength_takes_more():
    still = standing()
    motion = before_camera(trembling(placed(still)))
    found = [jitter(placed(steadied(motion, strength))) for strength in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert all(less < more for more, less in pairwise(found))
    assert found[2] < 0.35 * found[0]
    off = [np.abs(placed(m) - placed(still)).mean() for m in (motion, steadied(motion))]
    assert off[1] < 0.5 * off[0]


def test_tremble_goes_at_any_frame_rate_alike():
    kept = []
    for fps in (24.0, 60.0):
        motion = before_camera(trembling(placed(standing(fps=fps)), fps), fps)
        off = [np.diff(placed(m), axis=0).std() for m in (motion, steadied(motion))]
        kept.append(off[1] / off[0])
    assert max(kept) < 0.03
    assert kept[0] == pytest.approx(kept[1], abs=0.01)


@pytest.mark.parametrize(("hz", "metres", "least"), [(0.5, 0.03, 0.95), (1.0, 0.05, 0.84), (2.0, 0.1, 0.9)])
def test_gestures_across_the_picture_live_where_all_trembles(hz, metres, least):
    def arm(times_s):
        return about(BACK, 1.2 + metres / 0.55 * np.sin(2 * np.pi * hz * times_s))

    true = placed(standing(6.0, left_upper_arm=arm))
    found = placed(steadied(before_camera(trembling(true, mm=2.0))))
    gesture, kept = (j[30:-30, WRIST] - j[30:-30, 0] for j in (true, found))
    gesture, kept = gesture - gesture.mean(axis=0), kept - kept.mean(axis=0)
    assert least <= (gesture * kept).sum() / (gesture**2).sum() <= 1.05


def test_depth_which_one_camera_hardly_tells_is_held_calmer():
    """Where it trembles more along the line of sight than across, and only there."""
    true = placed(dancer())
    away = true[:, :1].mean(axis=0)
    away /= np.linalg.norm(away)
    noise = trembling(true) - true
    noise += 2.0 * (noise @ away[0])[..., None] * away
    for size, calmer in ((1.0, 0.8), (0.0, 1.0)):
        motion = before_camera(true + size * noise)
        before, after = (np.diff(placed(m), n=2, axis=0) for m in (motion, steadied(motion)))
        along = [np.abs(x @ away[0]).mean() for x in (before, after)]
        across = [np.linalg.norm(x - (x @ away[0])[..., None] * away, axis=-1).mean() for x in (before, after)]
        assert along[1] / along[0] < calmer * across[1] / across[0] + 0.02


def test_a_joint_that_was_not_seen_is_smoothed_more():
    motion = before_camera(trembling(placed(dancer())))
    score = motion.score.copy()
    score[:, WRIST] = 0.0
    hidden = steadied(dataclasses.replace(motion, score=score))
    seen = steadied(motion)
    assert jitter(placed(hidden)[:, WRIST]) < 0.95 * jitter(placed(seen)[:, WRIST])
    knee = CAPTURE.index("left_knee")
    assert np.allclose(placed(hidden)[:, knee], placed(seen)[:, knee], atol=1e-9)


def test_joints_that_no_detector_gives_go_with_those_they_lie_between():
    motion = before_camera(trembling(placed(dancer())))
    score = motion.score.copy()
    score[:, CAPTURE.indices("spine", "thorax", "head")] = 0.0
    found = placed(steadied(dataclasses.replace(motion, score=score)))
    assert np.allclose(found, placed(steadied(motion)), atol=1e-9)


def test_films_of_few_frames_a_second_keep_their_swings():
    motion = swinging(0.7, 0.2, 5.0)
    swing = effect_of(motion, steadied(motion)).swing_percent
    assert swing is not None
    assert swing > 97.0


def walking(fps):
    """A person whose hips go evenly at 1 m/s while the left foot stands, swings and stops from one frame to the next,
    the hardest case: the joints (T, J, 3), and when it stands (T,)."""
    times_s = np.arange(round(4.2 * fps)) / fps
    phase, step = times_s % 0.7, np.floor(times_s / 0.7)
    swing = np.clip((phase - 0.4) / 0.3, 0.0, 1.0)
    along = 0.7 * (step + 0.5 * (swing + swing**2)) + 0.2
    joints = np.repeat(placed(standing(1 / 30)), len(along), axis=0)
    joints[..., 0] += times_s[:, None]
    hip, knee, ankle, *sole = (joints[:, CAPTURE.index(f"left_{j}")] for j in ("hip", "knee", "ankle", "heel", "toe"))
    offsets = [point - ankle for point in sole]
    ankle[:, 0], ankle[:, 2] = along + hip[0, 0] - 0.2, hip[:, 2]
    ankle[:, 1] = hip[:, 1] + 0.82
    for point, offset in zip(sole, offsets, strict=True):
        point[:] = ankle + offset
    middle, way = 0.5 * (hip + ankle), ankle - hip
    forward = np.cross(way, [0.0, 0.0, 1.0])
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    bend_m = np.sqrt(0.5**2 - 0.25 * (way**2).sum(axis=1, keepdims=True))
    knee[:] = middle - bend_m * forward
    return joints, phase <= 0.4


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_feet_that_stand_keep_their_edges(fps):
    joints, stands = walking(fps)
    foot = CAPTURE.indices("left_ankle", "left_heel", "left_toe")
    off_m = np.linalg.norm(placed(steadied(before_camera(joints, fps))) - joints, axis=-1)[:, foot].max(axis=1)
    edge = max(round(0.035 * fps), 1)
    inside = np.array([stands[max(i - edge, 0) : i + edge + 1].all() for i in range(len(stands))])
    assert off_m[inside].max() < 0.006
    assert off_m.max() < 0.03


def test_wrong_strengths_are_refused_and_short_clips_pass():
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(MotionError, match="between 0 and 1"):
            steadied(dancer(), strength)
    short = dancer(seconds=2 / 30)
    assert steadied(short) is short
    assert effect_of(short, short).jitter_after_mm == 0.0


def test_the_effect_is_told_as_it_is():
    motion = before_camera(trembling(placed(dancer())))
    calm = steadied(motion)
    effect = effect_of(motion, calm)
    assert effect.jitter_before_mm == pytest.approx(1000.0 * jitter(placed(motion)))
    assert effect.jitter_after_mm == pytest.approx(1000.0 * jitter(placed(calm)))
    half = before_camera(0.5 * placed(motion) + 0.5 * placed(motion).mean(axis=0))
    assert effect_of(motion, half).swing_percent == pytest.approx(50.0, abs=0.5)
    assert effect.sentence.startswith(f"Jitter {effect.jitter_before_mm:.1f} -> {effect.jitter_after_mm:.1f} mm, swing")
    still = before_camera(trembling(placed(standing())))
    assert effect_of(still, steadied(still)).swing_percent is None
    assert "swing" not in effect_of(still, steadied(still)).sentence
    assert 0.0 < DEFAULT_STRENGTH < 1.0
