"""How people speak Spanish: their answers to each kind of point."""

from __future__ import annotations

import re

from ..script import Chance
from . import phrases
from .language import Language
from .person import Person
from .points import Point

_REFUSED = {
    "book": "no podemos reservar {about}",
    "order": "no podemos servir {about}",
    "confirm": "no puedo confirmar {about}",
    "cancel": "no puedo cancelar {about}",
    "move": "no puedo cambiar {about}",
    "favour": "no es posible que {about}",
    "wish": "no hay {about}",
    "plan": "no quiero que me hable de eso: {about}",
    "matter": "no le puedo ayudar con esto: {about}",
}
_QUOTED = {
    "whether": ("sí, así es", "no, lo siento"),
    "book": ("queda reservado",),
    "order": ("queda encargado",),
    "confirm": ("sí, confirmado",),
    "cancel": ("queda cancelado",),
    "move": ("queda cambiado",),
    "tell": ("gracias, tomo nota",),
    "person": ("soy yo",),
    "what": ("como siempre, nada ha cambiado",),
    "": ("de acuerdo, me encargo",),
}


def fact(kind: str, person: Person, currency: str, chance: Chance) -> str:
    """What answers a question that wants a time, a sum, a number or a place."""
    dice = chance.dice
    match kind:
        case "when":
            return f"a las {dice.randint(8, 11)}:{dice.choice(('00', '30'))}"
        case "hours":
            return f"de {dice.randint(8, 10)} a {dice.randint(18, 22)} horas"
        case "price":
            return f"{dice.randint(12, 95)} {currency}"
        case "count":
            return str(dice.randint(2, 12))
        case "length":
            return f"unos {dice.choice((20, 30, 45, 60, 90))} minutos"
        case "rating":
            return f"un {dice.randint(6, 10)} sobre 10"
        case _:
            return person.street


def answer(person: Person, point: Point, currency: str, chance: Chance) -> tuple[str, str]:
    """What a person says to a point, and the fact in it."""
    about = point.about
    match point.kind:
        case "whether":
            return _whether(person, re.sub(r"^si\s+", "", about, flags=re.IGNORECASE), chance)
        case "when":
            late = re.search(r"\bcierr|\bcerrar|\bhasta\b|\bcena", about, re.IGNORECASE)
            hour, minutes = chance.dice.randint(8, 11), chance.dice.choice(("00", "30"))
            at = f"a las {hour + 11 if late else hour}:{minutes}"
            said = _ours(re.sub(f"^{_WHEN}\\s+", "", about, count=1, flags=re.IGNORECASE))
            return f"{_upper(said)}: {at}." if said == about else f"{_upper(said)} {at}.", at
        case "hours":
            hours = fact("hours", person, currency, chance)
            return f"{_upper(about)}: abrimos {hours}.", hours
        case "price":
            price = fact("price", person, currency, chance)
            found = re.match(r"cu[aá]nto ((?:cuesta|vale|es|sale|ser[ií]a)n?) (.+)$", about, re.IGNORECASE)
            return f"{_upper(f'{found[2]} {found[1]}' if found else f'{about}: son')} {price}.", price
        case "count":
            count = fact("count", person, currency, chance)
            found = re.match(r"cu[aá]nt[oa]s (.+?) (\w+[aeo]n|hay)\b\s*(.*)$", about, re.IGNORECASE)
            said = (
                f"{_ours(found[2])} {count} {found[1]} {found[3]}".strip() if found else f"{about}: {count}"
            )
            return f"{_upper(said)}.", count
        case "length" | "rating":
            length = fact(point.kind, person, currency, chance)
            return f"¿{_upper(about)}? Diría que {length}.", length
        case "place":
            return f"{_upper(about)}: estamos en {person.street}.", person.street
        case "person":
            return f"Soy yo, {person.name}. Usted pregunta {about}, ¿verdad?", person.name
        case "what":
            return f"En cuanto a {about}: como siempre, nada ha cambiado.", "como siempre"
        case "book":
            timed = re.search(r"\ba las?\b|\d:\d\d|\bmediod[ií]a\b", about)
            offered = (
                "" if timed else f" a las {chance.dice.randint(19, 21)}:{chance.dice.choice(('00', '30'))}"
            )
            sure = chance.pick(("Por supuesto", "Con mucho gusto", "Claro"))
            return f"{sure}. Le reservo {about}{offered}. Queda todo confirmado.", offered
        case kind:
            return chance.pick(_AGREED[kind]).replace("{about}", about.removeprefix("que ")), ""


_AGREED = {
    "order": ("Muy bien, le preparo {about}.", "De acuerdo, queda encargado: {about}."),
    "confirm": ("Sí, es correcto: {about}.", "Así es, confirmado: {about}."),
    "cancel": ("De acuerdo, le cancelo {about}.", "Hecho, he cancelado {about}."),
    "move": ("Sin problema, le cambio {about}.", "Hecho, he cambiado {about}."),
    "tell": ("Gracias por avisar: {about}. Tomo nota.", "Muy bien: {about}. Lo he apuntado."),
    "favour": ("Claro, así lo haremos: {about}.", "Sin problema: {about}. Me encargo."),
    "wish": ("Por supuesto, cuente con {about}.", "Claro, le preparo {about}."),
    "matter": ("Entiendo: {about}. Me encargo.", "De acuerdo: {about}. Yo lo veo."),
}
_WHEN = r"(?:cu[aá]ndo|(?:a|hasta|desde) qu[eé] hora|(?:en )?qu[eé] (?:d[ií]a|fecha))"
_OURS = {
    "tienen": "tenemos", "abren": "abrimos", "cierran": "cerramos", "sirven": "servimos", "hacen": "hacemos",
    "aceptan": "aceptamos", "ofrecen": "ofrecemos", "entregan": "entregamos", "pueden": "podemos",
    "están": "estamos", "son": "somos", "van": "vamos", "quieren": "queremos", "dan": "damos",
    "venden": "vendemos", "cobran": "cobramos", "reparten": "repartimos", "admiten": "admitimos",
    "necesitan": "necesitamos", "disponen": "disponemos", "trabajan": "trabajamos", "envían": "enviamos",
    "atienden": "atendemos", "preparan": "preparamos", "alquilan": "alquilamos", "reciben": "recibimos",
    "llegan": "llegamos", "llaman": "llamamos", "hay": "hay",
}  # fmt: skip
"""Verbs of a question about them, as they say them of themselves."""


def _ours(said: str) -> str:
    first, _, rest = said.partition(" ")
    return f"{_OURS.get(first.lower(), first)} {rest}".strip()


def _whether(person: Person, about: str, chance: Chance) -> tuple[str, str]:
    yes = chance.dice.random() < person.willing
    more = chance.dice.choice(person.assent or phrases.SPANISH["assent"])
    # "su" may be theirs or somebody else's: only a plain sentence of a known verb is turned round.
    plain = about.partition(" ")[0].lower() in _OURS and not re.search(r"\bsus?\b", about)
    if yes:
        return f"Sí, {_ours(about)}{more}." if plain else f"Sí{more}: {about}.", "yes"
    return f"No, lo siento, no {_ours(about)}." if plain else f"No, lo siento: {about}, no.", "no"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _hour(hour: int, minute: int) -> str:
    return f"a las {hour}:{minute:02}"


SPANISH = Language(
    tongue="es",
    phrases=phrases.SPANISH,
    dayparts=("Buenos días", "Buenas tardes", "Buenas noches"),
    days=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    counts={2: "dos", 3: "tres", 4: "cuatro", 5: "cinco", 6: "seis"},
    currencies={"+1": "dólares", "+52": "pesos", "+44": "libras", "": "euros"},
    refused=_REFUSED,
    quoted=_QUOTED,
    hour=_hour,
    fact=fact,
    answer=answer,
)
