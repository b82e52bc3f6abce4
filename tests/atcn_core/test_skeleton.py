"""Joint sets: one name, one anatomical point; pairs and order follow from the names."""

from __future__ import annotations

import pytest

from atcn_core.skeleton import CAPTURE, H36M_17, LIMB_12, MEDIAPIPE_33, SKELETONS, Skeleton, mirrored_name


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_mirroring_twice_is_the_identity_and_swaps_sides(skeleton: Skeleton) -> None:
    for index, twin in enumerate(skeleton.mirror):
        assert skeleton.mirror[twin] == index
        assert skeleton.joints[twin] == mirrored_name(skeleton.joints[index])
    assert sum(twin != index for index, twin in enumerate(skeleton.mirror)) % 2 == 0


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_set_is_one_tree_whose_order_puts_parents_first(skeleton: Skeleton) -> None:
    assert skeleton.parent_indices.count(-1) == 1
    place = {joint: rank for rank, joint in enumerate(skeleton.order)}
    assert sorted(place) == list(range(len(skeleton)))
    assert all(place[parent] < place[child] for parent, child in skeleton.bones)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_mirrored_joints_have_mirrored_parents(skeleton: Skeleton) -> None:
    for joint, parent in zip(skeleton.joints, skeleton.parents, strict=True):
        twin_parent = skeleton.parents[skeleton.index(mirrored_name(joint))]
        assert twin_parent == (None if parent is None else mirrored_name(parent))


def test_the_sizes_are_those_their_names_say() -> None:
    for name, skeleton in SKELETONS.items():
        assert len(skeleton) == int(name.rsplit("-", 1)[1])


def test_the_capture_set_covers_the_papers_joints_and_the_scored_ones() -> None:
    assert set(H36M_17.joints) <= set(CAPTURE.joints)
    assert set(LIMB_12) <= set(CAPTURE.joints) & set(MEDIAPIPE_33.joints)


@pytest.mark.parametrize(
    ("joints", "parents"), [(("a", "a"), (None, None)), (("a", "b"), (None,)), (("a", "b"), (None, "c"))]
)
def test_a_wrong_joint_set_is_refused(joints: tuple, parents: tuple) -> None:
    with pytest.raises(ValueError, match="bad"):
        Skeleton("bad", joints, parents)
