"""One evaluation from its request to its figures: which tables are made of what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import MotionError
from ..files import sha256
from .held_out import score_windows
from .networks import Candidate, lifter_of, load_candidates
from .output import Figures
from .pose2sim import score_pose2sim
from .probes import attention_rows, speed_rows
from .protocols import Row, action_rows, error_by_action, joint_rows, overall, p2_mm, series_mm, take_rows
from .recordings import human36m_views, humaneva_views
from .tables import ablation_tables, causal_rows, noise_rows, protocol_rows
from .takes import has_split, load_takes
from .views import LiftedView, View, lift_and_fit_views, lift_views, make_views, typical_height_px

__all__ = ["PER", "Request", "evaluate"]

PER = ("action", "joint", "time")


@dataclass(frozen=True)
class Request:
    """What to score.

    motion:   BVH files, folders, or .npz files of joint positions; windows: random windows of a folder's `val`, 0 for
              none. cameras, seconds: how many cameras see each take, and how much of it (0: all).
    noise_px: levels of white noise on the 2D joints in a picture 1000 px wide; drop: share of joints not seen.
    fitted:   also with every clip brought onto its picture (`lift.fit`), as a capture is.
    per:      of PER. tables: the paper's tables 2 to 5 and 10.
    human36m, humaneva: VideoPose3D's files of 3D positions, scored by the paper's protocols before their own cameras;
              ..._2d: its files of detected 2D, None for the true picture. humaneva_focal_px: see humaneva_views.
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
    fitted: bool = False
    attention: bool = False
    speed: bool = False
    pose2sim: Path | None = None
    human36m: Path | None = None
    human36m_2d: Path | None = None
    humaneva: Path | None = None
    humaneva_2d: Path | None = None
    humaneva_focal_px: float = 0.0
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
            "2D files go with their 3D files": bool(
                (self.human36m_2d and not self.human36m) or (self.humaneva_2d and not self.humaneva)
            ),
            "a focal length is above 0 px": self.humaneva_focal_px < 0,
            f"--per takes {', '.join(PER)}": bool(set(self.per) - set(PER)),
        }
        for problem, is_so in wrong.items():
            if is_so:
                raise MotionError(f"This cannot be scored: {problem}.", hint="See --help.")


@dataclass(frozen=True)
class _Scene:
    """Views that are scored together.

    prefix: of the tables' names. where: before which cameras; picture: what the 2D is, for titles.
    dataset: the one of the paper's data sets it is, or "".
    """

    prefix: str
    where: str
    views: Sequence[View]
    picture: str = "true 2D"
    dataset: str = ""

    @property
    def title(self) -> str:
        """Where, how much, how large."""
        frames = sum(len(view.joints_cam) for view in self.views)
        width_px, _ = self.views[0].keypoints.image_wh_px
        return (
            f"{self.where}, {frames} frames at {self.views[0].take.fps:g} a second, persons "
            f"{typical_height_px(self.views):.0f} of {width_px} px tall"
        )


def _scenes(request: Request) -> Iterator[_Scene]:
    if request.motion:
        views = make_views(load_takes(request.motion, request.seconds), request.cameras)
        yield _Scene("", f"Whole takes before {request.cameras} fixed camera(s)", views)
    if request.human36m:
        views = human36m_views(request.human36m, request.human36m_2d, request.seconds)
        yield _dataset_scene("Human3.6M", "S9 and S11", views, request.human36m_2d)
    if request.humaneva:
        views = humaneva_views(request.humaneva, request.humaneva_2d, request.seconds, request.humaneva_focal_px)
        yield _dataset_scene("HumanEva", "the validation part", views, request.humaneva_2d)


def _dataset_scene(dataset: str, part: str, views: Sequence[View], path_2d: Path | None) -> _Scene:
    if not views:
        raise MotionError(f"There is nothing of {dataset} to score on.", hint="Its recordings need 3 frames or more.")
    prefix = dataset.lower().replace(".", "") + "_"
    picture = f"2D of {path_2d.name}" if path_2d else "true 2D"
    return _Scene(prefix, f"{dataset}, {part}, its own cameras", views, picture, dataset)


def evaluate(request: Request, say: Callable[[str], None] = lambda _text: None) -> Figures:
    """All tables asked for. say: told what is being worked on. Raises AtcnError subclasses."""
    candidates = load_candidates(request.weights)
    figures = Figures(networks=[_described(one) for one in candidates])
    scenes = list(_scenes(request))
    if request.motion:
        _score_windows(request, candidates, figures, say)
    for scene in scenes:
        _score_scene(request, candidates, scene, figures, say)
    views = scenes[0].views if scenes else ()
    if views and request.attention:
        title = "Temporal attention: how much each layer's weights W_l differ between samples"
        figures.tables["attention"] = (title, attention_rows(candidates, views))
    if views and request.speed:
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


def _score_scene(
    request: Request, candidates: Sequence[Candidate], scene: _Scene, figures: Figures, say: Callable[[str], None]
) -> None:
    # What is split up or set beside the paper's errors is of 2D without noise.
    wants_clean = bool(request.per or request.tables or scene.dataset)
    levels = sorted({*request.noise_px, *((0.0,) if wants_clean else ())})
    clean: dict[str, list[LiftedView]] = {}
    rows: list[Row] = []
    noise_p2: dict[str, dict[float, float]] = {one.label: {} for one in candidates}
    p1: dict[str, float] = {}
    for one in candidates:
        for level in levels:
            say(f"{scene.dataset or 'takes'}, {one.label}, {level:g} px of noise")
            answers = _answers(request, one, scene.views, level)
            lifted = answers[""]
            scores = {", ".join(filter(None, (one.label, done))): overall(views) for done, views in answers.items()}
            rows += [{"network": label, "noise px": f"{level:g}", **measures} for label, measures in scores.items()]
            noise_p2[one.label][level] = p2_mm(lifted)
            if level == levels[0]:
                clean[one.label], p1[one.label] = lifted, float(str(scores[one.label]["P1"]))
    tables = figures.tables
    seen = f", {request.drop:.0%} of the joints not seen" if request.drop else ""
    joints = len(next(iter(clean.values()))[0].joints)
    source = f", {scene.picture}" if scene.dataset else ""
    title = f"{scene.title}{source}{seen}; {joints} joints about the hip (mm, mm/frame, mm/frame^2)"
    tables[f"{scene.prefix}takes"] = (title, rows)
    if scene.dataset:
        _by_protocol(scene, clean, seen, figures)
    if len(levels) > 1:
        title = f"Noise on the 2D joints (Table 11): Protocol 2 in mm{seen}; the paper trained a network for each level"
        tables[f"{scene.prefix}noise"] = (title, noise_rows(noise_p2))
    _split_up(request.per, scene.prefix, clean, figures)
    if request.tables:
        title = f"Causal networks (Table 10): Protocol 1 in mm, {scene.picture}{seen}; the paper's on Human3.6M"
        tables[f"{scene.prefix}causal"] = (title, causal_rows(candidates, p1))
        for key, ablation in ablation_tables(candidates, p1).items():
            number = key.removeprefix("table_")
            title = f"Ablation (Table {number}): Protocol 1 in mm, {scene.picture}{seen}; the paper's on Human3.6M"
            tables[f"{scene.prefix}{key}"] = (title, ablation)


def _answers(request: Request, one: Candidate, views: Sequence[View], noise_px: float) -> dict[str, list[LiftedView]]:
    """What a network makes of the views (""), and where that is asked for what a capture makes of it, by its name."""
    settings = {"noise_px": noise_px, "drop": request.drop, "device": request.device}
    if request.fitted:
        return lift_and_fit_views(one.network, views, **settings)
    return {"": lift_views(one.network, views, **settings)}


def _by_protocol(scene: _Scene, lifted: dict[str, list[LiftedView]], seen: str, figures: Figures) -> None:
    """The paper's Tables 6 to 8."""
    numbers = {("Human3.6M", 1): " (Table 6)", ("Human3.6M", 2): " (Table 7)", ("HumanEva", 2): " (Table 8)"}
    for protocol in (1, 2):
        errors = {label: error_by_action(views, protocol) for label, views in lifted.items()}
        rows = protocol_rows(scene.dataset, protocol, scene.picture == "true 2D", errors)
        number = numbers.get((scene.dataset, protocol), "")
        title = f"{scene.dataset}, Protocol {protocol}{number}: mm, {scene.picture}{seen}"
        figures.tables[f"{scene.prefix}protocol_{protocol}"] = (title, rows)


def _split_up(per: Sequence[str], prefix: str, lifted: dict[str, list[LiftedView]], figures: Figures) -> None:
    """The errors by action, by joint and over time."""
    if "action" in per:
        figures.tables[f"{prefix}action"] = ("By action (mm)", action_rows(lifted))
    if "joint" in per:
        figures.tables[f"{prefix}joint"] = ("By joint, Protocol 1 (mm)", joint_rows(lifted))
    if "time" in per:
        figures.tables[f"{prefix}time"] = ("Over time, Protocol 1, the mean of the cameras (mm)", take_rows(lifted))
        for label, views in lifted.items():
            own = {take: values.round(2).tolist() for take, values in series_mm(views).items()}
            figures.series.setdefault(label, {}).update(own)
