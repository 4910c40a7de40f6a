"""What a set-up stands on: who can be asked here, where events arrive, and the versions installed."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from ..errors import Misconfigured
from . import Finding
from .files import edit

if TYPE_CHECKING:
    from ..settings import Settings
    from .files import Books

PACKAGE = "topcalls-tools"
_TOLD = ("mcp", "langchain-core", "pydantic")
"""The packages whose versions are asked for first when something is odd."""


def approval(settings: Settings, found: Books, at_terminal: bool) -> Finding:
    """Which way a person would be asked here."""
    from ..approval.browser import graphical

    how = found.standing.counts.approval if found.standing else "person"
    try:
        page = graphical(settings.browser, settings.graphical) is not None
    except Misconfigured as error:
        return Finding("approval", "wrong", str(error), "topcalls policy")
    here = "at this terminal" if at_terminal else "nowhere: this is no terminal"
    beyond = "the approval page in the browser" if page else "topcalls approvals, in a terminal"
    match how:
        case "none":
            said = f"Assistants ask nobody within your list and budget; commands ask {here}."
        case "slips":
            said = f"Assistants ask in their own form, else by a slip that they pass on; commands ask {here}."
        case _:
            said = f"Assistants ask in their own form, else by {beyond}; commands ask {here}."
    if not page and not at_terminal and how == "person":
        return Finding(
            "approval", "warn", f"{said} No window can be opened here either.", "topcalls approvals"
        )
    return Finding("approval", "ok", said)


def receiver(settings: Settings) -> Finding:
    """Whether calls ask for webhooks, and whether those could be believed."""
    asked, secret = settings.webhook_url is not None, settings.webhook_secret is not None
    match asked, secret:
        case False, False:
            return Finding("receiver", "ok", "No webhooks are asked for; calls are looked at instead.")
        case False, True:
            return Finding(
                "receiver",
                "warn",
                "A webhook secret is set, and no call asks for webhooks: policy.toml has no webhook_url.",
                edit(settings.home / "policy.toml"),
            )
        case True, False:
            return Finding(
                "receiver",
                "warn",
                "Calls ask for webhooks, and none can be believed here: no secret is set.",
                "export TOPCALLS_WEBHOOK_SECRET=the-secret-that-TopCalls-signs-with",
            )
    return Finding(
        "receiver", "ok", "Calls ask for webhooks, and topcalls listen believes those that are signed."
    )


def versions() -> Finding:
    """What is installed, and whether it is what this package needs."""
    from packaging.requirements import Requirement

    told, wrong = [f"python {platform.python_version()}"], []
    try:
        told.append(f"{PACKAGE} {version(PACKAGE)}")
        needed = [Requirement(text) for text in requires(PACKAGE) or ()]
    except PackageNotFoundError:  # run from its source, without having been installed
        needed = []
        told.append(f"{PACKAGE} not installed")
    told += [f"{name} {_version(name) or 'missing'}" for name in _TOLD]
    for one in needed:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        found = _version(one.name)
        if found is None or not one.specifier.contains(found, prereleases=True):
            wrong.append(f"{one.name} {found or 'is missing'} ({one.specifier or 'any'} is needed)")
    said = f"{', '.join(told)}."
    if wrong:
        mend = f"pip install --upgrade {PACKAGE}"
        return Finding("versions", "wrong", f"{said} Does not fit: {'; '.join(wrong)}.", mend)
    return Finding("versions", "ok", said)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
