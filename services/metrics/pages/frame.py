"""The frame around every page, and signing in."""

import base64
import hashlib
from html import escape
from importlib import resources

from fastapi.responses import HTMLResponse

from services.metrics.pages.words import Words

#: A way post with two arms.
_POST = "M7 0h2v2h5l2 2-2 2H9v1H7V6H2V2h5zm0 8h2v8H7zm2 0h4l2 1.5L13 11H9z"
_MARK = f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{_POST}"/></svg>'
#: What browsers show beside the page's name.
ICON = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#2a7d5f" d="{_POST}"/></svg>'


class Pages:
    """Makes whole pages; holds the style sheet and the policy that allows nothing but it."""

    def __init__(self) -> None:
        self._style = resources.files(__package__).joinpath("style.css").read_text("utf-8")
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept-Language, Cookie",
            "X-Content-Type-Options": "nosniff",
        }

    def page(self, words: Words, body: str, aside: str = "", status: int = 200, refresh: int = 0) -> HTMLResponse:
        """A page around `body`; `aside` ends its head line. `refresh`: seconds until it is read again."""
        again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
        html = (
            f'<!doctype html><html lang="{words.language}" dir="{words.direction}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}<title>Milepost</title>'
            f'<meta name="color-scheme" content="light dark"><link rel="icon" href="/favicon.ico">'
            f"<style>{self._style}</style></head><body>"
            f'<header><p class="brand">{_MARK}Milepost</p>{aside}</header><main>{body}</main></body></html>'
        )
        return HTMLResponse(html, status, self._headers)

    def sign_in(self, words: Words, wrong: bool = False) -> HTMLResponse:
        """The form that asks for a query token, after a `wrong` one with the reason."""
        problem = f'<p class="problem" role="alert">{escape(words.unknown)}</p>' if wrong else ""
        form = (
            f'<form class="card" method="post" action="/"><label for="token">{escape(words.token)}</label>'
            '<input autocomplete="username" value="milepost" hidden>'  # password managers want a name to go with it
            '<input id="token" name="token" type="password" autocomplete="current-password"'
            ' dir="ltr" required autofocus>'
            f"{problem}<button>{escape(words.sign_in)}</button>"
            f'<p class="hint">{escape(words.how)} <code dir="ltr">milepost tokens create NAME</code></p></form>'
        )
        return self.page(words, form, status=401)
