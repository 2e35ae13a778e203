"""What only the owner of a file may read is never readable by others, not for a moment and whatever the umask."""

import ast
import os
import resource
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadroutes.errors import Invalid, Misconfigured
from leadroutes.security.private_files import private_file, private_text
from leadroutes.security.secret_key import FILE, load_secret_key
from leadroutes.settings import Settings

SOURCES = Path(__file__).parents[2] / "leadroutes"


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o377], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_private_from_its_first_moment_on(umask: int, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    with private_text(path) as file:
        assert not path.exists(), "nothing is there until it is whole"
        assert [mode(each) for each in tmp_path.iterdir()] == [0o600]
        file.write("a\r\nb\n")
    assert mode(path) == 0o600
    assert path.read_bytes() == b"a\r\nb\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_cannot(umask: int, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.touch()
    path.chmod(0o666)
    with path.open() as reader:
        with private_text(path) as file:
            file.write("secret")
        assert reader.read() == "", "who has opened the old file sees nothing of the new one"
    assert (mode(path), path.read_text()) == (0o600, "secret")


def test_what_is_not_finished_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError), private_text(path) as file:
        file.write("half\ud800")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "before"


def test_a_full_disk_is_reported_with_the_file() -> None:
    full = r"/dev/full: cannot be written \(No space left on device\)"
    with pytest.raises(Invalid, match=full), private_text(Path("/dev/full")) as file:
        file.write("words")


def test_an_error_that_is_not_about_the_file_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), private_text(tmp_path / "leads.csv"):
        raise ConnectionResetError


def test_a_link_is_followed(tmp_path: Path) -> None:
    link, path = tmp_path / "link.csv", tmp_path / "leads.csv"
    link.symlink_to(path)
    with private_text(link) as file:
        file.write("words")
    assert link.is_symlink()
    assert path.read_text() == "words"


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with private_text(pipe) as file:
        file.write("words")
    assert os.read(reader, 100) == b"words"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="nowhere"), private_file(tmp_path / "nowhere" / "leads.csv"):
        pytest.fail("there is nothing to write to")


def test_the_generated_secret_is_private(umask: int, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / str(umask))
    assert load_secret_key(settings) == (settings.data / FILE).read_text()
    assert mode(settings.data / FILE) == 0o600
    assert mode(settings.data) & 0o077 == 0
    assert [each.name for each in settings.data.iterdir()] == [FILE]


@pytest.mark.parametrize("content", ["", "\n", "0123456789abcde", "\0" * 43])
def test_a_secret_that_a_crash_has_cut_short_signs_nothing(tmp_path: Path, content: str) -> None:
    """With an empty key anyone could make claim links, and unseal what is stored."""
    (tmp_path / FILE).write_text(content)
    with pytest.raises(Misconfigured, match=f"LEADROUTES_DATA: {tmp_path / FILE} holds .* at least 16"):
        load_secret_key(Settings(data=tmp_path))


def test_a_secret_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(Misconfigured, match="LEADROUTES_DATA"):
            load_secret_key(Settings(data=tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_commands_write_files_in_this_way_only() -> None:
    """`open("w")`, `write_text` and their like stand where no text of others is written, or in a private directory."""
    allowed = {
        "security/private_files.py", "security/secret_key.py",  # the former makes the file of the latter
        "demo/__init__.py",  # a lock
        "operations/backup.py",  # a directory of its own, removed at the end
        "store/embedded_server.py",  # PostgreSQL's own files, in its own directory
    }  # fmt: skip
    found = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node.func.attr, node)
    }
    assert found <= allowed


def _writes(name: str, call: ast.Call) -> bool:
    if name in ("write_text", "write_bytes"):
        return True
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return name == "open" and any(set(text) & set("wax") and len(text) <= 3 for text in texts)
