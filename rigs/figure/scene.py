"""Writes a person into Blender: armature, skinned mesh, materials, and the .blend file. The only user of bpy here."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from .body import Body
from .bones import Bone, bones_of
from .dress import parts_of
from .joints import joints_of
from .parts import Part
from .person import Person
from .skin import carried_by, smoothed, strongest, weights_of

__all__ = ["build_avatar", "save_avatar"]


def build_avatar(person: Person) -> tuple[bpy.types.Object, list[Bone]]:
    """Make the avatar in an empty scene. Returns its armature object and the bones it was made of."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    joints = joints_of(person)
    body = Body(person, joints)
    bones = bones_of(person, joints)
    collection = bpy.data.collections.new(person.name)
    bpy.context.scene.collection.children.link(collection)
    axes = own_axes(person)
    armature = _armature(person, bones, axes, collection)
    parts = parts_of(body)
    mesh_object = _mesh(parts, person, axes, collection)
    _skin(mesh_object, armature, body, parts, {bone.role: bone.name for bone in bones if bone.role})
    return armature, bones


def own_axes(person: Person) -> np.ndarray:
    """(3, 3): from metres with z up to the armature's own axes and units; the object's matrix undoes it."""
    turn = {"Z": np.eye(3), "Y": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])}[person.up]
    return turn / person.unit_m


def _armature(
    person: Person, bones: list[Bone], axes: np.ndarray, collection: bpy.types.Collection
) -> bpy.types.Object:
    data = bpy.data.armatures.new(person.name)
    rig = bpy.data.objects.new(person.name, data)
    rig.rotation_euler = (np.pi / 2 if person.up == "Y" else 0.0, 0.0, 0.0)
    rig.scale = (person.unit_m,) * 3
    collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in bones:
        edit = data.edit_bones.new(bone.name)
        edit.head, edit.tail = (axes @ bone.head_m).tolist(), (axes @ bone.tail_m).tolist()
        edit.roll = float(np.deg2rad(bone.roll_deg))
        if bone.z_axis is not None:
            edit.align_roll((axes @ bone.z_axis).tolist())
        if bone.parent is not None:
            edit.parent = data.edit_bones[bone.parent]
            edit.use_connect = bool(np.allclose(edit.parent.tail, edit.head, atol=1e-6 / person.unit_m))
        edit.use_deform = bone.role is not None
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def _mesh(parts: list[Part], person: Person, axes: np.ndarray, collection: bpy.types.Collection) -> bpy.types.Object:
    name = f"{person.name}_body"
    materials = list(person.clothes.colours)
    offsets = np.cumsum([0] + [len(part.mesh.vertices_m) for part in parts])
    vertices = np.concatenate([part.mesh.vertices_m for part in parts])
    quads = np.concatenate([part.mesh.quads + start for part, start in zip(parts, offsets, strict=False)])
    slots = np.concatenate([np.full(len(part.mesh.quads), materials.index(part.material)) for part in parts])
    mesh = bpy.data.meshes.new(name)
    # Steps of 1/4096 m (1/16 cm) are finer than anyone sees, and short binary fractions pack better.
    step = 4096.0 if person.unit_m == 1.0 else 16.0
    mesh.from_pydata((np.round(step * vertices @ axes.T) / step).tolist(), [], quads.tolist())
    for material in materials:
        mesh.materials.append(_material(f"{person.name}_{material}", person.clothes.colours[material]))
    mesh.polygons.foreach_set("material_index", slots.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(quads), dtype=bool))
    if mesh.validate():
        raise RuntimeError(f"{name}: the mesh has faults")
    mesh_object = bpy.data.objects.new(name, mesh)
    collection.objects.link(mesh_object)
    return mesh_object


def _material(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    srgb = np.array(colour)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    rgba = (*(float(channel) for channel in linear), 1.0)
    material = bpy.data.materials.new(name)
    material.diffuse_color = rgba
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = rgba
    surface.inputs["Roughness"].default_value = 0.65
    return material


def _skin(
    mesh_object: bpy.types.Object,
    armature: bpy.types.Object,
    body: Body,
    parts: list[Part],
    bone_of_role: dict[str, str],
) -> None:
    vertices = np.concatenate([part.mesh.vertices_m for part in parts])
    roles, weights = weights_of(body, vertices)
    first = 0
    for part in parts:
        last = first + len(part.mesh.vertices_m)
        if part.role is not None:
            weights[first:last] = 0.0
            weights[first:last, roles.index(part.role)] = 1.0
        weights[first:last] = smoothed(weights[first:last], part.mesh.quads, part.smoothing)
        first = last
    roles, weights = carried_by(set(bone_of_role), roles, weights, body, vertices)
    weights = strongest(weights)
    for role, column in zip(roles, weights.T, strict=True):
        group = mesh_object.vertex_groups.new(name=bone_of_role[role])
        for weight in np.unique(column[column > 0]):
            group.add(np.flatnonzero(column == weight).tolist(), float(weight), "REPLACE")
    mesh_object.parent = armature
    modifier = mesh_object.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature


def save_avatar(path: Path) -> None:
    """Save the scene, without any window layout, as a packed .blend; under a temporary name first."""
    part = path.with_suffix(".part.blend")
    bpy.data.libraries.write(str(part), {bpy.context.scene}, compress=True)
    part.replace(path)
