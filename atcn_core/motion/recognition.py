"""What is known of a rig nobody described: each role's bone, or why there is none. Who finds out is recognise.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..errors import RigError
from .rigmap import REQUIRED_ROLES, ROLES, RigMap, SwitchedBone

__all__ = [
    "DOUBTFUL",
    "FOUND",
    "MISSING",
    "Chains",
    "Finding",
    "Recognition",
    "all_roles",
    "by_saved_map",
]

FOUND, MISSING, DOUBTFUL = "found", "missing", "doubtful"


@dataclass(frozen=True)
class Finding:
    """One role. state: FOUND, MISSING or DOUBTFUL; bone: "" where it is missing; reason: in words for the user."""

    role: str
    state: str
    bone: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES or self.state not in (FOUND, MISSING, DOUBTFUL):
            raise ValueError(f"no such role or state: {self.role!r}, {self.state!r}")
        if bool(self.bone) == (self.state == MISSING):
            raise ValueError(f"{self.role} is {self.state} and has the bone {self.bone!r}")


@dataclass(frozen=True)
class Chains:
    """Bones beside the roles, by name, from the trunk outwards.

    spine, neck: the whole rows, from above the hips to where the arms hang, and from there to below the head.
    twist:       role of a limb's bone to the bones that lie along it and share its turn.
    fingers:     "left_thumb", "left_index" ... to the finger's bones; numbered "left_finger1" where nothing tells.
    """

    spine: tuple[str, ...] = ()
    neck: tuple[str, ...] = ()
    twist: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fingers: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Recognition:
    """What a rig was taken for. findings: one for each role, in the order of ROLES; refusal: why it is no person."""

    family: str
    findings: tuple[Finding, ...]
    chains: Chains = field(default_factory=Chains)
    switches: tuple[SwitchedBone, ...] = ()
    refusal: str = ""

    def __post_init__(self) -> None:
        if tuple(finding.role for finding in self.findings) != ROLES:
            raise ValueError("a recognition tells of every role once, in the order of ROLES")

    def __getitem__(self, role: str) -> Finding:
        return self.findings[ROLES.index(role)]

    @property
    def bones(self) -> dict[str, str]:
        """Role to bone of what was found without doubt."""
        return {finding.role: finding.bone for finding in self.findings if finding.state == FOUND}

    @property
    def open_roles(self) -> tuple[Finding, ...]:
        """The required roles that are missing or doubtful."""
        return tuple(f for f in self.findings if f.role in REQUIRED_ROLES and f.state != FOUND)

    @property
    def complete(self) -> bool:
        """Whether every required role has its bone and nothing speaks against the whole."""
        return not self.refusal and not self.open_roles

    def to_rig_map(self) -> RigMap:
        """The map of what was found. Raises RigError naming what is missing or doubtful and why; never a part."""
        if self.complete:
            return RigMap(self.bones, self.family, self.switches)
        raise RigError(self.problem(), hint="Name its bones in the Mocap panel and save them as a rig map.")

    def problem(self) -> str:
        """Why there is no map, in one sentence or two; "" where there is one."""
        if self.complete:
            return ""
        missing = [finding.role for finding in self.open_roles if not finding.bone]
        doubtful = [f"{f.role} ({f.bone}: {f.reason})" for f in self.open_roles if f.bone]
        parts = [f"no bone for {', '.join(missing)}"] if missing else []
        parts += [f"doubts about {'; '.join(doubtful)}"] if doubtful else []
        still_open = f"{' and '.join(parts)}" + (f" (nearest is {self.family})" if self.family else "")
        if not self.refusal:
            return f"This armature is not recognised: {still_open}."
        by_names = f" By its names: {still_open}." if parts else ""
        return f"This armature is not taken for a person: {self.refusal}.{by_names}"


def all_roles(found: Iterable[Finding], why_missing: str = "no bone has its name or its place") -> tuple[Finding, ...]:
    """The findings in the order of ROLES, the roles without one as missing."""
    known = {finding.role: finding for finding in found}
    return tuple(known.get(role, Finding(role, MISSING, reason=why_missing)) for role in ROLES)


def by_saved_map(recognised: Recognition, saved: RigMap) -> Recognition:
    """What was recognised, with the roles of a saved map in place of all that was found: who saved it knew better."""
    reason = f"by the rig map {saved.name}"
    findings = all_roles((Finding(role, FOUND, bone, reason) for role, bone in saved.bones.items()), reason)
    return replace(recognised, family=saved.name, findings=findings, refusal="")
