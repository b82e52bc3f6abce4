"""How a motion is left on an armature: as a new Action, among the keys of the present one, or as an NLA strip."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import bpy

from . import compat
from .bake import give, give_copy, own_action
from .core import errors, ik_controls, reduction, rigmap
from .merging import merge_keys

__all__ = [
    "MODES",
    "NEW",
    "NEW_ACTION",
    "NLA",
    "REPLACE",
    "ResultOptions",
    "add_arguments",
    "options_of_arguments",
    "place",
    "require_ik_controls",
    "require_writable",
]

NEW, REPLACE, NLA = "NEW", "REPLACE", "NLA"
MODES = (NEW, REPLACE, NLA)
# What an Action of ours is told about itself, so that the same clip can take its place: the clip, and what it keys.
_CLIP, _PATHS = "atcn_clip", "atcn_paths"


@dataclass(frozen=True)
class ResultOptions:
    """How the keys are written.

    mode: NEW, a new Action, the old one kept; REPLACE, into the armature's present Action; NLA, a strip on a new track.
    thinning: which frames get keys. ik: keys on a control rig's IK controls in place of the FK ones.
    """

    mode: str = NEW
    thinning: reduction.Thinning = reduction.EVERY_FRAME
    ik: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode is {self.mode!r}, expected one of {', '.join(MODES)}")


NEW_ACTION = ResultOptions()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of a command line for how the result is written."""
    modes = [mode.lower() for mode in MODES]
    parser.add_argument("--result", choices=modes, default=modes[0], help="where the keys go (default: a new action)")
    fewer = parser.add_mutually_exclusive_group()
    fewer.add_argument("--every", type=_positive_int, default=1, metavar="N", help="a key on every n-th frame only")
    fewer.add_argument(
        "--tolerance-deg", type=_positive, metavar="X", help="as few keys as keep each bone's turn within X degrees"
    )
    parser.add_argument(
        "--tolerance-cm",
        type=_positive,
        default=reduction.EVERY_FRAME.tolerance_cm,
        metavar="X",
        help="and the path within X centimetres (default: %(default)s)",
    )
    parser.add_argument("--ik", action="store_true", help="keys on the rig's IK controls: hands, feet and poles")


def options_of_arguments(arguments: argparse.Namespace) -> ResultOptions:
    """What a command line with `add_arguments` asks for."""
    thinning = reduction.Thinning(arguments.every, arguments.tolerance_deg, arguments.tolerance_cm)
    return ResultOptions(arguments.result.upper(), thinning, arguments.ik)


def _positive(text: str) -> float:
    number = float(text)
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return number


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def require_writable(armature: bpy.types.Object, options: ResultOptions) -> None:
    """Raise RigError where the result cannot go where it is wanted."""
    action = armature.animation_data.action if armature.animation_data is not None else None
    if options.mode == REPLACE and action is not None and action.library is not None:
        raise errors.RigError(
            f"The action {action.name!r} is linked from another file, so its keys cannot be replaced.",
            hint="Choose New Action or NLA Strip for the result.",
        )


def require_ik_controls(
    name: str, rig_map: rigmap.RigMap, options: ResultOptions, armature: bpy.types.Object | None = None
) -> None:
    """Raise RigError where IK controls are wanted and the rig of this name has none that are known.

    armature: None where it is not in the scene yet; then its map alone tells.
    """
    if armature is not None:
        has = bool(ik_controls.ik_limbs(rig_map, armature.data.bones.keys()))
    else:
        has = ik_controls.on_fk_controls(rig_map)
    if options.ik and not has:
        raise errors.RigError(
            f"{name!r} has no IK controls that are known.",
            hint="IK controls are for generated Rigify and Auto-Rig Pro rigs: choose FK.",
        )


def place(
    armature: bpy.types.Object,
    action: bpy.types.Action,
    *,
    clip_name: str,
    options: ResultOptions,
    first_frame: int,
    last_frame: int,
    in_part: bool = False,
) -> bpy.types.Action:
    """Give an Action of `bake.baking` to the armature in the way that the options say. Returns the one with the keys.

    REPLACE: within these frames the present Action's keys of the same channels give way; an Action that this add-on
    made of the same clip first loses all that it keyed then, so that nothing of an earlier try remains. Without a
    present Action it is a new one. NLA: the strip lies on a track of its own; the active Action stays as it is.
    in_part: only some parts of the body have keys, and the others go on as the present Action has them: a new Action
    begins as its copy, and of an earlier try what the new one does not key remains. Raises RigError.
    """
    require_writable(armature, options)
    paths = "\n".join(sorted({curve.data_path for curve in compat.curves_in(action)}))
    action[_CLIP], action[_PATHS] = clip_name, paths
    if options.mode == NLA:
        _add_strip(armature, action, clip_name, first_frame)
        return action
    present = own_action(armature) if options.mode == REPLACE or in_part else None
    if present is None:
        give(armature, action)
        return action
    if options.mode == NEW:
        present = give_copy(armature)
        present[_CLIP] = clip_name
    if in_part:
        present[_PATHS] = "\n".join(sorted({*str(present.get(_PATHS, "")).split("\n"), *paths.split("\n")} - {""}))
    elif present.get(_CLIP) == clip_name:
        _empty(armature, set(str(present.get(_PATHS, "")).split("\n")))
        present[_PATHS] = paths
    merge_keys(armature, action, first_frame, last_frame)
    name = action.name
    bpy.data.actions.remove(action)
    if options.mode == NEW:
        present.name = name
    present.update_tag()
    return present


def _empty(armature: bpy.types.Object, paths: set[str]) -> None:
    for curve in compat.action_curves(armature):
        if curve.data_path in paths:
            compat.remove_curve(armature, curve)


def _add_strip(armature: bpy.types.Object, action: bpy.types.Action, name: str, first_frame: int) -> None:
    animation = armature.animation_data or armature.animation_data_create()
    if animation.use_tweak_mode:
        animation.use_tweak_mode = False
    alone = not animation.nla_tracks
    track = animation.nla_tracks.new()
    track.name = name
    strip = track.strips.new(name, first_frame, action)
    compat.set_strip_slot(strip)
    # Over other strips it shall count for its own frames only; alone it holds the first and the last pose, as usual.
    strip.extrapolation = "HOLD" if alone else "NOTHING"
