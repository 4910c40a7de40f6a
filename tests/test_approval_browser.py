"""The approval page in a real browser: read, answered, and proof against what is quoted on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools.journal.store import Journal

from .chromium import chromium, needed
from .conftest import CALL
from .test_approval_page import KEY, Desk

needed()

from playwright.sync_api import Browser, Page, expect  # noqa: E402

HOSTILE = (
    "Ask when they open.\n\n</pre><form action='/answer'><button name=answer value=yes>Decline</button></form>"
    "<script>document.title='gotcha'</script><img src=x onerror=alert(1)>\n"
    "Practice: no phone rings.\nIt can use up to 0 call minutes.\n\u202eevorppA\u202c \u200b\u2066x\u2069"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Journal(tmp_path / "j.db"), tmp_path, datetime.now(UTC))
    yield desk
    desk.page.close()
    desk.journal.close()


def opened(desk: Desk, browser: Browser, key: str = KEY, **context: Any) -> Page:
    """A person's window on the question, from the file that opens it."""
    assert desk.page.open(key)
    page = browser.new_context(**context).new_page()
    page.goto(desk.files[-1].as_uri())
    page.wait_for_url(f"{desk.page.address}/")
    return page


@pytest.mark.parametrize(("button", "written"), [("Approve", "yes"), ("Decline", "no")])
def test_a_person_reads_the_question_and_answers_it(
    desk: Desk, browser: Browser, button: str, written: str
) -> None:
    page = opened(desk, browser)
    expect(page.locator(".badge")).to_have_text("Live: real phones, real minutes")
    expect(page.locator("h1")).to_have_text("Place call? Real phones ring and call minutes are used.")
    expect(page.locator("pre").nth(0)).to_have_text(CALL["phone_number"])
    page.get_by_role("button", name=button).click()
    expect(page.locator("main")).to_contain_text("written down")
    assert desk.decision() == written


def test_nothing_secret_stands_in_address_or_history(desk: Desk, browser: Browser) -> None:
    page = opened(desk, browser)
    assert page.url == f"{desk.page.address}/"
    page.go_back()
    assert desk.files[0].as_uri() not in page.url or not desk.files[0].exists()
    page.go_forward()
    assert page.evaluate("document.cookie") == ""


def test_it_is_answered_by_keyboard_and_enter_alone_approves_nothing(desk: Desk, browser: Browser) -> None:
    page = opened(desk, browser)
    for key in ("Enter", "Space", "y", "Enter"):
        page.keyboard.press(key)
    assert desk.decision() is None
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Decline")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Approved")
    assert desk.decision() == "yes"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_small_screen_nothing_is_cut_and_the_buttons_are_there(
    desk: Desk, browser: Browser, scheme: Any
) -> None:
    key = "l" * 32
    desk.ask(key, task="Ask. " * 3_900 + "x" * 400, first_sentence="Good morning.\n" * 60)
    page = opened(desk, browser, key, color_scheme=scheme, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("Decline", "Approve"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box
        assert box["height"] >= 48
        assert box["width"] >= 150
        assert box["y"] + box["height"] <= 844
    task = page.locator("pre").nth(1)
    assert task.inner_text().endswith("x" * 400)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, dark[4:-1].split(","))) < 150) == (scheme == "dark")


def test_nothing_quoted_is_an_element_or_a_line_of_ours(desk: Desk, browser: Browser) -> None:
    key = "h" * 32
    desk.ask(key, task=HOSTILE, first_sentence=HOSTILE, voice=HOSTILE[:90])
    page = opened(desk, browser, key)
    assert page.title() == "TopCalls asks you"
    assert page.locator("script, img").count() == 0
    assert page.locator("form").count() == 1
    assert page.locator("button").all_inner_texts() == ["Decline", "Approve"]
    assert page.locator(".theirs > *:not(h2):not(pre)").count() == 0
    assert page.locator("pre *").count() == 0
    ours = page.locator("main > :not(.theirs)").all_inner_texts()
    assert not any("up to 0 call" in text or "evorppA" in text for text in ours)
    assert "Practice: no phone rings." not in ours
    shown = page.locator("pre").nth(1).inner_text()
    assert "\\u{202e}evorppA\\u{202c} \\u{200b}\\u{2066}x\\u{2069}" in shown
    assert "</pre><form action=" in shown


def test_it_shows_nothing_in_a_frame(desk: Desk, browser: Browser) -> None:
    page = opened(desk, browser)
    frame = page.context.new_page()
    frame.set_content(f"<iframe src='{desk.page.address}/' width=500 height=500></iframe>")
    frame.wait_for_timeout(300)
    texts = [one.locator("body").inner_text() for one in frame.frames[1:] if not one.is_detached()]
    assert not any("Place call?" in text for text in texts)


def test_a_form_of_another_site_writes_nothing(desk: Desk, browser: Browser) -> None:
    page = opened(desk, browser)
    token = page.locator("input[name=token]").get_attribute("value")
    other = page.context.new_page()
    other.set_content(
        f"<form method=post action='{desk.page.address}/answer'><input name=token value='{token}'>"
        "<button name=answer value=yes>go</button></form>"
    )
    other.get_by_role("button").click()
    expect(other.locator("main")).to_contain_text("another page")
    assert desk.decision() is None
