"""How somebody takes a call: one function for each temper, from what is known of the call to its script."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from ..script import Ended, Finding, Ringing, Script, closed
from .answers import LANGUAGES, echo
from .person import Temper
from .points import Point
from .stage import Stage, days_on

RING_OUT = 30_000
DISPATCH = 60_000
"""Milliseconds after which nobody answered, and after which a call that was never dialled is given up."""


def helpful(stage: Stage) -> Script:
    """Every point of the task gets its answer."""
    _begin(stage)
    _go_through(stage)
    _end(stage)
    return stage.script()


def hurried(stage: Stage) -> Script:
    """Answers two points at most, and presses on."""
    asked = stage.brief.points
    _begin(stage, stage.phrase("in_a_hurry"))
    for number, point in enumerate(asked[:2], 1):
        stage.bring_up(point)
        stage.answer(point, f" {stage.phrase('hurry_on')}" if number < len(asked) else "")
    if len(asked) > 2:
        stage.bring_up(asked[2])
        stage.say(
            "user", stage.phrase("hurry_off", stage.person.lines), _aside("hung_up", "They had no more time.")
        )
    else:
        _end(stage)
    return stage.script()


def asks_robot(stage: Stage) -> Script:
    """Wants to know whether this is a robot, hears the truth, and is helpful."""
    _begin(stage, stage.phrase("is_robot", stage.person.lines))
    told = "They asked whether this was a robot, and were told that it is an AI assistant."
    stage.say("assistant", stage.phrase("robot"), _aside("", told))
    stage.say("user", stage.phrase("robot_fine"))
    _go_through(stage)
    _end(stage)
    return stage.script()


def hostile(stage: Stage) -> Script:
    """Gives the assistant orders, which it declines; answers in the end, or is left alone."""
    orders = stage.person.lines or stage.language.phrases["orders"]
    turn, gives_in = int(stage.chance.share() * len(orders)), stage.chance.share() < 0.5
    first, *others = stage.brief.points
    _begin(stage, orders[turn])
    declined = _aside("", "They gave the assistant orders, which it declined.")
    stage.bring_up(first, f"{stage.phrase('decline_order')} ", declined)
    stage.say("user", orders[(turn + 1) % len(orders)])
    if not gives_in:
        stage.say("assistant", stage.phrase("decline_order"))
        refused = f"{echo(first, stage.person)} {stage.phrase('hostile_refuses')}"
        stage.say("user", refused, _aside("declined", "They refused to answer."))
        stage.say("assistant", stage.phrase("leave_it"))
        return stage.script()
    stage.bring_up(first, f"{stage.phrase('decline_order')} ")
    stage.answer(first, before=f"{stage.phrase('hostile_gives_in')} ")
    for point in others:
        stage.bring_up(point)
        stage.answer(point)
    _end(stage)
    return stage.script()


def wrong_person(stage: Stage) -> Script:
    """Knows nothing of the matter: the number is wrong."""
    _turned_away(stage, "wrong_number", "They said that the number was wrong.")
    stage.say("assistant", stage.phrase("sorry_wrong"))
    return stage.script()


def opts_out(stage: Stage) -> Script:
    """Wants to be called never again."""
    _turned_away(stage, "opt_out", "They asked not to be called again.", "do_not_call")
    stage.say("assistant", stage.phrase("sorry_opt_out"))
    return stage.script()


def calls_back(stage: Stage) -> Script:
    """Has no time now, and names another: a day and an hour of their own zone."""
    dice, language = stage.chance.dice, stage.language
    later = days_on(stage.local(stage.created_at), dice.randint(1, 3))
    when = f"{language.days[later.weekday()]} {language.hour(dice.randint(9, 17), dice.choice((0, 30)))}"
    said = f"They asked to be called back: {when} (their time, {stage.person.timezone})."
    _turned_away(stage, "call_back", said, "booked_callback", when=when)
    stage.say("assistant", stage.phrase("will_call_back", when=when))
    return stage.script()


def hangs_up(stage: Stage) -> Script:
    """Leaves in the middle: at the first point, or at the second where there are more."""
    first, *others = stage.brief.points
    _begin(stage)
    stage.bring_up(first)
    if others:
        stage.answer(first)
        stage.bring_up(others[0])
    left = (
        f"{echo(others[0] if others else first, stage.person)} {stage.phrase('hang_up', stage.person.lines)}"
    )
    stage.say("user", left, _aside("hung_up", "They ended the call."))
    return stage.script()


def voicemail(stage: Stage) -> Script:
    """A greeting and a beep; the agent leaves a message, unless its task wants none."""
    stage.picked_up()
    greeting = stage.phrase("mailbox", stage.person.lines or stage.person.greeting)
    if not stage.brief.leaves_message:
        unsaid = _aside("voicemail_reached", "Reached a mailbox, and left no message.")
        stage.say("user", f"{greeting} (beep)", unsaid)
        return stage.script("voicemail", 0)
    stage.say("user", f"{greeting} (beep)", _aside("", "Reached a mailbox."))
    stage.say("assistant", stage.opening)
    message = stage.chance.pick(LANGUAGES[stage.brief.tongue].phrases["message"])
    words = message.replace("{points}", " ".join(_stated(point) for point in stage.brief.points[:5]))
    stage.say("assistant", words, Finding("voicemail_left", "Left a message."))
    return stage.script("voicemail", 1)


def menu(stage: Stage) -> Script:
    """A machine that offers keys and never a person; the agent presses the one that suits its task."""
    stage.picked_up()
    entries, point = stage.person.lines or stage.language.phrases["menu"], stage.brief.points[0]
    key, offered = _key(entries, point), " ".join(entries)
    stage.say("user", f"{stage.phrase('menu_greeting', stage.person.greeting)} {offered}")
    stage.say("assistant", stage.opening)
    stage.say("user", f"{stage.phrase('menu_again')} {offered}", pause=1500)
    pressed = _aside("menu_reached", f"Reached an automatic menu and pressed {key}.")
    stage.say("assistant", f"({'presses' if stage.brief.tongue == 'en' else 'marca'} {key})", pressed)
    if point.kind == "hours":
        stage.answer(point)
    else:
        nobody = Finding("menu_reached", "No person was reached.")
        stage.say("user", stage.phrase("menu_closed", key=key), nobody)
        stage.say("assistant", stage.phrase("menu_goodbye"))
    return stage.script("ivr", 1)


def keeps_the_line(stage: Stage) -> Script:
    """Answers all, asks for patience, and keeps the line open until it is cut; no limit ends it."""
    _begin(stage)
    _go_through(stage)
    waits = stage.person.lines or stage.language.phrases["patience"]
    for turn in range(12):
        stage.say("user", waits[turn % len(waits)], pause=8000 if turn == 0 else 18_000)
    return stage.unended()


def never_dispatched(stage: Stage) -> Script:
    """The call waits in vain for a free line."""
    script = Script(stage.created_at, "nobody", 0, ())
    return closed(script, Ended(stage.created_at + DISPATCH, "dispatch_timeout", "Not dispatched in time"))


def stays_queued(stage: Stage) -> Script:
    """Nothing happens until the call is cancelled."""
    return Script(stage.created_at, "nobody", 0, ())


_WHY = {
    "busy": "Line busy",
    "no-answer": "No answer",
    "rejected": "Call rejected",
    "failed": "The telephone network could not put the call through",
}


def unanswered(stage: Stage, outcome: str) -> Script:
    """Nobody picks up; a busy or broken line never rings."""
    rang = outcome in ("no-answer", "rejected")
    ends = stage.rings + (RING_OUT if outcome == "no-answer" else stage.chance.dice.randint(2000, 5000))
    script = Script(stage.created_at, "nobody", 0, (Ringing(stage.rings),) if rang else ())
    return closed(script, Ended(ends, outcome, _WHY[outcome]))


TEMPERS: dict[Temper, Callable[[Stage], Script]] = {
    "helpful": helpful,
    "hurried": hurried,
    "asks_robot": asks_robot,
    "hostile": hostile,
    "wrong_person": wrong_person,
    "calls_back": calls_back,
    "hangs_up": hangs_up,
    "opts_out": opts_out,
    "voicemail": voicemail,
    "menu": menu,
    "busy": partial(unanswered, outcome="busy"),
    "no_answer": partial(unanswered, outcome="no-answer"),
    "rejects": partial(unanswered, outcome="rejected"),
    "unreachable": partial(unanswered, outcome="failed"),
    "never_dispatched": never_dispatched,
    "stays_queued": stays_queued,
    "keeps_the_line": keeps_the_line,
}


def _begin(stage: Stage, then: str = "") -> None:
    """The agent opens, the person answers, and they agree on a language; `then` is what the person adds."""
    stage.picked_up()
    stage.say("assistant", stage.opening)
    greeting = stage.phrase("greeting", stage.person.greeting)
    if stage.brief.tongue != stage.language.tongue:
        stage.say("user", f"{greeting} {stage.phrase('foreign')}")
        stage.say("assistant", stage.phrase("switch"))
        stage.say("user", then or stage.phrase("what_about"))
    else:
        stage.say("user", f"{greeting} {then or stage.phrase('what_about')}")


def _go_through(stage: Stage) -> None:
    """Point after point, with its answer."""
    asked = stage.brief.points
    if len(asked) > 1:
        count = stage.language.counts.get(len(asked), str(len(asked)))
        stage.say("assistant", stage.phrase("several", count=count))
        stage.say("user", stage.phrase("ready", stage.person.ready))
    for number, point in enumerate(asked):
        stage.bring_up(point, stage.phrase("next") if number else "")
        stage.answer(point)


def _end(stage: Stage) -> None:
    stage.say("assistant", stage.phrase("closing"))
    stage.say("user", stage.phrase("farewell", stage.person.farewell))


def _turned_away(stage: Stage, with_words: str, told: str, label: str = "", **holes: str) -> None:
    """The person hears what it is about, and will not go into it."""
    _begin(stage)
    point = stage.brief.points[0]
    stage.bring_up(point)
    words = f"{echo(point, stage.person)} {stage.phrase(with_words, stage.person.lines, **holes)}"
    stage.say("user", words, _aside(label or with_words, told))


def _stated(point: Point) -> str:
    """A point as a message says it: nobody is there to hear a question."""
    return next((way for way in point.words if not way.endswith("?")), point.words[0])


def _aside(label: str, told: str) -> Finding:
    return Finding(label, told, aside=True)


_ENTRIES = {
    "hours": r"hours|open|horario",
    "when": r"hours|open|horario",
    "price": r"price|cost|precio|tarifa",
    "place": r"address|where|direcci",
    "book": r"book|reserv|order|pedido|appointment|cita",
    "order": r"order|book|pedido|reserv",
    "confirm": r"confirm",
    "cancel": r"cancel",
    "move": r"chang|reschedul|cambi",
}
"""What an entry of a menu says that suits a kind of point."""


def _key(entries: tuple[str, ...], point: Point) -> str:
    """The key that suits a point, else the one for anything else, else the last."""
    keys: dict[str, str] = {
        entry.casefold(): found[-1] for entry in entries if (found := re.findall(r"[0-9]", entry))
    }
    words = "|".join(word[:5] for word in re.findall(r"[a-z]{5,}", point.about.casefold()))
    for pattern in (_ENTRIES.get(point.kind, ""), words, "else|other|person|operator|otra|operador"):
        if fits := [key for entry, key in keys.items() if pattern and re.search(pattern, entry)]:
            return fits[0]
    return ["0", *keys.values()][-1]
