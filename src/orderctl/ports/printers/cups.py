"""Print queues of CUPS, and IPP printers asked directly.

CUPS says "completed" for jobs the printer refused, turns page order round and puts pages on a wrong paper in
silence. So the size is looked up in what the queue offers and sent exactly, scaling is off, order is asked for, and
a job counts as completed only when CUPS has no complaint and the printer itself says so. The invariant: whatever
else is seen after the job was handed over is `OutcomeUnknown`, unless the printer proves that nothing was printed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.printers.ipp import (
    NOT_ACCEPTING,
    NOT_FOUND,
    PRINTER_STOPPED,
    Answer,
    Attribute,
    Found,
    JobState,
    Operation,
    Tag,
    encode,
    offers_size,
    one,
    parse_answer,
    parse_media,
    same_size,
)
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt

POLL_S = 0.5
DEADLINE_S = 60.0
DEADLINE_PER_PAGE_S = 2.0
PROOF_S = 5.0
USER = "orderctl"
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
RAW = "application/vnd.cups-raw"
PDF = "application/pdf"

# The base words of printer-state-reasons that stop paper from coming out. CUPS hangs "-warning" on them even then.
STOPPERS = {
    "media-empty": Text("out of paper"),
    "media-needed": Text("out of paper"),
    "media-jam": Text("paper jam"),
    "cover-open": Text("cover open"),
    "door-open": Text("cover open"),
    "paused": Text("paused"),
    "shutdown": Text("switched off"),
    "offline": Text("offline"),
    "marker-supply-empty": Text("out of ribbon or toner"),
}

_PRINTER_WANTED = (
    "printer-state", "printer-state-reasons", "printer-state-message", "printer-is-accepting-jobs", "media-supported",
    "device-uri", "document-format-supported",
)  # fmt: skip
_JOB_WANTED = (
    "job-id", "job-name", "job-state", "job-printer-state-message", "time-at-processing",
)  # fmt: skip


@dataclass(frozen=True)
class _Place:
    """An IPP printer: where it is asked (`http`) and how it is called there (`ipp`)."""

    http: str
    ipp: str


class CupsPrinter:
    """A queue of a CUPS server: `cups:QUEUE` here, `cups://HOST:631/QUEUE` elsewhere."""

    def __init__(
        self,
        spec: DeviceSpec,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spec = spec
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._place = _place(spec.host, spec.port, self._path(spec), secure=False)

    def send(self, document: Document, *, title: str) -> Receipt:
        queue = self._printer(self._place)
        self._check_ready(queue)
        device = self._device(queue)
        if device is not None:
            self._check_device(device)
        job_name = (
            f"{title} #{secrets.token_hex(4)}"  # the same title may be sent again; its proof must be its own
        )
        job_id = self._submit(queue, document, job_name)
        return self._wait(document, device, job_id, job_name)

    def lookup(self, document: Document, *, title: str) -> Receipt | None:  # noqa: ARG002 - a job is known by its name
        """A job of this title that completed is the receipt; no such job proves nothing, histories are short."""
        for job in self._jobs(self._place):
            name, state = _first(job, "job-name"), _first(job, "job-state")
            if str(name).startswith(f"{title} #") and state == JobState.COMPLETED and not _complaint(job):
                device = self._device(self._printer(self._place))
                return self._receipt(device, str(name), int(_first(job, "job-id") or 0))
        raise OutcomeUnknown(
            Text("queue {queue} has no finished job '{title}'", queue=self._spec.text, title=title)
        )

    def _path(self, spec: DeviceSpec) -> str:
        return f"printers/{quote(spec.path)}"

    def _device(self, queue: Found) -> _Place | None:
        """Give the IPP printer behind the queue, when it is one that can be asked from here."""
        url = urlsplit(str(_first(queue, "device-uri") or ""))
        if url.scheme not in ("ipp", "ipps") or not url.hostname:
            return None
        local = url.hostname in ("localhost", "127.0.0.1", "::1")
        host = self._spec.host if local else url.hostname  # "localhost" is the server's own
        return _place(host, url.port or 631, url.path.strip("/"), secure=url.scheme == "ipps")

    # --- before anything is sent

    def _check_ready(self, queue: Found) -> None:
        if _first(queue, "printer-is-accepting-jobs") is False:
            raise self._temporary(Text("it is not accepting jobs"), "not-accepting-jobs")
        if _first(queue, "printer-state") == PRINTER_STOPPED:
            said = _first(queue, "printer-state-message") or ""
            raise self._temporary(Text("it is stopped ({message})", message=said), "stopped")

    def _check_device(self, device: _Place) -> None:
        """Ask the printer itself: what CUPS remembers of paper and covers may be from yesterday."""
        try:
            state = self._printer(device)
        except (Temporary, Refused, Unauthorized):
            return  # not to be asked from here; CUPS may still reach it
        if (why := _stopper(state)) is not None:
            raise self._temporary(STOPPERS[why], why)

    def _media(self, queue: Found, document: Document) -> dict[str, Attribute]:
        """Give the attribute that selects exactly the document's paper; raises Refused when there is none."""
        if document.media_type != PDF:
            return {}
        if document.width_mm is None or document.height_mm is None:
            raise self._refused(
                Text("{name} has pages of several sizes; send each size as its own job", name=document.name)
            )
        width, height = document.width_mm, document.height_mm
        offered = [str(name) for name in queue.get("media-supported", [])]
        said = Text("{width} x {height} mm", width=f"{width:g}", height=f"{height:g}")
        if (wanted := self._spec.options.get("media")) is not None:
            if wanted not in offered:
                raise self._refused(Text("it has no paper named {media}", media=wanted), "media")
            if not same_size(parse_media(wanted), (width, height)):
                raise self._refused(Text("{media} is not {size}, the size of {name}", media=wanted, size=said, name=document.name), "media")  # fmt: skip
            return {"media": one(Tag.KEYWORD, wanted)}
        if not offers_size(offered, width, height):
            raise self._refused(
                Text("it has no paper of {size} for {name}", size=said, name=document.name), "media"
            )
        size = {
            "x-dimension": one(Tag.INTEGER, round(width * 100)),
            "y-dimension": one(Tag.INTEGER, round(height * 100)),
        }
        return {"media-col": one(Tag.COLLECTION, {"media-size": one(Tag.COLLECTION, size)})}

    # --- the job

    def _submit(self, queue: Found, document: Document, job_name: str) -> int:
        """Hand the job over; give its number. Raises OutcomeUnknown when the answer is lost."""
        attributes = self._media(queue, document)
        if document.media_type == PDF:
            attributes |= {
                "copies": one(Tag.INTEGER, 1),
                "print-scaling": one(Tag.KEYWORD, "none"),
                "page-delivery": one(Tag.KEYWORD, "same-order-face-up"),
                "outputorder": one(Tag.KEYWORD, "normal"),
            }
        operation = {
            "job-name": one(Tag.NAME, job_name),
            "document-format": one(Tag.MIME, PDF if document.media_type == PDF else RAW),
        }
        answer = self._ask(self._place, Operation.PRINT_JOB, operation, attributes, data=document.content)
        jobs = answer.of(Tag.JOB)
        if not jobs or not isinstance(job_id := _first(jobs[0], "job-id"), int):
            raise self._unknown(Text("it gave the job no number"))
        return job_id

    def _wait(self, document: Document, device: _Place | None, job_id: int, job_name: str) -> Receipt:
        """Watch the job to its end or the deadline."""
        given = self._spec.options.get("deadline")
        deadline = self._clock() + (
            float(given) if given else DEADLINE_S + DEADLINE_PER_PAGE_S * document.pages
        )
        why: Text | str = Text("no answer")
        while True:
            try:
                job, queue = self._job(job_id), self._printer(self._place)
            except (Temporary, Refused, Unauthorized) as error:
                why = error.text  # the job is handed over: a server that is gone for a moment changes nothing
            else:
                state = _first(job, "job-state")
                if state == JobState.COMPLETED and not _complaint(job):
                    return self._receipt(device, job_name, job_id)
                if state in (JobState.COMPLETED, JobState.CANCELED, JobState.ABORTED):
                    raise self._ended_badly(job, device, job_name, job_id)
                stopper = _stopper(queue)
                why = (
                    STOPPERS[stopper]
                    if stopper
                    else _complaint(job) or str(_first(queue, "printer-state-message") or "")
                )
            if self._clock() >= deadline:
                raise self._unknown(
                    Text(
                        "job {job} has not ended ({reason})",
                        job=job_id,
                        reason=why or Text("no reason given"),
                    )
                )
            self._sleep(POLL_S)

    def _receipt(self, device: _Place | None, job_name: str, job_id: int) -> Receipt:
        """Completed if the printer says so, spooled if it cannot be asked. Raises when it says otherwise."""
        until = self._clock() + PROOF_S
        while device is not None:
            try:
                job = self._job_named(device, job_name)
            except (Temporary, Refused, Unauthorized):
                break
            state = None if job is None else _first(job, "job-state")
            if state == JobState.COMPLETED:
                return Receipt("completed", f"job {job_id}")
            if state in (JobState.CANCELED, JobState.ABORTED):
                raise self._unknown(Text("the printer ended job {job} early", job=job_id))
            if state is None or self._clock() >= until:
                break  # many printers keep no history: then CUPS' word is all there is
            self._sleep(POLL_S)
        return Receipt("spooled", f"job {job_id}")

    def _ended_badly(self, job: Found, device: _Place | None, job_name: str, job_id: int) -> PortError:
        """Refused if the printer proves that it printed nothing of the job, else unknown."""
        reason = _complaint(job) or Text("canceled")
        text = Text("job {job} failed: {reason}", job=job_id, reason=reason)
        if _first(job, "time-at-processing") is None and _first(job, "job-state") != JobState.COMPLETED:
            return self._refused(text, "canceled")  # it never left the queue
        if device is None:
            return self._unknown(text)
        try:
            found = self._job_named(device, job_name)
        except (Temporary, Refused, Unauthorized):
            return self._unknown(text)
        # Counts of sheets prove nothing (some printers never count); never having begun does.
        if found is None or found.get("time-at-processing") == [None]:
            return self._refused(text, "job-failed")
        return self._unknown(text)

    # --- asking

    def _printer(self, place: _Place) -> Found:
        wanted = {"requested-attributes": one(Tag.KEYWORD, *_PRINTER_WANTED)}
        groups = self._ask(place, Operation.GET_PRINTER_ATTRIBUTES, wanted).of(Tag.PRINTER)
        return groups[0] if groups else {}

    def _job(self, job_id: int) -> Found:
        wanted = {"job-id": one(Tag.INTEGER, job_id), "requested-attributes": one(Tag.KEYWORD, *_JOB_WANTED)}
        groups = self._ask(self._place, Operation.GET_JOB_ATTRIBUTES, wanted).of(Tag.JOB)
        return groups[0] if groups else {}

    def _jobs(self, place: _Place) -> list[Found]:
        found = []
        for which in ("completed", "not-completed"):
            wanted = {
                "which-jobs": one(Tag.KEYWORD, which),
                "requested-attributes": one(Tag.KEYWORD, *_JOB_WANTED),
            }
            found += self._ask(place, Operation.GET_JOBS, wanted).of(Tag.JOB)
        return found

    def _job_named(self, place: _Place, job_name: str) -> Found | None:
        return next((job for job in self._jobs(place) if _first(job, "job-name") == job_name), None)

    def _ask(
        self,
        place: _Place,
        operation: Operation,
        attributes: Mapping[str, Attribute],
        job: Mapping[str, Attribute] | None = None,
        *,
        data: bytes = b"",
    ) -> Answer:
        """Ask one thing. A request with `data` changes things: silence after it is OutcomeUnknown, else Temporary."""
        changes = bool(data)
        head = {
            "attributes-charset": one(Tag.CHARSET, "utf-8"),
            "attributes-natural-language": one(Tag.LANGUAGE, "en"),
            "printer-uri": one(Tag.URI, place.ipp),
            **({"job-id": attributes["job-id"]} if "job-id" in attributes else {}),
            "requesting-user-name": one(Tag.NAME, USER),  # CUPS shows the names of jobs to their owner only
            **attributes,
        }
        body = encode(operation, 1, [(Tag.OPERATION, head), *([(Tag.JOB, job)] if job else [])], data)
        silent = self._unknown if changes else self._temporary
        try:
            with httpx.Client(transport=self._transport, trust_env=False, timeout=TIMEOUT) as client:
                response = client.post(place.http, content=body, headers={"Content-Type": "application/ipp"})
            answer = parse_answer(response.content) if response.status_code == 200 else None
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise self._temporary(
                Text("no connection to {host}", host=urlsplit(place.http).netloc), "unreachable"
            ) from None
        except httpx.TransportError:
            raise silent(Text("the connection broke"), "connection") from None
        except ValueError:
            raise silent(Text("the answer is no IPP"), "answer") from None
        if answer is None:
            raise self._http_failure(response.status_code, silent)
        if answer.status >= 0x0400:
            raise self._ipp_failure(answer.status)
        return answer

    def _http_failure(self, status: int, silent: Callable[[Text, str], PortError]) -> PortError:
        text = Text("HTTP status {status}", status=status)
        if status in (401, 403):
            return Unauthorized(self._said(text), code=str(status))
        return silent(text, str(status)) if status >= 500 else self._refused(text, str(status))

    def _ipp_failure(self, status: int) -> PortError:
        """What the printer itself answered: it took nothing."""
        if status == NOT_FOUND:
            return self._refused(Text("there is no such queue"), "not-found")
        if status == NOT_ACCEPTING:
            return self._temporary(Text("it is not accepting jobs"), "not-accepting-jobs")
        text = Text("IPP status {status}", status=f"0x{status:04x}")
        if status in (0x0401, 0x0402, 0x0403):
            return Unauthorized(self._said(text), code=f"0x{status:04x}")
        return (self._temporary if status >= 0x0500 else self._refused)(text, f"0x{status:04x}")

    def _said(self, text: Text) -> Text:
        return Text("printer {device}: {reason}", device=self._spec.text, reason=text)

    def _refused(self, text: Text, code: str = "refused") -> Refused:
        return Refused(self._said(text), code=code)

    def _temporary(self, text: Text, code: str = "temporary") -> Temporary:
        return Temporary(self._said(text), code=code)

    def _unknown(self, text: Text, code: str = "unknown") -> OutcomeUnknown:
        hint = Text("look at the paper and the queue before printing again; a waiting job prints by itself")
        return OutcomeUnknown(self._said(text), hint=hint, code=code)


class IppPrinter(CupsPrinter):
    """A printer that speaks IPP itself: `ipp://HOST:631/ipp/print`. Its own word is the proof."""

    def _path(self, spec: DeviceSpec) -> str:
        return spec.path

    def _device(self, queue: Found) -> _Place | None:  # noqa: ARG002
        return self._place


def _place(host: str, port: int, path: str, *, secure: bool) -> _Place:
    shown = f"[{host}]" if ":" in host else host
    where = f"{shown}:{port}/{path}"
    return _Place(f"{'https' if secure else 'http'}://{where}", f"{'ipps' if secure else 'ipp'}://{where}")


def _first(found: Mapping[str, list[Any]], name: str) -> Any:
    return found[name][0] if found.get(name) else None


def _complaint(job: Found) -> str:
    """Give what CUPS says went wrong; it may stand beside the state "completed"."""
    return str(_first(job, "job-printer-state-message") or "").strip()


def _stopper(printer: Found) -> str | None:
    """Give the base word of the first reason that keeps paper from coming out."""
    for reason in printer.get("printer-state-reasons", []):
        base = str(reason)
        for suffix in ("-warning", "-error", "-report"):
            base = base.removesuffix(suffix)
        if base in STOPPERS:
            return base
    return None
