"""Which stretch of which take is filmed, on whom, and from where. No Blender here.

SHOTS are of training takes only, so that nothing of the held-out motion comes into the training's noise; HELD_OUT, of
the others, are for scoring whole captures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FPS", "HELD_OUT", "SHOTS", "Shot", "cut"]

FPS = 30
# Takes that are shorter run on to and fro until they have lasted this long.
_SHORTEST_S = 4.0


@dataclass(frozen=True)
class Shot:
    """A film to be made.

    yaw_deg:    how far the person is turned, 0 facing the camera if the take faces its front, positive to the left.
    pitch_deg:  how far the camera looks down.
    aim_m:      height above the floor of what the camera looks at, `distance_m` away.
    """

    take: str
    person: str
    start_s: float
    end_s: float
    yaw_deg: float
    pitch_deg: float
    distance_m: float = 3.6
    aim_m: float = 0.85
    fov_deg: float = 55.0
    wh_px: tuple[int, int] = (480, 480)

    @property
    def name(self) -> str:
        """The film's file name without its ending."""
        return f"{self.person}_{self.take}_{self.yaw_deg:03.0f}"


_TALL, _WIDE = (360, 640), (640, 360)

SHOTS = (
    Shot("cmutxt_walkingextra_t50", "mira", 1.0, 6.0, 30.0, 4.0, 3.6, wh_px=_TALL),
    Shot("cmutxt_walkingextra_t24", "bruno", 2.0, 7.0, 200.0, 8.0, 4.2),
    Shot("cmuasf_01_01", "mira", 4.0, 8.5, 75.0, 0.0, 4.6, 1.0),
    Shot("cmudaz_salsa_01b", "bruno", 0.0, 5.5, 60.0, 12.0, wh_px=_TALL),
    Shot("cmudaz_indian_04b", "mira", 3.0, 8.0, 0.0, 0.0, 3.9, wh_px=_WIDE, fov_deg=70.0),
    Shot("cmuasf_02_04", "bruno", 0.0, 4.0, 110.0, 5.0, 3.9, 1.0, wh_px=_TALL),
    Shot("cmumisc_jumpingjacks_01", "mira", 0.0, 4.1, 20.0, 15.0, 3.3, 1.0, wh_px=_TALL),
    Shot("fair1_jumping_01", "mira", 0.0, 4.1, 150.0, -6.0, 3.9, 1.0, wh_px=_TALL),
    Shot("fair1_dab_01", "bruno", 2.0, 7.0, 310.0, 6.0, 3.0, wh_px=_TALL),
    Shot("cmutxt_basketball_t01", "mira", 0.5, 5.5, 120.0, 6.0, 4.6),
    Shot("cmuiclone_006_14", "bruno", 0.0, 4.0, 330.0, 3.0, 2.2, 1.15, wh_px=_WIDE),
    Shot("cmuasf_02_07", "mira", 5.0, 10.0, 240.0, 10.0, 3.3),
    Shot("cmudaz_martial_05", "bruno", 3.0, 8.0, 270.0, 5.0, 4.6, wh_px=_WIDE, fov_deg=75.0),
    Shot("cmufbx_49_08", "mira", 0.0, 4.8, 90.0, 8.0, 4.6, 0.8, wh_px=_WIDE, fov_deg=70.0),
    Shot("cmuasf_02_06", "bruno", 4.0, 9.0, 90.0, 18.0, 3.0, wh_px=_TALL),
    Shot("m2m_dancebodyroll_01", "mira", 0.0, 5.0, 180.0, 25.0, 3.3, wh_px=_TALL),
    Shot("m2m_crawlRM_01", "bruno", 0.0, 1.7, 50.0, 10.0, 3.3, 0.35),
    Shot("m2m_meditate_01", "mira", 0.0, 1.5, 35.0, 12.0, 2.6, 0.45),
    Shot("m2m_sleeping_01", "bruno", 0.0, 1.6, 80.0, 25.0, 2.8, 0.2),
    Shot("m2m_tiredhunched_01", "mira", 0.0, 1.0, 300.0, 5.0, 2.8, 0.5),
)

HELD_OUT = (
    Shot("fair1_zombie_01", "mira", 3.0, 8.0, 150.0, 5.0, 4.6, 0.9, wh_px=_TALL),
    Shot("cmuasf_03_03", "bruno", 6.0, 11.0, 40.0, 5.0, 4.6, 1.0),
    Shot("cmuasf_03_04", "mira", 10.0, 15.0, 300.0, 8.0, 4.6, 1.0, wh_px=_WIDE, fov_deg=70.0),
    Shot("cmutxt_jumping_t02", "mira", 2.0, 7.0, 20.0, 6.0, 3.6, 1.0, wh_px=_TALL),
    Shot("cmutxt_jumping_e01", "bruno", 2.0, 7.0, 290.0, 4.0, 3.6, 1.0),
    Shot("cmufbx_55_01", "bruno", 4.0, 9.0, 150.0, 10.0, 4.6, wh_px=_WIDE, fov_deg=70.0),
    Shot("cmumisc_131_02", "mira", 1.0, 6.0, 330.0, 0.0, 4.6, 1.0),
    Shot("m2m_dancecharleston_01", "bruno", 0.0, 2.3, 10.0, 6.0, 3.6, 0.9, wh_px=_TALL),
    Shot("m2m_pushup_01", "bruno", 0.0, 1.6, 60.0, 12.0, 3.3, 0.35),
    Shot("m2m_pushup_01", "mira", 0.0, 1.6, 290.0, 6.0, 3.3, 0.35),
    Shot("m2m_tiredkneeling_01", "bruno", 0.0, 0.8, 40.0, 8.0, 2.8, 0.5),
    Shot("m2m_reject_01", "mira", 0.0, 3.8, 20.0, 6.0, 3.3, wh_px=_TALL),
    Shot("m2m_reject_01", "bruno", 0.0, 3.8, 320.0, 0.0, 3.6, 1.0),
)


def cut(joints_world: np.ndarray, fps: float, shot: Shot) -> np.ndarray:
    """The shot's stretch of a take at FPS, turned as the shot says, the middle of its way over the origin.

    joints_world: (T, J, 3) metres, z up, joint 0 the hip. Returns (N, J, 3).
    """
    first, last = (min(round(time_s * fps), len(joints_world) - 1) for time_s in (shot.start_s, shot.end_s))
    piece = joints_world[first : last + 1].astype(np.float64)
    while len(piece) < _SHORTEST_S * fps:
        piece = np.concatenate([piece, piece[-2::-1]])
    at = np.arange(0.0, len(piece) - 1, fps / FPS)
    before = np.floor(at).astype(int)
    share = (at - before)[:, None, None]
    piece = (1.0 - share) * piece[before] + share * piece[before + 1]
    c, s = np.cos(np.deg2rad(shot.yaw_deg)), np.sin(np.deg2rad(shot.yaw_deg))
    piece = piece @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]).T
    way = piece[:, 0, :2]
    piece[..., :2] -= 0.5 * (way.min(axis=0) + way.max(axis=0))
    return piece
