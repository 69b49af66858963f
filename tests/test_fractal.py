"""Dimensions of sets that have a known one.

Exact tests of counts; statistical ones, with seeds fixed beforehand, of how often the interval
holds the dimension, which is to be always: it is meant to be wide.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from jaxlab import fractal

KOCH, CARPET = np.log(4) / np.log(3), np.log(8) / np.log(3)
SIZES = (512, 1024)


def plane(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y in (-1/2, 1/2) of n x n cells."""
    y, x = (np.mgrid[:n, :n] + 0.5) / n - 0.5
    return x, y


def half_plane(n: int, angle: float, shift: float) -> np.ndarray:
    x, y = plane(n)
    return np.cos(angle) * x + np.sin(angle) * y > shift


def disc(n: int, radius: float = 0.37, x0: float = 0.01, y0: float = -0.02) -> np.ndarray:
    x, y = plane(n)
    return (x - x0) ** 2 + (y - y0) ** 2 < radius**2


def koch(n: int, generator: np.random.Generator | None = None) -> np.ndarray:
    """Return the cells of a Koch curve; its triangles point to random sides with a generator."""
    z = np.array([0.02 + 0.4j, 0.98 + 0.43j])
    for _ in range(8):
        start, third = z[:-1], np.diff(z) / 3
        side = np.ones(len(start)) if generator is None else generator.choice([-1, 1], len(start))
        tip = start + third + third * np.exp(1j * np.pi / 3 * side)
        corners = np.stack([start, start + third, tip, start + 2 * third], axis=1)
        z = np.append(corners.ravel(), z[-1])
    z = (z[:-1, None] + np.diff(z)[:, None] * np.linspace(0, 1, 5)).ravel()
    cells = np.zeros((n, n), bool)
    cells[(z.imag * n).astype(int), (z.real * n).astype(int)] = True
    return cells


def carpet(n: int) -> np.ndarray:
    """Return the cells whose middle is in Sierpinski's carpet, as fine as cells can show it."""
    x, y = (values + 0.5 for values in plane(n))
    kept = np.ones((n, n), bool)
    for i in range(1, int(np.log(n) / np.log(3)) + 1):
        kept &= ~(((3**i * x).astype(int) % 3 == 1) & ((3**i * y).astype(int) % 3 == 1))
    return kept


def random_tree(generator: np.random.Generator, base: int, kept: int, depth: int) -> np.ndarray:
    """Return cells of a square of which, at every scale, `kept` of base^2 parts are kept."""
    cells = np.ones((1, 1), bool)
    for _ in range(depth):
        n = len(cells)
        rank = generator.random((n, n, base**2)).argsort(axis=-1).argsort(axis=-1)
        parts = cells[:, :, None, None] & (rank < kept).reshape(n, n, base, base)
        cells = parts.transpose(0, 2, 1, 3).reshape(n * base, n * base)
    return cells


def holds(found: fractal.Dimension, known: float) -> bool:
    low, high = found.interval
    return low <= known <= high


def test_a_boundary_is_where_two_by_two_cells_differ():
    mask = np.zeros((4, 5), bool)
    mask[1, 2] = True
    wanted = np.zeros((3, 4), int)
    wanted[:2, 1:3] = 1
    assert_array_equal(fractal.boundary(mask), wanted)
    assert_array_equal(fractal.boundary(~mask), wanted)
    assert not fractal.boundary(np.ones((3, 3))).any()


def test_a_checkerboard_is_boundary_everywhere():
    cells = fractal.boundary(np.indices((130, 130)).sum(axis=0) % 2)
    assert cells.all()
    sizes, counts = fractal.box_counts(cells)
    assert_allclose(counts, 129**2 / sizes**2)
    assert fractal.dimension(cells).value == pytest.approx(2)


def test_counts_are_means_over_all_places_of_the_grid():
    generator = np.random.default_rng(1)
    cells = generator.random((11, 14)) < 0.05
    cells[3, 3] = True
    whole = np.block([[cells, cells[:, ::-1]], [cells[::-1], cells[::-1, ::-1]]])
    sizes, counts = fractal.box_counts(cells)
    assert sizes.tolist() == [1, 2, 4]
    for size, count in zip(sizes, counts, strict=True):
        hits = 0
        for i, j in np.ndindex(whole.shape):
            rows, columns = (np.arange(k, k + size) for k in (i, j))
            box = whole[np.ix_(rows % whole.shape[0], columns % whole.shape[1])]
            hits += box.any()
        assert count == hits / (4 * size**2)


def test_counts_do_not_depend_on_how_the_map_lies():
    cells = koch(128)
    counts = fractal.box_counts(cells)[1]
    for other in (cells.T, cells[::-1], cells[:, ::-1], np.rot90(cells)):
        assert_array_equal(fractal.box_counts(other)[1], counts)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("name", "known", "near"),
    [("line", 1, 0.01), ("disc", 1, 0.005), ("koch", KOCH, 0.02), ("carpet", CARPET, 0.02)],
)
def test_known_dimensions_are_found(name, known, near, n):
    cells = {
        "line": lambda: fractal.boundary(half_plane(n, 0.7, 0.1)),
        "disc": lambda: fractal.boundary(disc(n)),
        "koch": lambda: koch(n),
        "carpet": lambda: carpet(n),
    }[name]()
    found = fractal.dimension(cells)
    assert found.value == pytest.approx(known, abs=near)
    assert holds(found, known)
    assert 0 < found.error < 0.05
    assert found.sizes.tolist() == [4, 8, 16, 32, 64, 128][: 5 if n == 512 else 6]


def test_lines_at_all_angles_are_smooth_and_never_fractal():
    generator = np.random.default_rng(2)
    for _ in range(20):
        angle, shift = generator.uniform(0, np.pi), generator.uniform(-0.3, 0.3)
        found = fractal.dimension(fractal.boundary(half_plane(512, angle, shift)))
        assert holds(found, 1)
        assert not holds(found, 1.1)


def test_circles_are_smooth_and_never_fractal():
    generator = np.random.default_rng(3)
    for _ in range(10):
        place = generator.uniform(-0.1, 0.1, 2)
        found = fractal.dimension(fractal.boundary(disc(512, generator.uniform(0.1, 0.4), *place)))
        assert holds(found, 1)
        assert not holds(found, 1.1)


@pytest.mark.parametrize(("base", "kept", "depth"), [(2, 3, 9), (3, 8, 6), (3, 5, 6)])
def test_intervals_hold_the_dimension_of_random_trees(base, kept, depth):
    generator = np.random.default_rng(4)
    known = np.log(kept) / np.log(base)
    found = [
        fractal.dimension(random_tree(generator, base, kept, depth)[:512, :512]) for _ in range(8)
    ]
    assert all(holds(dimension, known) for dimension in found)
    assert not any(holds(dimension, 1) for dimension in found)


def test_intervals_hold_the_dimension_of_random_koch_curves():
    generator = np.random.default_rng(5)
    found = [fractal.dimension(koch(512, generator)) for _ in range(6)]
    assert all(holds(dimension, KOCH) for dimension in found)
    assert all(not holds(dimension, 1) for dimension in found)


def test_a_boundary_in_one_tile_has_no_error_and_is_refused():
    mask = np.zeros((512, 512), bool)
    mask[40:60, 40:60] = True
    with pytest.raises(ValueError, match="one of 4x4 tiles"):
        fractal.dimension(fractal.boundary(mask))


@pytest.mark.parametrize("mask", [np.zeros((200, 200)), np.ones((200, 200))])
def test_a_map_of_one_kind_has_no_dimension(mask):
    with pytest.raises(ValueError, match="no boundary"):
        fractal.dimension(fractal.boundary(mask))


def test_small_and_misshapen_masks_are_refused():
    with pytest.raises(ValueError, match="128 a side"):
        fractal.dimension(fractal.boundary(half_plane(127, 1, 0)))
    fractal.dimension(fractal.boundary(half_plane(128, 1, 0)))
    with pytest.raises(ValueError, match="two rows and columns"):
        fractal.boundary(np.ones((1, 9)))
    with pytest.raises(ValueError, match="rows and columns"):
        fractal.box_counts(np.ones(9))
