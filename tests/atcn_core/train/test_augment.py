"""Augmented motion is still a person: bones keep their lengths, joints their limits, the hip its place."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from atcn_core.skeleton import CAPTURE
from atcn_core.train.augment import AugmentOptions, augment_motion, perturb_limbs, recombine, turn_feet, turn_head
from atcn_core.train.dice import Dice
from atcn_core.train.limbs import straightened

LEG = (("hip", "knee"), ("knee", "ankle"))
# Someone who stands, faces -y, arms hanging with bent elbows; metres, z up.
_LEFT_HALF = {
    "hip": (0.0, 0.0, 0.95),
    "spine": (0.0, 0.0, 1.2),
    "thorax": (0.0, 0.01, 1.45),
    "nose": (0.0, -0.12, 1.58),
    "head": (0.0, 0.0, 1.72),
    "left_ear": (0.075, -0.01, 1.6),
    "left_shoulder": (0.17, 0.01, 1.42),
    "left_elbow": (0.2, 0.03, 1.14),
    "left_wrist": (0.2, -0.1, 0.92),
    "left_index": (0.19, -0.15, 0.85),
    "left_pinky": (0.2, -0.1, 0.84),
    "left_hip": (0.1, 0.0, 0.95),
    "left_knee": (0.1, -0.03, 0.53),
    "left_ankle": (0.1, 0.03, 0.1),
    "left_heel": (0.1, 0.08, 0.03),
    "left_toe": (0.12, -0.14, 0.03),
}


def people(windows: int, frames: int = 90) -> Tensor:
    """Different walkers, (B, N, J, 3): thighs and shanks swing, the whole turns and moves."""
    generator = torch.Generator().manual_seed(7)
    still = torch.zeros(len(CAPTURE), 3)
    for joint, (x, y, z) in _LEFT_HALF.items():
        still[CAPTURE.index(joint)] = torch.tensor([x, y, z])
        still[CAPTURE.mirror[CAPTURE.index(joint)]] = torch.tensor([-x, y, z])
    moving = still.repeat(windows, frames, 1, 1)
    phase = torch.arange(frames) * 0.2 + 6 * torch.rand(windows, 1, generator=generator)
    for side, at in (("left", phase), ("right", phase + torch.pi)):
        leg = CAPTURE.indices(*(f"{side}_{joint}" for joint in ("knee", "ankle", "heel", "toe")))
        moving = _tilt(moving, CAPTURE.index(f"{side}_hip"), leg, -0.5 * at.sin())
        moving = _tilt(moving, leg[0], leg[1:], 0.35 - 0.35 * at.cos())
    yaw = 6 * torch.rand(windows, 1, generator=generator) + 0.01 * torch.arange(frames)
    x, y = moving[..., 0].clone(), moving[..., 1].clone()
    cos, sin = yaw.cos().unsqueeze(-1), yaw.sin().unsqueeze(-1)
    moving[..., 0], moving[..., 1] = cos * x - sin * y + 0.02 * phase.unsqueeze(-1), sin * x + cos * y
    return moving


def _tilt(figures: Tensor, pivot: int, points: list[int], angle: Tensor) -> Tensor:
    """Points turned about the x axis at a joint; positive angles take what hangs to the back."""
    turned = figures.clone()
    _, y, z = (figures[:, :, points] - figures[:, :, pivot : pivot + 1]).unbind(-1)
    cos, sin = angle.cos().unsqueeze(-1), angle.sin().unsqueeze(-1)
    turned[:, :, points, 1] = figures[:, :, pivot : pivot + 1, 1] + cos * y - sin * z
    turned[:, :, points, 2] = figures[:, :, pivot : pivot + 1, 2] + sin * y + cos * z
    return turned


def lengths(joints: Tensor) -> Tensor:
    parents, children = zip(*CAPTURE.bones, strict=True)
    return (joints[:, :, list(children)] - joints[:, :, list(parents)]).norm(dim=-1)


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at(joints: Tensor, name: str) -> Tensor:
    return joints[:, :, CAPTURE.index(name)]


def angle_deg(a: Tensor, b: Tensor) -> Tensor:
    return torch.rad2deg(torch.atan2(torch.linalg.cross(a, b).norm(dim=-1), (a * b).sum(-1)))


def everywhere(joints: Tensor) -> Tensor:
    """(B, J): all joints are known."""
    return torch.ones(len(joints), len(CAPTURE), dtype=torch.bool)


def augmented(joints: Tensor, options: AugmentOptions, generator: torch.Generator) -> Tensor:
    return augment_motion(joints, everywhere(joints), options, generator)[0]


EVERYTHING = AugmentOptions(recombine=1.0, limbs=1.0, legs=1.0, bend=0.5, reach=0.7, lie=0.5, head=1.0, feet=1.0)


@pytest.mark.parametrize("frames", [1, 27, 90])
def test_turned_bodies_are_finite_and_keep_bones_and_hip(frames: int) -> None:
    joints = people(48, frames)
    turned = perturb_limbs(joints, EVERYTHING, dice())
    assert torch.isfinite(turned).all()
    assert torch.allclose(lengths(turned), lengths(joints), atol=1e-4)
    assert torch.allclose(at(turned, "hip"), at(joints, "hip"), atol=1e-5)
    assert ((turned - joints).norm(dim=-1).amax(dim=(1, 2)) > 0.1).all()


def test_the_hip_stays_through_everything_and_only_the_neck_changes_length() -> None:
    joints = people(48)
    made = augmented(joints, EVERYTHING, dice())
    assert torch.isfinite(made).all()
    assert torch.allclose(at(made, "hip"), at(joints, "hip"), atol=1e-5)
    change = (lengths(made) - lengths(joints)).abs().amax(dim=(0, 1))
    names = [CAPTURE.joints[child] for _, child in CAPTURE.bones]
    assert all(c < (0.08 if n in ("nose", "head") else 1e-4) for n, c in zip(names, change.tolist(), strict=True))


def test_the_same_seed_gives_the_same_motion_and_another_seed_another() -> None:
    joints = people(16)
    first, again, other = (augmented(joints, AugmentOptions(), dice(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_nothing_happens_at_share_zero_and_the_input_is_never_written_to() -> None:
    joints = people(16)
    kept = joints.clone()
    nothing = AugmentOptions(recombine=0.0, straight=0.0, limbs=0.0, lie=0.0, head=0.0, feet=0.0)
    assert torch.equal(augmented(joints, nothing, dice()), joints)
    augmented(joints, EVERYTHING, dice())
    assert torch.equal(joints, kept)


def test_about_the_share_of_the_windows_is_struck() -> None:
    joints = people(40, 9)
    changed = (turn_head(joints, AugmentOptions(head=0.3), dice()) != joints).flatten(1).any(1)
    assert changed.sum() == 12


def test_knees_and_elbows_bend_their_own_way_and_no_further_than_they_can() -> None:
    joints = people(200, 60)
    turned = perturb_limbs(joints, EVERYTHING, dice(3))
    for side in ("left", "right"):
        hip, knee, ankle, heel, toe = (at(turned, f"{side}_{j}") for j in ("hip", "knee", "ankle", "heel", "toe"))
        bend = angle_deg(knee - hip, ankle - knee)
        assert bend.max() < 151
        # The knee's hinge points left, as seen along the foot, which turns with the shank: toes in front, sole down.
        left = torch.linalg.cross(knee - ankle, toe - heel)
        normal = torch.linalg.cross(knee - hip, ankle - knee)
        clear = bend > 10
        assert (angle_deg(left, normal)[clear] < 60).all()
        shoulder, elbow, wrist = (at(turned, f"{side}_{j}") for j in ("shoulder", "elbow", "wrist"))
        assert angle_deg(elbow - shoulder, wrist - elbow).max() < 151


def test_limbs_are_straightened_between_ends_that_stay_in_line_and_feet_that_stay_level() -> None:
    joints = people(100, 60)
    figures = joints.permute(2, 3, 0, 1).contiguous()
    straight = straightened(figures, Dice(100, 60, dice(4)), 32.0).permute(2, 3, 0, 1)
    torch.testing.assert_close(lengths(straight), lengths(joints), rtol=0, atol=2e-4)
    for side in ("left", "right"):
        for ends in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            (a, b, c), (a_new, b_new, c_new) = ([at(of, f"{side}_{j}") for j in ends] for of in (joints, straight))
            bend, new = angle_deg(b - a, c - b), angle_deg(b_new - a_new, c_new - b_new)
            assert (new < bend + 0.1).all()
            assert (bend - new).max() < 32.1
            assert angle_deg(c - a, c_new - a_new).max() < 1.0
            assert ((c_new - a_new).norm(dim=-1) > (c - a).norm(dim=-1) - 1e-4).all()
        soles = [at(of, f"{side}_toe") - at(of, f"{side}_heel") for of in (joints, straight)]
        torch.testing.assert_close(*soles, rtol=0, atol=1e-4)
    knees = [angle_deg(*(at(of, f"left_{b}") - at(of, f"left_{a}") for a, b in LEG)) for of in (joints, straight)]
    assert knees[1].mean() < 0.75 * knees[0].mean()
    steps = [(of[:, 2:] - 2 * of[:, 1:-1] + of[:, :-2]).norm(dim=-1).mean() for of in (joints, straight)]
    assert steps[1] < 1.3 * steps[0]


def test_people_sit_squat_and_bend_often() -> None:
    joints = people(300, 30)
    sat = perturb_limbs(joints, AugmentOptions(limbs=1.0, legs=1.0, bend=0.0, lie=0.0), dice(5))
    trunk = at(sat, "thorax") - at(sat, "hip")
    flexed = torch.stack(
        [180 - angle_deg(trunk, at(sat, f"{side}_knee") - at(sat, f"{side}_hip")) for side in ("left", "right")]
    )
    both = (flexed.amin(0) > 55).any(dim=1)
    assert 0.35 < both.float().mean() < 0.95
    assert flexed.max() < 150
    bent = perturb_limbs(joints, AugmentOptions(limbs=1.0, legs=0.0, bend=1.0, lie=0.0), dice(5))
    lean = angle_deg(at(bent, "thorax") - at(bent, "hip"), torch.tensor([0.0, 0.0, 1.0]).expand(300, 30, 3))
    assert (lean.amax(dim=1) > 40).float().mean() > 0.4


def test_an_upper_body_moves_over_with_its_own_bones_and_shape() -> None:
    joints = people(20)
    other = people(20).roll(3, 0) * 1.1
    mixed = recombine(joints, other, 1.0, dice())
    legs = CAPTURE.indices("hip", "left_hip", "right_ankle", "left_toe")
    assert torch.equal(mixed[:, :, legs], joints[:, :, legs])
    reach = (at(mixed, "left_wrist") - at(mixed, "spine")).norm(dim=-1)
    assert torch.allclose(reach, (at(other, "left_wrist") - at(other, "spine")).norm(dim=-1), atol=1e-4)
    # Faces the way the legs go: both sources look straight ahead.
    ahead = at(mixed, "nose") - (at(mixed, "left_ear") + at(mixed, "right_ear")) / 2
    ahead_before = at(joints, "nose") - (at(joints, "left_ear") + at(joints, "right_ear")) / 2
    assert angle_deg(ahead, ahead_before).max() < 2


def test_heads_and_feet_turn_within_their_limits_and_use_them() -> None:
    joints = people(200, 60)
    options = AugmentOptions(head=1.0, feet=1.0)
    turned = turn_feet(turn_head(joints, options, dice()), options, dice())
    ears = (at(turned, "left_ear") + at(turned, "right_ear")) / 2
    left = at(joints, "left_shoulder") - at(joints, "right_shoulder")
    front = torch.linalg.cross(left, at(joints, "thorax") - at(joints, "spine"))
    ahead = at(turned, "nose") - ears
    yaw = torch.rad2deg(
        torch.atan2((ahead * left).sum(-1) / left.norm(dim=-1), (ahead * front).sum(-1) / front.norm(dim=-1))
    )
    assert 45 < yaw.abs().max() < 71
    assert 12 < yaw.std() < 45
    for side in ("left", "right"):
        shank = at(turned, f"{side}_knee") - at(turned, f"{side}_ankle")
        pitch = angle_deg(at(turned, f"{side}_toe") - at(turned, f"{side}_heel"), shank) - 90
        assert 25 < pitch.max() < 41
        assert -26 < pitch.min() < -15


def test_motion_stays_smooth() -> None:
    joints = people(100)
    made = augmented(joints, EVERYTHING, dice())
    speed_m = (made[:, 1:] - made[:, :-1]).norm(dim=-1)
    # At 30 frames a second: a fast kick is at 0.35 metres a frame.
    assert (speed_m < 0.35).float().mean() > 0.999
    assert speed_m.median() < 0.05


def fastest_m_s(joints: Tensor) -> Tensor:
    about = joints - at(joints, "hip").unsqueeze(2)
    return 30.0 * (about[:, 1:] - about[:, :-1]).norm(dim=-1).amax(dim=(1, 2))


def test_nobody_becomes_faster_than_people_are() -> None:
    joints = people(60)
    # A third of them whirl round twice a second, which nobody does with outstretched arms or bent over.
    yaw = 12.6 / 30 * torch.arange(90)[:, None]
    x, y = joints[::3, ..., 0].clone(), joints[::3, ..., 1].clone()
    middle_x, middle_y = x[..., :1], y[..., :1]
    joints[::3, ..., 0] = middle_x + yaw.cos() * (x - middle_x) - yaw.sin() * (y - middle_y)
    joints[::3, ..., 1] = middle_y + yaw.sin() * (x - middle_x) + yaw.cos() * (y - middle_y)
    assert fastest_m_s(joints).max() < 10.0
    free = replace(EVERYTHING, fastest_m_s=1000.0)
    assert (fastest_m_s(augmented(joints, free, dice())) > 10.0).sum() > 5
    made = augmented(joints, EVERYTHING, dice())
    assert fastest_m_s(made).max() <= 10.0
    assert ((made != joints).flatten(1).any(1)).float().mean() > 0.6


def test_what_a_take_lacks_goes_with_its_upper_body_and_heads_without_ears_are_not_turned() -> None:
    joints = people(40)
    face = CAPTURE.indices("nose", "left_ear", "right_ear")
    known = everywhere(joints)
    known[::2, face] = False
    known[1::4, CAPTURE.index("left_toe")] = False
    joints[::2, :, face] = joints[::2, :, CAPTURE.indices("thorax")].expand(-1, -1, 3, -1)
    nothing = AugmentOptions(recombine=0.0, straight=0.0, limbs=0.0, lie=0.0, head=1.0, feet=0.0)
    turned, same = augment_motion(joints, known, nothing, dice())
    assert torch.equal(same, known)
    assert torch.equal(turned[::2], joints[::2])
    assert (turned[1::2] != joints[1::2]).flatten(1).any(1).all()
    mixed, brought = augment_motion(joints, known, replace(nothing, recombine=1.0, head=0.0), dice())
    assert torch.equal(brought[:, CAPTURE.index("left_toe")], known[:, CAPTURE.index("left_toe")])
    assert not torch.equal(brought, known)
    # Only a face that came along is in its place.
    in_place = (at(mixed, "nose") - at(mixed, "thorax")).norm(dim=-1).amin(dim=1) > 0.01
    assert torch.equal(brought[:, face].all(dim=1), in_place)


@pytest.mark.parametrize(
    "wrong", [{"limbs": 1.5}, {"head": -0.1}, {"arm_deg": -1.0}, {"foot_limits_deg": (40, -25, 20)}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AugmentOptions(**wrong)


def test_a_rotation_is_one_whatever_the_batch() -> None:
    from atcn_core.train.turning import between, turn

    a, b, spare = torch.nn.functional.normalize(torch.randn(3, 3, 50, 2, generator=dice()), dim=1)
    for rotation in (turn(a, torch.full((50, 2), math.pi / 3)), between(a, b, spare), between(a, -a, spare)):
        square = torch.einsum("ijbn,kjbn->bnik", rotation, rotation)
        assert torch.allclose(square, torch.eye(3).expand(50, 2, 3, 3), atol=1e-5)
    assert torch.allclose(torch.einsum("ijbn,jbn->ibn", between(a, b, spare), a), b, atol=1e-4)
