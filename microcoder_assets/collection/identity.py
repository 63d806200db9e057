"""When two records are the same problem without looking at their text."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_LEETCODE_PROBLEM = re.compile(r"//leetcode\.(?:com|cn)/problems/([a-z0-9-]+)")
_CODEFORCES_PROBLEM = re.compile(r"//codeforces\.com/(?:contest|gym)/(\d+)/problem/(\w+)$")


def identity_keys(platform: str, native_id: str, title: str, url: str | None) -> tuple[str, ...]:
    """Keys of a problem, sorted; two problems that share one are the same problem.

    `platform:native_id` always; the canonical URL where there is one; `leetcode/slug`, because LeetCode's slugs name
    problems and LiveCodeBench knows no other public name of them. A title alone is no key on other judges: 764 titles
    of Codeforces belong to more than one problem.
    """
    keys = {f"{platform}:{native_id}"}
    if url:
        canonical = canonical_url(url)
        keys.add(canonical)
        if match := _LEETCODE_PROBLEM.search(canonical):
            keys.add(f"leetcode/{match[1]}")
    if platform == "leetcode" and (slug := slugify(title)):
        keys.add(f"leetcode/{slug}")
    return tuple(sorted(keys))


def slugify(title: str) -> str:
    """`Find the Array's Sum` as LeetCode writes it in addresses: `find-the-arrays-sum`. Empty without letters."""
    text = unicodedata.normalize("NFKD", title).lower().replace("'", "").replace("’", "")
    return "-".join(re.findall(r"[a-z0-9]+", text))


def canonical_url(url: str) -> str:
    """One spelling of an address: https, lower-case host without `www.`, no fragment, no trailing slash; Codeforces
    contest addresses as problemset addresses. Queries stay, since judges name problems in them."""
    parts = urlsplit(url.strip())
    host = parts.netloc.lower().removeprefix("www.")
    query = f"?{parts.query}" if parts.query else ""
    canonical = f"https://{host}{parts.path.rstrip('/')}{query}"
    return _CODEFORCES_PROBLEM.sub(r"//codeforces.com/problemset/problem/\1/\2", canonical)
