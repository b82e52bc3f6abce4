"""The take report in Blender: the rig's own feet, the files' places, and markers that are nobody else's."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from blender_addon import report_panel, rigs, runs, session, soles, take_reports
from blender_addon.apply import scene_fps
from blender_addon.blocks import Held
from blender_addon.compat import action_curves
from blender_addon.core import clip, errors, take_report, world
from blender_addon.result import ResultOptions
from blender_addon.rig_files import import_armatures
from blender_addon.steps import finish

from .addon import ROOT, data_names, needs_engine, short_clip, switched_on
from .feet_measures import sole_points
from .test_footage import DATA, true_motion
from .test_panels import Layout
from .test_session import waving_motion

__all__ = ["switched_on"]


def seen(motion: clip.Motion3D, unseen: tuple[tuple[float, float], ...] = ()) -> clip.Keypoints2D:
    """The motion's joints in the picture; within the given times the left arm was not seen."""
    placed = (motion.joints_cam + motion.root_cam[:, None]).astype(float)
    xy_px = placed[..., :2] / placed[..., 2:] * motion.camera.focal_px + np.array(motion.camera.centre_px)
    score = np.ones(placed.shape[:2], np.float32)
    for first_s, last_s in unseen:
        hidden = (motion.times_s >= first_s) & (motion.times_s < last_s)
        score[np.ix_(hidden, motion.skeleton.indices("left_elbow", "left_wrist"))] = 0.1
    return clip.Keypoints2D(
        motion.skeleton, motion.times_s, motion.fps, motion.image_wh_px, xy_px.astype(np.float32), score
    )


def on_avatar(motion: clip.Motion3D, start_frame: int = 1, feet: str = "auto", name: str = "dance"):
    """The motion on an avatar: the request, and what was applied."""
    scene = bpy.context.scene
    request = session.Request(
        Path(f"{name}.mp4"), session.RigChoice(avatar="bruno"), start_frame=start_frame, feet=feet, smooth=0.0
    )
    return request, session.apply_capture(request, motion, scene)


def measured(applied: session.Applied, fps: float, start_s: float = 0.0):
    held = Held.of(bpy.context.scene.objects[applied.armature])
    return finish(soles.measuring(held, applied.first_frame, applied.last_frame, fps, start_s))


def test_soles_are_where_blender_shows_them_and_nothing_changes(switched_on):
    motion, _ = true_motion()
    scene = bpy.context.scene
    _, applied = on_avatar(motion, start_frame=5)
    armature = scene.objects[applied.armature]
    scene.frame_set(42)
    before = (data_names(), scene.frame_current, [np.array(bone.matrix) for bone in armature.pose.bones])
    found = measured(applied, scene_fps(scene), 0.5)
    after = (data_names(), scene.frame_current, [np.array(bone.matrix) for bone in armature.pose.bones])
    assert before[:2] == after[:2]
    np.testing.assert_array_equal(before[2], after[2])
    assert found.times_s[0] == 0.5
    some = list(range(applied.first_frame, applied.last_frame + 1, 20))
    wanted = sole_points(armature, rigs.map_of_armature(armature), some)
    at = [frame - applied.first_frame for frame in some]
    np.testing.assert_allclose(
        found.points_world[at], np.concatenate([wanted["left"], wanted["right"]], axis=1), atol=2e-3
    )


def test_a_rig_that_is_pulled_along_slides_as_fast_as_it_is_pulled_and_sinks_as_deep(switched_on):
    motion = waving_motion(2.0)
    scene = bpy.context.scene
    session.set_scene_rate(scene, 24.0)
    _, applied = on_avatar(motion)
    armature = scene.objects[applied.armature]
    for frame, x_m, z_m in ((applied.first_frame, 0.0, 0.0), (applied.first_frame + 24, 0.1, -0.05)):
        armature.location = (x_m, 0.0, z_m)
        armature.keyframe_insert("location", frame=frame)
    for curve in action_curves(armature):
        if curve.data_path == "location":
            curve.extrapolation = "LINEAR"
            for key in curve.keyframe_points:
                key.interpolation = "LINEAR"
    scene.frame_set(applied.first_frame)
    report = take_report.take_report(motion, seen(motion))
    found = take_report.on_rig(report, "it", measured(applied, 24.0), world.to_world(motion))
    assert found.rig_foot_slide_cm_s == pytest.approx(10.0, abs=0.2)
    seconds = (applied.last_frame - applied.first_frame) / 24.0
    assert found.rig_deepest_cm == pytest.approx(5.0 * seconds, abs=0.3)


def test_long_clips_are_measured_in_stretches_and_no_step_holds_blender_long(switched_on):
    scene = bpy.context.scene
    session.set_scene_rate(scene, 30.0)
    _, applied = on_avatar(waving_motion(60.0), feet="never")
    steps = soles.measuring(
        Held.of(scene.objects[applied.armature]), applied.first_frame, applied.last_frame, 30.0, 0.0
    )
    spent_s = []
    while True:
        began_s = time.perf_counter()
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
            break
        finally:
            spent_s.append(time.perf_counter() - began_s)
    assert len(found.times_s) == soles.MOST_FRAMES
    assert found.times_s[0] == 0.0
    assert found.times_s[-1] == pytest.approx(60.0 - 1 / 30)
    assert np.median(spent_s) < 0.3


def test_markers_stand_where_the_doubt_begins_and_only_its_own_are_replaced_and_removed(switched_on):
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    motion, _ = true_motion()
    doubtful = take_report.take_report(motion, seen(motion, ((1.0, 2.0), (3.0, 4.0))))
    assert [doubt.reason for doubt in doubtful.doubtful] == ["left arm unseen"] * 2
    scene.timeline_markers.new("mine", frame=3)
    take_reports.mark(scene, doubtful, "dance", 11)
    take_reports.mark(scene, doubtful, "a clip whose name is far longer than a marker's name may be at all", 11)
    frames = {mark.name: mark.frame for mark in take_reports.marks_of(scene, "dance")}
    assert frames == {"Check: left arm unseen (dance)": 83}
    assert sorted(mark.frame for mark in take_reports.marks_of(scene, "dance")) == [35, 83]
    take_reports.marks_of(scene, "dance")[0].name = "look here"
    later = take_report.take_report(motion, seen(motion, ((2.0, 3.0),)))
    take_reports.mark(scene, later, "dance", 1)
    assert [mark.frame for mark in take_reports.marks_of(scene, "dance")] == [49]
    assert len(take_reports.marks_of(scene)) == 3
    assert bpy.ops.atcn.unmark_doubtful() == {"FINISHED"}
    assert sorted(mark.name for mark in scene.timeline_markers) == ["look here", "mine"]
    assert not bpy.ops.atcn.unmark_doubtful.poll()


def captured_again(motion: clip.Motion3D, page: Path, unseen=((1.0, 2.0),)) -> None:
    """As a capture leaves it, without the engine."""
    page.parent.mkdir(exist_ok=True)
    page.write_text("<!--figures--><!--/figures-->", encoding="utf-8")
    take_reports.taken = take_reports.Taken(page, seen(motion, unseen))
    request = session.Request(Path("dance.mp4"), session.RigChoice(avatar="bruno"), start_frame=5)
    runs.last_capture = (request, motion)


def test_applying_writes_the_rig_s_figures_shows_them_and_marks_in_one_undo_step(switched_on, tmp_path):
    motion, _ = true_motion()
    scene, page = bpy.context.scene, tmp_path / "take_reports" / "dance.html"
    captured_again(motion, page)
    scene.atcn.avatar, scene.atcn.start_frame = "bruno", 5
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.atcn.apply_last("EXEC_DEFAULT", True) == {"FINISHED"}
    scene = bpy.context.scene
    report = take_reports.read(page.with_suffix(".json"))
    assert report.rig == scene.atcn.armature.name
    assert report.rig_foot_slide_cm_s < 2.0
    assert "Standing feet slide, on" in page.read_text(encoding="utf-8")
    assert Path(scene.atcn.report.data) == page.with_suffix(".json")
    assert [mark.name for mark in scene.timeline_markers] == ["Check: left arm unseen (dance)"]
    assert scene.timeline_markers[0].frame == 5 + round(1.0 * scene_fps(scene))
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert not scene.timeline_markers
    assert not scene.objects
    assert scene.atcn.report.data == ""


def test_applying_again_follows_the_settings_and_without_marks_there_are_none(switched_on, tmp_path):
    motion, _ = true_motion()
    scene, page = bpy.context.scene, tmp_path / "take_reports" / "dance.html"
    captured_again(motion, page)
    scene.atcn.avatar = "bruno"
    scene.atcn.finish.smooth = 0.0
    slides = {}
    for feet in ("never", "always"):
        scene.atcn.feet = feet
        assert bpy.ops.atcn.apply_last() == {"FINISHED"}
        slides[feet] = take_reports.read(page.with_suffix(".json")).rig_foot_slide_cm_s
    assert slides["always"] < 0.5 < slides["never"]
    assert len(take_reports.marks_of(scene)) == 1
    scene.atcn.report.marks = False
    assert bpy.ops.atcn.apply_last() == {"FINISHED"}
    assert not take_reports.marks_of(scene)
    assert bpy.ops.atcn.mark_doubtful() == {"FINISHED"}
    assert len(take_reports.marks_of(scene)) == 1


def test_a_disk_that_is_full_costs_the_report_and_not_the_movement(switched_on, tmp_path, caplog):
    motion, _ = true_motion()
    page = tmp_path / "take_reports" / "dance.html"
    captured_again(motion, page)
    page.with_suffix(".json").mkdir()
    bpy.context.scene.atcn.avatar = "bruno"
    assert bpy.ops.atcn.apply_last() == {"FINISHED"}
    assert "The take report was not written" in caplog.text


@needs_engine
def test_a_capture_leaves_its_report_beside_the_saved_file_and_without_the_wish_none(switched_on, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    scene, video = bpy.context.scene, short_clip()
    scene.atcn.video, scene.atcn.avatar = str(video), "bruno"
    scene.atcn.use_range, scene.atcn.end_s = True, 0.6
    assert bpy.ops.atcn.capture() == {"FINISHED"}
    folder = tmp_path / "take_reports"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{video.stem}.html", f"{video.stem}.json", f"{video.stem}_overlay.mp4"]
    assert f'src="{video.stem}_overlay.mp4"' in (folder / f"{video.stem}.html").read_text(encoding="utf-8")
    assert scene.atcn.report.data == f"//take_reports/{video.stem}.json"
    report = take_reports.read(Path(bpy.path.abspath(scene.atcn.report.data)))
    assert report.rig_below_floor_cm is not None
    take_reports.mark(scene, report, video.stem, 1)
    scene.atcn.report.make = False
    assert bpy.ops.atcn.capture() == {"FINISHED"}
    assert scene.atcn.report.data == ""
    assert not take_reports.marks_of(scene)


def test_in_a_file_that_is_not_saved_the_report_lies_in_blender_s_own_folder(switched_on, tmp_path):
    motion, _ = true_motion()
    paths = {}
    for role, name in (("report", "a.html"), ("report_data", "a.json"), ("report_film", "a_overlay.mp4")):
        paths[role] = str(tmp_path / name)
        Path(paths[role]).write_text(role, encoding="utf-8")
    clip.save_keypoints(tmp_path / "k.npz", seen(motion))
    paths["keypoints"] = str(tmp_path / "k.npz")
    finish(take_reports.keeping(paths))
    page = take_reports.taken.page
    assert page.is_relative_to(bpy.app.tempdir)
    assert page.read_text(encoding="utf-8") == "report"
    assert not take_reports.is_kept(take_reports.taken.data)
    finish(take_reports.keeping(paths, tmp_path / "there"))
    assert take_reports.is_kept(take_reports.taken.data)
    finish(take_reports.keeping({}))
    assert take_reports.taken is None
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(errors.OutputError):
        finish(take_reports.keeping(paths, tmp_path / "file"))
    assert take_reports.taken is None


@needs_engine
def test_the_batch_writes_the_report_where_it_is_told_and_marks_in_the_blend(tmp_path):
    motion, _ = true_motion()
    clip.save_keypoints(tmp_path / "k.npz", seen(motion, ((1.0, 2.0),)))
    page, blend = tmp_path / "pages" / "a page.html", tmp_path / "out.blend"
    words = [
        "--video",
        DATA / "demo.mp4",
        "--rig",
        "bruno",
        "--out",
        blend,
        "--keypoints",
        tmp_path / "k.npz",
        "--end",
        "2.4",
    ]
    command = [sys.executable, "-m", "blender_addon.batch", *words, "--report", page, "--no-overlay"]
    ended = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in page.parent.iterdir()) == ["a page.html", "a page.json"]
    report = take_reports.read(page.with_suffix(".json"))
    assert report.rig == "bruno"
    assert report.rig_foot_slide_cm_s is not None
    assert "on bruno" in page.read_text(encoding="utf-8")
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene = bpy.context.scene
    assert {mark.frame for mark in take_reports.marks_of(scene, "demo")} == {
        take_reports.frame_of(scene, report, doubt.first_s, 1) for doubt in report.doubtful
    }
    assert any(doubt.reason == "left arm unseen" for doubt in report.doubtful)


class ReportLayout(Layout):
    """As the panel's, with columns side by side."""

    def split(self, **settings):
        self._check("split", settings)
        return self


def panel() -> list[tuple[str, str]]:
    layout = ReportLayout()
    report_panel.ATCN_PT_report.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout.drawn


def test_the_panel_shows_the_wishes_and_once_there_is_one_the_report(switched_on, tmp_path):
    wishes = [("prop", "make"), ("prop", "film"), ("prop", "marks")]
    assert panel() == wishes
    motion, _ = true_motion()
    page = tmp_path / "take_reports" / "dance.html"
    captured_again(motion, page, tuple((0.8 * n, 0.8 * n + 0.35) for n in range(1, 5)))
    bpy.context.scene.atcn.avatar = "bruno"
    assert bpy.ops.atcn.apply_last() == {"FINISHED"}
    drawn = panel()
    texts = [text for kind, text in drawn if kind == "label"]
    report = take_reports.read(page.with_suffix(".json"))
    assert drawn[:3] == wishes
    assert texts[0] == "dance"
    assert f"{report.rig_foot_slide_cm_s:.1f} cm/s" in texts
    assert any(text.startswith("4 doubtful stretches") for text in texts)
    assert [name for kind, name in drawn if kind == "operator"] == [
        *["atcn.look_at_doubt"] * 4,
        "wm.path_open",
        "atcn.unmark_doubtful",
    ]
    page.with_suffix(".json").write_text("{}", encoding="utf-8")
    assert panel() == wishes


def test_a_stretch_is_gone_to(switched_on):
    assert bpy.ops.atcn.look_at_doubt(frame=77) == {"FINISHED"}
    assert bpy.context.scene.frame_current == 77


def test_a_generated_rig_is_measured_by_the_bones_that_move_its_skin_whoever_leads_them(switched_on):
    motion, _ = true_motion()
    scene, slides = bpy.context.scene, {}
    session.set_scene_rate(scene, motion.fps)
    report = take_report.take_report(motion, seen(motion))
    (rigify,) = import_armatures("rigify:basic_human:generated")
    for ik in (False, True):
        choice = session.RigChoice(armature=rigify.name)
        request = session.Request(Path("a.mp4"), choice, result=ResultOptions(ik=ik), smooth=0.0, feet="always")
        applied = session.apply_capture(request, motion, scene)
        found = take_report.on_rig(report, "it", measured(applied, motion.fps), world.to_world(motion))
        slides[ik] = found.rig_foot_slide_cm_s
        assert found.rig_deepest_cm < 1.0
    assert slides[False] < 0.5
    assert slides[True] == pytest.approx(slides[False], abs=0.1)
