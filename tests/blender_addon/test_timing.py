"""Frame k of the Action is the film's time k / fps, whatever the film's and the scene's rates, and sound is in time."""

import dataclasses
import subprocess
import wave
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_addon import footage, rigs, session
from blender_addon.core import clip, frames, skeleton
from tests.moving_person import BACK, about, posed

from .addon import ENGINE_PYTHON, ROOT, needs_engine, switched_on
from .test_footage import DATA, true_motion

__all__ = ["switched_on"]

# Of a film that runs for two seconds: when its frames are shown, by name.
GAPS_S = np.array([0.033, 0.033, 0.1, 0.017, 0.05, 0.2, 0.033, 0.067])
STAMPS_S = {
    "variable": np.concatenate([[0.0], np.cumsum(np.tile(GAPS_S, 4))]).round(3),
    **{f"{fps} fps": (np.arange(2 * fps + 1) / fps).round(3) for fps in (5, 20, 60)},
}
# The clock's hand is an arm: it goes from stretched out to hanging.
HAND_RAD_S = 0.55
HALF_A_FRAME_S = 0.5 / 60


def engine_does(program: str, *arguments: object) -> str:
    """What a few lines print that need the engine's packages."""
    done = subprocess.run(
        [ENGINE_PYTHON, "-c", program, *map(str, arguments)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def clock(times_s: np.ndarray) -> clip.Motion3D:
    """Before a camera, somebody whose arms go down at a constant rate."""
    angle_rad = HAND_RAD_S * times_s
    person = posed(
        times_s,
        np.array([0.0, 0.0, 0.895]),
        {"left_upper_arm": about(BACK, angle_rad), "right_upper_arm": about(BACK, -angle_rad)},
    )
    joints_cam = np.stack(
        [person.joints_world[..., 0], 1.0 - person.joints_world[..., 2], 4.0 + person.joints_world[..., 1]], axis=-1
    ).astype(np.float32)
    size_px = (640, 480)
    return clip.Motion3D(
        skeleton=skeleton.CAPTURE,
        times_s=times_s,
        fps=1.0 / float(np.median(np.diff(times_s))),
        image_wh_px=size_px,
        joints_cam=joints_cam - joints_cam[:, :1],
        root_cam=joints_cam[:, 0],
        score=np.ones(joints_cam.shape[:2], np.float32),
        camera=frames.Intrinsics.assumed(size_px),
    )


def hand_rad(armature: bpy.types.Object, side: str) -> float:
    """How far an arm has gone down, as Blender evaluates it in the present frame."""
    name = rigs.map_of_armature(armature).bones[f"{side}_upper_arm"]
    bone = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[name]
    along = np.array(armature.matrix_world.to_3x3() @ (bone.tail - bone.head))
    return float(np.arctan2(-along[2], abs(along[0])))


def bones_alone(scene: bpy.types.Scene) -> None:
    """Skins are of no use here, and slow."""
    bpy.data.batch_remove([thing for thing in scene.objects if thing.type == "MESH"])


@pytest.fixture(scope="module")
def stamps_of_films(tmp_path_factory) -> dict[str, np.ndarray]:
    """The stamps that the engine reads from real films with these stamps."""
    folder = tmp_path_factory.mktemp("films")
    np.savez(folder / "wanted.npz", **STAMPS_S)
    engine_does(
        "import sys; from pathlib import Path; import numpy as np\n"
        "from atcn_core.video import frame_times; from tests.atcn_core.video_files import write_video\n"
        "folder = Path(sys.argv[1]); wanted = np.load(folder / 'wanted.npz')\n"
        "read = {name: frame_times(write_video(folder / f'{name}.mp4', wanted[name])) for name in wanted.files}\n"
        "np.savez(folder / 'read.npz', **read)",
        folder,
    )
    with np.load(folder / "read.npz") as read:
        return dict(read)


@needs_engine
@pytest.mark.parametrize(
    ("film", "scene_fps"),
    [("variable", 24), ("variable", 60), ("5 fps", 5), ("5 fps", 24), ("20 fps", 30), ("60 fps", 24), ("60 fps", 60)],
)
def test_frame_k_of_the_action_is_the_film_s_time_k_over_fps(switched_on, stamps_of_films, film, scene_fps):
    times_s = stamps_of_films[film]
    np.testing.assert_allclose(times_s, STAMPS_S[film], atol=1e-3)
    scene, start = bpy.context.scene, 17
    scene.render.fps, scene.render.fps_base = scene_fps, 1.0
    wish = session.Request(
        video=Path(f"{film}.mp4"), rig=session.RigChoice(avatar="bruno"), start_frame=start, feet="never"
    )
    applied = session.apply_capture(wish, clock(times_s), scene)
    assert applied.last_frame == start + round(times_s[-1] * scene_fps)
    armature = scene.objects[applied.armature]
    bones_alone(scene)
    shown_rad = []
    for frame in range(start, applied.last_frame + 1):
        scene.frame_set(frame)
        shown_rad.append([hand_rad(armature, side) for side in ("left", "right")])
    clock_s = (np.array(shown_rad) - shown_rad[0]) / HAND_RAD_S
    wanted_s = np.minimum(np.arange(len(clock_s)) / scene_fps, times_s[-1])
    assert np.abs(clock_s - wanted_s[:, None]).max() < HALF_A_FRAME_S


@needs_engine
def test_a_cut_begins_at_its_own_start(switched_on):
    scene = bpy.context.scene
    session.set_scene_rate(scene, 25.0)
    times_s = STAMPS_S["20 fps"]
    wish = session.Request(video=Path("a.mp4"), rig=session.RigChoice(avatar="bruno"), start_frame=1, feet="never")
    armature = scene.objects[session.apply_capture(wish, clock(times_s[times_s >= 0.8]), scene).armature]
    scene.frame_set(1)
    assert hand_rad(armature, "left") / HAND_RAD_S == pytest.approx(0.8, abs=0.05)


# Of the demo film, in frames of 1/25 s: where arms go up and down, about every third frame left out.
RETIMED = np.array([f for f in range(58, 106) if f % 7 not in (2, 5) and f % 11 != 3])


@needs_engine
def test_a_film_of_variable_rate_that_is_looked_at_keeps_its_time_up_to_the_keys(switched_on, tmp_path):
    film = tmp_path / "retimed.mp4"
    engine_does(
        "import sys; from pathlib import Path; import av; from fractions import Fraction\n"
        "from atcn_core.video import read_frames\n"
        "kept = [int(n) for n in sys.argv[3].split()]\n"
        "with av.open(sys.argv[2], 'w') as container:\n"
        "    stream = container.add_stream('libx264', rate=25); stream.width, stream.height = 480, 640\n"
        "    stream.pix_fmt, stream.time_base = 'yuv420p', Fraction(1, 25000)\n"
        "    stream.codec_context.time_base = Fraction(1, 25000); stream.options = {'crf': '18', 'bf': '0'}\n"
        "    for number, (time_s, picture) in enumerate(read_frames(sys.argv[1])):\n"
        "        if number in kept:\n"
        "            frame = av.VideoFrame.from_ndarray(picture, format='bgr24')\n"
        "            frame.pts, frame.time_base = 1000 * (number - kept[0]), Fraction(1, 25000)\n"
        "            container.mux(stream.encode(frame))\n"
        "    container.mux(stream.encode(None))\n",
        DATA / "demo.mp4",
        film,
        " ".join(map(str, RETIMED)),
    )
    scene, fps = bpy.context.scene, 30
    scene.render.fps, scene.render.fps_base = fps, 1.0
    scene.atcn.video, scene.atcn.avatar = str(film), "bruno"
    assert bpy.ops.atcn.capture() == {"FINISHED"}
    armature = scene.atcn.armature
    bones_alone(scene)
    first, last = (round(frame) for frame in armature.animation_data.action.frame_range)
    assert last - first == round((RETIMED[-1] - RETIMED[0]) / 25 * fps)
    shown = np.stack([heights_of_wrists(armature, frame) for frame in range(first, last + 1)])
    truth, _ = true_motion()
    up = -truth.joints_cam[..., 1]
    wrists, shoulders = (truth.skeleton.indices(f"left_{part}", f"right_{part}") for part in ("wrist", "shoulder"))
    true = (up[:, wrists] - up[:, shoulders]).astype(float)

    def likeness(late_s: float) -> float:
        at_s = RETIMED[0] / 25 + np.arange(len(shown)) / fps - late_s
        wanted = np.stack([np.interp(at_s, truth.times_s, true[:, side]) for side in (0, 1)], axis=1)
        return float(np.corrcoef(wanted[6:-6].ravel(), shown[6:-6].ravel())[0, 1])

    shifts_s = np.arange(-0.2, 0.2001, 0.005)
    likest = shifts_s[np.argmax([likeness(shift_s) for shift_s in shifts_s])]
    assert likeness(likest) > 0.95
    assert abs(likest) <= 0.5 / 25


def heights_of_wrists(armature: bpy.types.Object, frame: int) -> np.ndarray:
    """How much higher than the shoulders the wrists are in a frame, left and right, metres."""
    bpy.context.scene.frame_set(frame)
    bones = rigs.map_of_armature(armature).bones
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    heads = {
        role: (posed.matrix_world @ posed.pose.bones[bones[role]].head).z
        for side in ("left", "right")
        for role in (f"{side}_hand", f"{side}_upper_arm")
    }
    return np.array([heads[f"{side}_hand"] - heads[f"{side}_upper_arm"] for side in ("left", "right")])


CLICKS = [
    # form, codec, when the picture, the sound and the click are in the file, and the cut's start from the first picture
    ("mov", "pcm_s16le", 0.0, 0.0, 1.0, 0.0),
    ("mov", "pcm_s16le", 0.0, 0.5, 1.0, 0.0),
    ("mov", "pcm_s16le", 0.4, 0.0, 1.4, 0.0),
    ("mov", "pcm_s16le", 3.0, 3.0, 4.0, 0.48),
    ("mp4", "aac", 0.0, 0.0, 1.0, 0.12),
    ("mp4", "aac", 0.0, 0.51, 1.0, 0.76),
    ("mpegts", "aac", 3.0, 3.0, 4.0, 0.0),
]


@needs_engine
@pytest.mark.skipif(bpy.app.build_options.audaspace is False, reason="this Blender is built without sound")
def test_what_is_heard_falls_on_its_frame(switched_on, tmp_path):
    films = [tmp_path / f"click_{number}.{case[0].removeprefix('mpeg')}" for number, case in enumerate(CLICKS)]
    written = engine_does(
        "import sys; from pathlib import Path\n"
        "from atcn_core.video import sound_late_s; from tests.atcn_core.video_files import write_click\n"
        f"for path, (form, codec, picture_s, sound_s, click_s, _) in zip(sys.argv[1:], {CLICKS}):\n"
        "    write_click(Path(path), click_s, picture_s=picture_s, sound_s=sound_s, form=form, codec=codec)\n"
        "    print(sound_late_s(path))",
        *films,
    )
    scene = bpy.context.scene
    motion, _ = true_motion()
    wish = session.Request(video=films[0], rig=session.RigChoice(avatar="bruno"), start_frame=11, feet="never")
    armature = scene.objects[session.apply_capture(wish, motion, scene).armature]
    scene.frame_start, scene.frame_end = 1, 100
    for film, late_s, case, scene_fps in zip(films, written.split(), CLICKS, (25, 24, 30, 60, 24, 30, 12), strict=True):
        _, _, picture_s, _, click_s, start_s = case
        scene.render.fps = scene_fps
        taken = dataclasses.replace(motion, times_s=motion.times_s + start_s, sound_late_s=float(late_s))
        added = footage.add_footage(scene, armature, taken, film, 11)
        assert not any("sound" in note for note in added.notes)
        wanted_s = (11 - scene.frame_start) / scene_fps + click_s - picture_s - start_s
        assert heard_s(scene, tmp_path / "mix.wav") == pytest.approx(wanted_s, abs=0.004)
        scene.sequence_editor_clear()


def heard_s(scene: bpy.types.Scene, path: Path) -> float:
    """When in the scene, from its first frame, the first loud sample comes that Blender mixes."""
    bpy.ops.sound.mixdown(filepath=str(path), container="WAV", codec="PCM", format="S16")
    with wave.open(str(path)) as mixed:
        samples = np.frombuffer(mixed.readframes(mixed.getnframes()), np.int16).reshape(-1, mixed.getnchannels())
        loud = np.abs(samples[:, 0].astype(float))
        return int(np.argmax(loud > 0.3 * loud.max())) / mixed.getframerate()
