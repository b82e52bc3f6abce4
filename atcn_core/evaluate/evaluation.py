"""One evaluation from its request to its figures: which tables are made of what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import MotionError
from ..lift.predict import TRAINING_FPS
from .held_out import score_windows
from .networks import Candidate, lifter_of, load_candidates, sha256
from .output import Figures
from .pose2sim import score_pose2sim
from .probes import attention_rows, speed_rows
from .protocols import Row, action_rows, joint_rows, overall, p2_mm, series_mm, take_rows
from .tables import ablation_tables, causal_rows, noise_rows
from .takes import has_split, load_takes
from .views import LiftedView, View, lift_views, make_views, typical_height_px

__all__ = ["PER", "Request", "evaluate"]

PER = ("action", "joint", "time")


@dataclass(frozen=True)
class Request:
    """What to score.

    motion:   BVH files, folders, or .npz files of joint positions; windows: random windows of a folder's `val`, 0 for
              none. cameras, seconds: how many cameras see each take, and how much of it (0: all).
    noise_px: levels of white noise on the 2D joints in a picture 1000 px wide; drop: share of joints not seen.
    per:      of PER. tables: the paper's tables 2 to 5 and 10.
    """

    weights: tuple[Path, ...]
    motion: tuple[Path, ...] = ()
    windows: int = 4096
    cameras: int = 4
    seconds: float = 0.0
    noise_px: tuple[float, ...] = (0.0,)
    drop: float = 0.0
    per: tuple[str, ...] = ()
    tables: bool = False
    attention: bool = False
    speed: bool = False
    pose2sim: Path | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Raises MotionError for what cannot be meant."""
        wrong = {
            "windows must be 0 or more": self.windows < 0,
            "there must be a camera": self.cameras < 1,
            "a take has 0 or more seconds": self.seconds < 0,
            "noise must be 0 px or more": not self.noise_px or min(self.noise_px) < 0,
            "the share of joints not seen is 0 to below 1": not 0 <= self.drop < 1,
            "there must be weights": not self.weights,
            f"--per takes {', '.join(PER)}": bool(set(self.per) - set(PER)),
        }
        for problem, is_so in wrong.items():
            if is_so:
                raise MotionError(f"This cannot be scored: {problem}.", hint="See --help.")


def evaluate(request: Request, say: Callable[[str], None] = lambda _text: None) -> Figures:
    """All tables asked for. say: told what is being worked on. Raises AtcnError subclasses."""
    candidates = load_candidates(request.weights)
    figures = Figures(networks=[_described(one) for one in candidates])
    if request.motion:
        views = make_views(load_takes(request.motion, request.seconds), request.cameras)
        _score_windows(request, candidates, figures, say)
        _score_takes(request, candidates, views, figures, say)
        if request.attention:
            title = "Temporal attention: how much each layer's weights W_l differ between samples"
            figures.tables["attention"] = (title, attention_rows(candidates, views))
        if request.speed:
            title = "Lifting whole clips, both sides averaged, beside the machine's own measure"
            figures.tables["speed"] = (title, speed_rows(candidates, views[0], request.device))
    if request.pose2sim:
        say("real video")
        rows = score_pose2sim(request.pose2sim, lifter_of(candidates[0].network, request.device))
        figures.tables["pose2sim"] = ("Real video, 12 limb joints about the hips (mm; accel mm/frame^2)", rows)
    return figures


def _described(one: Candidate) -> dict[str, object]:
    kind = {"label": one.label, "file": one.file_name, "sha256": sha256(one.file), "parameters": one.parameters}
    return kind | {"name": one.config.name, "config": asdict(one.config), "card": one.card}


def _score_windows(
    request: Request, candidates: Sequence[Candidate], figures: Figures, say: Callable[[str], None]
) -> None:
    """Random windows beside the baselines, where a folder has a training split to fit those on."""
    split = [path for path in request.motion if has_split(path)]
    if not split or not request.windows:
        return
    say(f"{request.windows} windows")
    networks = {one.label: one.network for one in candidates}
    rows = score_windows(networks, split[0], request.windows)
    figures.tables["held_out"] = ("Held-out motion, random virtual cameras, 17 joints about the hip (mm)", rows)


def _score_takes(
    request: Request,
    candidates: Sequence[Candidate],
    views: Sequence[View],
    figures: Figures,
    say: Callable[[str], None],
) -> None:
    # What is split up or set beside the paper's errors is of true 2D.
    levels = sorted({*request.noise_px, *((0.0,) if request.per or request.tables else ())})
    clean: dict[str, list[LiftedView]] = {}
    rows: list[Row] = []
    noise_p2: dict[str, dict[float, float]] = {one.label: {} for one in candidates}
    p1: dict[str, float] = {}
    for one in candidates:
        for level in levels:
            say(f"{one.label}, {level:g} px of noise")
            lifted = lift_views(one.network, views, noise_px=level, drop=request.drop, device=request.device)
            measures = overall(lifted)
            rows.append({"network": one.label, "noise px": f"{level:g}", **measures})
            noise_p2[one.label][level] = p2_mm(lifted)
            if level == levels[0]:
                clean[one.label], p1[one.label] = lifted, float(str(measures["P1"]))
    frames = sum(len(view.joints_cam) for view in views)
    seen = f", {request.drop:.0%} of the joints not seen" if request.drop else ""
    title = (
        f"Whole takes before {request.cameras} fixed camera(s), {frames} frames at {TRAINING_FPS:g} a second, persons "
        f"{typical_height_px(views):.0f} of 1000 px tall{seen}; 17 joints about the hip (mm, mm/frame, mm/frame^2)"
    )
    figures.tables["takes"] = (title, rows)
    if len(levels) > 1:
        title = f"Noise on the 2D joints (Table 11): Protocol 2 in mm{seen}; the paper trained a network for each level"
        figures.tables["noise"] = (title, noise_rows(noise_p2))
    _split_up(request.per, clean, figures)
    if request.tables:
        title = f"Causal networks (Table 10): Protocol 1 in mm, true 2D{seen}; the paper's on Human3.6M"
        figures.tables["causal"] = (title, causal_rows(candidates, p1))
        for key, ablation in ablation_tables(candidates, p1).items():
            number = key.removeprefix("table_")
            title = f"Ablation (Table {number}): Protocol 1 in mm, true 2D{seen}; the paper's on Human3.6M"
            figures.tables[key] = (title, ablation)


def _split_up(per: Sequence[str], lifted: dict[str, list[LiftedView]], figures: Figures) -> None:
    """The errors by action, by joint and over time."""
    if "action" in per:
        figures.tables["action"] = ("By action (mm)", action_rows(lifted))
    if "joint" in per:
        figures.tables["joint"] = ("By joint, Protocol 1 (mm)", joint_rows(lifted))
    if "time" in per:
        figures.tables["time"] = ("Over time, Protocol 1, the mean of the cameras (mm)", take_rows(lifted))
        figures.series = {
            label: {take: values.round(2).tolist() for take, values in series_mm(views).items()}
            for label, views in lifted.items()
        }
