"""Heads of chains as they are handed out and kept elsewhere: with a server's signature, where it has a key (spec/audit.md, "The head";
docs/adr/0015-signed-heads.md).

PyNaCl does the signing (Ed25519); without it heads are handed out unsigned, and say so."""

from __future__ import annotations

import json
import struct
from typing import Any, Literal, NamedTuple

from lineal.model.errors import InvalidInput
from lineal.store.contracts import ChainHead

_MAGIC = b"LNLH\x01\x00\x00\x00"
_FIXED = struct.Struct("<8sQq32s")
SEED_BYTES = 32
Signed = Literal["yes", "no", "unknown", "forged"]
"""Unknown: PyNaCl is not installed here."""


class SignedHead(NamedTuple):
    """`key`: the public key, `signature`: of `head_bytes`; both hex, None where the server has none."""

    tenant: str
    number: int
    hash: str
    time_ms: int
    key: str | None = None
    signature: str | None = None

    @property
    def head(self) -> ChainHead:
        return ChainHead(*self[:4])


def head_bytes(head: ChainHead) -> bytes:
    tenant = head.tenant.encode()
    fixed = _FIXED.pack(_MAGIC, head.number, head.time_ms, bytes.fromhex(head.hash))
    return fixed + struct.pack("<I", len(tenant)) + tenant


def sign(head: ChainHead, seed: bytes | None) -> SignedHead:
    if seed is None:
        return SignedHead(*head)
    from nacl.signing import SigningKey

    key = SigningKey(seed)
    return SignedHead(*head, key.verify_key.encode().hex(), key.sign(head_bytes(head)).signature.hex())


def can_sign() -> bool:
    try:
        import nacl.signing  # noqa: F401
    except ImportError:
        return False
    return True


def signed(head: SignedHead) -> Signed:
    """Whether the owner of the head's key said so."""
    if head.key is None or head.signature is None:
        return "no"
    if not can_sign():
        return "unknown"
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(bytes.fromhex(head.key)).verify(head_bytes(head.head), bytes.fromhex(head.signature))
    except (BadSignatureError, ValueError, TypeError, struct.error):
        return "forged"
    return "yes"


def read_heads(text: str) -> list[SignedHead]:
    """Of a file that keeps heads: one JSON object a line, or JSON of one or of a list. Members beside a head's own are left
    out, and so are objects whose head is under the name "head". Raises InvalidInput."""
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise InvalidInput("no head of an audit chain is in it: JSON is expected", field="against") from None
    heads = [_head(one) for one in (found if isinstance(found, list) else [found])]
    if not heads:
        raise InvalidInput("no head of an audit chain is in it", field="against")
    return heads


def _head(value: Any) -> SignedHead:
    if isinstance(value, dict) and isinstance(value.get("head"), dict):
        value = value["head"]
    kinds = {"tenant": str, "number": int, "hash": str, "time_ms": int}
    if not isinstance(value, dict) or not all(isinstance(value.get(name), kind) for name, kind in kinds.items()):
        raise InvalidInput('a head has "tenant", "number", "hash" and "time_ms"', field="against")
    named = (value["tenant"], value["number"], value["hash"], value["time_ms"])
    return SignedHead(*named, value.get("key"), value.get("signature"))
