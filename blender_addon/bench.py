"""`make bench`: what the product promises in speed and memory, measured in one run. Nothing imports this module.

python -m blender_addon.bench --video clip.mp4 [--rig NAME] [--json]      (with the bpy module)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy
import numpy as np

from . import engine, session, steps
from .bake import bake
from .bench_again import MINUTE_FRAMES, as_long_as, seconds_again
from .core import ROOT, client, clip, errors, protocol, retarget
from .modal import TIMER_S
from .status import Status

__all__ = ["CaptureCost", "Figure", "bench_keys", "measure_capture", "table"]

SHORT_FRAMES, LONG_FRAMES = 500, 4000
LIFT_FRAMES = 1000
KEY_BONES, KEY_FRAMES = 65, 2000


@dataclass(frozen=True)
class Figure:
    """One line of the table. limit: in words, "" where none is set; ok: whether the value keeps it."""

    name: str
    value: float
    unit: str
    limit: str = ""
    ok: bool = True


@dataclass(frozen=True)
class CaptureCost:
    """One capture as Blender's main thread and the machine saw it.

    start_s: the start of the worker. tick_s: the longest of the timer's ticks until its end.
    apply_s, step_s: the motion onto the rig, in the timer's ticks too, and the longest of those.
    peak_bytes: the worker's largest resident memory; 0 where the system does not tell.
    """

    seconds: float
    start_s: float
    tick_s: float
    apply_s: float
    step_s: float
    peak_bytes: int


def measure_capture(video: Path, rig: str, folder: Path) -> CaptureCost:
    """Capture as the modal operator does it: start, a tick every TIMER_S, the result onto the rig. Raises AtcnError."""
    request = session.Request(video=video, rig=session.RigChoice(avatar=rig), cached=False)
    status, paths, failure, peak_bytes, ticks_s = Status(), {}, None, 0, [0.0]
    began_s = time.perf_counter()
    session.check(request, bpy.context.scene)
    python = engine.find_engine().python
    job, log = session.capture_job(request, folder), folder / "engine.log"
    worker = client.WorkerClient(python, job, root=ROOT, log_path=log, env=engine.worker_variables())
    status.begin()
    started_s = time.perf_counter()
    try:
        while worker.running:
            time.sleep(TIMER_S)
            peak_bytes = max(peak_bytes, _peak_bytes(worker.pid))
            tick_began_s = time.perf_counter()
            for message in worker.poll():
                if isinstance(message, protocol.Result):
                    paths = message.paths
                elif isinstance(message, protocol.Failure):
                    failure = message
                elif not isinstance(message, protocol.Done):
                    status.hear(message)
            ticks_s.append(time.perf_counter() - tick_began_s)
    finally:
        worker.close()
    if failure is not None:
        raise client.error_of(failure)
    captured_s = time.perf_counter()
    steps_s = _tick_through(_using(request, Path(paths["motion"])))
    ended_s = time.perf_counter()
    return CaptureCost(
        ended_s - began_s, started_s - began_s, max(ticks_s), ended_s - captured_s, max(steps_s), peak_bytes
    )


def _using(request: session.Request, motion_path: Path) -> steps.Steps[session.Applied]:
    motion = yield from steps.aside(clip.load_motion, motion_path)
    return (yield from session.applying(request, motion, bpy.context.scene))


def _tick_through(course: steps.Steps[session.Applied]) -> list[float]:
    """Take the steps as the modal operator's timer does; the seconds of each tick."""
    ticks_s = []
    while True:
        began_s = time.perf_counter()
        try:
            steps.advance(course)
        except StopIteration:
            return [*ticks_s, time.perf_counter() - began_s]
        ticks_s.append(time.perf_counter() - began_s)
        time.sleep(TIMER_S)


def _peak_bytes(pid: int) -> int:
    """The largest resident memory the process has had so far; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def bench_keys(bones: int = KEY_BONES, frames: int = KEY_FRAMES) -> tuple[float, float]:
    """Keys a second on the same Action: baked in bulk (the middle one of three), and by keyframe_insert.

    keyframe_insert grows with the square of the frames, so it is really run to the last one. Both are work of
    Blender's main thread without waiting, so that thread's time is counted: what else the machine does matters less.
    """
    armature = _chain(bones)
    random = np.random.default_rng(3)
    quats = random.normal(size=(bones, frames, 4))
    quats /= np.linalg.norm(quats, axis=-1, keepdims=True)
    location = random.normal(size=(frames, 3))
    names = [bone.name for bone in armature.data.bones]
    track = retarget.PoseTrack(np.arange(frames) / 30.0, dict(zip(names, quats, strict=True)), names[0], location, {})
    keys = frames * (4 * bones + 3)

    bulk_s = []
    for _ in range(3):
        began_s = time.thread_time()
        bake(armature, track, action_name="bulk", start_frame=1)
        bulk_s.append(time.thread_time() - began_s)

    armature.animation_data.action = None
    root = armature.pose.bones[names[0]]
    began_s = time.thread_time()
    for frame in range(frames):
        for pose_bone, turns in zip(armature.pose.bones, quats, strict=True):
            pose_bone.rotation_quaternion = turns[frame]
            pose_bone.keyframe_insert("rotation_quaternion", frame=frame + 1)
        root.location = location[frame]
        root.keyframe_insert("location", frame=frame + 1)
    insert_s = time.thread_time() - began_s
    return keys / float(np.median(bulk_s)), keys / insert_s


def _chain(bones: int) -> bpy.types.Object:
    """An armature of so many bones, each on the end of the one before."""
    data = bpy.data.armatures.new("bench")
    armature = bpy.data.objects.new("bench", data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    parent = None
    for number in range(bones):
        bone = data.edit_bones.new(f"bone.{number:03d}")
        bone.head, bone.tail, bone.parent = (0.0, 0.0, 0.1 * number), (0.0, 0.0, 0.1 * number + 0.1), parent
        parent = bone
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def _engine_half(*arguments: str) -> tuple[dict[str, float], float]:
    """Run one measurement of atcn_core.bench in the engine: its answer, and the seconds of the whole process."""
    began_s = time.perf_counter()
    ended = subprocess.run(
        [str(engine.find_engine().python), "-m", "atcn_core.bench", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise errors.EngineError(f"The engine's measurement {arguments[0]} failed: {ended.stderr.strip()[-400:]}")
    return json.loads(ended.stdout.splitlines()[-1]), time.perf_counter() - began_s


def _figures(video: Path, rig: str, short_frames: int, long_frames: int, key_frames: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="atcn_bench_") as name:
        folder = Path(name)
        short, long = folder / "short.mp4", folder / "long.mp4"
        _engine_half("clip", str(video), str(short), str(short_frames))
        _engine_half("clip", str(video), str(long), str(long_frames))
        _say(f"plain detection of {short_frames} frames, before and after the whole path ...")
        _, before_s = _engine_half("plain", str(short))
        whole = measure_capture(short, rig, folder)
        _, after_s = _engine_half("plain", str(short))
        _say(f"memory at {long_frames} frames ...")
        larger = measure_capture(long, rig, folder)
        _say("the same motion again, otherwise ...")
        again_s = max(
            cost.seconds
            for cost in seconds_again(as_long_as(clip.load_motion(folder / "motion.npz"), MINUTE_FRAMES), rig)
        )
        _say("lifting, keys ...")
        lifted, _ = _engine_half("lift", str(LIFT_FRAMES))
    bulk, inserted = bench_keys(frames=key_frames)
    plain_s = 0.5 * (before_s + after_s)
    ratio, times = whole.seconds / plain_s, bulk / inserted
    stall_s = max(max(cost.start_s, cost.tick_s, cost.step_s) for cost in (whole, larger))
    growth = larger.peak_bytes / whole.peak_bytes - 1.0 if whole.peak_bytes else 0.0
    mega = 1024.0 * 1024.0
    return [
        Figure(f"plain decode-and-detect loop, {short_frames} frames", plain_s, "s"),
        Figure(f"whole path to the Action, {short_frames} frames", whole.seconds, "s"),
        Figure("whole path over plain detection", ratio, "times", "at most 1.5", ratio <= 1.5),
        Figure("frames lifted", lifted["frames"] / lifted["seconds"], "a second"),
        Figure(f"keys baked, {KEY_BONES} bones, {key_frames} frames", bulk, "a second"),
        Figure("keys by keyframe_insert, the same Action", inserted, "a second"),
        Figure("baked over keyframe_insert", times, "times", "at least 500", times >= 500.0),
        Figure("longest stall of Blender while a capture runs", stall_s, "s", "at most 0.1", stall_s <= 0.1),
        Figure(f"  of it starting the worker, {short_frames} frames", whole.start_s, "s"),
        Figure(f"  of it hearing the worker, {short_frames} frames", whole.tick_s, "s"),
        Figure(f"  of it putting the motion onto the rig, {short_frames} frames", whole.step_s, "s"),
        Figure(f"  of it putting the motion onto the rig, {long_frames} frames", larger.step_s, "s"),
        Figure(f"the motion onto the rig at the end, {short_frames} frames", whole.apply_s, "s"),
        Figure(f"the motion onto the rig at the end, {long_frames} frames", larger.apply_s, "s"),
        Figure(
            f"another foot mode, smoothing, height or rig, {MINUTE_FRAMES} frames",
            again_s,
            "s",
            "at most 2",
            again_s <= 2.0,
        ),
        Figure(f"worker's peak memory, {short_frames} frames", whole.peak_bytes / mega, "MiB"),
        Figure(f"worker's peak memory, {long_frames} frames", larger.peak_bytes / mega, "MiB"),
        Figure("its growth", 100.0 * growth, "%", "at most 15", growth <= 0.15),
    ]


def table(figures: list[Figure]) -> str:
    """The figures in columns."""
    width = max(len(figure.name) for figure in figures)
    rows = []
    for figure in figures:
        value = f"{figure.value:,.0f}" if figure.value >= 100.0 else f"{figure.value:.3g}"
        verdict = f"  {figure.limit}: {'kept' if figure.ok else 'NOT KEPT'}" if figure.limit else ""
        rows.append(f"{figure.name:<{width}}  {value:>10} {figure.unit:<8}{verdict}".rstrip())
    return "\n".join(rows)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m blender_addon.bench")
    parser.add_argument("--video", type=Path, required=True, help="its frames, over and over, make the clips")
    parser.add_argument("--rig", required=True, help="an avatar of the rigs folder")
    parser.add_argument("--frames", type=int, nargs=2, default=(SHORT_FRAMES, LONG_FRAMES), metavar=("SHORT", "LONG"))
    parser.add_argument("--key-frames", type=int, default=KEY_FRAMES, help="length of the Action that is baked")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        figures = _figures(options.video.absolute(), options.rig, *options.frames, options.key_frames)
    except errors.AtcnError as error:
        _say(f"Error: {error}")
        return 1
    sys.stdout.write((json.dumps([asdict(f) for f in figures], indent=1) if options.json else table(figures)) + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    code = main()
    os._exit(code)  # the bpy module of some versions crashes or hangs when the interpreter ends
