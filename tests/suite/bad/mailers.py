"""Mailers that are bad, each in one way."""

from __future__ import annotations

from dataclasses import replace

from suite.bad.drivers import IN_TROUBLE, Unmetered, changing, error, found_by, invalid, leaked, patient
from tuppence.drivers import Feature
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import note
from tuppence.local.mailer import LocalMailer
from tuppence.testing.trouble import ALLOWED


class Altering(LocalMailer):
    """What alters a mail before it is sent derives from this."""

    def altered(self, email):
        raise NotImplementedError

    def send(self, email, /, **options):
        return super().send(self.altered(email), **options)


class Composing(LocalMailer):
    """What alters the message that a mail becomes derives from this."""

    def composed(self, message):
        raise NotImplementedError

    def _composed(self, email, key):
        message = super()._composed(email, key)
        self.composed(message)
        return message


@found_by("a mail arrives as it was sent")
class CallsAFileSent(LocalMailer):
    """Writes a file, and lets it pass for a mail that was sent."""

    features = frozenset()


@found_by("a mail arrives as it was sent")
class CopiesAStranger(Composing):
    """Sends a copy to somebody else."""

    def composed(self, message):
        message["Cc"] = "stranger@example.com"


@found_by("a mail arrives as it was sent")
class CopiesAStrangerInSecret(Composing):
    """Sends a copy to somebody else, and hides it from the recipient."""

    def composed(self, message):
        message["Bcc"] = "stranger@example.com"


@found_by("a mail arrives as it was sent")
class SendsNoHtml(Altering):
    """Sends the text alone."""

    def altered(self, email):
        return replace(email, html=email.text)


@found_by("a mail arrives as it was sent")
class DropsHeaders(Altering):
    """Drops headers that it does not know."""

    def altered(self, email):
        return replace(email, headers={})


@found_by("a mail arrives as it was sent")
class SendsAsItself(Altering):
    """Sends under an address of its own."""

    def altered(self, email):
        return replace(email, sender="mailer@example.com")


@found_by("a mail arrives as it was sent")
class SaysNoId(LocalMailer):
    """Returns no id."""

    def send(self, email, /, **options):
        super().send(email, **options)
        return ""


@found_by("a mail arrives as it was sent", "attachments arrive whole and in order")
class RenamesAttachments(Altering):
    """Writes attachments' names in ASCII."""

    def altered(self, email):
        named = [
            replace(one, name=one.name.encode("ascii", "ignore").decode().replace('"', ""))
            for one in email.attachments
        ]
        return replace(email, attachments=named)


@found_by("a mail has one date and it is now")
class SendsNoDate(Composing):
    """Sends a mail without a date."""

    def composed(self, message):
        del message["Date"]


@found_by("a mail has one date and it is now")
class SendsTheEpoch(Composing):
    """Dates every mail to 1970."""

    def composed(self, message):
        message.replace_header("Date", "Thu, 01 Jan 1970 00:00:00 +0000")


@found_by("a line break makes no header")
class MendsLineBreaks(Altering):
    """Mends a line break in a subject instead of refusing it."""

    def altered(self, email):
        return replace(email, subject=email.subject.replace("\r", " ").replace("\n", " "))


@found_by("a line break makes no header")
class SplitsHeaders(Altering):
    """Takes what follows a line break in a header's value for another header."""

    def altered(self, email):
        headers = dict(email.headers)
        for name, value in email.headers.items():
            kept, _, more = value.partition("\r\n")
            headers[name] = kept
            if more:
                headers.update([more.split(": ", 1)])
        return replace(email, headers=headers)


@found_by("an encoded line break makes no header")
class DecodesSubjects(Altering):
    """Decodes what looks encoded in a subject, and takes its line break for the end of a header."""

    def altered(self, email):
        if "=?" not in email.subject:
            return email
        return replace(email, subject="Hello", headers={**email.headers, "Bcc": "victim@example.com"})


@found_by("a mail goes to one address")
class SendsToTheFirst(Altering):
    """Sends to the first of several addresses."""

    def altered(self, email):
        return replace(email, to=email.to.partition(",")[0])


@found_by("a mail goes to one address")
class AcceptsNobody(LocalMailer):
    """Says that a mail is sent that it cannot send."""

    def send(self, email, /, **options):
        try:
            return super().send(email, **options)
        except DriverError as refused:
            if refused.code is not ErrorCode.INVALID or "\n" in email.to:
                raise
            return "accepted"


@found_by("two keys are two mails")
class TakesEqualMailsForOne(LocalMailer):
    """Takes mails of one content for one, whatever their keys."""

    def send(self, email, /, *, idempotency_key, deadline):
        return super().send(email, idempotency_key=email.subject, deadline=deadline)


@found_by("a repeated key is no error")
class RefusesRepeats(LocalMailer):
    """Refuses a key that it has sent."""

    keys = ()

    def send(self, email, /, *, idempotency_key, deadline):
        if idempotency_key in self.keys:
            raise error(ErrorCode.ALREADY_EXISTS, "mailer.send")
        self.keys = (*self.keys, idempotency_key)
        return super().send(email, idempotency_key=idempotency_key, deadline=deadline)


@found_by("a repeated key is no error")
class ClaimsToKnowKeys(LocalMailer):
    """Claims to know a key again, and sends each time."""

    features = frozenset({Feature.IDEMPOTENT_MAIL, Feature.WRITES_FILES})
    sent = 0

    def send(self, email, /, *, idempotency_key, deadline):
        self.sent += 1
        return super().send(email, idempotency_key=f"{idempotency_key}.{self.sent}", deadline=deadline)


@found_by("a key is known to every driver")
class KnowsItsOwnKeys(LocalMailer):
    """Claims to know a key again, and knows those that it has sent itself."""

    features = frozenset({Feature.IDEMPOTENT_MAIL, Feature.WRITES_FILES})

    def send(self, email, /, *, idempotency_key, deadline):
        return super().send(email, idempotency_key=f"{idempotency_key}.{id(self)}", deadline=deadline)


@found_by("a key is any text")
class WantsShortKeys(LocalMailer):
    """Refuses a key that is longer than its service takes."""

    def send(self, email, /, *, idempotency_key, deadline):
        if len(idempotency_key) > 256:
            raise invalid("mailer.send")
        return super().send(email, idempotency_key=idempotency_key, deadline=deadline)


@found_by("a key is any text")
class WantsAsciiKeys(LocalMailer):
    """Puts a key into a header as it is."""

    def send(self, email, /, *, idempotency_key, deadline):
        headers = {**email.headers, "X-Key": idempotency_key}
        return super().send(replace(email, headers=headers), idempotency_key="one", deadline=deadline)


@found_by("a subject arrives as it was sent")
class WritesAsciiSubjects(Altering):
    """Writes subjects in ASCII."""

    def altered(self, email):
        return replace(email, subject=email.subject.encode("ascii", "replace").decode())


@found_by("a subject arrives as it was sent")
class CutsSubjects(Altering):
    """Cuts a subject at 78 letters, as long as a line should be."""

    def altered(self, email):
        return replace(email, subject=email.subject[:78])


@found_by("text and html arrive as they were sent")
class DoublesDots(Altering):
    """Doubles a dot at the start of a line, which the service does again."""

    def altered(self, email):
        return replace(email, text=email.text.replace("\n.", "\n.."))


@found_by("text and html arrive as they were sent")
class QuotesFrom(Altering):
    """Writes a sign before a line that begins with From."""

    def altered(self, email):
        return replace(
            email,
            text="".join(
                f">{t}" if t.startswith("From ") else t for t in email.text.splitlines(keepends=True)
            ),
        )


@found_by("text and html arrive as they were sent")
class CutsLines(Altering):
    """Cuts a line at 998 letters."""

    def altered(self, email):
        return replace(email, text="".join(line[:998] + "\n" for line in email.text.split("\n")[:-1]))


@found_by("attachments arrive whole and in order")
class DropsLargeAttachments(Altering):
    """Leaves out an attachment that is too large for it, and says nothing."""

    def altered(self, email):
        return replace(email, attachments=[one for one in email.attachments if len(one.body) < 1024])


@found_by("attachments arrive whole and in order")
class SortsAttachments(Altering):
    """Sends attachments in another order."""

    def altered(self, email):
        return replace(email, attachments=sorted(email.attachments, key=lambda one: one.name))


@found_by("attachments arrive whole and in order")
class GuessesTypes(Altering):
    """Says of every attachment that it is bytes."""

    def altered(self, email):
        kind = "application/octet-stream"
        return replace(email, attachments=[replace(one, content_type=kind) for one in email.attachments])


@found_by("what is billed is counted")
class CountsNothing(Unmetered, LocalMailer):
    """Counts no mail."""


@found_by("no mail is sent after the deadline")
class SendsLate(patient(60, "send"), LocalMailer):
    """Sends although no time is left."""


@found_by("a missing service is not reached")
class RaisesItsClientsErrors(changing(leaked, "send"), LocalMailer):
    """Raises what the file system raised."""


@found_by("a missing service is not reached")
class SendsIntoTheVoid(LocalMailer):
    """Says that a mail is sent by a service that is missing."""

    def send(self, email, /, **options):
        try:
            return super().send(email, **options)
        except DriverError as missing:
            if missing.code is not ErrorCode.NOT_FOUND:
                raise
            return "sent"


@found_by(IN_TROUBLE)
class OutlivesItsDeadline(patient(ALLOWED.total_seconds() + 6, "send"), LocalMailer):
    """Ignores the deadline while its service hangs."""


@found_by(IN_TROUBLE)
class LeaksInTrouble(changing(leaked, "send"), LocalMailer):
    """Lets its client's own error out when the service does not answer."""


@found_by("findings name nobody")
class NamesTheRecipient(LocalMailer):
    """Names in its findings whom mails will go to."""

    def findings(self, *, deadline, sender="", to=()):
        return [note(f"mails to {', '.join(to)} are not confirmed")]
