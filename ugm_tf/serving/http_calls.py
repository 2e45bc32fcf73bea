"""One exchange by HTTP within a deadline: Python's own is for each read, which an answer in drips never reaches."""

import functools
import http.client
import io
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from ugm_tf.serving.errors import DeadlineExceeded, ServingError, TooLarge, Unavailable

__all__ = ["checked", "exchange"]


def checked(address: str) -> str:
    """An address without a slash at its end.

    Raises:
        ValueError: If it is none.
    """
    try:
        parts = urllib.parse.urlsplit(address)
        is_one = parts.port != 0 and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        is_one = False
    if not is_one or not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError(f"A server of REST is such as http://localhost:8501. Received: {address!r}.")
    return address.rstrip("/")


def exchange(url: str, body: bytes | None, timeout: float, most: int) -> tuple[int, bytes]:
    """The status and the content of an answer, whatever the status is; it follows no redirection.

    Args:
        url: Where.
        body: JSON to post; None to get.
        timeout: When there has to be all of the answer, in seconds.
        most: The most bytes of the answer.

    Raises:
        ServingError: If there is no answer, or no whole one.
    """
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with _opener().open(request, timeout=timeout) as answer:
            content = answer.read(most + 1)
            missing = answer.length
            status = answer.status
    except TimeoutError as error:
        raise _late(url, timeout) from error
    except OSError as error:  # URLError is one, and those of connections
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise _late(url, timeout) from error
        raise Unavailable(f"{url} cannot be reached: {reason}.") from error
    except (http.client.HTTPException, ValueError) as error:
        words = f"{type(error).__name__}: {error}"[:300]
        raise ServingError(f"{url} does not speak HTTP, or breaks off: {words}.", "INTERNAL") from error
    if len(content) > most:
        raise TooLarge(f"{url} answers with more than {most} bytes.")
    if missing:
        raise ServingError(f"{url} breaks off: {missing} bytes of its answer are missing.", "INTERNAL")
    return status, content


def _late(url: str, timeout: float) -> ServingError:
    return DeadlineExceeded(f"{url} did not answer in {timeout:.1f} s.")


class _Reading(io.RawIOBase):
    """What comes from a socket, until the end of the time."""

    def __init__(self, raw: Any, socket: Any, end: float):
        self._raw, self._socket, self._end = raw, socket, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        self._socket.settimeout(_left(self._end))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    end: float

    def __init__(self, socket: Any, *arguments: Any, **options: Any):
        super().__init__(socket, *arguments, **options)
        self.fp: Any = io.BufferedReader(_Reading(self.fp.detach(), socket, self.end))


class _Plain(http.client.HTTPConnection):
    """A connection that has one deadline for all that it does."""

    def __init__(self, host: str, /, *, timeout: float = 10.0, **options: Any):
        super().__init__(host, timeout=timeout, **options)
        self._end = time.monotonic() + timeout

        class Response(_Response):
            end = self._end

        self.response_class = Response

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(_left(self._end))
        super().send(data)


class _Secure(_Plain, http.client.HTTPSConnection):
    """By HTTPS."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: Any) -> Any:
        return self.do_open(_Plain, request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self) -> None:
        super().__init__()
        self._trusted = ssl.create_default_context()  # reads the system's certificates, which takes milliseconds

    def https_open(self, request: Any) -> Any:
        return self.do_open(_Secure, request, context=self._trusted)


@functools.cache
def _opener() -> urllib.request.OpenerDirector:
    """Proxies as in the environment, and no more: a status is for the caller."""
    made = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), _Http(), _Https()):
        made.add_handler(handler)
    return made


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
