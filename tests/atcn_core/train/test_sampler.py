"""Training windows: what the input shows must be what the target pose projects to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from atcn_core.skeleton import CAPTURE
from atcn_core.train.augment import AugmentOptions, turn_head
from atcn_core.train.bodies import BodyOptions, draw_bone_lengths, reshape_bodies, turn_hands
from atcn_core.train.datasets import DatasetTake
from atcn_core.train.mocap import Take
from atcn_core.train.sampler import CLEAN_VIEW, MotionBank, SampleOptions, WindowSampler

from .test_augment import people

CPU = torch.device("cpu")


def a_take(frames: int = 400) -> Take:
    """A stick person that waves about: bones of constant length, joints moving smoothly."""
    rng = np.random.default_rng(1)
    t = np.arange(frames) / 60.0
    joints = np.zeros((frames, len(CAPTURE), 3))
    for joint in CAPTURE.order:
        parent = CAPTURE.parent_indices[joint]
        if parent < 0:
            joints[:, joint] = np.stack([0.3 * t, 0 * t, 0 * t + 1.0], 1)
            continue
        base, speed = rng.normal(size=3), rng.uniform(0.5, 2.0, 3)
        direction = base + 0.5 * np.sin(t[:, None] * speed)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        joints[:, joint] = joints[:, parent] + 0.25 * direction
    # The hip is the middle of the hip joints.
    hip, left, right = CAPTURE.indices("hip", "left_hip", "right_hip")
    shift = 2 * joints[:, hip] - joints[:, left] - joints[:, right]
    for joint in ("hip", "knee", "ankle", "heel", "toe"):
        joints[:, CAPTURE.index(f"right_{joint}")] += shift
    forearms = np.broadcast_to(np.eye(3), (frames, 2, 3, 3))
    return Take("made-up", 60.0, joints.astype(np.float32), forearms.astype(np.float32).copy())


def sampler(options: SampleOptions, seed: int = 0) -> WindowSampler:
    bank = MotionBank([a_take(), a_take(90)], CPU)
    return WindowSampler(bank, options, frames=27, target=13, generator=torch.Generator().manual_seed(seed))


def test_the_target_pose_projects_onto_the_target_frame_of_the_input() -> None:
    # From afar: the hip's picture is the middle of the hip joints' pictures, which is that of their middle only there.
    far = replace(CLEAN_VIEW, camera=replace(CLEAN_VIEW.camera, distance_m=(30.0, 40.0)))
    batch = sampler(far).draw(64)
    seen = batch.inputs[:, 13, :, 2] > 0
    for inputs, pose, visible in zip(batch.inputs[:, 13], batch.poses, seen, strict=True):
        x, p = inputs[visible, :2], pose[visible]
        # p_xy = s x (p_z + Z) for one unknown scale and depth: linear in s and s Z.
        system = torch.stack([(x * p[:, 2:]).flatten(), x.flatten()], dim=1).double()
        wanted = p[:, :2].flatten().double()
        solution = torch.linalg.lstsq(system, wanted[:, None]).solution
        assert ((system @ solution)[:, 0] - wanted).abs().max() < 0.01


def test_the_same_seed_gives_the_same_windows_and_another_seed_others() -> None:
    first, again, other = (sampler(SampleOptions(), seed).draw(8) for seed in (1, 1, 2))
    assert torch.equal(first.inputs, again.inputs)
    assert not torch.equal(first.inputs, other.inputs)


def test_windows_with_everything_on_are_finite_and_hide_some_joints() -> None:
    batch = sampler(SampleOptions()).draw(128)
    assert batch.inputs.isfinite().all()
    assert batch.poses.isfinite().all()
    assert set(batch.inputs[..., 2].unique().tolist()) <= {0.0, 0.5, 1.0}
    assert 0.05 < (batch.inputs[..., 2] == 0).float().mean() < 0.6


def test_new_bodies_keep_the_bones_directions_and_both_sides_alike() -> None:
    joints = torch.from_numpy(a_take().joints_world)[None, :27]
    own = torch.full((1, len(CAPTURE)), 0.25)
    lengths = draw_bone_lengths(own, BodyOptions(), torch.Generator().manual_seed(0))
    assert torch.equal(lengths, lengths[:, list(CAPTURE.mirror)])
    reshaped = reshape_bodies(joints, lengths)
    head = CAPTURE.indices("nose", "head", "left_ear", "right_ear")
    for parent, child in CAPTURE.bones:
        if child in head:
            continue
        before, after = joints[:, :, child] - joints[:, :, parent], reshaped[:, :, child] - reshaped[:, :, parent]
        assert torch.allclose(after.norm(dim=-1), lengths[0, child].expand(1, 27), atol=1e-4)
        assert torch.nn.functional.cosine_similarity(before, after, dim=-1).min() > 0.9999


def test_a_head_stays_a_head_however_it_is_turned() -> None:
    standing = people(8, 60)
    turned = turn_head(standing, AugmentOptions(head=1.0), torch.Generator().manual_seed(2))
    parents = [max(p, 0) for p in CAPTURE.parent_indices]
    own_m = (standing - standing[:, :, parents]).norm(dim=-1).mean(1)
    lengths = draw_bone_lengths(own_m, BodyOptions(), torch.Generator().manual_seed(0))
    head = CAPTURE.indices("nose", "head", "left_ear", "right_ear")

    def sizes(joints: torch.Tensor) -> torch.Tensor:
        return torch.cdist(joints[:, :, head], joints[:, :, head])

    reshaped = reshape_bodies(turned, lengths)
    # One scale, whatever the frame: that of nose and ears.
    scale = lengths[:, head[2]] / own_m[:, head[2]]
    assert torch.allclose(sizes(reshaped), sizes(turned) * scale[:, None, None, None], atol=2e-3)
    assert sizes(reshaped).std(dim=1).max() < 1e-4
    # The neck has one length over the window, too, and looking about changes nothing else.
    ears = reshaped[:, :, head[2:]].mean(2)
    before_ears = turned[:, :, head[2:]].mean(2)
    thorax = CAPTURE.index("thorax")
    top = (reshaped[:, :, head[1]] - reshaped[:, :, thorax]).norm(dim=-1).mean(1)
    assert torch.allclose(top, lengths[:, head[1]], atol=0.04)
    assert (ears - reshaped[:, :, thorax]).norm(dim=-1).std(1).max() < 1.5 * (before_ears - turned[:, :, thorax]).norm(
        dim=-1
    ).std(1).max()
    others = [j for j in range(len(CAPTURE)) if j not in head]
    still = reshape_bodies(standing, lengths)
    assert torch.equal(still[:, :, others], reshaped[:, :, others])


def test_joints_that_a_take_lacks_are_never_shown() -> None:
    take = a_take()
    seen = np.ones(len(CAPTURE), dtype=bool)
    lacking = CAPTURE.indices("nose", "left_ear", "right_ear", "left_toe", "right_toe")
    seen[lacking] = False
    poor = DatasetTake("poor", take.fps, take.joints_world, take.forearms, seen)
    for options in (CLEAN_VIEW, replace(SampleOptions(), augment=None)):
        bank = MotionBank([poor], CPU)
        drawer = WindowSampler(bank, options, frames=27, target=13, generator=torch.Generator().manual_seed(0))
        batch = drawer.draw(64)
        assert not batch.known[:, lacking].any()
        assert batch.known.sum() == 64 * seen.sum()
        assert (batch.inputs[:, :, lacking, 2] == 0).all()
        assert (batch.inputs[:, :, CAPTURE.index("left_knee"), 2] > 0).any()
    # Beside a full take both kinds are drawn.
    mixed = MotionBank([poor, take], CPU)
    drawer = WindowSampler(mixed, SampleOptions(), frames=27, target=13, generator=torch.Generator().manual_seed(0))
    batch = drawer.draw(64)
    assert 5 < batch.known.all(dim=1).sum() < 59
    hidden = ~batch.known[:, None].expand(-1, 27, -1)
    assert (batch.inputs[..., 2][hidden] == 0).all()


def test_turning_hands_keeps_their_size_and_leaves_everything_else() -> None:
    take = a_take()
    joints = torch.from_numpy(take.joints_world)[None, :27]
    forearms = torch.from_numpy(take.forearms)[None, :27]
    turned = turn_hands(joints, forearms, torch.randn(1, 27, 2, 3))
    hands = CAPTURE.indices("left_index", "left_pinky", "right_index", "right_pinky")
    others = [j for j in range(len(CAPTURE)) if j not in hands]
    assert torch.equal(turned[:, :, others], joints[:, :, others])
    for joint in hands:
        parent = CAPTURE.parent_indices[joint]
        length = (turned[:, :, joint] - turned[:, :, parent]).norm(dim=-1)
        assert torch.allclose(length, torch.full_like(length, 0.25), atol=1e-4)
    assert torch.allclose(turn_hands(joints, forearms, torch.zeros(1, 27, 2, 3)), joints, atol=1e-6)


def test_windows_cut_from_one_clip_show_the_same_motion_at_shifted_times() -> None:
    drawer = sampler(CLEAN_VIEW)
    clips = drawer.draw_clips(32, spread=10)
    anchor = torch.full((32,), clips.anchor)
    here, there = drawer.cut(clips, anchor), drawer.cut(clips, anchor + 3)
    inside = (clips.first <= clips.anchor - 13) & (clips.last >= clips.anchor + 16)
    assert inside.sum() > 10
    # The pose three frames on is the next block's of the context, but for the turn between the two targets' axes.
    next_block = here.context[inside, 5]
    assert torch.allclose(here.context[:, 4], here.poses, atol=1e-6)
    assert torch.allclose(next_block.norm(dim=-1), there.poses[inside].norm(dim=-1), atol=1e-5)
    assert (next_block - there.poses[inside]).norm(dim=-1).max() < 0.2


def test_targets_lie_in_the_clip_and_in_reach() -> None:
    drawer = sampler(SampleOptions(short_clips=1.0))
    clips = drawer.draw_clips(256, spread=10)
    targets = torch.stack([drawer.draw_targets(clips) for _ in range(8)])
    assert ((targets >= clips.first) & (targets <= clips.last)).all()
    assert (targets - clips.anchor).abs().max() <= 10
    assert len((targets - clips.anchor).unique()) > 10


def test_pairs_are_neighbouring_frames() -> None:
    drawer = sampler(CLEAN_VIEW)
    clips = drawer.draw_clips(64, spread=5)
    pairs = drawer.cut_pairs(clips, drawer.draw_targets(clips))
    now, after = pairs.poses.chunk(2)
    step = (after - now).norm(dim=-1).mean(dim=-1)
    assert len(pairs.inputs) == 128
    assert 0 < step.median() < 0.03
    assert (pairs.depth > 1.0).all()


def test_what_the_picture_lacks_is_never_seen() -> None:
    batch = sampler(CLEAN_VIEW).draw(64)
    assert (batch.inputs[..., CAPTURE.indices("spine", "thorax", "head"), 2] == 0).all()
    seen = [j for j in range(len(CAPTURE)) if CAPTURE.joints[j] not in ("spine", "thorax", "head")]
    assert (batch.inputs[..., seen, 2] == 1).float().mean() > 0.95
