"""The buttons: pressed without a window they run to the end; the timer's work is driven here by hand."""

import time
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

import blender_addon
from blender_addon import engine, rigs, runs, session, steps
from blender_addon.core import protocol
from blender_addon.modal import WorkerOperator

from .addon import ENGINE_PYTHON, children, data_names, make_armature, needs_engine, short_clip, switched_on
from .test_session import waving_motion

__all__ = ["switched_on"]

TICK = SimpleNamespace(type="TIMER", value="NOTHING")
ESC = SimpleNamespace(type="ESC", value="PRESS")
MOUSE = SimpleNamespace(type="MOUSEMOVE", value="NOTHING")


class DemoOperator(WorkerOperator):
    """The timer's part of every worker button, with the job that needs no models."""

    failed_headline = "The demo failed."
    cancelled_headline = "The demo was cancelled."

    def __init__(self, **settings) -> None:
        self.job = protocol.DemoJob(**settings)
        self.reports: list[tuple[set[str], str]] = []
        self.longest_s = 0.0

    def report(self, kind: set[str], text: str) -> None:
        self.reports.append((kind, text))

    def start(self, context):
        return runs.begin(ENGINE_PYTHON, lambda folder: self.job)

    def succeed(self, paths):
        yield
        return f"Made {paths['motion']}."

    def press(self):
        """What invoke does, save what needs a window."""
        self._run = self.start(bpy.context)
        self._timer = bpy.context.window_manager.event_timer_add(0.1, window=bpy.context.window)
        return self

    def tick(self, event=TICK) -> set[str]:
        started_s = time.monotonic()
        result = self.modal(bpy.context, event)
        self.longest_s = max(self.longest_s, time.monotonic() - started_s)
        return result

    def tick_until(self, condition) -> set[str]:
        end_s = time.monotonic() + 30.0
        while True:
            result = self.tick()
            if condition(result):
                return result
            assert time.monotonic() < end_s
            time.sleep(0.02)

    def run(self) -> set[str]:
        return self.tick_until(lambda result: result != {"PASS_THROUGH"})


class ApplyingOperator(DemoOperator):
    """After the demo job, a motion is put on an avatar, as after a capture."""

    def __init__(self) -> None:
        super().__init__(steps=1)

    def succeed(self, paths):
        runs.status.hear(protocol.Progress("apply", 0, 0))
        request = session.Request(Path("dance.mp4"), session.RigChoice(avatar=rigs.list_rigs()[0].name))
        applied = yield from session.applying(request, waving_motion(20.0), bpy.context.scene)
        return f"{applied.frames} frames."

    def tick_until_half_applied(self):
        self.press().tick_until(lambda result: "dance" in bpy.data.actions)
        assert self.modal(bpy.context, MOUSE) == {"PASS_THROUGH"}
        assert runs.status.text == "Putting it on the rig"


@pytest.fixture
def one_step_a_tick(monkeypatch):
    """Ticks so short that there is time between any two steps."""
    monkeypatch.setattr(ApplyingOperator, "modal", _modal_of_one_step)


def _modal_of_one_step(self, context, event, advance=steps.advance):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "advance", lambda course: advance(course, budget_s=0.0))
        return WorkerOperator.modal(self, context, event)


def capture_error() -> str:
    """Press Capture; the error that the user is told."""
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.atcn.capture()
    return str(caught.value)


@needs_engine
def test_a_job_that_ends_well_reports_and_leaves_the_timer_and_the_run(switched_on):
    operator = DemoOperator(steps=5, options={"result": {"motion": "m.npz"}}).press()
    folder = runs.current().folder
    assert operator.tick(MOUSE) == {"PASS_THROUGH"}
    assert operator.run() == {"FINISHED"}
    assert operator.reports == [({"INFO"}, "Made m.npz.")]
    assert runs.current() is None
    assert operator._timer is None
    assert not folder.exists()
    assert runs.status.headline == "Made m.npz."


@needs_engine
def test_the_panel_is_told_the_stage_and_how_much_is_done(switched_on):
    operator = DemoOperator(steps=200, step_s=0.02).press()
    operator.tick_until(lambda result: runs.status.current > 1)
    assert runs.status.stage == "demo"
    assert 0.0 < runs.status.fraction < 1.0
    operator.tick(ESC)
    operator.run()


@needs_engine
@pytest.mark.parametrize("way", ["escape", "button"])
def test_cancelling_says_so_and_ends_the_worker(switched_on, way):
    operator = DemoOperator(steps=1000).press()
    operator.tick_until(lambda result: runs.status.current > 0)
    if way == "escape":
        assert operator.tick(ESC) == {"RUNNING_MODAL"}
    else:
        bpy.ops.atcn.cancel()
    assert runs.status.cancelling
    assert operator.run() == {"CANCELLED"}
    assert operator.reports == [({"INFO"}, "The demo was cancelled.")]
    assert not children()


@needs_engine
def test_a_failure_is_told_in_words_in_the_panel_and_as_a_report(switched_on):
    operator = DemoOperator(fail_at=1).press()
    assert operator.run() == {"CANCELLED"}
    assert operator.reports == [({"ERROR"}, "The demo job failed, as it was asked to. Ask for less.")]
    assert (runs.status.headline, runs.status.hint) == ("The demo failed.", "Ask for less.")


@needs_engine
@pytest.mark.parametrize("how", [{"crash_at": 1}, {"options": {"bug": 1}}])
def test_a_crash_and_a_bug_name_a_log_that_is_still_there(switched_on, how):
    operator = DemoOperator(**how).press()
    assert operator.run() == {"CANCELLED"}
    assert Path(runs.status.log).is_file()
    assert runs.status.log in operator.reports[0][1]


@needs_engine
def test_no_tick_holds_blender_for_a_tenth_of_a_second(switched_on):
    operator = DemoOperator(steps=40, step_s=0.01, options={"garbage": True, "result": {"motion": "m"}}).press()
    operator.run()
    assert operator.longest_s < 0.1


@needs_engine
def test_the_result_is_used_over_several_ticks(switched_on, one_step_a_tick):
    operator = ApplyingOperator()
    operator.tick_until_half_applied()
    assert not bpy.context.scene.objects
    assert operator.run() == {"FINISHED"}
    assert bpy.context.scene.objects
    assert operator.reports == [({"INFO"}, "480 frames.")]
    assert runs.current() is None


@needs_engine
@pytest.mark.parametrize("way", ["escape", "button"])
def test_cancelling_while_the_result_is_used_leaves_the_scene_as_it_was(switched_on, one_step_a_tick, way):
    before = data_names()
    operator = ApplyingOperator()
    operator.tick_until_half_applied()
    if way == "escape":
        operator.tick(ESC)
    else:
        bpy.ops.atcn.cancel()
    assert operator.tick() == {"CANCELLED"}
    assert operator.reports == [({"INFO"}, "The demo was cancelled.")]
    assert data_names() == before
    assert runs.current() is None
    assert operator._timer is None


@needs_engine
def test_another_file_opened_while_the_result_is_used_ends_it(switched_on, one_step_a_tick):
    operator = ApplyingOperator()
    operator.tick_until_half_applied()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    before = data_names()
    assert "another file" in runs.status.headline
    assert runs.current() is None
    assert operator.tick() == {"CANCELLED"}
    assert data_names() == before
    assert "dance" not in bpy.data.actions


@needs_engine
def test_opening_another_file_ends_the_capture(switched_on):
    operator = DemoOperator(steps=1000).press()
    operator.tick_until(lambda result: runs.status.current > 0)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert runs.current() is None
    assert not children()
    assert "another file" in runs.status.headline


@needs_engine
def test_switching_the_add_on_off_ends_the_capture():
    blender_addon.register()
    DemoOperator(steps=1000).press()
    assert children()
    blender_addon.unregister()
    assert runs.current() is None
    assert not children()
    assert not hasattr(bpy.types.Scene, "atcn")


@needs_engine
def test_an_error_of_our_own_flies_on_but_nothing_stays_running(switched_on):
    operator = DemoOperator(steps=1, options={"result": {}}).press()
    with pytest.raises(KeyError):
        operator.run()
    assert runs.current() is None
    assert not runs.status.running
    assert "console" in runs.status.error


@needs_engine
def test_only_one_capture_runs_at_a_time(switched_on):
    operator = DemoOperator(steps=1000).press()
    with pytest.raises(RuntimeError, match="already running"):
        bpy.ops.atcn.capture()
    operator.tick(ESC)
    operator.run()


@needs_engine
def test_a_capture_puts_an_action_on_a_new_avatar_and_again_on_the_same_one(switched_on):
    settings = bpy.context.scene.atcn
    settings.video, settings.use_range, settings.end_s = str(short_clip()), True, 0.5
    settings.start_frame = 11
    assert bpy.ops.atcn.capture() == {"FINISHED"}
    armature = settings.armature
    assert settings.target == "ARMATURE"
    action = armature.animation_data.action
    fps = bpy.context.scene.render.fps / bpy.context.scene.render.fps_base
    assert action.frame_range[0] == 11
    assert abs((action.frame_range[1] - 11) / fps - 0.5) < 0.1
    assert runs.status.headline.endswith(f"frames on {armature.name}.")
    objects = len(bpy.data.objects)
    assert bpy.ops.atcn.apply_last() == {"FINISHED"}
    assert len(bpy.data.objects) == objects
    assert armature.animation_data.action != action


def test_what_is_wrong_with_the_settings_is_said_before_the_engine_starts(switched_on, tmp_path):
    settings = bpy.context.scene.atcn
    assert "No video is chosen" in capture_error()
    settings.video = str(tmp_path / "none.mp4")
    assert "There is no video file" in capture_error()
    settings.video = __file__
    settings.target = "ARMATURE"
    assert "No armature is chosen" in capture_error()
    settings.armature = make_armature("sticks", ["Hips", "Spine"])
    assert "left_upper_arm" in capture_error()
    settings.use_range, settings.start_s, settings.end_s = True, 2.0, 1.0
    assert "not after its start" in capture_error()
    assert runs.current() is None
    assert runs.status.headline == "The capture failed."


@needs_engine
def test_a_file_that_is_no_video_is_told_in_words_and_the_scene_is_as_it_was(switched_on):
    bpy.context.scene.atcn.video = __file__
    before = data_names()
    message = capture_error()
    assert "test_operators.py" in message
    assert "Choose" in message
    assert data_names() == before


def test_a_missing_engine_is_told_with_the_button_that_makes_one(switched_on, monkeypatch, tmp_path):
    monkeypatch.setenv(engine.ENGINE_VARIABLE, str(tmp_path / "no python"))
    bpy.context.scene.atcn.video = __file__
    assert "There is no engine Python" in capture_error()


@needs_engine
def test_an_armature_deleted_on_the_way_is_told_and_the_capture_is_kept(switched_on):
    settings = bpy.context.scene.atcn
    settings.video, settings.use_range, settings.end_s = str(short_clip()), True, 0.2
    assert bpy.ops.atcn.capture() == {"FINISHED"}
    bpy.data.objects.remove(settings.armature)
    before = data_names()
    with pytest.raises(RuntimeError, match="No armature is chosen"):
        bpy.ops.atcn.apply_last()
    assert data_names() == before
    settings.target = "AVATAR"
    assert bpy.ops.atcn.apply_last() == {"FINISHED"}


def test_the_engine_is_installed_only_online_and_only_for_an_extension(switched_on):
    with pytest.raises(RuntimeError, match=r"[Oo]nline"):
        bpy.ops.atcn.install_engine()
