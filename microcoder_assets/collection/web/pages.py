"""Pages that sites serve in place of the one asked for."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from microcoder_assets.collection.web.errors import Blocked, NotServed, Refused
from microcoder_assets.collection.web.exchange import Answer

_CHALLENGE = re.compile(
    rb"<title>\s*(?:Just a moment\.\.\.|Attention Required! \| Cloudflare|One moment, please\.\.\.)"
    rb"|Your browser is being checked|Checking your browser before accessing|slowAES\.decrypt"
)
"""Cloudflare's interstitials, and the cookie check that Codeforces puts before its pages."""
_LOGIN_FORM = re.compile(rb"""<form\b[^>]*\baction=["'][^"']*(?:login|enter|sign-?in)\b""", re.IGNORECASE)
_PASSWORD = re.compile(rb"""<input\b[^>]*\btype=["']?password""", re.IGNORECASE)
_LOGIN_PATH = re.compile(r"/(?:accounts/)?(?:login|enter|signin)/?$")
_HEAD = 1 << 20
"""Bytes of a page that are looked at. Ours."""


def is_challenge(page: Answer) -> bool:
    """Whether a browser check stands in place of the page."""
    if page.headers.get("cf-mitigated") == "challenge":
        return True
    return _is_html(page) and page.status in (200, 403, 503) and bool(_CHALLENGE.search(page.body[:_HEAD]))


def wants_login(page: Answer) -> bool:
    """Whether a login stands in place of the page: by where redirects led, by status, or by its form."""
    if page.status == 401 or _LOGIN_PATH.search(urlsplit(page.url).path):
        return True
    head = page.body[:_HEAD]
    return _is_html(page) and bool(_LOGIN_FORM.search(head) and _PASSWORD.search(head))


def refuse(page: Answer) -> Answer:
    """The page, if it is one to be parsed. Raises Refused, Blocked or NotServed."""
    if is_challenge(page):
        raise Refused(f"{page.url} serves a browser check (status {page.status})")
    if page.status == 403 or wants_login(page):
        raise Blocked(f"{page.url} wants a login (status {page.status})")
    if page.status != 200:
        raise NotServed(f"{page.url} answers with status {page.status}")
    return page


def _is_html(page: Answer) -> bool:
    return "html" in page.headers.get("content-type", "html")
