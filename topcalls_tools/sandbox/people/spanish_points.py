"""What an agent is to bring up: a task in Spanish, taken apart into points."""

from __future__ import annotations

import re

from .points import LONGEST, MOST_POINTS, Kind, Point

_WHO = r"(?:les?|los?|las?|me|nos)?(?:\s+a\s+(?:ellos|ellas|la persona|el cliente|la clienta|los clientes))?"
_ASK = (
    rf"(?:preg[uú]nt(?:a|e|ar|en)|consult(?:a|e|ar)|averig[uü](?:a|e|ar)|verific(?:a|ar)|comprueb[ae]"
    rf"|pregunt[aá](?:r)?|saber|infórmate|entérate){_WHO}"
)
_VERBS = (
    rf"(?:{_ASK}|reserv(?:a|e|ar)|agend(?:a|e|ar)|haz|haga|hacer|encarg(?:a|ar|ue)"
    r"|solicit(?:a|ar|e)|p[ií]d(?:e|a|eles|ales)|pedir(?:les?)?|(?:re)?confirm(?:a|e|ar)|cancel(?:a|e|ar)"
    r"|anul(?:a|e|ar)|cambi(?:a|e|ar)|mueve|mueva|mover|aplaz(?:a|ar)|d[ií](?:les?|gales?)|decir(?:les?)?"
    r"|inform(?:a|ar|e)(?:les?)?|inf[oó]rm(?:ales?)|av[ií]s(?:a|e|ar|ales?)(?:les?)?|recu[eé]rd(?:a|e|ales?|eles?)"
    r"|recordar(?:les?)?|habl(?:a|ar|e)|present(?:a|ar|e)|ofrec(?:e|er))"
)
_QUESTION = (
    r"(?:si|cu[aá]ndo|cu[aá]nt[oa]s?|(?:a|hasta|desde) qu[eé] hora|qu[eé]|d[oó]nde|qui[eé]n(?:es)?|c[oó]mo"
    r"|por qu[eé])"
)
_LEAD = re.compile(
    r"^(?:(?:y|e|luego|despu[eé]s|adem[aá]s|tambi[eé]n|primero|por favor|por [uú]ltimo)\b[,:\s]*)+",
    re.IGNORECASE,
)
_CALLING = re.compile(
    rf"(?:llam(?:a|e|ar)|telefone(?:a|e|ar)|contact(?:a|e|ar)|marca)\b[^.?!]{{0,120}}?\b(?:y|para)\s+(?={_VERBS}\b)",
    re.IGNORECASE,
)
_DUTY = re.compile(
    r"(?:tu (?:tarea|objetivo|misi[oó]n) es|(?:debes|tienes que|quiero que|necesito que))\s+", re.IGNORECASE
)
_SENTENCES = re.compile(r"(?<!\bSr)(?<!\bSra)(?<!\bDr)(?<!\bDra)\.\s+|(?<=[?!])\s+|[;\n]+\s*")
_CLAUSES = re.compile(
    rf"(?:,\s*(?:y\s+)?|\s+y\s+)(?=(?:luego\s+|tambi[eé]n\s+|despu[eé]s\s+)?{_VERBS}\b)", re.IGNORECASE
)
_ALSO_ASKED = re.compile(rf"(?:,\s*(?:y\s+)?|\s+y\s+)(?={_QUESTION}\s)", re.IGNORECASE)
_MANNERS = re.compile(
    r"(?:no|nunca|sé|sea|eres|usted es|habla con|us[ae]|evit[ae]|siempre|mant[eé]n)\b", re.IGNORECASE
)


def points(task: str) -> tuple[Point, ...]:
    """The points of a task, in its order; a task in which none is found is one matter."""
    found: list[Point] = []
    for sentence in _SENTENCES.split(re.sub(r"[^\S\n]+", " ", task[:20_000])):
        text = _LEAD.sub("", re.sub(r"^[\s\-*•\d.)]+(?=\D)", "", sentence)).strip()
        for lead in (_DUTY, _CALLING):
            if start := lead.match(text):
                text = text[start.end() :]
        for clause in _CLAUSES.split(text):
            asked = re.match(rf"{_ASK}\b", clause, re.IGNORECASE)
            first, *more = _ALSO_ASKED.split(clause) if asked else [clause]
            for part in (first, *(f"pregunta {rest}" for rest in more)):
                if point := _point(_LEAD.sub("", part.strip())[:LONGEST]):
                    found.append(point)
    return tuple(found[:MOST_POINTS]) or (_matter(task),)


def _point(clause: str) -> Point | None:
    """The point of one clause; None for a fact or for advice on manners."""
    text = clause.strip(" .!,:")
    if clause.rstrip().endswith("?") or clause.startswith("¿"):
        if not (about := _lower(text.strip("¿? "))):
            return None
        # A question that can be answered with yes or no is a clause after "si".
        clause = f"si {about}" if _asked(about) == "whether" and not about.startswith("si ") else about
        return _es(_asked(about), clause, f"¿{_upper(about)}?")

    def begins(pattern: str) -> str | None:
        found = re.match(pattern, text, re.IGNORECASE)
        return text[found.end() :].strip() or None if found else None

    if _MANNERS.match(text):
        return None
    if rest := begins(rf"{_ASK}\s+(?={_QUESTION}\b)"):
        ways = (f"¿Podría decirme {rest}?", f"Quisiera saber {rest}, por favor.", f"¿Me puede decir {rest}?")
        return _es(_asked(rest), rest, *ways)
    if rest := begins(rf"{_ASK}\s+(?:por|sobre|acerca de)?\s*"):
        kind: Kind = "price" if re.search(r"\bprecios?|tarifas?|costes?|costos?\b", rest) else "what"
        kind = "hours" if re.search(r"\bhorarios?\b", rest) else kind
        return _es(kind, rest, f"¿Podría informarme sobre {rest}?", f"Quisiera preguntar por {rest}.")
    if rest := begins(r"(?:p[ií]d|ped)(?:e|a|ir|an)?(?:les?|ales?|eles?)?\s+que\s+"):
        return _es("favour", rest, f"Quisiera pedirle que {rest}.", f"Le pido, por favor, que {rest}.")
    if rest := begins(r"(?:re)?confirm(?:a|e|ar)(?:les?)?\s+"):
        return _es(
            "confirm", rest, f"Quisiera confirmar {rest}. ¿Es correcto?", f"Llamo para confirmar {rest}."
        )
    if rest := begins(r"(?:cancel|anul)(?:a|e|ar)\s+"):
        return _es("cancel", rest, f"Quisiera cancelar {rest}, por favor.", f"Llamo para cancelar {rest}.")
    if rest := begins(r"(?:cambi(?:a|e|ar)|mueve|mueva|mover|aplaz(?:a|ar))\s+"):
        return _es("move", rest, f"Quisiera cambiar {rest}, por favor.", f"Necesito cambiar {rest}.")
    if rest := begins(r"(?:recu[eé]rd|record)(?:a|e|ar)?(?:les?|ales?|eles?)?\s+"):
        return _es("tell", rest, f"Quería recordarle {rest}.", f"Llamo para recordarle {rest}.")
    if rest := begins(
        r"(?:d[ií]|diga|decir|inform(?:a|ar|e)|inf[oó]rma|av[ií]s(?:a|e|ar))(?:les?|ga(?:les?)?)?\s+"
    ):
        return _es("tell", rest, f"Quería decirle {rest}.", f"Le llamo para decirle {rest}.")
    if begins(r"(?:haz|haga|hacer)\s+(?=una reserva)"):
        rest = re.sub(r"^(?:haz|haga|hacer)\s+", "", text, flags=re.IGNORECASE)
        return _es("book", rest, f"Quisiera hacer {rest}, por favor.")
    if rest := begins(r"(?:reserv|agend|encarg|solicit|p[ei]d)(?:a|e|ar|ir|ue)(?:les?)?\s+"):
        verb, kind = _WANTED[text[:3].lower()]
        return _es(kind, rest, f"Quisiera {verb} {rest}, por favor.", f"Llamo para {verb} {rest}.")
    if begins(rf"{_VERBS}\b"):
        return _es("matter", _lower(text), f"Le llamo por lo siguiente: {_lower(text)}.")
    return None


_WANTED: dict[str, tuple[str, Kind]] = {
    "res": ("reservar", "book"), "age": ("agendar", "book"), "enc": ("encargar", "order"),
    "sol": ("solicitar", "wish"), "ped": ("pedir", "wish"), "pid": ("pedir", "wish"),
    "píd": ("pedir", "wish"),
}  # fmt: skip


def _es(kind: Kind, about: str, *ways: str) -> Point:
    return Point(kind, about, ways, "es")


def _matter(task: str) -> Point:
    text = " ".join(task.split())[:LONGEST].rstrip(" .!")
    return _es("matter", text, f"Le llamo por lo siguiente: {text}.")


def _asked(text: str) -> Kind:
    """What kind of answer a question wants."""
    return next((kind for kind, pattern in _KINDS if re.match(pattern, text, re.IGNORECASE)), "whether")


_KINDS: tuple[tuple[Kind, str], ...] = (
    ("whether", r"si\b"),
    ("hours", r"(?:qu[eé]|cu[aá]l\w*)\b.*\bhorarios?\b"),
    ("price", r"cu[aá]nto (?:cuestan?|valen?|es|ser[ií]a|cobran?|sale)\b|qu[eé] precio"),
    ("length", r"cu[aá]nto (?:tiempo|tardan?|duran?)\b"),
    ("when", r"cu[aá]ndo\b|(?:a|hasta|desde) qu[eé] hora\b|qu[eé] (?:d[ií]a|fecha)\b"),
    ("count", r"cu[aá]nt[oa]s\b"),
    ("place", r"d[oó]nde\b|cu[aá]l es (?:la|su) direcci[oó]n"),
    ("person", r"qui[eé]n(?:es)?\b"),
    ("what", r"(?:qu[eé]|cu[aá]l(?:es)?|c[oó]mo|por qu[eé]|cu[aá]nt[oa])\b"),
)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
