"""The sandbox's page in a real browser: looked at, clicked and typed on, while the clock is moved by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools.sandbox import Sandbox, Served, open_sandbox, serve_in_background

from .chromium import chromium, needed

needed()

from playwright.sync_api import Browser, Locator, Page, Route, expect  # noqa: E402

NUMBER = "+14155550123"
MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""Ten in the morning in New York: campaigns may call."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@dataclass
class Desk:
    """A sandbox whose clock stands still until it is stepped, and its page as a visitor sees it."""

    sandbox: Sandbox
    served: Served
    page: Page

    def link(self) -> str:
        return f"{self.served.url}/#{self.sandbox.link_code()}"

    def place(self, *, mine: bool = False) -> None:
        self.page.get_by_label("I answer it here").set_checked(mine)
        self.page.get_by_role("button", name="Place call").click()

    def ring(self) -> None:
        """A call that its number's owner may answer on the page."""
        self.place(mine=True)
        expect(self.call("queued")).to_be_visible()
        self.sandbox.advance(4)
        expect(self.page.get_by_role("heading", name="Incoming call")).to_be_visible()

    def call(self, stage: str, number: str = NUMBER) -> Locator:
        return self.page.locator(f".call[data-stage={stage}]").filter(has_text=number)


@pytest.fixture
def arrive(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Opens the page by its link, with the look that is asked for."""
    complaints: list[str] = []
    with (
        closing(open_sandbox(tmp_path / "page.db", real=lambda: MONDAY)) as sandbox,
        serve_in_background(sandbox) as served,
    ):

        def arrive(**look: Any) -> Desk:
            page = browser.new_context(**look).new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
            page.on(
                "request", lambda sent: complaints.append(sent.url) if _foreign(sent.url, served) else None
            )
            desk = Desk(sandbox, served, page)
            page.goto(desk.link())
            expect(page.get_by_role("heading", name="Place a practice call")).to_be_visible()
            return desk

        yield arrive
        for context in browser.contexts:
            context.close()
    assert complaints == [], "an error, a breach of the policy, or a request to somewhere else"


@pytest.fixture
def desk(arrive: Callable[..., Desk]) -> Desk:
    return arrive(viewport={"width": 1280, "height": 900})


def _foreign(url: str, served: Served) -> bool:
    return not url.startswith((served.url, "data:", "blob:"))


def test_a_link_opens_the_page_once_and_leaves_no_code_in_the_address(desk: Desk, browser: Browser) -> None:
    assert desk.page.url == f"{desk.served.url}/"
    used = desk.link()
    desk.page.goto("about:blank")
    desk.page.goto(used)
    expect(desk.page.get_by_role("banner").get_by_text("Practice: no phone rings")).to_be_visible()
    other = browser.new_context().new_page()
    other.goto(used)
    expect(other.get_by_role("alert")).to_contain_text("fresh link")
    other.get_by_label("Code from the terminal").fill(desk.link())
    other.get_by_role("button", name="Open").click()
    expect(other.get_by_role("heading", name=re.compile("^Calls"))).to_be_visible()


def test_a_call_rings_is_picked_up_talked_through_and_hung_up(desk: Desk) -> None:
    page = desk.page
    desk.ring()
    assert page.title() == f"Ringing: {NUMBER}"
    page.get_by_role("button", name="Answer", exact=True).click()
    words = page.get_by_label("What you say")
    expect(words).to_be_focused()
    desk.sandbox.advance(5)
    turns = page.get_by_role("log").get_by_role("listitem")
    expect(turns.first).to_contain_text("Agent")
    words.fill("Miller <b>speaking</b>. What is it about?")
    page.get_by_role("button", name="Say").click()
    expect(words).to_have_value("")
    expect(turns.filter(has_text="Miller <b>speaking</b>. What is it about?")).to_be_visible()
    before = turns.count()
    desk.sandbox.advance(20)
    expect(turns.nth(before)).to_contain_text("Agent")
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("region", name="Your phone")).to_be_hidden()
    ended = desk.call("ended").first
    expect(ended.get_by_text("Miller <b>speaking</b>.")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^Calls"))).to_be_focused()


def test_a_call_is_declined_with_escape(desk: Desk) -> None:
    desk.ring()
    desk.page.get_by_role("button", name="Answer", exact=True).focus()
    desk.page.keyboard.press("Escape")
    expect(desk.call("ended").locator(".state")).to_have_text("Rejected")


def test_what_a_person_of_the_sandbox_says_grows_turn_by_turn(desk: Desk) -> None:
    desk.place()
    queued = desk.call("queued")
    expect(queued.get_by_text("Waiting to be dialled.")).to_be_visible()
    turns = desk.page.locator(".call").filter(has_text=NUMBER).locator(".talk li")
    while desk.call("ended").count() == 0:
        seen = turns.count()
        desk.sandbox.advance(10)
        expect(turns.nth(seen).or_(desk.call("ended")).or_(desk.call("ringing")).first).to_be_visible()
    desk.sandbox.advance(30)
    ended = desk.call("ended")
    expect(ended.locator(".summary")).to_contain_text("table for two")
    expect(ended.get_by_label("Recording of this call")).to_be_visible()
    expect(ended.locator(".facts")).to_contain_text("Billed")


def test_a_press_whose_reply_is_lost_is_the_same_call_when_it_is_pressed_again(desk: Desk) -> None:
    keys: list[str | None] = []

    def lose(route: Route) -> None:
        keys.append(route.request.header_value("Idempotency-Key"))
        route.fetch()
        route.abort()

    desk.page.route("**/sandbox/v1/calls", lose, times=1)
    desk.place()
    expect(desk.page.get_by_role("alert")).to_contain_text("does not answer")
    expect(desk.call("queued")).to_have_count(1)
    for calls in (1, 2):
        with desk.page.expect_request("**/sandbox/v1/calls") as sent:
            desk.place()
        keys.append(sent.value.header_value("Idempotency-Key"))
        expect(desk.page.locator("#place")).not_to_have_attribute("aria-busy", "true")
        expect(desk.call("queued")).to_have_count(calls)
    assert keys[0] is not None
    assert keys[0] == keys[1] != keys[2] is not None


def test_a_live_call_is_hung_up(desk: Desk) -> None:
    stays = "+14155550008"
    desk.page.get_by_label("Number", exact=True).fill(stays)
    desk.place()
    expect(desk.call("queued", stays)).to_be_visible()
    desk.sandbox.advance(30)
    desk.call("live", stays).get_by_role("button", name="Hang up").click()
    expect(desk.call("ended", stays).locator(".state")).to_have_text("Cancelled")


def test_a_refusal_is_one_sentence_beside_a_marked_field(desk: Desk) -> None:
    number = desk.page.get_by_label("Number", exact=True)
    number.fill("12")
    desk.place()
    expect(desk.page.get_by_role("alert")).to_contain_text("Phone number must be in E.164 format.")
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(number).to_be_focused()


def test_typed_text_and_focus_outlive_what_happens_meanwhile(desk: Desk) -> None:
    desk.place()
    expect(desk.call("queued")).to_be_visible()
    task = desk.page.get_by_label("What the agent is to do")
    task.fill("Ask when they")
    for _ in range(4):
        desk.sandbox.advance(8)
    expect(desk.call("live").locator(".talk li").first).to_be_visible()
    expect(task).to_be_focused()
    desk.page.keyboard.type(" open.")
    expect(task).to_have_value("Ask when they open.")


def test_a_campaign_is_started_and_paused(desk: Desk) -> None:
    campaign = desk.page.locator(".campaign").filter(has_text="Patient survey")
    campaign.get_by_role("button", name="Start Patient survey").click()
    expect(campaign.locator(".state")).to_have_text("Running")
    campaign.get_by_role("button", name="Pause Patient survey").click()
    expect(campaign.locator(".state")).to_have_text("Paused")


def test_a_delivery_that_nobody_takes_shows_its_attempts(desk: Desk) -> None:
    desk.page.get_by_text("Caller id and webhook").click()
    desk.page.get_by_label("Webhook address").fill("http://127.0.0.1:1/hook")
    busy = "+14155550001"
    desk.page.get_by_label("Number", exact=True).fill(busy)
    desk.place()
    expect(desk.call("queued", busy)).to_be_visible()
    desk.sandbox.advance(60)
    delivery = desk.page.locator(".delivery").filter(has_text="call.failed")
    expect(delivery).to_contain_text("1 attempt")
    delivery.locator("summary").click()
    expect(delivery.get_by_label("Body")).to_contain_text('"event": "call.failed"')


def test_a_fault_is_set_strikes_and_is_removed(desk: Desk) -> None:
    page = desk.page
    page.get_by_label("What goes wrong").select_option("error_before")
    page.get_by_role("button", name="Set fault").click()
    fault = page.locator("#fault-list li")
    expect(fault).to_contain_text("0 struck")
    desk.place()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(fault).to_contain_text("1 struck")
    fault.get_by_role("button", name="Remove").click()
    expect(fault).to_have_count(0)


def test_the_clock_is_stopped_and_stepped(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Stop", exact=True).click()
    expect(desk.page.get_by_role("button", name="Stop", exact=True)).to_have_attribute("aria-pressed", "true")
    desk.page.get_by_role("button", name="+1 h").click()
    expect(desk.page.get_by_role("timer")).to_have_text(re.compile("^16:00:0"))


def test_a_lost_connection_is_said_and_mended(desk: Desk) -> None:
    said = desk.page.locator("#lost")
    port = int(desk.served.url.rpartition(":")[2])
    desk.served.close()
    expect(said).to_contain_text("lost")
    with closing(open_sandbox(desk.sandbox.path)) as again, serve_in_background(again, port=port):
        expect(said).to_be_empty(timeout=15_000)
        desk.page.close()


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_is_as_dark_as_its_reader_wants_it(
    arrive: Callable[..., Desk], scheme: str, dark: bool
) -> None:
    page = arrive(color_scheme=scheme).page
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", shade)[:3])) < 3 * 128) is dark


def test_nothing_reaches_over_the_edge_at_390_pixels(arrive: Callable[..., Desk]) -> None:
    desk = arrive(viewport={"width": 390, "height": 844})
    desk.ring()
    desk.page.get_by_role("button", name="Answer", exact=True).click()
    desk.page.get_by_label("What you say").fill("w" * 400)
    desk.page.get_by_role("button", name="Say").click()
    desk.sandbox.advance(20)
    expect(desk.page.get_by_role("log").get_by_text("w" * 400)).to_be_visible()
    desk.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert desk.page.evaluate(over) == 0


def test_a_call_is_placed_answered_and_ended_by_keys_alone(desk: Desk) -> None:
    page = desk.page
    page.get_by_label("Number", exact=True).focus()  # where a reader's Tab comes to in time
    _tab_to(page, page.get_by_label("I answer it here"))
    page.keyboard.press("Space")
    _tab_to(page, page.get_by_role("button", name="Place call"))
    page.keyboard.press("Enter")
    expect(desk.call("queued")).to_be_visible()
    desk.sandbox.advance(4)
    answer = page.get_by_role("button", name="Answer", exact=True)
    expect(answer).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What you say")).to_be_focused()
    page.keyboard.type("Good morning.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Good morning.")
    _tab_to(page, page.get_by_role("button", name="Hang up"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Calls"))).to_be_focused()
    row = desk.call("ended").get_by_role("button").first
    _tab_to(page, row)
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("aria-expanded", "false")


def _tab_to(page: Page, target: Locator) -> None:
    """Press Tab until a control has the focus; it must be within reach, and show that it has it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("node => node === document.activeElement"):
            break
    expect(target).to_be_focused()
    assert target.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
