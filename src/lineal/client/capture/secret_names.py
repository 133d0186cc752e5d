"""Whether the name beside a value says that it is a secret: of a variable, an option, a field, a header."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LAST = frozenset(
    [
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "pw",
        "secret",
        "secrets",
        "token",
        "apikey",
        "credential",
        "credentials",
        "creds",
        "auth",
        "authorization",
        "bearer",
        "cookie",
        "dsn",
        "jwt",
    ]
)
_ENDINGS = ("password", "passwd", "passphrase", "secret", "apikey")  # PGPASSWORD, dbpassword
_KEYS_OF = frozenset(
    [
        "api",
        "access",
        "secret",
        "private",
        "auth",
        "account",
        "encryption",
        "decryption",
        "signing",
        "master",
        "client",
        "license",
        "service",
        "storage",
        "subscription",
        "shared",
        "openai",
        "anthropic",
        "wandb",
        "hf",
        "huggingface",
        "kaggle",
        "aws",
        "azure",
        "gcp",
    ]
)
_TOKENS_OF = frozenset(["api", "access", "auth", "refresh", "secret", "session", "bearer"])
_PASS_OF = frozenset(
    [
        "user",
        "db",
        "database",
        "smtp",
        "ftp",
        "mail",
        "email",
        "admin",
        "root",
        "login",
        "my",
        "mysql",
        "pg",
        "postgres",
        "redis",
        "ldap",
        "ssh",
        "http",
        "proxy",
        "basic",
        "auth",
    ]
)
# A language model's tokens are no secrets.
_MODEL_WORDS = frozenset(
    [
        "eos",
        "bos",
        "sos",
        "eot",
        "eom",
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
        "video",
        "audio",
        "speech",
        "visual",
        "vision",
        "text",
        "class",
        "vocab",
        "first",
        "last",
        "new",
        "total",
        "extra",
        "each",
        "oov",
        "register",
        "prompt",
        "prefix",
        "suffix",
        "middle",
        "fim",
        "query",
        "global",
        "blank",
        "target",
        "source",
        "sentinel",
        "placeholder",
        "initializer",
        "trigger",
        "concept",
        "newline",
        "think",
        "generated",
    ]
)
_PLAIN = frozenset(["", "true", "false", "none", "null", "yes", "no", "on", "off", "~"])


def is_secret_name(name: str) -> bool:
    """Whether a value under this name is to be masked whatever it looks like."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "token":
        return before not in _MODEL_WORDS
    if last in _LAST or last.endswith(_ENDINGS) or "secret" in words or "password" in words:
        return True
    if last in ("key", "keys"):
        return before in _KEYS_OF
    if last == "tokens":
        return before in _TOKENS_OF
    if last == "pass":
        return not before or before in _PASS_OF
    return (before, last) in (("connection", "string"), ("webhook", "url")) or last == "connectionstring"


def is_plain(value: str) -> bool:
    """Whether it only says yes, no or nothing: `use_auth_token=True` gives nothing away."""
    return value.strip().lower() in _PLAIN
