"""A secret under a passphrase: scrypt, then AES-128-CTR, then a keccak MAC.

This is the ``crypto`` section of a Web3 Secret Storage (keystore V3) file, so any Ethereum wallet opens
our secp256k1 keys; the log's Ed25519 key travels in the same envelope. Nothing here logs, and no error
carries a secret or a passphrase.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.domain.errors import InvalidInputError, UnauthorizedError
from ledger.domain.keccak import keccak256

DEFAULT_SCRYPT_N = 2**15
"""Work for one guess: 32 MiB and some 60 ms here.

OWASP names N = 2^15 as its smallest memory setting. Wallets use 2^18 because people choose passphrases;
an unattended ledger reads a generated one from a file and opens tens of keys at start, where 2^18 would
cost half a second each. Raise it with ``QUANZE_KEYSTORE_SCRYPT_N`` where people type the passphrase.
"""

_R, _P, _KEY_BYTES = 8, 1, 32
# A hostile file must not make us allocate without bound: 128 * N * r is 1 GiB at this N.
_MAX_N = 2**20
_MAX_RP = 64


@dataclass(frozen=True, slots=True)
class Envelope:
    """An encrypted secret as it lies in a file."""

    ciphertext: bytes
    iv: bytes
    salt: bytes
    mac: bytes
    n: int
    r: int
    p: int

    def to_json(self) -> dict[str, object]:
        """Return the ``crypto`` object of a keystore V3 file."""
        return {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": self.iv.hex()},
            "ciphertext": self.ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": _KEY_BYTES,
                "n": self.n,
                "p": self.p,
                "r": self.r,
                "salt": self.salt.hex(),
            },
            "mac": self.mac.hex(),
        }

    @classmethod
    def from_json(cls, value: object) -> Envelope:
        """Read a ``crypto`` object.

        Raises:
            InvalidInputError: it is not one, or asks for more work than we are willing to do.
        """
        try:
            if not isinstance(value, dict):
                raise TypeError("not an object")
            if value["cipher"] != "aes-128-ctr" or value["kdf"] != "scrypt":
                raise ValueError("another cipher or key derivation than aes-128-ctr and scrypt")
            kdf = value["kdfparams"]
            n, r, p = (int(kdf[name]) for name in ("n", "r", "p"))
            if not (1 < n <= _MAX_N and n & (n - 1) == 0 and 0 < r * p <= _MAX_RP):
                raise ValueError("scrypt parameters out of range")
            if int(kdf["dklen"]) != _KEY_BYTES:
                raise ValueError("dklen is not 32")
            return cls(
                ciphertext=bytes.fromhex(value["ciphertext"]),
                iv=bytes.fromhex(value["cipherparams"]["iv"]),
                salt=bytes.fromhex(kdf["salt"]),
                mac=bytes.fromhex(value["mac"]),
                n=n,
                r=r,
                p=p,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError("keystore.crypto", type(error).__name__, str(error)) from error


def seal(secret: bytes, passphrase: str, n: int = DEFAULT_SCRYPT_N) -> Envelope:
    """Encrypt a secret; salt and iv are fresh random bytes."""
    if n < 2 or n > _MAX_N or n & (n - 1):
        raise InvalidInputError("scrypt_n", str(n), f"a power of two from 2 to {_MAX_N}")
    salt, iv = os.urandom(32), os.urandom(16)
    derived = _derive(passphrase, salt, n, _R, _P)
    ciphertext = _aes_ctr(derived[:16], iv, secret)
    return Envelope(ciphertext, iv, salt, _mac(derived, ciphertext), n, _R, _P)


def open_sealed(envelope: Envelope, passphrase: str) -> bytes:
    """Return the secret.

    Raises:
        UnauthorizedError: the passphrase is not the one it was sealed with, or the file was altered.
    """
    derived = _derive(passphrase, envelope.salt, envelope.n, envelope.r, envelope.p)
    if not hmac.compare_digest(_mac(derived, envelope.ciphertext), envelope.mac):
        raise UnauthorizedError("the passphrase does not open this key, or its file was altered")
    return _aes_ctr(derived[:16], envelope.iv, envelope.ciphertext)


def _derive(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=r, p=p).derive(passphrase.encode())


def _mac(derived: bytes, ciphertext: bytes) -> bytes:
    return keccak256(derived[16:32] + ciphertext)


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()
