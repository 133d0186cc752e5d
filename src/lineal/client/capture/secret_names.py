"""Whether the name beside a value says that it is a secret: of a variable, an option, a field, a header."""

from __future__ import annotations

import re
from functools import lru_cache

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
# `password_file`, `secret_name`, `token_count` say something about a secret, and are none.
_ABOUT = frozenset(
    [
        "file",
        "files",
        "filename",
        "path",
        "paths",
        "dir",
        "folder",
        "name",
        "names",
        "count",
        "length",
        "len",
        "size",
        "type",
        "kind",
        "limit",
        "min",
        "max",
        "prompt",
        "field",
        "policy",
        "required",
        "enabled",
        "ttl",
        "expiry",
        "url",
        "uri",
        "env",
        "var",
        "variable",
        "manager",
        "arn",
        "version",
        "ref",
        "hint",
        "strength",
        "message",
        "provider",
        "class",
        "column",
        "label",
        "title",
        "help",
        "error",
        "regex",
        "pattern",
        "reset",
        "validator",
        "stdin",
        "fd",
        "cmd",
        "command",
        "callback",
        "script",
    ]
)
_COUNTS = frozenset(["n", "num", "max", "min", "total"])
_PASSWORDS = frozenset(["password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "pass"])
# Alone these are words of a text, of a parser or of a page, too: what stands before them says whose secret it is.
_WORDS_OF_TEXTS = frozenset(["token", "auth", "cookie", "bearer", "pass", "pw", "secrets", "credentials", "jwt"])
_ISSUERS = frozenset(
    [
        "github",
        "gitlab",
        "gh",
        "gl",
        "git",
        "slack",
        "discord",
        "telegram",
        "bot",
        "jupyter",
        "npm",
        "pypi",
        "docker",
        "registry",
        "vault",
        "databricks",
        "snowflake",
        "neptune",
        "comet",
        "clearml",
        "mlflow",
        "lineal",
        "user",
        "admin",
        "login",
        "personal",
        "id",
        "oauth",
        "deploy",
        "job",
        "runner",
        "hub",
        "service",
    ]
)


@lru_cache(2048)
def is_secret_name(name: str) -> bool:
    """Whether a value under this name is to be masked whatever it looks like."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "token":
        return before not in _MODEL_WORDS
    if before in _COUNTS:
        return False
    if last in _LAST or last.endswith(_ENDINGS):
        return True
    if last in ("key", "keys"):
        return before in _KEYS_OF
    if last == "tokens":
        return before in _TOKENS_OF
    if last == "pass":
        return not before or before in _PASS_OF
    if (before, last) in (("connection", "string"), ("webhook", "url")) or last == "connectionstring":
        return True
    return ("secret" in words or "password" in words) and last not in _ABOUT


@lru_cache(2048)
def is_word_of_texts(name: str) -> bool:
    """Whether a name of secrets is one of other things as well: `token`, `current_token`, `auth`; not `api_token`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] not in _WORDS_OF_TEXTS:
        return False
    before = words[-2] if len(words) > 1 else ""
    return not any(before in known for known in (_KEYS_OF, _TOKENS_OF, _PASS_OF, _ISSUERS))


def is_password_name(name: str) -> bool:
    """Whether what it names may be a sentence: of a passphrase, not of a key."""
    last = (_WORDS.findall(name) or [""])[-1].lower()
    return last in _PASSWORDS or last.endswith(_ENDINGS)
