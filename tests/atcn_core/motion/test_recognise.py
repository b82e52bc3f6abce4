"""Any rig of a person is recognised, however it is named and placed; what is no person is refused; no map has holes."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atcn_core.errors import RigError
from atcn_core.motion.bone_tree import BoneTree, RestBone
from atcn_core.motion.recognise import BY_SHAPE, recognise
from atcn_core.motion.recognition import DOUBTFUL, FOUND, MISSING
from atcn_core.motion.rigmap import REQUIRED_ROLES, ROLES
from tests.atcn_core.motion.humanoids import NAMINGS, SIDES, Person, person, quadruped

MPFB = Path(__file__).parents[4] / "shared/rigs/cc0_makehuman_mpfb"
TRUTH = Path(__file__).parents[2] / "data/rig_truth.json"
# Where a spine of many bones is cut into roles is the family's choice; by shape any bone of it will do.
CUT_FREELY = {"spine", "chest", "upper_chest"}

every_family = pytest.mark.parametrize("name", NAMINGS)
t_and_a = pytest.mark.parametrize("arms_down_deg", [0.0, 45.0], ids=["T", "A"])


def nameless(rig: Person) -> Person:
    """Bones named as no family names them, without any word for a side."""
    return rig.renamed({bone.name: f"b{number * 7919 % 1009}" for number, bone in enumerate(rig.bones)})


def turn(rng: np.random.Generator) -> np.ndarray:
    """Any rotation (3, 3)."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def shuffled(rig: Person, rng: np.random.Generator) -> Person:
    return Person(tuple(rig.bones[i] for i in rng.permutation(len(rig.bones))), rig.roles)


def require_core(found, rig: Person) -> None:
    """All required roles are right; the spine's is one of the trunk's bones."""
    found.to_rig_map()
    for role in set(REQUIRED_ROLES) - CUT_FREELY:
        assert found.bones[role] == rig.roles[role], role
    tree = BoneTree(rig.bones)
    spine = tree.index(found.bones["spine"])
    assert tree.hangs_below(spine, tree.index(found.bones["hips"]))
    assert tree.hangs_below(tree.index(found.bones["left_upper_arm"]), spine)


@every_family
@t_and_a
def test_a_family_is_recognised_by_its_names_with_every_role(name, arms_down_deg):
    rig = person(NAMINGS[name], arms_down_deg)
    found = recognise(rig.bones)
    assert found.family == NAMINGS[name].family
    assert found.to_rig_map().bones == rig.roles
    assert not [finding for finding in found.findings if finding.state == DOUBTFUL]


@every_family
@t_and_a
def test_the_same_rigs_are_recognised_by_shape_when_their_names_say_nothing(name, arms_down_deg):
    rig = nameless(person(NAMINGS[name], arms_down_deg))
    found = recognise(rig.bones)
    assert found.family == BY_SHAPE
    if NAMINGS[name].legs_on_spine:  # there the first bone of the spine carries the legs, and is the hips
        rig.roles["hips"] = next(b.parent for b in rig.bones if b.name == rig.roles["left_thigh"])
    require_core(found, rig)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(NAMINGS)),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.01, 0.3, 1.0, 100.0]),
    arms_down_deg=st.floats(-5.0, 60.0),
    named=st.booleans(),
)
def test_place_turn_size_and_order_do_not_matter(name, seed, scale, arms_down_deg, named):
    rng = np.random.default_rng(seed)
    rig = person(NAMINGS[name], arms_down_deg)
    rig = rig if named else nameless(rig)
    before = recognise(rig.bones)
    after = recognise(shuffled(rig.moved(turn(rng), rng.normal(size=3) * scale, scale), rng).bones)
    assert after.family == before.family
    assert after.bones == before.bones


def chain(name: str, parent: str | None, points: list[tuple[float, float, float]]) -> list[RestBone]:
    bones: list[RestBone] = []
    for i, (head, tail) in enumerate(pairwise(points)):
        bones.append(RestBone(f"{name}{i}", bones[-1].name if bones else parent, head, tail))
    return bones


def both(name: str, parent, points: list[tuple[float, float, float]]) -> list[RestBone]:
    """A chain on the left and its mirror image; parent: of each side."""
    mirrored = [(-x, y, z) for x, y, z in points]
    return [*chain(f"{name}p", parent("left"), points), *chain(f"{name}q", parent("right"), mirrored)]


def extras(roles: dict[str, str]) -> dict[str, list[RestBone]]:
    """What rigs carry beside a body."""

    def on(part: str):
        return lambda side: roles[f"{side}_{part}"]

    def on_hips(side: str) -> str:
        return roles["hips"]

    hanging = [(0.12 + 0.02 * i, 0.05, 0.9 - 0.15 * i) for i in range(5)]
    return {
        "tail": chain("tail", roles["hips"], [(0, 0.1 + 0.12 * i, 0.9 - 0.05 * i) for i in range(6)]),
        "skirt": [
            *both("skirt", on_hips, hanging),
            *both("side", on_hips, [(0.2 + 0.02 * i, 0, 0.9 - 0.15 * i) for i in range(5)]),
        ],
        "hair": [
            *chain("hair", roles["head"], [(0, 0.1 + 0.03 * i, 1.7 - 0.1 * i) for i in range(6)]),
            *both("lock", lambda side: roles["head"], [(0.08, 0.05, 1.7 - 0.08 * i) for i in range(4)]),
        ],
        "weapon": chain("sword", roles["right_hand"], [(-0.8, 0.03 - 0.2 * i, 1.43) for i in range(5)]),
        "IK targets": [
            *both("handik", lambda side: None, [(0.70, 0.03, 1.43), (0.8, 0.03, 1.43)]),
            *both("footik", lambda side: None, [(0.10, 0.03, 0.09), (0.10, -0.1, 0.09)]),
            *both("knee pole", lambda side: None, [(0.10, -0.6, 0.5), (0.10, -0.7, 0.5)]),
            *both("elbow pole", lambda side: None, [(0.45, 0.6, 1.43), (0.45, 0.7, 1.43)]),
        ],
        "twist bones": [
            *both("roll", on("upper_arm"), [(0.31, 0.035, 1.43), (0.45, 0.04, 1.43)]),
            *both("turner", on("thigh"), [(0.095, -0.01, 0.71), (0.1, -0.02, 0.5)]),
        ],
        "face": [
            *both("eye", lambda side: roles["head"], [(0.03, -0.08, 1.66), (0.03, -0.1, 1.66)]),
            *chain("jaw", roles["head"], [(0, -0.02, 1.6), (0, -0.1, 1.58)]),
        ],
    }


@pytest.mark.parametrize("name", ["Mixamo", "Rigify metarig", "Unreal 4", "KayKit", "VRM"])
@pytest.mark.parametrize("more", extras({f"{s}_{p}": "" for s in SIDES for p in ROLES} | dict.fromkeys(ROLES, "")))
@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
def test_what_rigs_carry_beside_a_body_changes_nothing(name, more, named):
    rig = person(NAMINGS[name])
    rig = rig if named else nameless(rig)
    rig = rig.with_more(*extras(rig.roles)[more])
    found = recognise(rig.bones)
    require_core(found, rig)
    if named:
        assert found.bones == rig.roles


@t_and_a
def test_everything_at_once_is_still_the_same_person(arms_down_deg):
    rig = nameless(person(NAMINGS["Unreal 4"], arms_down_deg))
    rig = rig.with_more(*(bone for bones in extras(rig.roles).values() for bone in bones))
    require_core(recognise(rig.bones), rig)


@pytest.mark.parametrize("fingers", [True, False])
@pytest.mark.parametrize("lacking", ["neck", "shoulder", "toe"])
def test_a_person_may_lack_neck_clavicles_toes_and_fingers(lacking, fingers):
    rig = nameless(person(NAMINGS["Mixamo"], fingers=fingers))
    rig = rig.without(*(bone for role, bone in rig.roles.items() if role.endswith(lacking)))
    require_core(recognise(rig.bones), rig)


def crooked(rig: Person, rng: np.random.Generator, stray_m: float) -> Person:
    """Every bone a little off its place, as in captured people and rigs set by eye."""
    bones = []
    for bone in rig.bones:
        off = rng.normal(size=3) * stray_m
        head, tail = (tuple(float(x) for x in np.array(end) + off) for end in (bone.head, bone.tail))
        bones.append(replace(bone, head=head, tail=tail))
    return Person(tuple(bones), rig.roles)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(name for name in NAMINGS if not NAMINGS[name].legs_on_spine)),
    seed=st.integers(0, 2**32 - 1),
    arms_down_deg=st.floats(-5.0, 70.0),
    fingers=st.booleans(),
    armed=st.booleans(),
)
def test_a_crooked_person_without_names_is_found_with_or_without_fingers_and_sword(
    name, seed, arms_down_deg, fingers, armed
):
    rng = np.random.default_rng(seed)
    rig = nameless(person(NAMINGS[name], arms_down_deg, fingers))
    rig = rig.with_more(*extras(rig.roles)["weapon"]) if armed else rig
    rig = shuffled(crooked(rig, rng, 0.003), rng)
    require_core(recognise(rig.bones), rig)


def detached_feet(rig: Person) -> Person:
    feet = {rig.roles[f"{side}_foot"] for side in SIDES}
    bones = tuple(replace(b, parent=rig.bones[0].name if b.name in feet else b.parent) for b in rig.bones)
    return Person(bones, rig.roles)


@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
def test_feet_that_hang_on_no_leg_are_found_where_the_legs_end(named):
    rig = detached_feet(person(NAMINGS["Quaternius"]))
    rig = rig if named else nameless(rig)
    require_core(recognise(rig.bones), rig)


@pytest.mark.parametrize("name", ["Mixamo", "Unreal 4", "SMPL-X"])
def test_sides_that_are_named_from_the_viewers_seat_are_exchanged(name):
    rig = person(NAMINGS[name], 30.0)
    names = {}
    for bone in rig.bones:
        sided = next((role for role, b in rig.roles.items() if b == bone.name and role.startswith(SIDES)), "")
        side = sided.partition("_")[0]
        other = {"left": "right", "right": "left"}.get(side, "")
        names[bone.name] = rig.roles[sided.replace(side, other)] if sided else f"{bone.name} "
    lying = rig.renamed({old: new.strip() for old, new in names.items()})
    found = recognise(lying.bones)
    assert found.to_rig_map().bones == lying.roles
    assert "looks the other way" in found["left_hand"].reason


def test_the_same_word_means_another_bone_in_another_family():
    mixamo, smpl = (recognise(person(NAMINGS[name]).bones) for name in ("HumanIK", "SMPL-X"))
    assert mixamo.bones["left_shoulder"] == "LeftShoulder"
    assert smpl.bones["left_upper_arm"] == "left_shoulder"
    assert mixamo.bones["left_foot"] == "LeftFoot"
    assert smpl.bones["left_toe"] == "left_foot"


def exchanged(rig: Person, first: str, second: str) -> Person:
    """Two roles' bones called by each other's names."""
    one, other = rig.roles[first], rig.roles[second]
    return rig.renamed({bone.name: bone.name for bone in rig.bones} | {one: other, other: one})


def test_where_two_names_lie_the_shape_is_believed_and_says_so():
    rig = exchanged(person(NAMINGS["Mixamo"]), "left_forearm", "left_shin")
    found = recognise(rig.bones)
    assert found.to_rig_map().bones == rig.roles
    assert found["left_forearm"].bone == "mixamorig:LeftLeg"
    assert "its name says left_shin" in found["left_forearm"].reason


def test_where_names_lie_and_the_shape_is_no_persons_nothing_is_believed():
    rig = exchanged(person(NAMINGS["Mixamo"]), "left_forearm", "left_shin")
    straight = tuple(replace(b, head=(0, 0, b.head[2]), tail=(0, 0, b.tail[2])) for b in rig.bones)
    found = recognise(straight)
    assert found["left_forearm"].state == found["left_shin"].state == DOUBTFUL
    assert not found.complete
    with pytest.raises(RigError, match="left_forearm"):
        found.to_rig_map()


@pytest.mark.parametrize("role", ["left_forearm", "head", "right_foot", "spine"])
def test_names_that_leave_a_needed_bone_out_are_completed_by_shape(role):
    rig = person(NAMINGS["Unreal 4"], 20.0)
    names = {bone.name: bone.name for bone in rig.bones} | {rig.roles[role]: "object 7"}
    found = recognise(rig.renamed(names).bones)
    assert found.to_rig_map().bones[role] == "object 7"
    assert found["left_hand"].bone == "hand_l"


@pytest.mark.parametrize(
    ("role", "named"),
    # A head alone is not missed where nothing has a name: a neck does as well.
    [(role, named) for role in ("left_upper_arm", "right_thigh", "head") for named in (True, False)][:-1],
)
def test_a_body_with_a_limb_or_the_head_cut_off_is_no_map(role, named):
    rig = person(NAMINGS["Mixamo"])
    tree = BoneTree(rig.bones)
    lost = tree.index(rig.roles[role])
    gone = {tree.names[i] for i in (lost, *tree.below(lost))}
    kept = tuple(bone for bone in rig.bones if bone.name not in gone)
    found = recognise(kept if named else nameless(Person(kept, {})).bones)
    assert not found.complete
    assert found[role].state == MISSING or not named
    with pytest.raises(RigError) as caught:
        found.to_rig_map()
    assert caught.value.hint


def refused(bones) -> bool:
    found = recognise(bones)
    if not found.complete:
        with pytest.raises(RigError):
            found.to_rig_map()
    return not found.complete


@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
def test_a_dog_is_refused_whatever_its_bones_are_called(named):
    dog = quadruped()
    assert refused(dog if named else nameless(Person(dog, {})).bones)
    assert "legs" in recognise(dog).problem() or not named


def things() -> dict[str, list[RestBone]]:
    plane = [
        *both("wing", lambda side: "body0", [(0.5 + i, 0, 1) for i in range(4)]),
        *both("wheel", lambda side: "body0", [(0.4, 0, 1 - 0.2 * i) for i in range(4)]),
    ]
    spider = [
        bone
        for leg in range(4)
        for bone in both(
            f"leg{leg}", lambda side: "body0", [(0.2 + 0.2 * i, leg * 0.2, 0.5 - 0.1 * i) for i in range(4)]
        )
    ]
    return {
        "nothing": [],
        "one bone": [RestBone("Bone", None, (0, 0, 0), (0, 0, 1))],
        "bones in one point": [RestBone(f"b{i}", None, (0, 0, 0), (0, 0, 0)) for i in range(20)],
        "snake": chain("snake", None, [(0, 0.1 * i, 0) for i in range(40)]),
        "car": [
            *chain("body", None, [(0, 0, 0.5), (0, 1, 0.5)]),
            *both("front", lambda side: "body0", [(0.8, 1, 0.3), (1, 1, 0.3)]),
            *both("back", lambda side: "body0", [(0.8, -1, 0.3), (1, -1, 0.3)]),
            *chain("door", "body0", [(0.1 * i, 0, 1) for i in range(12)]),
        ],
        "aeroplane": [*chain("body", None, [(0, y, 1) for y in range(9)]), *plane],
        "spider": [*chain("body", None, [(0, 0.3 * i, 0.5) for i in range(4)]), *spider],
    }


@pytest.mark.parametrize("thing", things())
def test_what_is_no_person_is_refused(thing):
    assert refused(things()[thing])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 60))
def test_a_heap_of_bones_is_refused_and_never_an_accident(seed, count):
    rng = np.random.default_rng(seed)
    bones = []
    for i in range(count):
        parent = None if i == 0 or rng.random() < 0.1 else f"b{rng.integers(i)}"
        head = rng.normal(size=3)
        bones.append(RestBone(f"b{i}", parent, tuple(head), tuple(head + rng.normal(size=3) * 0.1)))
    assert refused(bones)


@every_family
def test_every_role_is_told_of_with_a_reason(name):
    found = recognise(person(NAMINGS[name]).bones)
    assert tuple(finding.role for finding in found.findings) == ROLES
    assert all(finding.reason for finding in found.findings)
    assert all((finding.bone == "") == (finding.state == MISSING) for finding in found.findings)


def test_bones_that_make_no_tree_are_a_mistake_of_the_caller():
    for bones in (
        [RestBone("a", "b", (0, 0, 0), (0, 0, 1)), RestBone("b", "a", (0, 0, 1), (0, 0, 2))],
        [RestBone("a", None, (0, 0, 0), (0, 0, 1))] * 2,
        [RestBone("a", "nobody", (0, 0, 0), (0, 0, 1))],
    ):
        with pytest.raises(ValueError, match=r"circle|same name|no bones"):
            recognise(bones)


def test_the_rows_beside_the_roles_are_told_too():
    found = recognise(person(NAMINGS["Unreal 5"]).bones).chains
    assert found.spine == ("spine_01", "spine_02", "spine_03", "spine_04", "spine_05")
    assert found.neck == ("neck_01", "neck_02")
    assert found.twist["left_upper_arm"] == ("upperarm_l_twist",)
    assert found.twist["right_shin"] == ("calf_r_twist",)
    assert set(found.fingers) == {f"{s}_{f}" for s in SIDES for f in ("thumb", "index", "middle", "ring", "pinky")}
    assert found.fingers["left_index"][0] == "index_01_l"
    assert found.fingers["right_thumb"] == ("thumb 0 of right", "thumb 1 of right", "thumb 2 of right")


def test_fingers_without_names_are_told_by_their_places():
    rig = nameless(person(NAMINGS["Unreal 4"], 40.0))
    found = recognise(rig.bones)
    assert found.bones["left_index_knuckle"] == rig.roles["left_index_knuckle"]
    assert found.bones["right_pinky_knuckle"] == rig.roles["right_pinky_knuckle"]
    assert len(found.chains.fingers["left_thumb"]) == 3
    assert found.chains.fingers["left_index"][0] == rig.roles["left_index_knuckle"]


def test_the_switches_that_keys_need_are_told():
    found = recognise(person(NAMINGS["Auto-Rig Pro"]).bones)
    assert {(switch.bone, switch.property, switch.value) for switch in found.switches} == {
        (f"c_{part}_ik.{side}", "ik_fk_switch", 1.0) for part in ("hand", "foot") for side in "lr"
    }
    assert recognise(person(NAMINGS["Mixamo"]).bones).switches == ()


def mpfb(name: str) -> list[RestBone]:
    data = json.loads((MPFB / name).read_text())
    bones = data.get("bones", data)
    at = "default_position"
    return [RestBone(n, b["parent"] or None, tuple(b["head"][at]), tuple(b["tail"][at])) for n, b in bones.items()]


@pytest.mark.skipif(not MPFB.is_dir(), reason="other people's rigs are not beside the repository")
@pytest.mark.parametrize("truth", [t for t in json.loads(TRUTH.read_text())["rigs"] if t["files"].startswith("rig.")],
                         ids=lambda truth: truth["files"])  # fmt: skip
@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
def test_mpfbs_nine_skeletons_are_right(truth, named):
    rig = Person(tuple(mpfb(truth["files"])), dict(truth.get("bones", {})))
    found = recognise((rig if named else nameless(rig)).bones)
    if not truth.get("person", True):
        assert not found.complete
    elif named:
        assert found.to_rig_map().bones == rig.roles
        assert found.family == truth["family"]
        assert all(finding.state != DOUBTFUL for finding in found.findings)
    else:
        require_core(found, nameless(rig))


def test_states_and_bones_belong_together():
    assert {FOUND, MISSING, DOUBTFUL} == {"found", "missing", "doubtful"}
    found = recognise(person(NAMINGS["KayKit"]).bones)
    assert found["neck"].state == MISSING
    assert found["hips"].state == FOUND
