"""What went wrong on the way to the Hub or from it, in one sentence."""

from __future__ import annotations

import errno

from ganplay.hub.reference import MAIN, Reference

_TOKEN = "set HF_TOKEN to a token that may"
# By name, with all that derive from them: the client has changed the library it speaks HTTP with before.
_SLOW = {"TimeoutException", "TimeoutError"}
_BROKEN = {"ProtocolError", "ReadError", "ConnectionResetError"}
_UNREACHABLE = {"TransportError", "ConnectionError", "SSLError"}


class UnreachableError(ValueError):
    """The Hub did not answer or asked to come back later: what was downloaded before is as good as it gets."""


def sentence(error: BaseException, reference: Reference, verb: str = "read", public: bool = False) -> ValueError:
    """An exception of `huggingface_hub` or the operating system as the ValueError to raise instead; ours stay.

    Args:
        verb: what was to be done with the repository, "read" or "write".
        public: only what everybody may read was asked for, so that no token would help.
    """
    from huggingface_hub import errors

    where = reference.repository
    if type(error) in (ValueError, UnreachableError):  # not what the client derives from ValueError
        return error
    if isinstance(error, errors.RepositoryNotFoundError) and public:
        return ValueError(f"There is no model {where} on the Hub that everybody may read.")
    if isinstance(error, errors.GatedRepoError):  # before what it derives from
        return ValueError(f"{where} is gated: accept its conditions on its page, then {_TOKEN} read it.")
    if isinstance(error, errors.RepositoryNotFoundError):
        return ValueError(
            f"There is no model {where} on the Hub, or it is private; for a private one {_TOKEN} {verb} it."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ValueError(f"{where} has no revision {reference.revision!r}; the usual one is '{MAIN}'.")
    if isinstance(error, errors.DisabledRepoError):
        return ValueError(f"{where} was disabled by the Hub.")
    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        return sentence(error.__cause__, reference, verb, public)  # a request that failed in the middle of a download
    if isinstance(error, errors.OfflineModeIsEnabled):
        return offline(reference)
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return ValueError(f"A file of {where} is gone from the Hub; try again.")
    if isinstance(error, errors.HFValidationError):
        return ValueError(f"{where} at {reference.revision!r} is no repository that the Hub could have.")
    if isinstance(error, errors.HfHubHTTPError):
        return _answer(error.response.status_code, where, verb)
    return _local(error, where)


def offline(reference: Reference) -> ValueError:
    """For a download that is not here while HF_HUB_OFFLINE is set."""
    return ValueError(
        f"{reference.repository} is not on this computer, and HF_HUB_OFFLINE is set; unset it to go online."
    )


def _answer(status: int, where: str, verb: str) -> ValueError:
    """A refusal by its HTTP status."""
    if status == 401:
        return ValueError(f"The Hub does not accept the token (401); {_TOKEN} {verb} {where}, or unset it.")
    if status == 402:
        return ValueError(f"The Hub asks for payment before one may {verb} {where} (402).")
    if status == 403:
        return ValueError(f"The Hub does not allow this to {verb} {where} (403); {_TOKEN} {verb} it.")
    if status == 429:
        return UnreachableError("The Hub has had too many requests from here (429); wait some minutes and try again.")
    if status >= 500:
        return UnreachableError(f"The Hub has a problem of its own ({status}); try again later.")
    return ValueError(f"The Hub refused to {verb} {where} ({status}).")


def _local(error: BaseException, where: str) -> ValueError:
    """Trouble with the network or the disk."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _SLOW:
        return UnreachableError(f"The Hub did not answer in time about {where}; try again later.")
    if names & _BROKEN:
        return UnreachableError(f"The connection to the Hub broke while {where} was under way; try again.")
    if names & _UNREACHABLE:
        return UnreachableError("The Hub cannot be reached; check the network, or HF_ENDPOINT if it is set.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ValueError(f"The disk is full; {where} could not be stored.")
    if isinstance(error, OSError) and "Consistency check" in str(error):
        return ValueError(f"A file of {where} arrived incomplete; try again.")
    return ValueError(f"{where} could not be reached as a model on the Hub ({type(error).__name__}).")
