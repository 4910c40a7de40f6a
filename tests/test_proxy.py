"""The proxy of the fault matrix passes on just the bytes that its plan says, and sees what the journal held before."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .passage import CUTS, Cut
from .proxy import Proxy
from .sockets import HOST, PLACES, REGIONS, end, listening, offset, read_message

REQUEST = b'POST /v1/calls HTTP/1.1\r\nidempotency-key: k1\r\ncontent-length: 9\r\n\r\n{"a": 12}'
REPLY = b'HTTP/1.1 201 Created\r\ncontent-length: 8\r\n\r\n{"b": 3}'


class Server:
    """Answers every whole request with REPLY, and keeps what came."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self._line = listening()
        self.port = int(self._line.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._line.accept()
            except OSError:
                return
            with closing(line):
                try:
                    message = read_message(line)
                except ConnectionResetError:
                    continue
                self.came.append(message)
                if message == REQUEST:
                    line.sendall(REPLY)

    def close(self) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with closing(Server()) as one:
        yield one


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with closing(Proxy(server.port)) as one:
        yield one


def sent(proxy: Proxy) -> bytes:
    """What comes back for REQUEST, until the line ends or the reply is whole."""
    with socket.create_connection((HOST, proxy.port), timeout=10) as line:
        line.sendall(REQUEST)
        return read_message(line)


def under(proxy: Proxy, kind: str) -> bytes:
    """The same, while the plan says `kind`; all that passed has arrived when this returns."""
    proxy.begin(lambda what, number: Cut(kind), "")
    back = sent(proxy)
    proxy.calm()
    return back


def test_what_is_not_cut_passes_whole(proxy: Proxy, server: Server) -> None:
    assert under(proxy, "") == REPLY
    assert server.came == [REQUEST]
    (one,) = proxy.log
    assert (one.method, one.path, one.key, one.body) == ("POST", "/v1/calls", "k1", b'{"a": 12}')
    assert (one.passed, one.whole, one.status, one.answered, one.returned) == (
        len(REQUEST),
        1,
        201,
        len(REPLY),
        len(REPLY),
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("region", REGIONS)
def test_a_request_is_cut_at_its_byte(proxy: Proxy, server: Server, region: str, place: str) -> None:
    assert under(proxy, f"request {region} {place}") == b""
    passed = REQUEST[: offset(REQUEST, region, place, 0.5)]
    assert proxy.log[0].passed == len(passed)
    assert proxy.log[0].whole == 0
    assert REQUEST not in server.came


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("region", REGIONS)
def test_a_reply_is_cut_at_its_byte(proxy: Proxy, server: Server, region: str, place: str) -> None:
    assert under(proxy, f"reply {region} {place}") == REPLY[: offset(REPLY, region, place, 0.5)]
    assert server.came == [REQUEST]


def test_the_places_of_a_region_are_what_they_say() -> None:
    line, head = REQUEST.index(b"\r\n") + 2, REQUEST.index(b"\r\n\r\n") + 4
    for region, start, stop in (("line", 0, line), ("head", line, head), ("body", head, len(REQUEST))):
        before, first, middle, last = (offset(REQUEST, region, place, 0.5) for place in PLACES)
        assert (before, first, last) == (start, start + 1, stop - 1)
        assert first < middle < last


@pytest.mark.parametrize("kind", ["429", "500", "502", "503"])
def test_a_status_is_said_in_place_of_the_reply(proxy: Proxy, server: Server, kind: str) -> None:
    assert under(proxy, kind).startswith(f"HTTP/1.1 {kind} ".encode())
    assert server.came == []
    if kind != "429":
        assert under(proxy, f"{kind} after").startswith(f"HTTP/1.1 {kind} ".encode())
        assert server.came == [REQUEST]


@pytest.mark.parametrize(
    ("kind", "times"), [("unanswered", 1), ("unheard", 1), ("closed", 0), ("reply end", 1)]
)
def test_lines_are_closed_where_they_should_be(proxy: Proxy, server: Server, kind: str, times: int) -> None:
    assert under(proxy, kind) == (REPLY if kind == "reply end" else b"")
    assert proxy.log[0].whole == times


def test_a_request_that_is_sent_twice_comes_twice(proxy: Proxy, server: Server) -> None:
    assert under(proxy, "twice") == REPLY
    assert server.came == [REQUEST, REQUEST]


@pytest.mark.parametrize("kind", ["late", "held", "overdue"])
def test_what_is_held_back_comes_after_the_caller_has_gone(proxy: Proxy, server: Server, kind: str) -> None:
    proxy.begin(lambda what, number: Cut(kind), "")
    line = socket.create_connection((HOST, proxy.port), timeout=10)
    line.sendall(REQUEST)
    line.settimeout(0.05)
    with pytest.raises(TimeoutError):
        line.recv(1)
    assert (server.came == [REQUEST]) is (kind == "late")
    end(line, reset=False)
    proxy.calm()
    assert server.came == [REQUEST]


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_garbled_is_no_other_message(proxy: Proxy, region: str) -> None:
    back = under(proxy, f"garbled {region}")
    assert back != REPLY
    assert len(back) == len(REPLY)
    assert b"\xff\x00\xff" in back


def test_while_the_port_is_shut_nobody_is_let_in(proxy: Proxy, server: Server) -> None:
    proxy.begin(lambda what, number: Cut(down=30), "")
    assert sent(proxy) == REPLY
    with pytest.raises(ConnectionRefusedError):
        sent(proxy)
    proxy.calm()
    assert sent(proxy) == REPLY


def test_it_sees_what_the_journal_held_before_the_first_byte(
    proxy: Proxy, server: Server, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.db"
    proxy.begin(lambda what, number: Cut(), str(journal))
    sent(proxy)
    with closing(sqlite3.connect(journal)) as db:
        db.execute("CREATE TABLE asks (key, decision)")
        db.execute("CREATE TABLE dials (key, state)")
        db.execute("INSERT INTO asks VALUES ('k1', 'yes')")
        db.commit()
        sent(proxy)
        db.execute("INSERT INTO dials VALUES ('k1', 'sending')")
        sent(proxy)  # nobody else can see it yet
        db.commit()
        sent(proxy)
    unreadable, *seen = [one.written for one in proxy.log]
    assert unreadable.startswith("unreadable")
    assert seen == ["", "", "yes sending"]


def test_every_cut_has_a_name_of_its_own() -> None:
    assert len(set(CUTS)) == len(CUTS)
