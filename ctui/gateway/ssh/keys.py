"""Keys of ssh: what each is for, signatures by them, and signatures of hosts."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.gateway.egress.names import Target
from ctui.gateway.ssh.wire import Malformed, Reader, string

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_RSA_HASHES = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}
_FLAGS = {2: "rsa-sha2-256", 4: "rsa-sha2-512"}
"""Flags of a request by which an RSA key signs (RFC 8332)."""
_CURVES = {"nistp256": "SHA256", "nistp384": "SHA384", "nistp521": "SHA512"}


class SshKey(msgspec.Struct, frozen=True):
    """A key for one host. No way of showing it shows the private one.

    Attributes:
        host: in its one form.
        port: of that host.
        name: of its file, as the log and the ask have it.
        public: the public key, as on the wire.
        host_keys: the host's own ones, any of which it may have.
        private: text of the private key's file, or "" where the person's agent signs.
        agent: socket of that agent.
        problem: the reason why nothing can be signed.
    """

    host: str
    port: int
    name: str
    public: bytes = b""
    host_keys: tuple[bytes, ...] = ()
    private: str = ""
    agent: str = ""
    problem: str = ""

    def __repr__(self) -> str:
        return f"SshKey({self.name!r}, {self.target})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        # The inherited one would put the key into a formatted traceback.
        return [("name", self.name), ("target", str(self.target))]

    @property
    def target(self) -> Target:
        return Target(self.host, self.port)

    @property
    def rule(self) -> tuple[Target, str]:
        """The rule of the settings that it is of: the same for as long as that stands there."""
        return self.target, self.name

    def known_from(self, earlier: Iterable[SshKey]) -> SshKey:
        """Return it as the same one was, where nothing was read of it now."""
        if self.public or self.problem:
            return self
        return next((one for one in earlier if one.rule == self.rule), self)

    @property
    def signs(self) -> bool:
        """Return True where something can be signed."""
        return bool(self.public and self.host_keys and (self.private or self.agent))


class PrivateFile(NamedTuple):
    """Content of a private key's file."""

    public: bytes
    locked: bool
    """True where only its owner's words open it."""


def kind_of(blob: bytes) -> str:
    """Return the type of a public key, such as ssh-ed25519.

    Raises:
        Malformed: it is none.
    """
    try:
        return Reader(blob).string().decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("this is no public key") from None


def line_of(blob: bytes) -> str:
    """Return a public key as a file has it: its type, and base64."""
    return f"{kind_of(blob)} {base64.b64encode(blob).decode()}"


def sign(private: str, data: bytes, flags: int) -> bytes:
    """Return a signature as on the wire.

    Raises:
        Malformed: the key cannot sign, or not so.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    key = load_private(private)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _signature("ssh-ed25519", key.sign(data))
    if isinstance(key, rsa.RSAPrivateKey):
        name = next((name for flag, name in _FLAGS.items() if flags & flag), "")
        if not name:
            raise Malformed("an RSA key signs by SHA-2 only")
        digest = getattr(hashes, _RSA_HASHES[name])()
        return _signature(name, key.sign(data, padding.PKCS1v15(), digest))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve = f"nistp{key.curve.key_size}"
        made = key.sign(data, ec.ECDSA(getattr(hashes, _CURVES[curve])()))
        numbers = b"".join(_number(one) for one in decode_dss_signature(made))
        return _signature(f"ecdsa-sha2-{curve}", numbers)
    raise Malformed("a key of this type cannot sign here")


def is_signed_by(host_key: bytes, signature: bytes, data: bytes) -> bool:
    """Return True if a host's key has signed this; a type that nobody knows has signed nothing."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    try:
        reader = Reader(signature)
        name, made = reader.string().decode("ascii"), reader.string()
        reader.end()
        key = serialization.load_ssh_public_key(line_of(host_key).encode())
        if isinstance(key, ed25519.Ed25519PublicKey) and name == "ssh-ed25519":
            key.verify(made, data)
        elif isinstance(key, rsa.RSAPublicKey) and name in _RSA_HASHES:
            digest = getattr(hashes, _RSA_HASHES[name])()
            key.verify(made, data, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and name == kind_of(host_key):
            numbers = Reader(made)
            r, s = (int.from_bytes(numbers.string()) for _ in range(2))
            digest = getattr(hashes, _CURVES[name.rpartition("-")[2]])()
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, KeyError):
        return False
    return True


def read_private(text: str) -> PrivateFile:
    """Return what the file of a private key holds, as far as it can be read without asking.

    Raises:
        Malformed: it holds no private key.
    """
    from cryptography.hazmat.primitives import serialization

    try:
        key = load_private(text)
    except Locked:
        return PrivateFile(b"", locked=True)
    line = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return PrivateFile(base64.b64decode(line.split()[1]), locked=False)


class Locked(Malformed):
    """A private key that only its owner's words open."""


def load_private(text: str) -> PrivateKeyTypes:
    """Return a private key.

    Raises:
        Locked: it is encrypted.
        Malformed: it is none, or of a type that cannot sign here.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    data = text.encode()
    load = serialization.load_pem_private_key
    if "OPENSSH PRIVATE KEY" in text:
        load = serialization.load_ssh_private_key
    try:
        return load(data, None)
    except TypeError:  # it wants a password
        raise Locked("the key is encrypted") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        if "encrypted" in str(error).lower() or "password" in str(error).lower():
            raise Locked("the key is encrypted") from None
        raise Malformed("this is no private key that can be read") from None


def _signature(name: str, made: bytes) -> bytes:
    return string(name.encode()) + string(made)


def _number(value: int) -> bytes:
    """Return a number that is not negative as on the wire (mpint)."""
    return string(value.to_bytes(value.bit_length() // 8 + 1))
