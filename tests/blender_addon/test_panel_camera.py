"""What the film's camera does can be said in the panel and in batch, reaches the engine, and is told afterwards."""

import argparse
import dataclasses
import math
from pathlib import Path

import bpy
import pytest

from blender_addon import finishing, panel_camera, properties, session
from blender_addon.core import camera_path, protocol

from .addon import switched_on
from .test_panels import draw
from .test_session import waving_motion

__all__ = ["switched_on"]


def test_the_panel_s_camera_reaches_the_worker_s_job(switched_on):
    settings = bpy.context.scene.atcn
    assert {("prop", "mode"), ("prop", "fov_rad")} <= set(draw())
    job = session.capture_job(properties.request_of(bpy.context.scene), Path())
    assert (job.camera, job.fov_deg) == ("auto", 0.0)
    settings.camera.mode, settings.camera.fov_rad = "pan", math.radians(47.0)
    job = session.capture_job(properties.request_of(bpy.context.scene), Path())
    assert (job.camera, job.fov_deg) == ("pan", pytest.approx(47.0))
    assert protocol.decode_job(protocol.encode(job)) == job
    settings.source = "BVH"
    assert ("prop", "mode") not in draw()


def test_the_panel_offers_what_the_engine_knows(switched_on):
    offered = bpy.context.scene.atcn.camera.bl_rna.properties["mode"].enum_items.keys()
    assert tuple(offered) == protocol.CAMERA_MODES


def test_the_command_line_has_both():
    parser = argparse.ArgumentParser()
    panel_camera.add_arguments(parser)
    options = parser.parse_args(["--camera", "still", "--fov", "50"])
    assert (options.camera, options.fov) == ("still", 50.0)
    with pytest.raises(SystemExit):
        parser.parse_args(["--camera", "crane"])


def test_what_was_found_of_the_camera_is_told(switched_on):
    motion = dataclasses.replace(waving_motion(1.0), video_camera=camera_path.VideoCamera("still", "It stands still."))
    assert finishing.ready(motion, 0.0, 0.0).note.endswith("It stands still.")
