"""What an avatar is described by: measures and colours, no data. Metres and degrees; z up, facing -y, left at +x."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = ["FINGERS", "Clothes", "Head", "Limb", "Person", "resized"]

Rows = tuple[tuple[float, ...], ...]

# finger: (knuckle along the hand, knuckle towards the thumb side, length), all as shares of the hand's length
FINGERS = {
    "index": (0.530, 0.150, 0.400),
    "middle": (0.545, 0.040, 0.445),
    "ring": (0.520, -0.065, 0.405),
    "pinky": (0.470, -0.160, 0.320),
}


@dataclass(frozen=True)
class Limb:
    """A limb's parts: lengths from joint to joint, and (t, half width, half depth[, shift]) rows along each."""

    lengths_m: tuple[float, float]
    upper: Rows
    lower: Rows


@dataclass(frozen=True)
class Head:
    """Sizes of the head about its pivot (the top of the neck).

    hair: pieces of hair, of "cap", "ponytail", "pigtails", "fringe", "spikes", "crest", "ring", "moustache",
    "goatee", "beard".
    size: of ears, nose and mouth against a grown-up's. eyes: how large the eyes are on that face.
    neck: its half width against the skull's. ears: how large they are on that head.
    smile_m: how far the mouth's corners lie above its middle.
    """

    skull_radii_m: tuple[float, float, float]
    skull_up_m: float
    jaw_m: float
    nose_m: float
    hair: tuple[str, ...]
    size: float = 1.0
    eyes: float = 1.0
    neck: float = 0.72
    ears: float = 1.0
    smile_m: float = 0.0


@dataclass(frozen=True)
class Clothes:
    """Where the clothes end, as heights or as shares of a limb, and the colours by material (sRGB 0..1).

    sleeve_share: of the upper arm, from 1 on the whole arm. leg_share: of the thigh, from 1 on the whole leg.
    """

    hem_up_m: float
    sleeve_share: float
    neckline_up_m: float
    colours: dict[str, tuple[float, float, float]]
    leg_share: float = 1.0


@dataclass(frozen=True)
class Person:
    """One avatar. Heights above the floor for the midline, lengths for the limbs.

    arm_deg: (elevation of the upper arm, of the forearm, upper arm backwards, forearm forwards) at rest.
    foot: (heel behind the ankle, tip before it, half width). scale: of cloth, seams and cells against a grown-up's.
    fingers: as FINGERS, which also says how many; finger_width: their thickness against a grown-up's.
    coarseness: of the meshes of body and clothes against the others'.
    unit_m: an armature unit; other than 1 the armature object is scaled. up: the armature's own upward axis, "Z" or
    "Y"; for "Y" the object is turned.
    """

    name: str
    naming: str
    pose: str
    height_m: float
    midline: dict[str, tuple[float, float]]
    hip_half_m: float
    stance_half_m: tuple[float, float]
    shoulder: tuple[float, float, float]
    arm_deg: tuple[float, float, float, float]
    arm: Limb
    leg: Limb
    ankle_up_m: float
    hand_m: float
    foot: tuple[float, float, float]
    trunk: Rows
    head: Head
    clothes: Clothes
    scale: float = 1.0
    fingers: dict[str, tuple[float, float, float]] = field(default_factory=lambda: dict(FINGERS))
    finger_width: float = 1.0
    coarseness: float = 1.0
    unit_m: float = 1.0
    up: str = "Z"


def resized(person: Person, factor: float) -> Person:
    """The same person, every length times `factor`."""

    def times(values: tuple[float, ...]) -> tuple:
        return tuple(factor * value for value in values)

    def rows(table: Rows, shares: int) -> Rows:
        return tuple((*row[:shares], *times(row[shares:])) for row in table)

    def limb(part: Limb) -> Limb:
        return Limb(times(part.lengths_m), rows(part.upper, 1), rows(part.lower, 1))

    head, clothes = person.head, person.clothes
    return replace(
        person,
        height_m=round(factor * person.height_m, 3),
        midline={name: times(place) for name, place in person.midline.items()},
        hip_half_m=factor * person.hip_half_m,
        stance_half_m=times(person.stance_half_m),
        shoulder=times(person.shoulder),
        arm=limb(person.arm),
        leg=limb(person.leg),
        ankle_up_m=factor * person.ankle_up_m,
        hand_m=factor * person.hand_m,
        foot=times(person.foot),
        trunk=rows(person.trunk, 0),
        head=replace(
            head,
            skull_radii_m=times(head.skull_radii_m),
            skull_up_m=factor * head.skull_up_m,
            jaw_m=factor * head.jaw_m,
            nose_m=factor * head.nose_m,
            size=factor * head.size,
            smile_m=factor * head.smile_m,
        ),
        clothes=replace(clothes, hem_up_m=factor * clothes.hem_up_m, neckline_up_m=factor * clothes.neckline_up_m),
        scale=factor * person.scale,
    )
