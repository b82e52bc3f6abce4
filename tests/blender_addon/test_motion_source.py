"""Movements that are there already: from BVH files and animated armatures onto other rigs, without any engine."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from atcn_core.motion.bvh_person import bvh_person
from atcn_core.skeleton import SIDES
from blender_addon import engine, exporting, motion_source, rigs, runs, session
from blender_addon.core import errors, retarget
from blender_addon.rig_files import import_armatures

from .addon import make_armature, switched_on
from .armatures import a_pose, evaluated_heads, t_pose
from .rigs_in_reach import own_rig, reads_gltf
from .solve_errors import degrees_between, follow, heads_at, segment_errors_deg
from .test_session import waving_motion

__all__ = ["switched_on"]

MOCAP = Path(__file__).parents[3] / "shared" / "mocap"
FAMILIES = (
    *("cmuasf_02_01", "cmudaz_indian_04a", "cmufbx_49_08", "cmuiclone_006_01", "cmumisc_131_01"),
    *("cmutxt_walking_e01", "fair1_wavehello_01", "m2m_jumpingjacks_01"),
)
RIG = rigs.list_rigs()[0]
LIMBS = [f"{side}_{part}" for side in SIDES for part in ("upper_arm", "forearm", "thigh", "shin")]


@pytest.fixture
def no_engine(monkeypatch):
    """Whoever asks for the engine is told that there is none."""
    monkeypatch.setenv(engine.ENGINE_VARIABLE, "no such python")
    with pytest.raises(errors.EngineError):
        engine.find_engine()


def waving_rig(fps: int = 30) -> bpy.types.Object:
    scene = bpy.context.scene
    scene.render.fps = fps
    request = session.Request(Path("wave.mp4"), session.RigChoice(avatar=RIG.name))
    return scene.objects[session.apply_capture(request, waving_motion(1.0), scene).armature]


def transfer_error() -> str:
    """Press the button; the error that the user is told."""
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.atcn.transfer()
    return str(caught.value)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    "make", [lambda: own_rig(RIG.avatar.parent / "rig.json"), t_pose, a_pose], ids=["own", "t", "a"]
)
def test_shared_motion_goes_onto_rigs_exactly_and_stands_on_the_floor(make, name):
    path = MOCAP / f"{name}.bvh"
    if not path.is_file():
        pytest.skip("the shared motion capture is not here")
    motion = bvh_person(path)
    armature, rig_map = make()
    rest = evaluated_heads(armature, 0)
    frames = range(0, len(motion.times_s), max(1, len(motion.times_s) // 8))
    heads, _ = follow(armature, rig_map, motion, frames)
    errors_deg = segment_errors_deg(heads, motion, frames)
    assert errors_deg.mean() < 0.5
    assert errors_deg.max() < 2.0
    # Strides fit the rig's own legs.
    ways = [_way(heads["left_thigh"] + heads["right_thigh"]), 2 * _way(motion.points("hip")[list(frames)])]
    legs = [_leg({role: rest[bone] for role, bone in rig_map.bones.items()}), _leg(_person_leg(motion))]
    assert np.allclose(ways[0] / ways[1], legs[0] / legs[1], rtol=0.02, atol=1e-3)
    if name != "cmufbx_49_08":  # a cartwheel: its feet are seldom down
        lowest_m = np.min([heads[f"{side}_foot"][:, 2] for side in SIDES])
        assert -0.1 < lowest_m - min(rest[rig_map.bones[f"{side}_foot"]][2] for side in SIDES) < 0.06


def _way(path: np.ndarray) -> float:
    """How far it goes over the floor."""
    return float(np.linalg.norm(np.diff(path[:, :2], axis=0), axis=1).sum())


def _leg(heads: dict[str, np.ndarray]) -> float:
    halves = [
        np.linalg.norm(heads[f"{side}_{end}"] - heads[f"{side}_{start}"])
        for side in SIDES
        for start, end in (("thigh", "shin"), ("shin", "foot"))
    ]
    return float(np.mean(halves))


def _person_leg(motion) -> dict[str, np.ndarray]:
    joints = {"thigh": "hip", "shin": "knee", "foot": "ankle"}
    return {f"{s}_{role}": motion.points(f"{s}_{joint}")[0] for s in SIDES for role, joint in joints.items()}


def assert_limbs_alike(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray], following: dict[str, str]) -> None:
    """Both are heads (N, 3) by role."""
    for start in LIMBS:
        end = following[start]
        apart_deg = degrees_between(found[end] - found[start], wanted[end] - wanted[start])
        assert apart_deg.max() < 0.01, start


def chosen(source: bpy.types.Object | Path, target: bpy.types.Object) -> bpy.types.PropertyGroup:
    """The panel's settings for a transfer, the feet left as they are in the source."""
    settings = bpy.context.scene.atcn
    settings.target, settings.armature, settings.feet = "ARMATURE", target, "never"
    if isinstance(source, Path):
        settings.source, settings.bvh = "BVH", str(source)
    else:
        settings.source, settings.source_armature = "ARMATURE", source
    return settings


def test_a_rigs_own_export_comes_back_onto_another_rig_by_the_panels_button(switched_on, no_engine, tmp_path):
    source = waving_rig()
    exporting.export_animation(source, bpy.context.scene, tmp_path / "my wave.bvh", "BVH")
    source_map = rigs.map_of_armature(source)
    wanted = heads_at(source, source_map, range(1, 31, 5))
    settings = chosen(tmp_path / "my wave.bvh", t_pose()[0])
    assert bpy.ops.atcn.transfer() == {"FINISHED"}
    assert settings.armature.animation_data.action.name == "my wave"
    assert runs.status.headline.startswith("30 frames on ")
    found = heads_at(settings.armature, rigs.map_of_armature(settings.armature), range(1, 31, 5))
    assert_limbs_alike(found, wanted, retarget.next_roles(source_map))
    assert settings.source == "BVH"
    assert bpy.ops.atcn.apply_last() == {"FINISHED"}


def test_an_animated_armature_moves_another_rig_wherever_both_stand(switched_on, no_engine):
    scene = bpy.context.scene
    source = waving_rig()
    source.location, source.rotation_euler, source.scale = (3.0, -2.0, 1.0), (0.0, 0.0, 0.7), (0.5, 0.5, 0.5)
    target, target_map = a_pose()
    target.location = (-1.0, 0.0, 0.0)
    chosen(source, target)
    scene.frame_set(7, subframe=0.5)
    assert bpy.ops.atcn.transfer() == {"FINISHED"}
    assert (scene.frame_current, scene.frame_subframe) == (7, 0.5)
    assert target.animation_data.action.name == source.name
    assert tuple(target.animation_data.action.frame_range) == (1, 30)
    source_map = rigs.map_of_armature(source)
    wanted, found = heads_at(source, source_map, range(1, 31, 4)), heads_at(target, target_map, range(1, 31, 4))
    assert_limbs_alike(found, wanted, retarget.next_roles(target_map))
    at_rest = min(target.data.bones[target_map.bones[f"{side}_foot"]].head_local.z for side in SIDES)
    assert abs(min(found[f"{side}_foot"][:, 2].min() for side in SIDES) - at_rest) < 0.02


IMPORTERS = {
    "FBX": lambda path: bpy.ops.import_scene.fbx(filepath=path, anim_offset=0.0),
    "USD": lambda path: bpy.ops.wm.usd_import(filepath=path),
    "GLB": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "BVH": lambda path: bpy.ops.import_anim.bvh(filepath=path),
}


@pytest.mark.parametrize("kind", IMPORTERS)
def test_what_blender_has_imported_moves_another_rig(switched_on, no_engine, tmp_path, kind):
    if kind == "GLB" and not reads_gltf():
        pytest.skip("this Blender's glTF importer crashes now and then")
    source = waving_rig()
    source_map = rigs.map_of_armature(source)
    wanted = heads_at(source, source_map, range(1, 31, 5))
    path = exporting.with_ending(tmp_path / "wave", kind)
    exporting.export_animation(source, bpy.context.scene, path, kind)
    bpy.data.batch_remove(list(bpy.context.scene.objects))
    IMPORTERS[kind](str(path))
    imported = [thing for thing in bpy.context.scene.objects if thing.type == "ARMATURE"]
    target, target_map = t_pose()
    chosen(max(imported, key=lambda armature: len(armature.pose.bones)), target)
    assert bpy.ops.atcn.transfer() == {"FINISHED"}
    assert_limbs_alike(heads_at(target, target_map, range(1, 31, 5)), wanted, retarget.next_roles(target_map))


def test_the_clips_part_and_first_frame_count_for_every_source(switched_on, no_engine):
    source, target = waving_rig(), t_pose()[0]
    settings = chosen(source, target)
    settings.use_range, settings.start_s, settings.end_s, settings.start_frame = True, 0.2, 0.5, 11
    assert bpy.ops.atcn.transfer() == {"FINISHED"}
    assert tuple(target.animation_data.action.frame_range) == (11, 11 + 8)


def test_a_muted_nla_strip_does_not_count_and_another_does():
    armature = waving_rig()
    animation = armature.animation_data
    for start, muted in ((40, False), (200, True)):
        strip = animation.nla_tracks.new().strips.new("Wave", start, animation.action)
        strip.mute = muted
    assert motion_source.animated_range(armature) == (1, 30)
    animation.action = None
    assert motion_source.animated_range(armature) == (40, 69)
    armature.animation_data_clear()
    assert motion_source.animated_range(armature) is None


def test_what_cannot_be_taken_is_told_in_words_and_changes_nothing(switched_on, no_engine, tmp_path):
    scene = bpy.context.scene
    still, sticks = t_pose()[0], make_armature("sticks", ["hips"])
    moving = waving_rig()
    settings = scene.atcn
    settings.target, settings.armature = "ARMATURE", still
    settings.source = "BVH"
    assert "No BVH file is chosen" in transfer_error()
    settings.bvh = str(tmp_path / "a.bvh")
    assert "no motion file" in transfer_error()
    (tmp_path / "a.bvh").write_text("HIERARCHY")
    assert "a.bvh is not a complete BVH file" in transfer_error()
    settings.source = "ARMATURE"
    assert "No armature is chosen to take the movement from" in transfer_error()
    settings.source_armature = sticks
    assert "'sticks' does not move" in transfer_error()
    sticks.keyframe_insert("location", frame=1)
    assert "not recognised" in transfer_error() or "not taken for a person" in transfer_error()
    settings.source_armature = settings.armature = moving
    assert "cannot take its own movement" in transfer_error()
    moving.animation_data_clear()
    moving.keyframe_insert("location", frame=3)
    settings.armature = still
    assert "only one frame" in transfer_error()
    assert still.animation_data is None
    assert runs.status.headline == "The movement was not transferred."
    settings.source = "VIDEO"
    assert not bpy.ops.atcn.transfer.poll()


def test_a_control_rig_is_read_off_the_bones_that_move_its_skin(switched_on, no_engine):
    (source,) = import_armatures("rigify:basic_human:generated")
    # Led by its IK hand: the FK bones stay where they are.
    hand = source.pose.bones["hand_ik.L"]
    for frame, height in ((1, 0.0), (20, 0.4)):
        hand.location = (0.0, 0.0, height)
        hand.keyframe_insert("location", frame=frame)
    target, target_map = t_pose()
    chosen(source, target)
    assert bpy.ops.atcn.transfer() == {"FINISHED"}
    for frame in (1, 12, 20):
        led, found = evaluated_heads(source, frame), evaluated_heads(target, frame)
        wanted = led["DEF-hand.L"] - led["DEF-forearm.L"]
        bones = (target_map.bones["left_hand"], target_map.bones["left_forearm"])
        assert degrees_between(found[bones[0]] - found[bones[1]], wanted) < 0.1
