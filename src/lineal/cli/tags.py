"""KEY=VALUE on a command line."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.model.errors import InvalidInput


def tags_given(texts: Sequence[str], remove: Sequence[str]) -> dict[str, str | None]:
    """What to set, and with None what to remove. The key is everything before the first "="."""
    tags: dict[str, str | None] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidInput(f"{text!r:.80} is not KEY=VALUE", field="tags")
        tags[key] = value
    both = sorted(set(tags) & set(remove))
    if both:
        raise InvalidInput(f"tag {both[0]!r:.80} is both set and removed", field="tags")
    return tags | dict.fromkeys(remove)
