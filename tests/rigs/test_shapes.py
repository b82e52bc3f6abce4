"""Meshes of shapes are closed, face outwards and lie on the surface."""

import numpy as np
import pytest

from rigs.figure.shapes import Mesh, Tube, blend, cut, ellipsoid, mesh_of, union

BALL = ellipsoid((0.1, 0.0, 0.2), (0.10, 0.10, 0.10))
EGG = ellipsoid((0.0, 0.0, 0.0), (0.06, 0.10, 0.14))
LIMB = Tube(np.array([0.0, 0.0, -0.15]), np.array([0.0, 0.0, 0.15]), ((0.0, 0.06, 0.05), (1.0, 0.04, 0.03)))
SHAPES = {
    "ball": BALL,
    "egg": EGG,
    "limb": LIMB,
    "blend": blend(0.03, LIMB, EGG),
    "cut": cut(EGG, (0.0, 0.0, 0.05), (0.0, 0.0, 1.0)),
}


def mesh(shape, cell_m: float = 0.012) -> Mesh:
    return mesh_of(shape, (-0.25, -0.25, -0.35), (0.25, 0.25, 0.35), cell_m)


def volume_m3(body: Mesh) -> float:
    """Signed volume by the divergence theorem: positive where the faces look outwards."""
    a, b, c, d = (body.vertices_m[body.quads[:, i]] for i in range(4))
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return float(np.linalg.det(triangles).sum() / 6.0)


@pytest.mark.parametrize("name", SHAPES)
def test_every_edge_belongs_to_two_faces_in_opposite_directions(name):
    quads = mesh(SHAPES[name]).quads
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    there = {tuple(edge) for edge in edges}
    assert len(there) == len(edges)
    assert there == {(b, a) for a, b in there}


@pytest.mark.parametrize("name", SHAPES)
def test_vertices_lie_on_the_surface(name):
    assert np.abs(SHAPES[name](mesh(SHAPES[name]).vertices_m)).max() < 0.004


def test_a_ball_has_the_volume_of_a_ball():
    assert volume_m3(mesh(BALL)) == pytest.approx(4.0 / 3.0 * np.pi * 0.1**3, rel=0.02)


def test_a_distance_is_true_to_first_order_near_the_surface():
    generator = np.random.default_rng(3)
    directions = generator.normal(size=(200, 3))
    on_surface = directions / np.linalg.norm(directions / np.array([0.06, 0.10, 0.14]), axis=1, keepdims=True)
    normals = on_surface / np.array([0.06, 0.10, 0.14]) ** 2
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert np.allclose(EGG(on_surface), 0.0, atol=1e-9)
    assert np.allclose(EGG(on_surface + 0.002 * normals), 0.002, atol=2e-4)


def test_a_blend_lies_outside_its_parts_and_far_from_the_seam_is_their_union():
    points = np.random.default_rng(4).uniform(-0.3, 0.3, size=(500, 3))
    both = union(LIMB, EGG)(points)
    blended = blend(0.03, LIMB, EGG)(points)
    assert np.all(blended <= both + 1e-12)
    far = np.abs(LIMB(points) - EGG(points)) > 0.03
    assert np.allclose(blended[far], both[far])
