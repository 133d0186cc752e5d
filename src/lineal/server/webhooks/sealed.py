"""Secrets of webhooks, sealed: the database alone does not give them away, and what is sealed for one webhook opens for no other.

XChaCha20-Poly1305 of PyNaCl, under a key that is a file beside the blobs, where all servers of a store find it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

from lineal.model.errors import InvalidInput, LinealError
from lineal.server.key_file import load_key
from lineal.store.heads import can_sign

KEY_NAME = "webhook-key"
KEY_BYTES = 32
_VERSION = "1."
_NONCE_BYTES = 24


class Sealed:
    """Opens and closes with the folder's key, which is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: bytes | None = None

    def seal(self, secret: str, tenant: str, webhook_id: str) -> str:
        """InvalidInput where PyNaCl is missing: asked again it would be refused again."""
        if not can_sign():
            raise InvalidInput(
                'secrets of webhooks need PyNaCl on the server: pip install "lineal[server]"', field="secret"
            )
        from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt

        nonce = os.urandom(_NONCE_BYTES)
        sealed = encrypt(secret.encode(), _of(tenant, webhook_id), nonce, self._load())
        return _VERSION + base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, tenant: str, webhook_id: str) -> str:
        """ValueError for what was not sealed so, with this key."""
        if not can_sign() or not sealed.startswith(_VERSION):
            raise ValueError("its secret cannot be read by this server")
        from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as decrypt
        from nacl.exceptions import CryptoError

        try:
            raw = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
            nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return decrypt(rest, _of(tenant, webhook_id), nonce, self._load()).decode()
        except (CryptoError, ValueError, TypeError, OSError, LinealError):
            raise ValueError("its secret cannot be read by this server: set it again") from None

    def _load(self) -> bytes:
        if self._key is None:
            self._key = load_key(self._folder, KEY_NAME, KEY_BYTES)
        return self._key


def _of(tenant: str, webhook_id: str) -> bytes:
    return f"lineal webhook secret\0{tenant}\0{webhook_id}".encode()


def signature(secret: str, delivery_id: str, timestamp: str, body: bytes) -> str:
    """As MLflow's receivers check it (docs/how-to/hear-of-models.md): HMAC-SHA256 over id, time and body with dots between them."""
    said = f"{delivery_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret.encode(), said, hashlib.sha256).digest()).decode()
