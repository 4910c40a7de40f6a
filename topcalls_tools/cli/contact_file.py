"""Changing `contacts.toml` for its owner: comments and order stay, and it is written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, MutableSequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ..contacts import Contact, read, reason
from ..errors import Misconfigured

T = TypeVar("T")


def added(path: Path, fresh: Iterable[Contact]) -> tuple[int, int]:
    """Write contacts down. Gives how many are new, and how many changed: one that is there by name and number
    gets what it does not say yet, and what is now said otherwise.

    Raises Misconfigured where the file cannot be read or written.
    """

    def work(entries: MutableSequence[Any]) -> tuple[int, int]:
        known = {(entry["name"], Contact.model_validate(entry.unwrap()).number): entry for entry in entries}
        new = changed = 0
        for contact in fresh:
            said = _said(contact)
            entry = known.get((contact.name, contact.number))
            if entry is None:
                entries.append(_entry(said, entries))
                known[contact.name, contact.number] = entries[-1]
                new += 1
            else:
                changed += _updated(entry, {**said, "number": entry["number"]})
        return new, changed

    return _rewritten(path, work)


def removed(path: Path, meant: Callable[[Contact], bool]) -> int:
    """Take contacts out, and give how many. Raises Misconfigured where the file cannot be read or written."""

    def work(entries: MutableSequence[Any]) -> int:
        gone = [place for place, entry in enumerate(entries) if meant(Contact.model_validate(entry.unwrap()))]
        for place in reversed(gone):
            del entries[place]
        return len(gone)

    return _rewritten(path, work)


def _rewritten(path: Path, work: Callable[[MutableSequence[Any]], T]) -> T:
    import tomlkit

    path = path.resolve()  # a link stays one
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        read(before)
        document = tomlkit.parse(before)
        if "contact" not in document:
            document.append("contact", tomlkit.aot())
        outcome = work(document["contact"])
        after = tomlkit.dumps(document)
        read(after)
        if after != before:
            _written(path, before, after)
    except (OSError, ValueError, RecursionError) as error:
        raise Misconfigured(f"{path} cannot be changed ({reason(error)}); correct it first.") from None
    return outcome


def _written(path: Path, before: str, after: str) -> None:
    """Put a new file in the old one's place."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        if (path.read_text(encoding="utf-8") if path.exists() else "") != before:
            raise ValueError("somebody else has changed it meanwhile")
        fresh.replace(path)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()


def _said(contact: Contact) -> dict[str, Any]:
    """What a contact says, without what is left out."""
    return contact.model_dump(exclude_defaults=True)


def _entry(said: dict[str, Any], entries: MutableSequence[Any]) -> Any:
    """An entry as the file has them: a table `[[contact]]`, or one in a line where they stand in an array."""
    import tomlkit
    from tomlkit.items import Array

    if isinstance(entries, Array):
        inline = tomlkit.inline_table()
        _updated(inline, said)
        return inline
    table = tomlkit.table()
    _updated(table, said)
    return table.add(tomlkit.nl())


def _updated(entry: Any, said: dict[str, Any]) -> bool:
    """Write facts into an entry; whether that changes it."""
    import tomlkit

    changes = {name: value for name, value in said.items() if entry.get(name) != value}
    for name, value in changes.items():
        if isinstance(value, dict):
            inline = tomlkit.inline_table()
            inline.update(value)
            value = inline
        entry[name] = value
    return bool(changes)
