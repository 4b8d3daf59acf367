"""The authority of a home, whose certificates the tasks of this home trust for opened hosts.

Its key never leaves this machine, and no task sees it. A host's certificate is made once, when it
is first needed, and kept in memory.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.errors import Unavailable
from ctui.files import create_file
from ctui.gateway.egress.names import is_address
from ctui.small_file import read_small_file

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_LIMIT = 1 << 14
_YEARS = 10
_LEAF_DAYS = 30
_REMAKE_SECONDS = 7 * 86400.0
_KEPT = 256
"""Hosts whose certificates are kept."""
_BEGIN = b"-----BEGIN CERTIFICATE-----"


class Authority:
    """The authority of one home, and the certificates that it has made."""

    def __init__(self, file: Path) -> None:
        """Read nothing yet; `file` has the key and the certificate."""
        self._file = file
        self._contexts: OrderedDict[str, tuple[float, ssl.SSLContext]] = OrderedDict()
        self._stamp: tuple[int, int] | None = None
        """Inode and time of change of the file that they were made with."""

    def context(self, host: str) -> ssl.SSLContext:
        """Return what a connection needs to be this host, with HTTP/1.1 inside.

        Raises:
            Unavailable: the authority's file cannot be read.
        """
        if (stamp := _stamp(self._file)) != self._stamp:
            self._contexts.clear()
            self._stamp = stamp
        made, context = self._contexts.get(host, (0.0, None))
        if context is None or time.monotonic() - made > _REMAKE_SECONDS:
            context = self._made(host)
            self._contexts[host] = time.monotonic(), context
            if len(self._contexts) > _KEPT:
                self._contexts.popitem(last=False)
        return context

    def _made(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        # The library reads files only; this one has no name and is on no disk.
        with os.fdopen(os.memfd_create("certificate"), "wb", buffering=0) as file:
            file.write(issue(_read(self._file), host))
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
        return context


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None  # reading it says why
    return status.st_ino, status.st_mtime_ns


def certificate_of(file: Path) -> bytes:
    """Return the certificate of the authority in a file, which is made where there is none.

    Raises:
        Unavailable: it cannot be read or written.
    """
    try:
        if not file.exists():
            with suppress(FileExistsError):  # another process was quicker
                create_file(file, make_authority())
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}") from error
    data = _read(file)
    return data[data.index(_BEGIN) :]


def make_authority() -> bytes:
    """Return a new authority: its key and its certificate, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    # Two homes' authorities are told apart by their names, too.
    common = x509.NameAttribute(NameOID.COMMON_NAME, f"ctui gateway {os.urandom(4).hex()}")
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ctui"), common])
    made = (
        _begun(name, name, key, _YEARS * 365)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _key_pem(key) + _pem(made)


def issue(authority: bytes, host: str) -> bytes:
    """Return a key and the certificate for a host, as PEM.

    Raises:
        Unavailable: the authority is damaged.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        above = x509.load_pem_x509_certificate(authority)
        signing = serialization.load_pem_private_key(authority, None)
    except (ValueError, TypeError) as error:
        raise Unavailable("the gateway's own authority is damaged") from error
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise Unavailable("the gateway's own authority is damaged")
    named: x509.GeneralName = (
        x509.IPAddress(ipaddress.ip_address(host)) if is_address(host) else x509.DNSName(host)
    )
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    made = (
        # A name of host can be longer than a common name may be: it is in the extension only.
        _begun(x509.Name([]), above.subject, key, _LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName([named]), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    return _key_pem(key) + _pem(made)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    from cryptography import x509

    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _read(file: Path) -> bytes:
    try:
        data = read_small_file(file, _LIMIT, owner=os.getuid(), follow_links=False)
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
    if _BEGIN not in data:
        raise Unavailable(f"{file} is damaged", hint="remove it: another one is made")
    return data
