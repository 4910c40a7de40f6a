"""`topcalls recording`: the whole file or none, without the key, from https or this machine's sandbox alone."""

from __future__ import annotations

import http.server
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools.cli.filing import whole
from topcalls_tools.connect import Line
from topcalls_tools.errors import Broken, Misconfigured, NotFound, Refused, TopCallsError, Unreachable
from topcalls_tools.recordings import REDIRECTS, fetched

from .conftest import World
from .test_cli import PLACE, keyed, run

__all__ = ["keyed"]
ELSEWHERE = "https://recordings.example.com/2026/12/01/a.mp3?signed=yes"
SOUND = {"content-type": "audio/mpeg"}
Live = Callable[..., Line]


def fetch(
    line: Line, answer: Callable[[httpx.Request], httpx.Response], address: str = ELSEWHERE, **given: Any
) -> bytes:
    return b"".join(fetched(address, line, transport=httpx.MockTransport(answer), **given))


def test_a_recording_is_saved_as_the_sandbox_has_it_and_is_private(keyed: World, tmp_path: Path) -> None:
    call_id, path = json.loads(run(*PLACE, "--json").stdout)["call_id"], tmp_path / "call.wav"
    early = run("recording", call_id, "--save", str(path))
    assert (early.exit_code, "has not ended" in early.stderr, path.exists()) == (4, True, False)
    keyed.advance(600)
    done = run("recording", call_id, "--save", str(path))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Practice: no phone rang.\nSaved to ")
    told = keyed._http.get(f"/sandbox/recordings/{call_id}.wav").content
    assert path.read_bytes() == told
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = run("recording", call_id, "--save", str(path))
    assert (again.exit_code, "--force" in again.stderr) == (6, True)
    path.write_bytes(b"older")
    forced = json.loads(run("recording", call_id, "--save", str(path), "--force", "--json").stdout)
    assert forced == {"live": False, "call_id": call_id, "file": str(path), "bytes": len(told)}
    assert path.read_bytes() == told
    assert not list(tmp_path.glob(".*.part"))


def test_where_there_is_no_recording_it_says_why(keyed: World, tmp_path: Path) -> None:
    path = str(tmp_path / "call.wav")
    busy = json.loads(
        run("place-call", "--phone-number", "+14155550001", "--task", "Ask for the hours.", "--json").stdout
    )
    keyed.advance(600)
    for name, code, words in (
        (busy["call_id"], 4, "the line was busy, and only what was answered is recorded"),
        ("564d4fd4-03bc-400a-abe0-05540fbeff88", 4, "404"),
        ("../calls", 2, "call_id"),
    ):
        done = run("recording", name, "--save", path)
        assert (done.exit_code, words in done.stderr, os.path.exists(path)) == (code, True, False), (
            done.stderr
        )


def test_no_key_goes_where_a_recording_is(live: Live) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) == 1:
            return httpx.Response(302, headers={"location": "//cdn.example.net/a.mp3"})
        return httpx.Response(200, headers=SOUND, content=b"sound")

    line = live()
    assert fetch(line, answer) == b"sound"
    assert [str(request.url) for request in seen] == [ELSEWHERE, "https://cdn.example.net/a.mp3"]
    for request in seen:
        assert line.key() not in str(request.headers.raw) + str(request.url)
        assert not {"authorization", "cookie", "idempotency-key"} & request.headers.keys()


@pytest.mark.parametrize(
    "address",
    [
        "http://recordings.example.com/a.mp3",
        "https://127.0.0.1/a.mp3",
        "https://localhost:8443/a.mp3",
        "http://127.0.0.1:80/a.mp3",
        "https://0x7f000001/a.mp3",
        "https://169.254.169.254/a.mp3",
        "https://10.0.0.1/a.mp3",
        "https://192.168.1.7/a.mp3",
        "https://[::ffff:127.0.0.1]/a.mp3",
        "https://[fe80::1]/a.mp3",
        "https://[::127.0.0.1]/a.mp3",
        "https://[64:ff9b::10.0.0.1]/a.mp3",
        "https://[2002:a00:1::]/a.mp3",
        "ftp://recordings.example.com/a.mp3",
        "file:///etc/passwd",
        "//recordings.example.com/a.mp3",
        "recordings.example.com/a.mp3",
        "https:///a.mp3",
        "https://[::1",
        "",
    ],
)
@pytest.mark.parametrize("redirected", [False, True])
def test_only_https_on_the_open_internet_is_fetched_with_a_live_key(
    live: Live, address: str, redirected: bool
) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"location": address})

    absolute = ("http:", "https://1", "https://[", "https://l", "https://0", "ftp", "file")
    if redirected and (not address.startswith(absolute) or address == "https://[::1"):
        pytest.skip("as a reference it leads somewhere else")
    with pytest.raises(Refused, match="not https on the open internet"):
        fetch(live(), answer, ELSEWHERE if redirected else address)
    assert seen == ([ELSEWHERE] if redirected else [])


def test_redirections_end(live: Live) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"location": ELSEWHERE})

    with pytest.raises(Broken, match="too many redirections"):
        fetch(live(), answer)
    assert len(seen) == REDIRECTS + 1


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (httpx.Response(403, content=b"<Error/>"), NotFound, "not there any more"),
        (httpx.Response(404), NotFound, "not there any more"),
        (httpx.Response(503), Broken, "cannot be fetched now (503)"),
        (httpx.Response(200, headers={"content-type": "Text/HTML"}, content=b"<h1>Log in</h1>"), Broken, "a page"),
        (httpx.Response(200, headers={"content-type": "application/json"}, content=b"{}"), Broken, "a page"),
        (httpx.Response(200, headers=SOUND, content=b""), Broken, "empty"),
        (httpx.Response(200, headers=SOUND, content=b"x" * 11), Refused, "more than"),
        (httpx.Response(200, headers=SOUND, content=iter([b"x" * 6] * 2)), Refused, "more than"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_not_saved(
    live: Live, tmp_path: Path, reply: httpx.Response, error: type[TopCallsError], words: str
) -> None:
    path = tmp_path / "call.mp3"
    with pytest.raises(error) as refused, whole(path) as file:
        for piece in fetched(
            ELSEWHERE, live(), transport=httpx.MockTransport(lambda _: reply), most_bytes=10
        ):
            file.write(piece)
    assert words in str(refused.value)
    assert os.listdir(tmp_path) == (["home"] if (tmp_path / "home").exists() else [])


def test_a_recording_that_takes_too_long_is_given_up(live: Live) -> None:
    times = iter([0.0, 10.0, 2000.0])
    reply = httpx.Response(200, headers=SOUND, content=iter([b"one", b"two", b"three"]))
    with pytest.raises(Unreachable, match="took too long"):
        fetch(live(), lambda _: reply, timer=lambda: next(times))


@contextmanager
def serving(body: bytes, told: int) -> Iterator[str]:
    """A server on this machine that says a length and sends a body."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav")
            self.send_header("Content-Length", str(told))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/a.wav"
    finally:
        server.shutdown()
        server.server_close()


def test_half_a_recording_is_none(line: Line, tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(b"older")
    before = sorted(os.listdir(tmp_path))
    with serving(b"x" * 100_000, 200_000) as address:
        with pytest.raises(Unreachable, match="not whole"), whole(path, force=True) as file:
            file.writelines(fetched(address, line))
        assert (path.read_bytes(), sorted(os.listdir(tmp_path))) == (b"older", before)
    with serving(b"x" * 100_000, 100_000) as address, whole(path, force=True) as file:
        file.writelines(fetched(address, line))
    assert path.read_bytes() == b"x" * 100_000


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path, folder = tmp_path / "there" / "file", tmp_path / "there"
    folder.mkdir()
    for trouble in (KeyboardInterrupt, ValueError, OSError(28, "No space left on device")):
        with suppress(KeyboardInterrupt, ValueError, Misconfigured), whole(path) as file:
            file.write(b"half")
            assert not path.exists()
            raise trouble
        assert os.listdir(folder) == []
    with whole(path) as file:
        file.write(b"whole")
    assert (path.read_bytes(), os.listdir(folder)) == (b"whole", ["file"])


def test_a_name_that_was_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(Misconfigured, match="there already"), whole(path) as file:
        file.write(b"ours")
        path.write_bytes(b"theirs")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"theirs", ["file"])


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    before = sorted(os.listdir(tmp_path))
    for name, force in (
        ("pipe", True),
        ("pipe", False),
        ("folder", True),
        ("dead", False),
        ("no/where", False),
    ):
        with pytest.raises(Misconfigured, match="; "), whole(tmp_path / name, force=force) as file:
            file.write(b"ours")
    assert sorted(os.listdir(tmp_path)) == before
