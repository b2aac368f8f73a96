"""Why a mail server did not take a message, in words that say nothing of its address.

Of its replies only the codes are told (RFC 5321, 4.2): their texts name addresses, and whatever
else the server likes.
"""

import smtplib

from adspark.net.webhook_failures import describe_late, describe_unsent


def describe_mail_failure(
    error: Exception, step: str, timeout: object, *, is_sent: bool
) -> tuple[str, bool]:
    """What the server did, as the end of a sentence that begins with its name; and whether it would
    do the same a minute later.

    Args:
        error: of smtplib.
        step: what was asked of the server, as "the login".
        timeout: seconds that it had for its answer.
        is_sent: whether the whole message had been sent.
    """
    if isinstance(error, smtplib.SMTPServerDisconnected):
        if isinstance(error.__context__, TimeoutError):
            return describe_late(timeout), False
        return "closed the connection " + ("unanswered" if is_sent else "too early"), False
    code = _reply_code(error)
    if code is not None:
        return _describe_reply(error, step, code), code >= 500
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"does not offer {step}, which its address asks for", True
    if isinstance(error, smtplib.SMTPException):
        return "offers no way to log in that is known here", True
    return describe_unsent(error, timeout), False


def _reply_code(error: Exception) -> int | None:
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(code for code, _ in error.recipients.values())
    return None


def _describe_reply(error: Exception, step: str, code: int) -> str:
    if isinstance(error, smtplib.SMTPSenderRefused):
        step = "the sender's address"
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        step = "the receiver's address"
    if code == 530:
        return "asks for a login, or for TLS (mailtos://), first (530)"
    if code < 400:
        return "answered with what is no refusal and no consent"
    return f"refused {step}{' for now' if code < 500 else ''} ({code})"
