"""Says to the routes who calls, by the key that was shown, and by which address the caller reaches us."""

from http import HTTPStatus
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.gateway.documents import Addresses
from services.gateway.keys import Caller, Keys
from services.gateway.problems import ProblemError


def caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(HTTPBearer(auto_error=False))],
) -> Caller:
    """Who calls. Raises ProblemError (401) where a key is needed and none that is known was shown."""
    keys = cast("Keys", request.app.state.keys)
    found = keys.caller(credentials.credentials if credentials else None)
    if found is None:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "Show a key that is known: Authorization: Bearer KEY.")
    return found


def addresses(request: Request) -> Addresses:
    """The addresses to tell the caller: those configured, else what was asked for itself."""
    public_url = cast("str", request.app.state.public_url)
    return Addresses((public_url or str(request.base_url)).rstrip("/"))


Asker = Annotated[Caller, Security(caller)]
At = Annotated[Addresses, Depends(addresses)]
