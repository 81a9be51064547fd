"""Certificates for tests: an authority of our own and what it signs, made in memory."""

import datetime as dt
import functools
import ipaddress
from dataclasses import dataclass
from typing import Any

from twisted.internet.ssl import (
    Certificate,
    ContextFactory,
    trustRootFromCertificates,
)

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """An authority: who trusts ``root`` trusts what ``server`` presents."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def root(self) -> Any:
        """A trust root with this authority and no other."""
        return trustRootFromCertificates([Certificate.loadPEM(self.pem)])

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for clients that read files."""
        return self.certificate.public_bytes(Encoding.PEM)

    def server(self, *names: str, expired: bool = False) -> "ServerContext":
        """Make a server's context for DNS names and addresses, 127.0.0.1 if none."""
        alternatives = x509.SubjectAlternativeName(
            [_general(name) for name in names or ("127.0.0.1", "localhost")]
        )
        return self._signed("test server", alternatives, expired=expired)

    def commonly_named(self, name: str) -> "ServerContext":
        """Make the context of a server whose name stands where it did long ago."""
        return self._signed(name, None)

    def _signed(
        self,
        name: str,
        alternatives: x509.SubjectAlternativeName | None,
        *,
        expired: bool = False,
    ) -> "ServerContext":
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, self.certificate.subject, key, expired=expired)
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        return ServerContext(key, builder.sign(self.key, hashes.SHA256()))


class ServerContext(ContextFactory):
    """A server's context; Twisted's own one uses what pyOpenSSL has deprecated."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> None:
        self.key_pem = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self.certificate_pem = certificate.public_bytes(Encoding.PEM)
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self._context.use_privatekey(key)
        self._context.use_certificate(certificate)
        self.certificate = certificate.public_bytes(Encoding.PEM)
        self.pem = self.certificate + key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        """Certificate and key, for servers that read files."""

    def getContext(self) -> SSL.Context:
        return self._context


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    name: str,
    issuer: x509.Name | None,
    key: ec.EllipticCurvePrivateKey,
    *,
    expired: bool = False,
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _DAY)
        .not_valid_after(now + (-_DAY if expired else _DAY))
    )


def make_authority() -> Authority:
    """Make an authority that nobody else knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder("test authority", None, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


@functools.cache
def authority() -> Authority:
    """Give the authority that the tests of one run share."""
    return make_authority()
