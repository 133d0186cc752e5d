"""Whether a value under the name of a secret is one, or only speaks of it."""

from __future__ import annotations

from lineal.client.capture.patterns import text_pattern
from lineal.client.capture.secret_names import is_password_name, is_secret_name, is_word_of_texts

_PLAIN = frozenset(["", "true", "false", "none", "null", "nil", "yes", "no", "on", "off", "~"])
_SCHEMES = frozenset(
    ["basic", "digest", "bearer", "token", "oauth", "oauth2", "jwt", "md5", "trust", "ldap", "required", "optional"]
)
_REFERENCE = (
    r"\$\{.*|\$\(.*|\$[A-Z_][A-Z0-9_]*(?:\W.*)?|\$\d|%\(\w+\)s|%[sdr]|%\w+%|\{\{.*\}\}|\{[\w.:!\[\]\-]*\}|<[\w /.:|\-]*>|\[[\w ]{0,30}\]"
    r"|\[masked\].*|\*+|\*[A-Za-z_]+|os\.(?:environ|getenv)\b.*|(?:env:|vault:|ref\+|op://|arn:|file:).*"
    r"|!(?:vault|env|ENV|secret|reference|Ref|Sub|GetAtt|Join)\b.*"
)
_VERSION = r"(?:\d+\.)+\d+"
_FIELDS = r"(?:\{[^{}]*\}|%\(\w+\)s|%[sdr]|[\s:/@._\-])++"
_NAMES = r"(?:\d+\.)+\d+|(?:(?:[A-Za-z]++(?:\d{1,2}[A-Za-z]{0,4})?|\d{1,2}[A-Za-z]?)(?:[\-_./:]|\Z))++"
_VARIABLE = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"


def is_plain(value: str) -> bool:
    """Whether it only says yes, no or nothing: `use_auth_token=True` gives nothing away."""
    return value.strip().lower() in _PLAIN


def is_reference(value: str) -> bool:
    """Whether it says where the secret is to be had: `$TOKEN`, `{{ token }}`, `<your token>`."""
    if (
        value[:1] in ("{", "%")
        and text_pattern(_FIELDS).fullmatch(value) is not None
        and value[1:2] not in ("'", '"', " ")
    ):
        return True
    return text_pattern(_REFERENCE).fullmatch(value) is not None or (value[:1] == "$" and is_secret_name(value[1:]))


def is_secret_value(name: str, value: str, *, is_code: bool = False) -> bool:
    """Of a name of secrets. In code, whose words are those of parsers and language models too, a word is no token."""
    value = value.strip()
    if is_plain(value) or is_reference(value) or len(set(value)) < 2:
        return False
    if value.lower() == name.lower() or (text_pattern(_VARIABLE).fullmatch(value) and is_secret_name(value)):
        return False
    if is_word_of_texts(name) and (is_code or value.lower() in _SCHEMES or value.isdigit()):
        return looks_issued(value)
    return is_password_name(name) or (len(value.split()) < 2 and text_pattern(_VERSION).fullmatch(value) is None)


def looks_issued(value: str) -> bool:
    """Whether it may be what somebody was given to prove who they are: no word, no number of things, no path, no sentence, and no
    name of a model (`gpt2-medium`, `bert-base-v2`)."""
    if value.lower() in _SCHEMES or not value.isprintable() or " " in value or value[:1] in "/.~([<{":
        return False
    digits = sum(map(str.isdigit, value))
    if digits == 0:
        return len(value) >= 20 and value.isalpha()
    if (digits <= 3 or value[-1].isdigit()) and text_pattern(_NAMES).fullmatch(value) is not None:
        return False
    return digits >= 8 or (len(value) >= 6 and any(map(str.isalpha, value)))
