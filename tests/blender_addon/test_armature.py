"""What is read of an armature is what Blender itself chains its bones by."""

import bpy
import numpy as np
import pytest

from blender_addon.armature import bone_names, require_armature, rest_of
from blender_addon.core import errors
from tests.blender_addon.armatures import a_pose, t_pose


@pytest.mark.parametrize("make", [t_pose, a_pose])
def test_rest_matrices_are_blenders_own_and_parents_come_first(make):
    armature, rig_map = make()
    armature.rotation_euler = (0.3, -0.2, 1.0)
    armature.scale = (0.01, 0.01, 0.01)
    bpy.context.view_layer.update()
    rest = rest_of(armature)
    assert set(rest.names) == set(bone_names(armature))
    for i, name in enumerate(rest.names):
        bone = armature.data.bones[name]
        assert np.allclose(rest.matrices[i], np.array(bone.matrix_local))
        assert rest.parents[i] == (bone.parent.name if bone.parent else None)
        head = armature.matrix_world @ bone.head_local
        assert np.allclose(rest.head_world(name), np.array(head), atol=1e-6)
    rig_map.require(rest.names, armature.name)


def test_flags_that_change_how_a_bone_follows_are_read():
    armature, _ = t_pose()
    armature.data.bones["mixamorig:LeftArm"].use_inherit_rotation = False
    armature.data.bones["mixamorig:Hips"].use_local_location = False
    rest = rest_of(armature)
    assert not rest.inherits_turn[rest.names.index("mixamorig:LeftArm")]
    assert rest.inherits_turn.sum() == len(rest.names) - 1
    assert not rest.local_location[rest.names.index("mixamorig:Hips")]


def test_reading_changes_nothing():
    armature, _ = a_pose()
    mode, active = armature.mode, bpy.context.view_layer.objects.active
    rest_of(armature)
    assert (armature.mode, bpy.context.view_layer.objects.active) == (mode, active)
    assert armature.animation_data is None


def test_what_is_no_armature_is_refused_in_words():
    mesh = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    with pytest.raises(errors.RigError, match="'Cube' is no armature"):
        require_armature(mesh)
    with pytest.raises(errors.RigError, match="Nothing is chosen"):
        rest_of(None)
