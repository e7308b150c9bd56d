"""An authority of a deployer's own, and a certificate for the server that it vouches for.

Devices are given the authority's certificate (never its key) with their invitation, and speak to no
server beyond their own machine that it, or the system's list, does not vouch for.
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from overt.schema.errors import InvalidInput, Missing

AUTHORITY_DAYS, SERVER_DAYS = 3650, 397
HERE = ("localhost", "127.0.0.1")
"""The server's own processes speak to each other by these."""

_BEFORE = dt.timedelta(hours=1)
"""A device whose clock is a little behind takes a new certificate too."""


@dataclass(frozen=True)
class Secured:
    """What a server needs to speak TLS: files in PEM."""

    authority: Path
    certificate: Path
    key: Path

    def check(self) -> None:
        """Raise `Missing` where a file is not there."""
        for path in (self.authority, self.certificate, self.key):
            if not path.is_file():
                raise Missing("is not there", where=str(path), do="overt together certificates")


def make(folder: Path, hosts: tuple[str, ...]) -> Secured:
    """Write an authority and a server's certificate for these hosts; returns the server's files.

    An authority that lies there already is used again, so that devices need nothing new.

    Raises:
        InvalidInput: no host, or one that is no name or address.
    """
    if not hosts:
        raise InvalidInput("names no host", where="--host", do="Such as --host learn.example.org.")
    folder.mkdir(parents=True, exist_ok=True)
    ours, ours_key = folder / "authority.pem", folder / "authority-key.pem"
    if ours.exists() and ours_key.exists():
        key = serialization.load_pem_private_key(ours_key.read_bytes(), None)
        authority = x509.load_pem_x509_certificate(ours.read_bytes())
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise InvalidInput("is not a key of ours", where=str(ours_key))
    else:
        key, authority = _authority()
        _write(ours, ours_key, authority, key)
    made = Secured(ours, folder / "server.pem", folder / "server-key.pem")
    _write(made.certificate, made.key, *_server(hosts, authority, key))
    return made


def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Overt, learning together")])
    certificate = (
        _begun(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _server(
    hosts: tuple[str, ...], authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    names = [_named(host) for host in dict.fromkeys((*hosts, *HERE))]
    certificate = (
        _begun(name, authority.subject, key, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    return certificate, key


def _begun(
    name: x509.Name, by: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise InvalidInput("is neither a name nor an address", where="--host") from error


def _write(
    place: Path, key_place: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    """Write both; the key so that only its owner reads it, from its first byte on."""
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    part = key_place.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(sealed)
    part.replace(key_place)
    place.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
