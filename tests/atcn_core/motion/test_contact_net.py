"""What the learnt network says of feet whose every step is known, from wherever they are filmed."""

import numpy as np
import pytest

from atcn_core.clip import Motion3D, save_arrays
from atcn_core.errors import ModelError
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics
from atcn_core.motion.contact_net import (
    CONTACT_NET_FILE,
    INPUTS,
    ContactNet,
    bundled_net,
    captured_chance,
    contact_inputs,
    learnt_chance,
    read_net,
    save_net,
)
from atcn_core.motion.contacts import caught, contact_chance, long_enough
from atcn_core.motion.feet import standing_points
from atcn_core.rotation import normalized, quat_rotate
from atcn_core.skeleton import CAPTURE, LIMB_12, Skeleton, mirrored_name
from build_addon import contents
from tests.moving_person import UP, about, posed, striding

UP_CAM = np.array([0.0, -1.0, 0.0])
MIRROR = CAPTURE.indices(*(mirrored_name(joint) for joint in CAPTURE.joints))


def seen(times_s, joints_world, yaw_rad=0.0, joints=CAPTURE.joints):
    """The motion before a level camera 5 m away, turned about the vertical."""
    turned = quat_rotate(about(UP, yaw_rad), joints_world - joints_world[0, 0]) + joints_world[0, 0]
    joints_cam = (turned + np.array([0.0, 5.0, -1.0])) @ WORLD_FROM_CAM
    kept = CAPTURE.indices(*joints)
    skeleton = CAPTURE if joints == CAPTURE.joints else Skeleton("part", joints, (None,) * len(joints))
    root = joints_cam[:, kept[0]]
    return Motion3D(
        *(skeleton, times_s, 1.0 / float(np.median(np.diff(times_s))), (1000, 1000)),
        *((joints_cam[:, kept] - root[:, None]).astype(np.float32), root.astype(np.float32)),
        *(np.ones((len(times_s), len(kept)), dtype=np.float32), Intrinsics(1000.0, (500.0, 500.0))),
    )


def squatting(times_s, rise_m):
    """Both feet flat, legs a little bent, all of the body raised by rise_m (T,)."""
    local = {f"{side}_{part}": about([1.0, 0.0, 0.0], bend) for side in ("left", "right") for part, bend in BENT}
    return posed(times_s, np.array([0.0, 0.0, 0.86]) + rise_m[:, None] * UP, local).joints_world


BENT = (("thigh", -0.4), ("shin", 0.8), ("foot", -0.4))


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
@pytest.mark.parametrize("yaw_rad", [0.0, 1.0, 2.2])
def test_a_walker_s_steps_are_found_from_all_sides(fps, yaw_rad):
    person, standing = striding(4.0, fps)
    found = caught(learnt_chance(seen(person.times_s, person.joints_world, yaw_rad), UP_CAM, bundled_net()), 0.6, 0.4)
    # The frame at which a foot lands or leaves is a matter of taste.
    step = max(round(fps / 15.0), 1)
    sure = long_enough(standing, 3) & np.roll(standing, step, 0) & np.roll(standing, -step, 0)
    maybe = standing | np.roll(standing, step, 0) | np.roll(standing, -step, 0)
    assert found[sure].mean() > 0.85
    assert maybe[found].mean() > 0.9


def test_nothing_depends_on_where_the_camera_looks():
    person, _ = striding()
    motion = seen(person.times_s, person.joints_world)
    turn = about(normalized(np.array([1.0, 2.0, -0.5])), 0.7)
    tilted = Motion3D(
        *(CAPTURE, motion.times_s, motion.fps, motion.image_wh_px),
        *(
            quat_rotate(turn, values.astype(np.float64)).astype(np.float32)
            for values in (motion.joints_cam, motion.root_cam)
        ),
        *(motion.score, motion.camera),
    )
    straight = learnt_chance(motion, UP_CAM, bundled_net())
    assert np.abs(learnt_chance(tilted, quat_rotate(turn, UP_CAM), bundled_net()) - straight).max() < 1e-3


def test_who_is_mirrored_has_the_other_foot_standing():
    person, _ = striding()
    mirrored = person.joints_world[:, MIRROR] * [-1.0, 1.0, 1.0]
    one, other = (
        learnt_chance(seen(person.times_s, at), UP_CAM, bundled_net()) for at in (person.joints_world, mirrored)
    )
    assert np.abs(one - other[:, [2, 3, 0, 1]]).mean() < 0.03


def test_a_jump_stays_a_jump():
    times_s = np.arange(75) / 30
    air = (times_s > 1.0) & (times_s < 1.5)
    motion = seen(times_s, squatting(times_s, np.where(air, 4.9 * (times_s - 1.0) * (1.5 - times_s), 0.0)))
    chance = learnt_chance(motion, UP_CAM, bundled_net())
    sure = long_enough(air[:, None], 3)[:, 0] & np.roll(air, 3) & np.roll(air, -3)
    assert not standing_points(chance, times_s)[sure].any()
    assert standing_points(chance, times_s)[:25].all()
    assert standing_points(chance, times_s)[-25:].all()


def test_who_stands_on_a_chair_stands():
    times_s = np.arange(150) / 30
    rise_m = 0.45 * np.clip((times_s - 2.0) / 0.5, 0.0, 1.0)
    standing = standing_points(learnt_chance(seen(times_s, squatting(times_s, rise_m)), UP_CAM, bundled_net()), times_s)
    assert standing[:50].mean() > 0.95
    assert not standing[66:70].any()
    assert standing[90:].mean() > 0.95


def test_a_foot_held_up_high_does_not_stand():
    times_s = np.arange(60) / 30
    raised = {"left_thigh": about([1.0, 0.0, 0.0], -1.4), "left_shin": about([1.0, 0.0, 0.0], 0.5)}
    person = posed(times_s, np.array([0.0, 0.0, 0.895]), raised)
    chance = captured_chance(seen(times_s, person.joints_world), UP_CAM)
    assert chance[:, :2].max() < 0.15
    assert chance[:, 2:4].min() > 0.6


def test_a_trembling_capture_of_somebody_who_stands_stands():
    times_s = np.arange(90) / 30
    still = squatting(times_s, np.zeros(90))
    shaken = still + 0.004 * np.random.default_rng(1).normal(size=still.shape)
    assert standing_points(learnt_chance(seen(times_s, shaken), UP_CAM, bundled_net()), times_s).mean() > 0.95


def test_without_heels_and_toes_what_was_tuned_counts():
    person, _ = striding()
    motion = seen(person.times_s, person.joints_world, joints=LIMB_12)
    root = motion.root_cam.astype(np.float64)
    tuned = contact_chance(motion.joints_cam + root[:, None], motion.skeleton, motion.times_s, UP_CAM, normalized(root))
    assert np.array_equal(captured_chance(motion, UP_CAM), tuned)


def test_hands_are_judged_as_before_and_a_single_frame_stands():
    person, _ = striding()
    motion = seen(person.times_s, person.joints_world)
    chance = captured_chance(motion, UP_CAM)
    assert chance.shape == (len(person.times_s), 6)
    assert chance[:, 4:].max() < 0.01
    assert np.allclose(chance[:, :4], learnt_chance(motion, UP_CAM, bundled_net()))
    single = Motion3D(
        *(CAPTURE, motion.times_s[:1], 30.0, (10, 10), motion.joints_cam[:1], motion.root_cam[:1], motion.score[:1]),
        motion.camera,
    )
    assert captured_chance(single, UP_CAM)[:, :4].min() == 1


def test_kernels_come_in_one_piece_as_only_those_are_multiplied_quickly():
    net = bundled_net()
    assert all(kernel.flags.c_contiguous and kernel.dtype == np.float32 for kernel, _ in net.layers)


def test_inputs_are_told_by_name():
    person, _ = striding(1.0, 24.0)
    grid_s, inputs = contact_inputs(seen(person.times_s, person.joints_world), UP_CAM)
    assert inputs.shape == (2, len(grid_s), len(INPUTS))
    own, other = ([i for i, name in enumerate(INPUTS) if name.startswith(foot)] for foot in ("own", "other"))
    assert np.array_equal(inputs[0][:, own], inputs[1][:, other])
    assert inputs[0][:, INPUTS.index("own_toe.score")].min() == 1


def made_up_net(seed=0):
    draw = np.random.default_rng(seed).normal
    layers = ((draw(size=(3, len(INPUTS), 8)), draw(size=8)), (draw(size=(3, 8, 8)), draw(size=8)))
    return ContactNet(draw(size=len(INPUTS)), np.ones(len(INPUTS)), layers, (draw(size=(8, 2)), draw(size=2)), {"a": 1})


def test_weights_come_back_from_their_file(tmp_path):
    net = made_up_net()
    save_net(tmp_path / "net.npz", net)
    again = read_net(tmp_path / "net.npz")
    assert again.card == {"a": 1}
    inputs = np.random.default_rng(1).normal(size=(2, 20, len(INPUTS)))
    assert np.allclose(again.logits(inputs), net.logits(inputs), atol=0.3)
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "net.npz").write_bytes(CONTACT_NET_FILE.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"net.npz cannot be read"):
        read_net(tmp_path / "net.npz")
    with pytest.raises(ModelError, match=r"none.npz cannot be read"):
        read_net(tmp_path / "none.npz")
    save_arrays(tmp_path / "old.npz", {"schema": np.array("x"), "inputs": np.array(INPUTS)})
    with pytest.raises(ModelError, match="another version"):
        read_net(tmp_path / "old.npz")


def test_the_add_on_carries_small_weights_that_say_how_they_were_made():
    packed = dict(contents())["atcn_core/motion/contact_net.npz"]
    assert packed == CONTACT_NET_FILE.read_bytes()
    assert len(packed) < 300_000
    assert {"recipe", "frames", "lifted_by"} <= set(bundled_net().card)
