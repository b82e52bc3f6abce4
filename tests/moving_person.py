"""A person of known limbs in known motion, as independent truth: every joint and every part's turn is given, not found.

At no turn at all it stands in a T-pose, looks along -y, palms down. Used by the tests of retargeting and baking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import normalized, quat_between, quat_conjugate, quat_multiply, quat_rotate, quat_slerp
from atcn_core.skeleton import CAPTURE

LEFT, BACK, UP = np.eye(3)
STILL = np.array([1.0, 0.0, 0.0, 0.0])


def about(axis: np.ndarray, angle_rad: np.ndarray | float) -> np.ndarray:
    """Turns (..., 4) about one axis (3,)."""
    half = 0.5 * np.asarray(angle_rad, dtype=np.float64)[..., None]
    return np.concatenate([np.cos(half), np.sin(half) * np.asarray(axis)], axis=-1)


def after(*turns: np.ndarray) -> np.ndarray:
    """Turns composed, the last one first."""
    product = turns[0]
    for turn in turns[1:]:
        product = quat_multiply(*np.broadcast_arrays(product, turn))
    return product


@dataclass(frozen=True)
class Person:
    """joints_world (T, 27, 3) metres, and each part's turn from the T-pose (T, 4) by role."""

    times_s: np.ndarray
    joints_world: np.ndarray
    turns: dict[str, np.ndarray]

    def motion(self) -> WorldMotion:
        return WorldMotion(self.times_s, CAPTURE, self.joints_world, np.ones(self.joints_world.shape[:2]))

    def point(self, joint: str) -> np.ndarray:
        return self.joints_world[:, CAPTURE.index(joint)]


def posed(times_s: np.ndarray, hip_world: np.ndarray, local: dict[str, np.ndarray]) -> Person:
    """A person whose parts are turned against their parents by `local` (T, 4) each; missing parts are not turned.

    Roles: hips, chest, head (against the chest), and left_/right_ upper_arm, forearm, hand, thigh, shin, foot.
    """
    frames = len(times_s)
    get = {role: np.broadcast_to(turn, (frames, 4)) for role, turn in local.items()}

    def of(role: str, parent: np.ndarray) -> np.ndarray:
        return quat_multiply(parent, get[role]) if role in get else parent

    turns = {"hips": of("hips", np.tile(STILL, (frames, 1)))}
    turns["chest"] = of("chest", turns["hips"])
    turns["head"] = of("head", turns["chest"])
    at = {"hip": np.broadcast_to(hip_world, (frames, 3))}

    def put(joint: str, parent: str, role: str, offset: tuple[float, float, float]) -> None:
        at[joint] = at[parent] + quat_rotate(turns[role], np.array(offset))

    bend = quat_slerp(turns["hips"], turns["chest"], 0.5)
    at["spine"] = at["hip"] + quat_rotate(turns["hips"], 0.24 * UP)
    at["thorax"] = at["spine"] + quat_rotate(turns["chest"], 0.26 * UP)
    turns["spine"] = bend
    put("head", "thorax", "head", (0, -0.02, 0.27))
    put("nose", "thorax", "head", (0, -0.125, 0.155))
    for side, s in (("left", 1.0), ("right", -1.0)):
        for role, parent in (("upper_arm", "chest"), ("forearm", None), ("hand", None), ("thigh", "hips")):
            before = turns[parent] if parent else turns[f"{side}_{'upper_arm' if role == 'forearm' else 'forearm'}"]
            turns[f"{side}_{role}"] = of(f"{side}_{role}", before)
        turns[f"{side}_shin"] = of(f"{side}_shin", turns[f"{side}_thigh"])
        turns[f"{side}_foot"] = of(f"{side}_foot", turns[f"{side}_shin"])
        put(f"{side}_ear", "thorax", "head", (s * 0.075, -0.02, 0.17))
        put(f"{side}_shoulder", "thorax", "chest", (s * 0.18, 0, -0.06))
        put(f"{side}_elbow", f"{side}_shoulder", f"{side}_upper_arm", (s * 0.29, 0, 0))
        put(f"{side}_wrist", f"{side}_elbow", f"{side}_forearm", (s * 0.25, 0, 0))
        put(f"{side}_index", f"{side}_wrist", f"{side}_hand", (s * 0.085, -0.03, 0))
        put(f"{side}_pinky", f"{side}_wrist", f"{side}_hand", (s * 0.085, 0.03, 0))
        put(f"{side}_hip", "hip", "hips", (s * 0.1, 0, 0))
        put(f"{side}_knee", f"{side}_hip", f"{side}_thigh", (0, 0, -0.42))
        put(f"{side}_ankle", f"{side}_knee", f"{side}_shin", (0, 0, -0.41))
        put(f"{side}_heel", f"{side}_ankle", f"{side}_foot", (0, 0.05, -0.065))
        put(f"{side}_toe", f"{side}_ankle", f"{side}_foot", (0, -0.165, -0.065))
    return Person(times_s, np.stack([at[joint] for joint in CAPTURE.joints], axis=1), turns)


def elbow(side: str, angle_rad: np.ndarray | float) -> np.ndarray:
    """A bent elbow: the forearm goes to the front of a T-pose."""
    return about(-UP if side == "left" else UP, angle_rad)


def knee(angle_rad: np.ndarray | float) -> np.ndarray:
    """A bent knee: the shin goes back."""
    return about(LEFT, angle_rad)


def dancing(seconds: float = 2.0, fps: float = 30.0, seed: int = 0) -> Person:
    """Lively whole-body motion within what joints can do: walks, turns, bends elbows and knees."""
    times_s = np.arange(int(seconds * fps)) / fps
    rng = np.random.default_rng(seed)

    def wave(middle: float, reach: float) -> np.ndarray:
        return middle + reach * np.sin(2 * np.pi * (rng.uniform(0.3, 0.9) * times_s + rng.uniform()))

    hip = np.stack([0.4 * times_s, -0.3 * times_s, 0.92 + 0.02 * np.sin(4 * times_s)], axis=1)
    local = {
        "hips": after(about(UP, wave(0.3, 0.8)), about(LEFT, wave(-0.05, 0.15)), about(BACK, wave(0, 0.1))),
        "chest": after(about(UP, wave(0, 0.3)), about(LEFT, wave(-0.05, 0.2))),
        "head": after(about(UP, wave(0, 0.5)), about(LEFT, wave(0, 0.2))),
    }
    for side, s in (("left", 1.0), ("right", -1.0)):
        local |= {
            f"{side}_upper_arm": after(about(BACK, s * wave(0.7, 0.5)), about(UP, -s * wave(0.3, 0.4))),
            f"{side}_forearm": elbow(side, wave(1.2, 0.5)),
            f"{side}_hand": after(about(LEFT, wave(0, 0.8)), about(BACK, wave(0, 0.3))),
            f"{side}_thigh": after(about(LEFT, wave(-0.4, 0.35)), about(BACK, -s * wave(0.1, 0.1))),
            f"{side}_shin": knee(wave(0.95, 0.35)),
            f"{side}_foot": about(LEFT, wave(0, 0.2)),
        }
    return posed(times_s, hip, local)


def striding(seconds: float = 3.0, fps: float = 30.0, speed_m_s: float = 1.2) -> tuple[Person, np.ndarray]:
    """Somebody who walks along -y on flat feet that stay where they stand.

    Also gives which of left heel, left toe, right heel, right toe stand, (T, 4) bool.
    """
    times_s = np.arange(int(seconds * fps)) / fps
    period_s, stance = 0.9, 0.6
    stride_m = speed_m_s * period_s
    hip = np.stack([0 * times_s, -speed_m_s * times_s, np.full_like(times_s, 0.80)], axis=1)
    local, standing = {}, []
    for side, shift in (("left", 0.0), ("right", 0.5)):
        step, phase = np.divmod(times_s / period_s + shift, 1.0)
        swing = np.clip((phase - stance) / (1 - stance), 0, 1)
        ahead_m = stride_m * (step - shift + 0.5 * stance + swing - np.sin(2 * np.pi * swing) / (2 * np.pi))
        back = -ahead_m - hip[:, 1]
        down = hip[:, 2] - 0.065 - 0.1 * np.sin(np.pi * swing) ** 2
        span = np.hypot(back, down)
        bend = np.arccos(np.clip((span**2 - 0.42**2 - 0.41**2) / (2 * 0.42 * 0.41), -1, 1))
        pitch = np.arctan2(back, down) - np.arctan2(0.41 * np.sin(bend), 0.42 + 0.41 * np.cos(bend))
        local[f"{side}_thigh"], local[f"{side}_shin"] = about(LEFT, pitch), knee(bend)
        local[f"{side}_foot"] = about(LEFT, -pitch - bend)
        local[f"{side}_upper_arm"] = about(BACK, 1.3 if side == "left" else -1.3)
        standing += [swing == 0, swing == 0]
    return posed(times_s, hip, local), np.stack(standing, axis=1)


def kneeling(pitch_rad: float, seconds: float = 1.0, fps: float = 30.0) -> Person:
    """Somebody on the knees who turns a little to and fro, the feet behind, on the floor, so far turned down."""
    times_s = np.arange(int(seconds * fps)) / fps
    local = {"hips": about(UP, 0.05 * np.sin(9 * times_s))}
    for side in ("left", "right"):
        local |= {f"{side}_shin": knee(np.pi / 2), f"{side}_foot": about(LEFT, pitch_rad - np.pi / 2)}
    high = posed(times_s, np.zeros(3), local)
    lowest_m = min(high.point(f"{side}_{end}")[:, 2].min() for side in ("left", "right") for end in ("heel", "toe"))
    return posed(times_s, -lowest_m * UP, local)


def on_feet(standing: np.ndarray) -> np.ndarray:
    """Chances (T, 6) of contacts.CONTACT_POINTS, given those of heels and toes (T, 4): the hands touch nothing."""
    return np.pad(standing.astype(float), ((0, 0), (0, 2)))


def pressing_up(seconds: float = 4.0, fps: float = 30.0) -> tuple[Person, np.ndarray]:
    """Somebody who does press-ups, head towards -y, on hands and toes that stay where they are.

    Also gives which of contacts.CONTACT_POINTS stand, (T, 6) bool.
    """
    times_s = np.arange(int(seconds * fps)) / fps
    lean = np.pi / 2 - 0.15 + 0.12 * np.cos(2 * np.pi * times_s / 2.0)
    local = {"hips": about(LEFT, lean)}
    for side in ("left", "right"):
        local[f"{side}_foot"] = about(LEFT, -lean + 1.0)
    toes = posed(times_s, np.zeros(3), local)
    hip = np.array([0.0, 0.9, 0.0]) - 0.5 * (toes.point("left_toe") + toes.point("right_toe"))
    body = posed(times_s, hip, local)
    for side, s in (("left", 1.0), ("right", -1.0)):
        shoulder, wrist = body.point(f"{side}_shoulder"), np.array([s * 0.24, -0.52, 0.05])
        way = wrist - shoulder
        span_m = np.linalg.norm(way, axis=1, keepdims=True)
        along = normalized(way)
        # The elbow points to the feet and outwards.
        aside = np.array([s * 0.5, 1.0, 0.0]) - (along @ [s * 0.5, 1.0, 0.0])[:, None] * along
        share = (span_m**2 + 0.29**2 - 0.25**2) / (2 * span_m * 0.29)
        upper = share * along + np.sqrt(1 - share**2) * normalized(aside)
        lower = (way - 0.29 * upper) / 0.25
        turns = [body.turns["chest"]]
        ahead = np.broadcast_to(normalized(np.array([s * 0.3, -1.0, 0.0])), upper.shape)
        for bone, towards in (("upper_arm", upper), ("forearm", lower), ("hand", ahead)):
            turns.append(quat_between(np.broadcast_to(s * LEFT, towards.shape), towards))
            local[f"{side}_{bone}"] = quat_multiply(quat_conjugate(turns[-2]), turns[-1])
    return posed(times_s, hip, local), np.tile([False, True, False, True, True, True], (len(times_s), 1))
