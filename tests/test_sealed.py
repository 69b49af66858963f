"""Exact: files with a checksum give back what was written, and no change of theirs goes unnoticed.

Nothing here may be allowed a chance: whatever is changed in a file, it is refused in one line or
read as it was written.
"""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxlab import ResultsError, sealed

ARRAYS = {
    "seeds": np.arange(7),
    "loss": np.array([0.5, np.nan, np.inf, -0.0], np.float32),
    "names": np.array(["solved", "größer"]),
    "none": np.empty((0, 3), np.float32),
}


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_are_read_as_they_were_written(compressed, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(sealed.arrays_as_bytes("what it is", ARRAYS, compressed=compressed))
    mark, found = sealed.read_arrays(path)
    assert mark == "what it is"
    assert found.keys() == ARRAYS.keys()
    for name, wanted in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (wanted.dtype, wanted.shape)
        assert found[name].tobytes() == wanted.tobytes()
    again = sealed.arrays_as_bytes("what it is", ARRAYS, compressed=compressed)
    assert again == path.read_bytes()


CHANGES = [
    {"loss": ARRAYS["loss"].astype(np.float64)},
    {"loss": ARRAYS["loss"].reshape(2, 2)},
    {"loss": np.array([0.5, np.nan, np.inf, 0.0], np.float32)},  # the sign of a zero
    {"more": np.zeros(1)},
    {"mark": np.array("what it was")},
    {"names": np.array(["solved", "groesser"])},
]


@pytest.mark.parametrize("change", CHANGES)
def test_another_program_cannot_change_an_array_unnoticed(change, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(sealed.arrays_as_bytes("what it is", ARRAYS))
    with np.load(path) as file:
        found = {name: file[name] for name in file.files}
    np.savez(path, **found)
    sealed.read_arrays(path)  # negative control: written again, not changed
    np.savez(path, **(found | change))
    with pytest.raises(ResultsError, match=r"^[^\n]*a.npz is damaged \(checksum\); move it away$"):
        sealed.read_arrays(path)


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_says_nothing(place, bit, tmp_path_factory):
    path = tmp_path_factory.mktemp("flipped") / "a.npz"
    content = bytearray(sealed.arrays_as_bytes("what it is", ARRAYS))
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    said, mark, found = "", "", {}
    try:
        mark, found = sealed.read_arrays(path)
    except ResultsError as error:
        said = str(error)
    if said:
        assert str(path) in said
        assert "\n" not in said
        assert len(said) < len(str(path)) + 200
    else:
        assert mark == "what it is"
        assert all(found[k].tobytes() == v.tobytes() for k, v in ARRAYS.items())


class Trap:
    """What unpickling it would do is seen."""

    opened = False

    def __reduce__(self):
        return setattr, (Trap, "opened", True)


def test_nothing_is_unpickled(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, mark=np.array("m"), trap=np.array([Trap()], object))
    with pytest.raises(ResultsError, match="is damaged"):
        sealed.read_arrays(path)
    assert not Trap.opened
    with np.load(path, allow_pickle=True) as file:  # negative control: the trap works
        assert file["trap"] is not None
    assert Trap.opened


def test_no_file_can_ask_for_more_memory_than_there_is(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    monkeypatch.setattr(sealed, "LARGEST", 10**6)
    np.savez_compressed(path, mark=np.array("m"), zeros=np.zeros(10**6, np.uint8))
    assert path.stat().st_size < 10_000
    with pytest.raises(ResultsError, match="larger than any file of jaxlab"):
        sealed.read_arrays(path)
    head = io.BytesIO()
    told = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(head, told)  # says more than it holds
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zeros.npy", head.getvalue())
    with pytest.raises(ResultsError, match="is damaged"):
        sealed.read_arrays(path)


def test_json_is_read_as_it_was_written(tmp_path):
    path, content = tmp_path / "a.json", {"b": [1, 2.5, "größer"], "a": {"x": None}}
    path.write_bytes(sealed.json_as_bytes(content))
    assert sealed.read_json(path) == content
    assert list(json.loads(path.read_text())) == ["b", "a", "checksum"]
    path.write_text(path.read_text().replace("2.5", "2.6"))
    with pytest.raises(ResultsError, match=r"a.json is damaged \(checksum\)"):
        sealed.read_json(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null", "[" * 10**5, '{"a": 1' + "0" * 9000])
def test_what_is_no_json_object_is_damaged(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ResultsError, match=r"^[^\n]*a.json is damaged[^\n]*$"):
        sealed.read_json(tmp_path / "a.json")


def test_what_has_no_checksum_is_old_or_foreign(tmp_path):
    (tmp_path / "a.json").write_text('{"sweep": 1}')
    np.savez(tmp_path / "a.npz", mark=np.array("m"), seeds=np.arange(3))
    said = "has no checksum: it is of an older version of jaxlab, or not of jaxlab"
    with pytest.raises(ResultsError, match=said):
        sealed.read_json(tmp_path / "a.json")
    with pytest.raises(ResultsError, match=said):
        sealed.read_arrays(tmp_path / "a.npz")


def test_a_missing_file_is_no_traceback(tmp_path):
    for read in (sealed.read_json, sealed.read_arrays):
        with pytest.raises(ResultsError, match="No such file"):
            read(tmp_path / "none")
