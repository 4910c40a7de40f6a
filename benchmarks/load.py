"""Sends requests over many connections at once, with just enough HTTP to be quicker than what it measures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

CONNECTIONS = 64


async def requests_a_second(port: int, requests: Sequence[bytes]) -> float:
    """Send all requests over 64 connections, each as soon as its line is free. All must succeed."""
    left, count = list(requests), len(requests)
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    await asyncio.gather(*(_through(reader, writer, left) for reader, writer in lines))
    took = time.perf_counter() - began
    for _, writer in lines:
        writer.close()
    return count / took


async def _through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[bytes]) -> None:
    while left:
        writer.write(left.pop())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 2"):
            raise RuntimeError(head.decode() + (await reader.read(500)).decode())
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)


def request(method: str, path: str, key: str, body: bytes = b"", idempotency: str = "") -> bytes:
    """A request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}"]
    if idempotency:
        lines.append(f"Idempotency-Key: {idempotency}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
