"""Bone names made comparable: whatever a family's spelling, the same part of the same side gets the same words."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["BoneName", "parse_name"]

# What tools put before every bone's name. "Bip001 Spine" of 3ds Max, "J_Bip_L_Hand" of VRoid, "CC_Base_Hip" of iClone.
_VENDOR = re.compile(
    r"^(?:mixamorig\d*[_:]?|cc_base_|valvebiped[._]?bip\d*_|bip\d+[ _](?=\S)|j_bip_|[mf]_avg_|armature[_.|])",
    re.IGNORECASE,
)
# What kind of bone it is, of rigs that are made of several layers.
_LAYER = re.compile(r"^(def|org|mch|vis|wgt|ctrl|ctl|jnt|bnd)[-_.](?=\S)", re.IGNORECASE)
_LAYERS = {"ctl": "ctrl", "jnt": "", "bnd": ""}
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_SIDES = {
    **dict.fromkeys(("l", "left", "lf", "lft", "lt"), "left"),
    **dict.fromkeys(("r", "right", "rt", "rgt", "rg"), "right"),
}
_SIDE_SIGNS = {"左": "left", "右": "right"}
_MIDDLE_LETTERS = {"c", "x", "m"}


@dataclass(frozen=True)
class BoneName:
    """A bone's name taken apart.

    layer: "" or what layer of a control rig it is ("def", "org", "mch", "vis", "wgt", "ctrl").
    side:  "left", "right" or "".
    stem:  the rest in lower case without separators and leading zeros: "upperarm", "spine1".
    """

    layer: str
    side: str
    stem: str

    @property
    def key(self) -> tuple[str, str]:
        """What equal parts of a body have in common."""
        return self.side, self.stem


def parse_name(bone: str) -> BoneName:
    """Take a bone's name apart: namespace, maker's prefix, layer, side and the words that remain."""
    plain = re.split(r"[:|]", bone)[-1].strip() or bone
    found = _LAYER.match(plain)
    layer = found.group(1).lower() if found else ""
    plain = plain[found.end() :] if found else plain
    plain = _VENDOR.sub("", plain) or plain
    side, plain = _written_side(plain)
    words = [word.lower() for word in _WORD.findall(plain)]
    if not side:
        side, words = _side_word(words)
    words = _without_middle(plain, words)
    stem = "".join(str(int(word)) if word.isdigit() else word for word in words)
    return BoneName(_LAYERS.get(layer, layer), side, stem or plain.lower())


def _written_side(name: str) -> tuple[str, str]:
    """Sides that are signs instead of words."""
    for sign, side in _SIDE_SIGNS.items():
        if sign in name:
            return side, name.replace(sign, "", 1)
    return "", name


def _side_word(words: list[str]) -> tuple[str, list[str]]:
    """The side and the other words. The last word that is one counts; then a word that one begins or ends."""
    for i in reversed(range(len(words))):
        if words[i] in _SIDES and len(words) > 1:
            return _SIDES[words[i]], words[:i] + words[i + 1 :]
    for i, word in enumerate(words):
        for side in ("left", "right"):
            rest = word.removeprefix(side) if word.startswith(side) else word.removesuffix(side)
            if rest and rest != word:
                return side, [*words[:i], rest, *words[i + 1 :]]
    return "", words


def _without_middle(plain: str, words: list[str]) -> list[str]:
    """Leave out the letter that says "neither side": VRoid's "C_" before, Auto-Rig Pro's ".x" behind."""
    if len(words) > 1 and words[-1] in _MIDDLE_LETTERS and re.search(r"[._][xXcCmM]$", plain):
        return words[:-1]
    if len(words) > 1 and words[0] == "c" and plain.startswith("C_"):
        return words[1:]
    return words
