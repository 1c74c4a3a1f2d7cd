"""Who signs tokens in tests: keys of its own, and a server that has their certificates, as Google's has."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

from aws.faulty import Faulty
from gcp.answers import error_of, told

INVOKER = "tuppence-invoke@proj.iam.gserviceaccount.com"


def key_pair():
    """Return a signer, and the certificate of its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM).decode()


class Issuer(Faulty):
    """The server. `certificates` is what a driver is told; `silent` lets it answer nothing that helps."""

    def __init__(self):
        super().__init__("http://127.0.0.1:1")
        self._server.socket.listen(64)
        private, certificate = key_pair()
        self._signer = crypt.RSASigner.from_string(private, "k1")
        self.known = {"k1": certificate}
        self.certificates = f"{self.url}/certs"
        self.silent = False

    def answer(self, request):
        self.asked += 1
        return error_of(503, "UNAVAILABLE") if self.silent else told(self.known)

    def turn(self):
        """Sign with another key from now on, as happens every other week."""
        private, certificate = key_pair()
        self._signer = crypt.RSASigner.from_string(private, f"k{len(self.known) + 1}")
        self.known = {self._signer.key_id: certificate}

    def token(self, audience, email=INVOKER, *, by=None, **changed):
        """Return a token, as Google's services attach one to a call."""
        now = int(time.time())
        said = {
            "aud": audience,
            "azp": "117",
            "email": email,
            "email_verified": True,
            "exp": now + 3600,
            "iat": now,
            "iss": "https://accounts.google.com",
            "sub": "117",
            **changed,
        }
        return jwt.encode(by or self._signer, said).decode()

    def bearer(self, audience, email=INVOKER, **changed):
        """Return the header of a call."""
        return {"Authorization": f"Bearer {self.token(audience, email, **changed)}"}


def removed(token):
    """Return a token as Cloud Run passes it on."""
    return f"{token.rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"


def claims(token):
    """Return what a token says."""
    return json.loads(json.dumps(jwt.decode(token, verify=False)))
