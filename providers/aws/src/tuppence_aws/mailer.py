"""The mailer: SES, which is handed the whole message.

Options: `MailerOptions`.
Delivery: SES has no idempotency. `TIMEOUT` and `UNKNOWN` mean that the mail may have been sent; every other
error means that it was not. SES writes its own Message-ID, which is the id returned.
Limits: 40 MB a message, attachments encoded; in the sandbox 200 mails a day, to verified addresses only
(https://docs.aws.amazon.com/ses/latest/dg/quotas.html, read November 2026).
Errors: `tuppence_aws.errors`.
Permissions: the reporter may send from any identity of the account, as which one is the report's to say.
Emulator: moto keeps each mail as it was sent, ministack as what it understood of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.drivers import Context, Email, MailerDriver, Permission, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding
from tuppence.mime import NoMail, address_in, compose
from tuppence_aws.errors import failure, too_large, translate
from tuppence_aws.names import arn
from tuppence_aws.session import AwsOptions, Session, region_of

CHECK_WAIT: Final = 5.0
LARGEST: Final = 40_000_000
"""Bytes of a message."""
ACCOUNT: Final = "ses:GetAccount on *"
"""What it takes to ask whether an account may send."""
PAUSED: Final = (
    "sending is paused for this account; see Reputation metrics in the SES console, then "
    "`aws sesv2 put-account-sending-attributes --sending-enabled`"
)
_WORDS: Final = {
    "MessageRejected": (
        "SES refused the mail. While the account is in the sandbox, sender and recipient must both be "
        "verified: `aws sesv2 create-email-identity --email-identity ADDRESS`, then click the link that is "
        "mailed. To leave the sandbox, request production access in the SES console"
    ),
    "MailFromDomainNotVerifiedException": (
        "the MAIL FROM domain of the sender is not verified; see Identities in the SES console"
    ),
    "SendingPausedException": PAUSED,
    "AccountSuspendedException": (
        "AWS has suspended sending for this account; open the case in AWS Support Center"
    ),
}
_NOT_REACHED: Final = frozenset({"EndpointConnectionError", "ProxyConnectionError", "SSLError"})
"""The SDK's errors of a connection that was never made."""


class MailerOptions(AwsOptions, frozen=True, kw_only=True):
    """How mail leaves.

    Attributes:
        sender: the address of mails that name none; empty means the recipient's own.
        configuration_set: of SES, for those who watch deliveries; empty sends without one.
        identity: an address or domain that deployment has SES verify; empty where one is verified already.

    """

    sender: str = ""
    configuration_set: str = ""
    identity: str = ""


class SesMailer(MailerDriver):
    """Mails by Amazon SES."""

    Options = MailerOptions

    def __init__(self, options: MailerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._session = Session("sesv2", options)

    def check(self) -> None:
        """Prove that the account may send, and that the configuration set is there."""
        operation = "mailer.check"
        client = self._session.client(operation, Deadline.after(CHECK_WAIT, self.context.clock))
        with translate(operation, needs=ACCOUNT):
            if not client.get_account()["SendingEnabled"]:
                raise failure(ErrorCode.FORBIDDEN, operation, PAUSED)
        if self.options.configuration_set:
            with translate(operation, needs=f"ses:GetConfigurationSet on {self._set_arn()}"):
                try:
                    client.get_configuration_set(ConfigurationSetName=self.options.configuration_set)
                except client.exceptions.NotFoundException as error:
                    raise self._missing(operation) from error

    def findings(self, *, deadline: Deadline, sender: str = "", to: Sequence[str] = ()) -> Iterable[Finding]:
        """Look at the sandbox, at what is left of the day's quota, and at the addresses."""
        from tuppence_aws.findings.mail import findings

        return findings(self.options, deadline, sender or self.options.sender, to)

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return IAM actions. A whole message is sent by one call and allowed by the name of another."""
        if role is not Role.REPORTER:
            return ()
        resources = [arn("ses", region_of(self.options), "identity/*")]
        if self.options.configuration_set:
            resources.append(self._set_arn())
        return [
            Permission(action=action, resource=resource)
            for resource in resources
            for action in ("ses:SendEmail", "ses:SendRawEmail")
        ]

    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        """Send, and return SES's id for the mail."""
        operation = "mailer.send"
        told = self._told(email, idempotency_key, operation)
        try:
            with translate(operation):
                answer = self._asked(self._session.client(operation, deadline), told, operation)
        except DriverError as error:
            raise _in_doubt(error, operation) from error.__cause__
        finally:  # a kept connection that SES closes in the meantime would leave the next mail in doubt
            self._session.close()
        self.context.meter.count("ses.messages")
        return str(answer["MessageId"])

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def _told(self, email: Email, key: str, operation: str) -> dict[str, Any]:
        """Return a mail as SES is told of it: the envelope, and the message as it is to arrive."""
        sender = self.options.sender or email.to
        try:
            message = compose(email, default_sender=sender, key=key, date=self.context.clock.now())
        except NoMail as error:
            raise failure(ErrorCode.INVALID, operation, str(error)) from error
        content = message.as_bytes()
        if len(content) > LARGEST:
            raise too_large(operation, len(content), LARGEST)
        told: dict[str, Any] = {
            "FromEmailAddress": address_in(message, "From").addr_spec,
            "Destination": {"ToAddresses": [address_in(message, "To").addr_spec]},
            "Content": {"Raw": {"Data": content}},
        }
        if self.options.configuration_set:
            told["ConfigurationSetName"] = self.options.configuration_set
        return told

    def _asked(self, client: Any, told: dict[str, Any], operation: str) -> Any:
        try:
            return client.send_email(**told)
        except client.exceptions.NotFoundException as error:
            raise self._missing(operation) from error
        except client.exceptions.ClientError as error:
            raise _explained(error, operation) from error

    def _set_arn(self) -> str:
        return arn("ses", region_of(self.options), f"configuration-set/{self.options.configuration_set}")

    def _missing(self, operation: str) -> DriverError:
        words = f"there is no configuration set {self.options.configuration_set} in this region"
        return failure(ErrorCode.NOT_FOUND, operation, f"{words}; mend `configuration_set`, or leave it out")


def _in_doubt(error: DriverError, operation: str) -> DriverError:
    """Return the error of a send; `UNKNOWN` where a mail that was handed over may have gone out."""
    if error.code is not ErrorCode.UNAVAILABLE or type(error.__cause__).__name__ in _NOT_REACHED:
        return error
    return failure(ErrorCode.UNKNOWN, operation, f"{error.message}; the mail may have been sent")


def _explained(error: Any, operation: str) -> Exception:
    """Return what SES refused with what to do about it, where that is known. Its own words name addresses."""
    words = _WORDS.get(error.response.get("Error", {}).get("Code", ""))
    return failure(ErrorCode.FORBIDDEN, operation, words) if words else error
