"""Faults of ours answered inside the application, so that the server never sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Faults:
    """Answers whatever exception comes out of an application.

    Starlette's own handler answers and then raises again; the server takes that as a broken connection and closes
    it without a word, and the client's next request on it is lost. Here the connection stays.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an answer that had begun before the fault can only be cut off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_begun = False

        async def watched(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            response = self._answer(Request(scope), error)
            if is_begun:
                raise
            await response(scope, receive, send)
