"""The approval page in a real browser: read, answered, and proof against what is quoted on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from topcalls_tools.approval.listening import listen
from topcalls_tools.journal.store import Journal

from .chromium import chromium, needed
from .conftest import CALL
from .test_approval_page import KEY, Desk

needed()

from playwright.sync_api import Browser, Locator, Page, Request, expect  # noqa: E402

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


HEAP = "".join(letter + "\u0336\u0313\u0350\u035b\u0489" * 40 for letter in "APPROVED by the owner")


def opened(desk: Desk, browser: Browser, key: str = KEY, **context: Any) -> Page:
    """A person's window on the question, from the file that opens it."""
    assert desk.page.open(key)
    page = browser.new_context(**context).new_page()
    page.goto(desk.files[-1].as_uri())
    page.wait_for_url(f"{desk.page.address}/")
    return page


@pytest.fixture
def neighbour() -> Iterator[Callable[[Page, str], Page]]:
    """Opens a page of another program of this machine in the same browser: another origin, and yet the same
    site by the rules for cookies. A server, since a browser keeps made-up pages from this machine anyway."""
    shown: list[str] = []
    app = Starlette(routes=[Route("/", lambda _: HTMLResponse(shown[-1]))])
    server = listen(app)

    def open_it(page: Page, body: str) -> Page:
        shown.append(body)
        other = page.context.new_page()
        other.goto(server.address)
        return other

    yield open_it
    server.close()


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


def test_nothing_secret_stands_in_address_history_or_referrer(desk: Desk, browser: Browser) -> None:
    code = desk.code()
    context = browser.new_context()
    sent: list[str] = []
    context.on("request", lambda request: sent.append(f"{request.url} {request.headers.get('referer')}"))
    page = context.new_page()
    page.goto(desk.files[-1].as_uri())
    page.wait_for_url(f"{desk.page.address}/")
    history = context.new_cdp_session(page).send("Page.getNavigationHistory")["entries"]
    assert [entry["url"] for entry in history] == ["about:blank", f"{desk.page.address}/"]
    assert len(sent) == 3, "the file, the code, the question"
    secrets = [code, *(cookie["value"] for cookie in context.cookies())]
    assert not [line for line in sent for secret in secrets if secret in line]
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
    assert task.evaluate("one => one.scrollWidth <= one.clientWidth"), (
        "what has no spaces is broken into lines"
    )
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


@pytest.mark.parametrize(
    "heap", [HEAP, "﷽" * 300, "W" * 3_000, "\u202e" * 2_000], ids=["marks", "wide", "long", "turned"]
)
def test_nothing_quoted_leaves_its_frame(desk: Desk, browser: Browser, heap: str) -> None:
    key = "m" * 32
    desk.ask(key, task=heap)
    page = opened(desk, browser, key, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for frame in page.locator("pre").all():
        assert frame.evaluate("one => getComputedStyle(one).overflow") == "auto"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_practice_and_life_differ_by_word_and_colour_and_can_be_read(
    desk: Desk, browser: Browser, scheme: Any
) -> None:
    desk.ask("p" * 32, live=False, task="Ask whether they are open.")
    looks = []
    for key in (KEY, "p" * 32):
        page = opened(desk, browser, key, color_scheme=scheme)
        for part in (".badge", ".yes", ".no", ".hint", "pre", "h1", "form p"):
            assert contrast(page.locator(part).first) >= 4.5, part
        badge = page.locator(".badge")
        looks.append((badge.inner_text(), badge.evaluate("one => getComputedStyle(one).backgroundColor")))
    (live, red), (practice, blue) = looks
    assert (live, practice) == ("Live: real phones, real minutes", "Practice: no phone rings")
    assert red != blue


def contrast(part: Locator) -> float:
    """Of its text to what is behind it, as WCAG 2 reckons."""
    ink, paper = part.evaluate(
        """one => {
            const bright = colour => colour.match(/[\\d.]+/g).slice(0, 3)
                .map(part => part / 255)
                .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
                .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0)
            const ink = bright(getComputedStyle(one).color)
            while (getComputedStyle(one).backgroundColor === "rgba(0, 0, 0, 0)") one = one.parentElement
            return [ink, bright(getComputedStyle(one).backgroundColor)]
        }"""
    )
    return float((max(ink, paper) + 0.05) / (min(ink, paper) + 0.05))


def test_it_shows_nothing_in_a_frame(
    desk: Desk, browser: Browser, neighbour: Callable[[Page, str], Page]
) -> None:
    page = opened(desk, browser)
    given: list[Request] = []
    page.context.on("request", lambda one: given.append(one) if one.url == page.url else None)
    frame = neighbour(page, f"<iframe src='{desk.page.address}/'></iframe>").frames[1]
    (asked,) = given
    assert "cookie" in asked.all_headers()
    assert frame.url == "chrome-error://chromewebdata/"
    assert "Place call?" not in frame.content()


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_form_of_another_program_of_this_machine_writes_nothing(
    desk: Desk, browser: Browser, neighbour: Callable[[Page, str], Page], answer: str
) -> None:
    """It has the cookie's help, and let it know the token: the origin gives it away."""
    page = opened(desk, browser)
    held = "".join(
        f"<input name={name} value={page.locator(f'input[name={name}]').get_attribute('value')}>"
        for name in ("token", "shown")
    )
    other = neighbour(
        page,
        f"<form method=post action='{desk.page.address}/answer'>{held}"
        f"<button name=answer value={answer}>go</button></form>",
    )
    with other.expect_request(f"{desk.page.address}/answer") as sent:
        other.get_by_role("button").click()
    assert "cookie" in sent.value.all_headers()
    expect(other.locator("main")).to_contain_text("another page")
    assert desk.decision() is None
