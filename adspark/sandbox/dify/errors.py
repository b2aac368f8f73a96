"""Dify's errors: a code, a message, a status."""

from starlette.responses import JSONResponse, Response


class DifyError(Exception):
    """A request that Dify refuses."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> dict[str, object]:
        """What the answer says."""
        return {"code": self.code, "message": self.message, "status": self.status}

    def respond(self) -> Response:
        """The answer."""
        return JSONResponse(self.body, self.status)


def invalid_param(message: str) -> DifyError:
    """An input or parameter that will not do."""
    return DifyError(400, "invalid_param", message)


def server_error() -> DifyError:
    """Something that went wrong inside Dify."""
    return DifyError(500, "internal_server_error", "Internal Server Error.")


def not_found(message: str) -> DifyError:
    """Something that there is not, or not for this user."""
    return DifyError(404, "not_found", message)
