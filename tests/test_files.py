"""Files of strangers: only regular ones are read, none is waited for, and none fills the memory."""

import os
from pathlib import Path

import pytest

from jaxlab import files


def test_content_is_read_as_it_is(tmp_path):
    (tmp_path / "file").write_bytes(b"\0\r\n")
    assert files.read_bytes(tmp_path / "file", 3) == b"\0\r\n"
    (tmp_path / "link").symlink_to("file")  # a link to a file is as good as the file
    with files.opened(tmp_path / "link") as file:
        assert file.read() == b"\0\r\n"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no regular file") as caught:
        files.read_bytes(tmp_path / "pipe")
    assert caught.value.filename == str(tmp_path / "pipe")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/ptmx"])
def test_a_device_is_not_read(tmp_path, device):
    (tmp_path / "link").symlink_to(device)
    with pytest.raises(OSError, match="it is no regular file"):
        files.read_bytes(tmp_path / "link")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError):
        files.read_bytes(tmp_path)


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(200 * 2**30)
    with pytest.raises(OSError, match=r"it is larger than 2,147,483,648 bytes"):
        files.read_bytes(tmp_path / "sparse")
    (tmp_path / "small").write_bytes(b"abcd")
    with pytest.raises(OSError, match="it is larger than 3 bytes"):
        files.read_bytes(tmp_path / "small", 3)


def test_a_file_that_is_empty_by_its_own_account_gives_nothing():
    # Those of /proc have no size, and some of them never end.
    assert files.read_bytes(Path("/proc/self/status")) == b""
