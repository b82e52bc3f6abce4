"""The avatars' measures and colours: data only. `characters` has those that are built unlike most people."""

from __future__ import annotations

from .characters import GORM, NURI, OTTO, PIP
from .person import Clothes, Head, Limb, Person

__all__ = ["BRUNO", "GORM", "MIRA", "NURI", "OTTO", "PEOPLE", "PIP", "person_named"]

MIRA = Person(
    name="mira",
    naming="mixamo",
    pose="T",
    height_m=1.68,
    # joint: (forward y, height)
    midline={
        "hips": (0.005, 0.915),
        "spine": (0.002, 1.015),
        "chest": (0.000, 1.115),
        "upper_chest": (0.008, 1.225),
        "neck": (0.022, 1.395),
        "head": (0.008, 1.478),
        "crown": (0.008, 1.675),
    },
    hip_half_m=0.088,
    stance_half_m=(0.096, 0.100),
    shoulder=(0.158, 0.018, 1.350),
    arm_deg=(-1.5, -0.5, 3.0, 2.0),
    arm=Limb(
        lengths_m=(0.262, 0.235),
        upper=((0.0, 0.046, 0.050), (0.3, 0.040, 0.045), (0.7, 0.035, 0.039), (1.0, 0.033, 0.034)),
        lower=((0.0, 0.033, 0.034), (0.25, 0.035, 0.036), (0.7, 0.027, 0.026), (1.0, 0.026, 0.020)),
    ),
    leg=Limb(
        lengths_m=(0.405, 0.400),
        upper=(
            (0.0, 0.084, 0.088, 0.0),
            (0.35, 0.073, 0.080, 0.0),
            (0.75, 0.056, 0.062, 0.0),
            (1.0, 0.050, 0.054, 0.0),
        ),
        lower=(
            (0.0, 0.049, 0.053, 0.0),
            (0.3, 0.049, 0.055, -0.012),
            (0.7, 0.037, 0.040, -0.008),
            (1.0, 0.032, 0.037, 0.0),
        ),
    ),
    ankle_up_m=0.078,
    hand_m=0.172,
    foot=(0.055, 0.185, 0.038),
    trunk=(
        # height, half width, half depth, y of the middle
        (0.800, 0.120, 0.085, 0.015),
        (0.870, 0.162, 0.108, 0.016),
        (0.930, 0.160, 0.106, 0.014),
        (1.000, 0.128, 0.090, 0.004),
        (1.060, 0.108, 0.078, 0.000),
        (1.130, 0.116, 0.084, -0.002),
        (1.220, 0.137, 0.108, -0.010),
        (1.290, 0.146, 0.100, 0.002),
        (1.345, 0.134, 0.076, 0.018),
        (1.385, 0.080, 0.058, 0.024),
        (1.410, 0.052, 0.050, 0.022),
    ),
    head=Head((0.071, 0.090, 0.093), 0.100, 0.030, 0.026, hair=("cap", "ponytail")),
    clothes=Clothes(
        hem_up_m=0.890,
        sleeve_share=0.55,
        neckline_up_m=1.408,
        colours={
            "skin": (0.86, 0.64, 0.51),
            "hair": (0.30, 0.15, 0.07),
            "shirt": (0.10, 0.55, 0.56),
            "trousers": (0.16, 0.18, 0.30),
            "shoes": (0.75, 0.20, 0.18),
            "soles": (0.90, 0.90, 0.88),
            "eyes": (0.95, 0.95, 0.95),
            "pupils": (0.08, 0.06, 0.05),
            "lips": (0.68, 0.33, 0.31),
        },
    ),
)

BRUNO = Person(
    name="bruno",
    naming="rigify",
    pose="A",
    height_m=1.80,
    midline={
        "hips": (0.030, 0.930),
        "spine": (0.010, 1.050),
        "chest": (0.000, 1.175),
        "upper_chest": (0.006, 1.310),
        "neck": (0.030, 1.500),
        "neck_mid": (0.018, 1.545),
        "head": (0.010, 1.590),
        "crown": (0.010, 1.798),
    },
    hip_half_m=0.105,
    stance_half_m=(0.128, 0.140),
    shoulder=(0.212, 0.030, 1.445),
    arm_deg=(-30.0, -35.0, 8.0, 8.0),
    arm=Limb(
        lengths_m=(0.285, 0.255),
        upper=((0.0, 0.064, 0.066), (0.3, 0.057, 0.062), (0.7, 0.050, 0.054), (1.0, 0.044, 0.046)),
        lower=((0.0, 0.044, 0.046), (0.25, 0.049, 0.049), (0.7, 0.038, 0.036), (1.0, 0.034, 0.027)),
    ),
    leg=Limb(
        lengths_m=(0.405, 0.400),
        upper=(
            (0.0, 0.098, 0.104, 0.0),
            (0.35, 0.087, 0.094, 0.0),
            (0.75, 0.068, 0.074, 0.0),
            (1.0, 0.061, 0.066, 0.0),
        ),
        lower=(
            (0.0, 0.060, 0.065, 0.0),
            (0.3, 0.061, 0.067, -0.014),
            (0.7, 0.047, 0.050, -0.010),
            (1.0, 0.041, 0.046, 0.0),
        ),
    ),
    ankle_up_m=0.085,
    hand_m=0.195,
    foot=(0.065, 0.205, 0.047),
    trunk=(
        (0.810, 0.135, 0.100, 0.020),
        (0.880, 0.188, 0.130, 0.018),
        (0.960, 0.194, 0.140, 0.004),
        (1.060, 0.190, 0.150, -0.018),
        (1.160, 0.186, 0.148, -0.020),
        (1.280, 0.190, 0.135, -0.004),
        (1.370, 0.196, 0.122, 0.010),
        (1.440, 0.186, 0.098, 0.024),
        (1.485, 0.120, 0.080, 0.030),
        (1.515, 0.078, 0.070, 0.030),
    ),
    head=Head((0.080, 0.097, 0.096), 0.102, 0.042, 0.031, hair=("cap", "beard")),
    clothes=Clothes(
        hem_up_m=0.905,
        sleeve_share=1.0,
        neckline_up_m=1.525,
        colours={
            "skin": (0.62, 0.42, 0.31),
            "hair": (0.13, 0.10, 0.09),
            "shirt": (0.80, 0.46, 0.14),
            "trousers": (0.33, 0.36, 0.33),
            "shoes": (0.45, 0.26, 0.13),
            "soles": (0.75, 0.70, 0.60),
            "eyes": (0.95, 0.95, 0.95),
            "pupils": (0.06, 0.05, 0.05),
            "lips": (0.50, 0.26, 0.23),
        },
    ),
)

PEOPLE = (MIRA, BRUNO, NURI, GORM, OTTO, PIP)


def person_named(name: str) -> Person:
    """One of PEOPLE. Raises ValueError."""
    found = next((person for person in PEOPLE if person.name == name), None)
    if found is None:
        raise ValueError(f"there is no avatar {name}")
    return found
