"""Secrets are masked before anything is written: by their shape wherever they stand, by the name beside them where there is one.

Shapes are those that the issuers publish so that scanners may know them: GitHub ("Behind GitHub's new authentication token formats"),
GitLab ("Token prefixes"), AWS ("IAM identifiers, unique ID prefixes"), Slack ("Token types"), Google API keys, Stripe ("API keys"),
Hugging Face and OpenAI ("sk-"), npm, PyPI ("token macaroons"), JSON Web Tokens (RFC 7519), and PEM (RFC 7468)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lineal.model.values import clean_text

MASK = "[masked]"

_TOKENS = rb"""(?x) (?<![A-Za-z0-9]) (?:
      gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,}
    | gl(?:pat|dt|rt|ptt|ft|soat|agent|cbt|imt)-[A-Za-z0-9_.-]{20,}
    | sk-[A-Za-z0-9_-]{20,}
    | (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}
    | hf_[A-Za-z0-9]{20,}
    | xox[abeoprs]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,}
    | AIza[A-Za-z0-9_-]{35} | ya29\.[A-Za-z0-9_-]{20,} | GOCSPX-[A-Za-z0-9_-]{20,}
    | [rs]k_(?:live|test)_[A-Za-z0-9]{16,} | whsec_[A-Za-z0-9]{20,}
    | npm_[A-Za-z0-9]{30,} | pypi-[A-Za-z0-9_-]{40,}
    | dckr_pat_[A-Za-z0-9_-]{20,} | dop_v1_[a-f0-9]{40,} | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
    | lnl_[A-Za-z0-9_-]{20,}
    | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
)"""
# scheme://user:password@ keeps the scheme; a name alone stays where it is no secret (ssh://git@host).
_ADDRESS = rb"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@:'\"<>]{0,200}:[^\s/@'\"<>{}]{1,300}@"
_TOKEN_ADDRESS = rb"(?i)\b(https?://)[^\s/@:'\"<>{}]{1,300}@"
_HEADER = rb"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|token)\s+)[^\s'\"]{6,}"
_PEM = rb"(?s)(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----)(.{0,20000}?)(-----END|\Z)"
_PEM_LINE = re.compile(rb"(?m)(^\+)?[A-Za-z0-9+/=]{16,}")  # in a patch, lines begin with a +

_BYTES = re.compile(_TOKENS), re.compile(_ADDRESS), re.compile(_TOKEN_ADDRESS), re.compile(_HEADER), re.compile(_PEM)

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "pw",
        "pass",
        "secret",
        "secrets",
        "token",
        "apikey",
        "credential",
        "credentials",
        "auth",
        "authorization",
        "cookie",
        "dsn",
    ]
)
_SECRET_KEYS = frozenset(
    [
        "api",
        "access",
        "secret",
        "private",
        "auth",
        "account",
        "encryption",
        "signing",
        "master",
        "client",
        "license",
        "service",
    ]
)
# A language model's tokens are no secrets.
_MODEL_WORDS = frozenset(
    [
        "eos",
        "bos",
        "pad",
        "padding",
        "unk",
        "sep",
        "cls",
        "mask",
        "special",
        "stop",
        "start",
        "end",
        "max",
        "min",
        "num",
        "n",
        "per",
        "next",
        "prev",
        "image",
        "img",
        "vocab",
        "first",
        "last",
        "new",
        "total",
        "extra",
        "each",
        "oov",
    ]
)
_VARIABLE = re.compile(r"\A([A-Za-z_][\w.]*)=(.*)\Z", re.DOTALL)


def is_secret_name(name: str) -> bool:
    """Whether a value under this name (of a variable, an option, a field) is to be masked whatever it looks like."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "token":
        return before not in _MODEL_WORDS
    if last in _SECRET_WORDS or "secret" in words or "password" in words:
        return True
    return last in ("key", "keys") and (before in _SECRET_KEYS)


def mask_bytes(content: bytes) -> bytes:
    """The same with everything masked that has the shape of a secret. Lines stay lines."""
    tokens, address, token_address, header, pem = _BYTES
    mask = MASK.encode()
    content = tokens.sub(mask, content)
    if b"://" in content:
        content = address.sub(rb"\1" + mask + b"@", content)
        content = token_address.sub(_mask_user, content)
    if b"PRIVATE KEY-----" in content:
        content = pem.sub(
            lambda found: found[1] + _PEM_LINE.sub(lambda line: (line[1] or b"") + mask, found[2]) + found[3], content
        )
    return header.sub(rb"\1" + mask, content)


_CODE_SUFFIXES = (
    ".py",
    ".pyi",
    ".pyx",
    ".ipynb",
    ".sh",
    ".r",
    ".jl",
    ".c",
    ".cc",
    ".cpp",
    ".h",
    ".cu",
    ".rs",
    ".go",
    ".java",
    ".js",
    ".ts",
)
_LITERAL = re.compile(
    rb"""(?<![\w.\-])(?P<name>[\w.\-]{2,80})(?P<between>['"]?\s*[:=]\s*)(?P<quote>['"])(?P<value>[^'"\n\\]{4,500})(?P=quote)"""
)
_SETTING = re.compile(
    rb"""(?m)^(?P<before>[ +\-]?\s*(?:export\s+|set\s+|-\s+)?['"]?/{0,2}[^\s=:'"]{0,100}?)(?P<name>[\w.\-]{2,80})"""
    rb"""(?P<between>['"]?\s*[:=]\s*)(?P<value>[^\s'"#,;][^\s'"#,;]{3,500})"""
)
_NO_VALUE = re.compile(rb"(?i)\A(?:\$|%|\{|<|\[|os\.|null\b|none\b|true\b|false\b|env:|vault:)")


def mask_file(name: str, content: bytes) -> bytes:
    """A source file, or the part of a patch about it: shapes, and values beside names like `password`. In code only quoted ones: what
    is not quoted there is an expression. References to a secret (`$TOKEN`, `{{ token }}`) are none."""
    content = _LITERAL.sub(_mask_literal, mask_bytes(content))
    if name.lower().endswith(_CODE_SUFFIXES):
        return content
    return _SETTING.sub(_mask_setting, content)


def _mask_literal(found: re.Match[bytes]) -> bytes:
    if not _is_secret_setting(found):
        return found[0]
    return found["name"] + found["between"] + found["quote"] + MASK.encode() + found["quote"]


def _mask_setting(found: re.Match[bytes]) -> bytes:
    if not _is_secret_setting(found):
        return found[0]
    return found["before"] + found["name"] + found["between"] + MASK.encode()


def _is_secret_setting(found: re.Match[bytes]) -> bool:
    return not _NO_VALUE.match(found["value"]) and is_secret_name(found["name"].decode("utf-8", "replace"))


def _mask_user(found: re.Match[bytes]) -> bytes:
    mask = MASK.encode()
    whole = found[0]
    return whole if whole.endswith(mask + b"@") else found[1] + mask + b"@"


def mask_text(text: str) -> str:
    return mask_bytes(clean_text(text).encode()).decode()


def mask_value(name: str, value: str) -> str:
    return MASK if value and is_secret_name(name) else mask_text(value)


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line: `--password X`, `--token=X`, `db.password=X`, `PASSWORD=X`, and shapes anywhere."""
    masked: list[str] = []
    is_next_secret = False
    for argument in arguments:
        if is_next_secret and not argument.startswith("--"):
            masked.append(MASK)
            is_next_secret = False
            continue
        is_next_secret = False
        option, separator, value = argument.partition("=")
        if argument.startswith("-") and is_secret_name(option.lstrip("-")) and " " not in option:
            masked.append(f"{clean_text(option)}={MASK}" if separator and value else clean_text(argument))
            is_next_secret = not separator
            continue
        pair = _VARIABLE.match(argument.lstrip("+~"))
        if pair and is_secret_name(pair[1]) and pair[2]:
            masked.append(f"{clean_text(option)}={MASK}")
            continue
        masked.append(mask_text(argument))
    return masked


def mask_variables(variables: Mapping[str, str]) -> dict[str, str]:
    return {clean_text(name): mask_value(name, value) for name, value in sorted(variables.items())}


def strip_address(address: str) -> str:
    """A git remote without user and password; `git@host:path` names nobody and stays."""
    text = clean_text(address)
    scheme, separator, rest = text.partition("://")
    if separator:
        host, slash, path = rest.partition("/")
        name, at, place = host.rpartition("@")
        keeps = at and scheme in ("ssh", "git+ssh") and name == "git"
        text = f"{scheme}://{host if keeps else place}{slash}{path}"
        text = text.partition("?")[0]  # a token may stand there
    elif "@" in text:
        name, _, place = text.partition("@")
        text = place if ":" in name else text
    return mask_text(text)
