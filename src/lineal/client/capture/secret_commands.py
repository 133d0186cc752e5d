"""What the options of well-known commands hold by their manuals: `curl -u user:password`, `mysql -pPASSWORD` ..."""

from __future__ import annotations

from lineal.client.capture.patterns import text_pattern

# Of which commands: options whose value is a password, and those whose value is user:password, of which the user stays.
_COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "curl": (("--oauth2-bearer", "--pass", "--proxy-pass"), ("-u", "--user", "-U", "--proxy-user")),
    "http": ((), ("-a", "--auth")),
    "https": ((), ("-a", "--auth")),
    "xh": ((), ("-a", "--auth")),
    "sshpass": (("-p",), ()),
    **dict.fromkeys(["ssh", "scp", "sftp", "rsync"], ((), ())),  # what follows is theirs
    "wandb": ((), ()),
    "redis-cli": (("-a", "--pass"), ()),
    "ldapsearch": (("-w",), ()),
    "ldapmodify": (("-w",), ()),
    "zip": (("-P",), ()),
    "unzip": (("-P",), ()),
    "smbclient": ((), ("-U", "--user")),
    "docker": (("--password",), ()),
    "podman": (("--password",), ()),
    "mongo": (("-p",), ()),
    "mongosh": (("-p",), ()),
    "mongodump": (("-p",), ()),
    "mongorestore": (("-p",), ()),
    "mongoimport": (("-p",), ()),
    "mongoexport": (("-p",), ()),
    "sqlcmd": (("-P",), ()),
    "bcp": (("-P",), ()),
    "twine": (("-p",), ()),
}
_JOINED = ("mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck", "mariadb", "mariadb-dump")
"""Their -p takes a password only without a blank between."""
# With a blank between, -p of these is a password only in one sub-command: `docker run -p 80:80`.
_LOGINS = ("docker", "podman", "helm", "oras", "buildah", "skopeo")
_NAME = r"[\w.][\w.\-]*\Z"  # in `run(["/usr/bin/curl"`, too


class Words:
    """Follows a command line word by word: `masked` is asked for each in order, and answers what is to stand there."""

    def __init__(self, mask: str) -> None:
        self._mask = mask
        self._alone: tuple[str, ...] = ()
        self._paired: tuple[str, ...] = ()
        self._next: str | None = None
        self._command = ""

    def masked(self, word: str) -> str | None:
        """None where this says nothing about it."""
        if self._next is not None:
            kind, self._next = self._next, None
            if not word.startswith("--"):
                return self._said(kind, word)
        found = text_pattern(_NAME).search(word)
        name = found[0] if found is not None else ""
        if name in _COMMANDS or name in _JOINED or name in _LOGINS:
            self._alone, self._paired = _COMMANDS.get(name, ((), ()))
            self._command = name
            return None
        if not self._command or not word.startswith("-"):
            if word == "login" and self._command in _LOGINS:
                self._alone = (*self._alone, "-p", "--password")
            elif word == "login" and self._command == "wandb":
                self._next = "alone"
            elif word in ("|", ";", "&&", "||", "&"):
                self._command, self._alone, self._paired = "", (), ()
            return None
        return self._option(word)

    def _option(self, word: str) -> str | None:
        if self._command in _JOINED:
            is_password = len(word) > 2 and word.startswith("-p") and not word.startswith("-p=")
            return f"-p{self._mask}" if is_password and not is_reference(word[2:]) else None
        for options, kind in ((self._alone, "alone"), (self._paired, "paired")):
            for option in options:
                if word == option:
                    self._next = kind
                    return word
                joined = word.removeprefix(option + "=" if option.startswith("--") else option)
                if joined != word and joined:
                    return word[: len(word) - len(joined)] + self._said(kind, joined)
        return None

    def _said(self, kind: str, value: str) -> str:
        if is_reference(value):
            return value
        if kind == "alone":
            return self._mask
        for mark in ":%":
            user, found, password = value.partition(mark)
            if found:
                return value if not password or is_reference(password) else f"{user}{mark}{self._mask}"
        return value


_REFERENCE = r"\A(?:\$|%\w+%|\{\{|<[\w -]+>\Z|\[masked)"


def is_reference(value: str) -> bool:
    return not value or text_pattern(_REFERENCE).match(value) is not None


_HINT = (
    b"curl",
    b"mysql",
    b"mariadb",
    b"sshpass",
    b"redis-cli",
    b" login ",
    b"http -",
    b"zip ",
    b"ldap",
    b"smbclient",
    b"mongo",
    b"sqlcmd",
    b"bcp ",
    b"twine",
)
_LINE_MAX_BYTES = 16_384
"""Of a command: longer lines hold data."""
_DEPTH = 3
_WORD = r"""(?:[^\s'"\\]|\\.|'[^'\n]*'|"(?:[^"\\\n]|\\.)*")+|\s+|."""


def mask_commands(content: bytes, mask: str) -> bytes:
    """The lines of a text in which one of those commands is given a password."""
    if not any(hint in content for hint in _HINT):
        return content
    lines = content.split(b"\n")
    words: Words | None = None
    for place, line in enumerate(lines):
        if words is None and not any(hint in line for hint in _HINT):
            continue
        if len(line) > _LINE_MAX_BYTES:
            words = None
            continue
        words = words or Words(mask)
        text = line.decode("utf-8", "surrogateescape")
        said = _masked_words(text, words, mask, 0)
        if said != text:
            lines[place] = said.encode("utf-8", "surrogateescape")
        if not line.rstrip().endswith(b"\\"):
            words = None
    return b"\n".join(lines)


def _masked_words(text: str, words: Words, mask: str, depth: int) -> str:
    pieces: list[str] = []
    for piece in text_pattern(_WORD).findall(text):
        bare = piece.strip("[](){},;'\"`")
        if bare and not bare.isspace():
            said = words.masked(bare)
            if said is None and depth < _DEPTH and " " in bare:
                said = _masked_words(bare, Words(mask), mask, depth + 1)
            if said is not None and said != bare and (mask not in piece or " " in bare):
                piece = piece.replace(bare, said, 1)
        pieces.append(piece)
    return "".join(pieces)
