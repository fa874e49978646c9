"""Asking witnesses to cosign a checkpoint before it is published: the endorser of a log with a policy.

Each witness is asked by a thread of its own, all at once. A checkpoint is let through once the policy is met, with what
else came within a short grace. Until then, and at most for the time allowed, the checkpoint before stays published. A
witness that does not answer is asked less and less often, and never twice at once.

What a witness says against us is the point of having it: a size above ours means that this log was restored from an
older copy, and another root for a size of ours that the log was forked. Both are kept as the witness's problem, told to
the operator and in the log's status, and never answered by anything but stopping.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import httpx
import structlog

from ledger.domain.errors import InvalidInputError, LedgerError, UnavailableError, VerificationError
from ledger.log.note import Signature, add_signatures, keys_that_signed, parse_note, parse_signature_lines
from ledger.log.policy import NONE
from ledger.log.witness import PATH, SIZE_TYPE, AddCheckpoint
from ledger.service.witnesses import Problem, WitnessStanding

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.policy import KnownWitness, Policy
    from ledger.log.ports import ProvesConsistency

_ANSWER_BYTES_MAX: Final = 64 << 10
_GRACE_S: Final = 0.1
"""How long more cosignatures are waited for once the policy is met."""

_BACKOFF_FIRST_S: Final = 0.5
_BACKOFF_LAST_S: Final = 5.0
_ROUNDS: Final = 3
"""A size that the witness tells, and once more where it signed for another of our requests meanwhile."""

_LOG = structlog.get_logger("witnesses")


class WitnessesUnmetError(UnavailableError):
    """Too few witnesses cosigned a checkpoint."""

    code = "witnesses_unmet"
    meaning = "Too few witnesses cosigned the new checkpoint; the one before stays published."
    remedy = (
        "See under `witnesses` in `quanze status` what each of them answered. If one knows a later size or another "
        "root of this log, stop the service and find out why before anything else."
    )


@dataclass(slots=True)
class _Asked:
    """One witness: what it last said, and when it may be asked again."""

    witness: KnownWitness
    standing: WitnessStanding
    pending: Future[Signature | None] | None = None
    failures: int = 0
    not_before: float = 0.0


class Witnesses:
    """The witnesses of one log, by a policy."""

    def __init__(self, policy: Policy, *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the policy; every witness that counts needs an address.

        Raises:
            InvalidInputError: one has none, or one that cannot be.
        """
        self._policy = policy
        self._timeout_s = timeout_s
        self._clock = clock
        counted = policy.counted() if policy.quorum != NONE else policy.witnesses
        self._asked = [_Asked(w, WitnessStanding(w.name, w.key.name, _address(w))) for w in counted]
        self._lock = threading.Lock()
        self._http = httpx.Client(
            timeout=timeout_s, trust_env=False, follow_redirects=False, headers={"User-Agent": "quanze"}
        )
        self._pool = ThreadPoolExecutor(max(1, len(self._asked)), thread_name_prefix="witness")
        self._unmet_since: float | None = None

    @property
    def policy(self) -> Policy:
        """The policy that a checkpoint must meet."""
        return self._policy

    def standings(self) -> list[WitnessStanding]:
        """Return what each witness last answered, in the policy's order."""
        with self._lock:
            return [asked.standing for asked in self._asked]

    def unmet_for_s(self) -> float:
        """Return for how long the policy has not been met; 0 while it is."""
        since = self._unmet_since
        return 0.0 if since is None else self._clock() - since

    def endorse(self, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency) -> bytes:
        """Return the note with the cosignatures that were had.

        Raises:
            WitnessesUnmetError: they do not meet the policy.
        """
        if checkpoint.size == 0:
            return note
        got = self._gather(note, checkpoint, log)
        if not self._policy.is_met_by(frozenset(got)):
            if self._unmet_since is None:
                self._unmet_since = self._clock()
            told = ", ".join(
                f"{s.name}: {s.problem or 'no answer in time'}" for s in self.standings() if s.name not in got
            )
            raise WitnessesUnmetError("witnesses", f"too few of them cosigned size {checkpoint.size} ({told})")
        self._unmet_since = None
        return add_signatures(note, list(got.values()))

    def ask(self, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency) -> None:
        """Let each witness say what it cosigned last, also for a log of no leaves; ``standings`` tells."""
        self._gather(note, checkpoint, log)

    def close(self) -> None:
        """Let go of connections; what is under way is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    def _gather(self, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency) -> dict[str, Signature]:
        """Ask all at once; return signatures by the witnesses' names, in the policy's order."""
        began = self._clock()
        asked: dict[Future[Signature | None], str] = {}
        with self._lock:
            for one in self._asked:
                if (one.pending is not None and not one.pending.done()) or one.not_before > began:
                    continue
                one.pending = self._pool.submit(self._ask, one, note, checkpoint, log)
                asked[one.pending] = one.witness.name
        got: dict[str, Signature] = {}
        pending = set(asked)
        end = began + self._timeout_s
        while pending and (left := end - self._clock()) > 0:
            done, pending = wait(pending, left, FIRST_COMPLETED)
            got.update({asked[one]: found for one in done if (found := one.result()) is not None})
            if self._policy.is_met_by(frozenset(got)):
                end = min(end, self._clock() + _GRACE_S) if pending else end
        return {one.witness.name: got[one.witness.name] for one in self._asked if one.witness.name in got}

    def _ask(self, one: _Asked, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency) -> Signature | None:
        """Ask one witness; return its cosignature, or None once its standing says why there is none."""
        signature: Signature | None = None
        size: int | None = None
        problem, detail = Problem.NONE, ""
        try:
            signature, size = self._converse(one, note, checkpoint, log)
        except _Declined as declined:
            size, problem, detail = declined.size, declined.problem, declined.detail
        except LedgerError as error:
            problem, detail = Problem.BAD_ANSWER, error.explain()
        except Exception as error:  # noqa: BLE001 - whatever a witness's answer does to us, the others' still count.
            _LOG.exception("witness_fault", witness=one.witness.name)
            problem, detail = Problem.BAD_ANSWER, type(error).__name__
        with self._lock:
            before = one.standing
            one.standing = replace(
                before,
                size=before.size if size is None else size,
                problem=problem,
                detail=detail,
                cosigned_at=int(time.time()) if signature is not None else before.cosigned_at,
            )
            one.failures = 0 if signature is not None else one.failures + 1
            pause = min(_BACKOFF_LAST_S, _BACKOFF_FIRST_S * 2 ** min(one.failures - 1, 10)) if one.failures else 0.0
            one.not_before = self._clock() + pause
        if problem is not before.problem:
            if problem is Problem.NONE:
                _LOG.info("witness_back", witness=one.witness.name)
            else:
                _LOG.warning("witness_failed", witness=one.witness.name, problem=problem.value, detail=detail)
        return signature

    def _converse(
        self, one: _Asked, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency
    ) -> tuple[Signature, int]:
        old = min(one.standing.size, checkpoint.size)
        for _ in range(_ROUNDS):
            proof = log.consistency_proof(old, checkpoint.size) if 0 < old < checkpoint.size else []
            status, kind, body = self._post(one, AddCheckpoint(old, tuple(proof), note).print())
            if status == httpx.codes.OK:
                return _own_line(one.witness, note, body), checkpoint.size
            if status != httpx.codes.CONFLICT:
                raise _declined(status, body)
            size = _told_size(kind, body)
            if size > checkpoint.size:
                raise _Declined(Problem.AHEAD, f"it cosigned size {size}, and this log has {checkpoint.size}", size)
            if size == old:
                raise _Declined(Problem.FORKED, f"it cosigned another root for size {size}", size)
            old = size
        raise _Declined(Problem.BAD_ANSWER, "the size that it tells keeps changing")

    def _post(self, one: _Asked, body: bytes) -> tuple[int, str, bytes]:
        end = self._clock() + self._timeout_s
        received = bytearray()
        try:
            with self._http.stream("POST", f"{one.standing.url}/{PATH}", content=body) as response:
                for part in response.iter_raw():
                    received += part
                    if len(received) > _ANSWER_BYTES_MAX:
                        raise _Declined(Problem.BAD_ANSWER, f"it answered more than {_ANSWER_BYTES_MAX} bytes")
                    if self._clock() > end:
                        raise _Declined(Problem.UNREACHABLE, "it answered too slowly")
                kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
                return response.status_code, kind, bytes(received)
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # httpx: RuntimeError = client closed
            raise _Declined(Problem.UNREACHABLE, f"{type(error).__name__}: {error}") from error


class _Declined(Exception):  # noqa: N818 - not an error of ours: what one witness said.
    """A witness did not sign."""

    def __init__(self, problem: Problem, detail: str, size: int | None = None) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail[:300]
        self.size = size


def _declined(status: int, body: bytes) -> _Declined:
    said = body.decode("ascii", "replace").strip()[:200]
    problems = {404: Problem.UNKNOWN_LOG, 403: Problem.KEY_REFUSED, 422: Problem.FORKED}
    return _Declined(problems.get(status, Problem.BAD_ANSWER), f"HTTP {status}: {said}")


def _told_size(kind: str, body: bytes) -> int:
    text = body.removesuffix(b"\n")
    if kind != SIZE_TYPE or not text.isdigit() or len(text) > 19 or str(int(text)).encode() != text:
        raise _Declined(Problem.BAD_ANSWER, "HTTP 409 without the size that it cosigned")
    return int(text)


def _own_line(witness: KnownWitness, note: bytes, body: bytes) -> Signature:
    """Return the witness's own valid cosignature among the lines of its answer; others are ignored."""
    own = [
        line
        for line in parse_signature_lines(body)
        if (line.name, line.key_id) == (witness.key.name, witness.key.key_id)
    ]
    if not own:
        raise VerificationError("cosignature", f"the answer has no line of {witness.key.name}")
    keys_that_signed(parse_note(add_signatures(note, own[:1])), [witness.key])
    return own[0]


def _address(witness: KnownWitness) -> str:
    try:
        url = httpx.URL(witness.url)
        is_good = url.scheme in {"http", "https"} and bool(url.host) and not url.query and not url.fragment
    except httpx.InvalidURL:
        is_good = False
    if not is_good:
        raise InvalidInputError(f"witness {witness.name}", witness.url, "an address http(s)://HOST[:PORT][/PATH]")
    return witness.url.rstrip("/")
