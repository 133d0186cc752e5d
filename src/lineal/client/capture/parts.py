"""Which parts of its circumstances a run records."""

from __future__ import annotations

from lineal.model.errors import InvalidInput

PARTS = ("execution", "code", "environment", "hardware", "console", "resources", "sources")


def parse_parts(text: object, field: str) -> frozenset[str]:
    """ "all", "none", or a list with commas; "no-console" takes one out. Raises InvalidInput that names what is not understood."""
    if not isinstance(text, str):
        raise InvalidInput(f"{field} {text!r:.80} is not a text like 'all', 'none' or 'code,no-console'", field=field)
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    given: set[str] = set()
    taken: set[str] = set()
    for word in words:
        if word in ("all", "none"):
            given.update(PARTS if word == "all" else ())
        elif word in PARTS:
            given.add(word)
        elif word.removeprefix("no-") in PARTS:
            taken.add(word.removeprefix("no-"))
        else:
            known = ", ".join(PARTS)
            raise InvalidInput(f"{field}: {word!r:.80} is none of all, none, {known} (or no-...)", field=field)
    names_only_what_goes = all(word.startswith("no-") for word in words)
    return frozenset((set(PARTS) if names_only_what_goes else given) - taken)
