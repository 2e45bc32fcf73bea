"""What a server answers in place of outputs: an error of one of gRPC's codes."""

__all__ = [
    "HTTP_STATUS",
    "DeadlineExceeded",
    "InvalidRequest",
    "NotFound",
    "ServingError",
    "TooLarge",
    "Unavailable",
    "of_code",
    "of_status",
]


class ServingError(Exception):
    """A request has no answer.

    Attributes:
        code: gRPC's name of what is wrong, such as "INTERNAL".
        message: The server's words.
    """

    codes: tuple[str, ...] = ()

    def __init__(self, message: str, code: str | None = None):
        self.code = code or (self.codes[0] if self.codes else "UNKNOWN")
        self.message = message
        super().__init__(f"{self.code}: {message}")


class InvalidRequest(ServingError):
    """The request is wrong, and will be however often it is sent: its inputs or its signature."""

    codes = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE")


class NotFound(ServingError):
    """There is no such model, or it has no such version."""

    codes = ("NOT_FOUND",)


class Unavailable(ServingError):
    """There is no server, or it has too much to do: the same request may have an answer later."""

    codes = ("UNAVAILABLE",)


class DeadlineExceeded(ServingError):
    """There was no answer in time."""

    codes = ("DEADLINE_EXCEEDED",)


class TooLarge(ServingError):
    """The request or its answer has more bytes than the server or the client takes, or there are too many at once."""

    codes = ("RESOURCE_EXHAUSTED",)


# As TensorFlow Serving has them: tensorflow_serving/model_servers/http_server.cc, ToHTTPStatusCode.
HTTP_STATUS = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}


def of_code(code: str, message: str) -> ServingError:
    """The error of one of gRPC's codes."""
    kinds = (InvalidRequest, NotFound, Unavailable, DeadlineExceeded, TooLarge)
    return next((kind for kind in kinds if code in kind.codes), ServingError)(message, code)


def of_status(status: int, message: str) -> ServingError:
    """The error of an HTTP status: the first code that has it."""
    return of_code(next((code for code, number in HTTP_STATUS.items() if number == status), "INTERNAL"), message)
