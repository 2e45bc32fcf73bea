"""Whether a server answers, asked once and within seconds, where TFDS would try for minutes."""

import threading
import urllib.error
import urllib.request

__all__ = ["trouble"]


def trouble(url: str, timeout: float = 3.0) -> str | None:
    """Why a server cannot be reached.

    Any answer counts, an error page too; the proxies of the environment are used.

    Args:
        url: An address on the server.
        timeout: Seconds to wait; looking up the server's name is included.

    Returns:
        The reason, or None if the server answers.
    """
    outcome = [f"no answer within {timeout:g} s"]

    def ask():
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout):
                outcome[0] = ""
        except urllib.error.HTTPError:
            outcome[0] = ""
        except (OSError, ValueError) as error:
            outcome[0] = str(getattr(error, "reason", error))

    thread = threading.Thread(target=ask, daemon=True)  # the resolver knows no timeout; a thread can be left
    thread.start()
    thread.join(timeout)
    return outcome[0] or None
