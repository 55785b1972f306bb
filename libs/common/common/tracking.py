"""Addresses without the parameters that only say how a reader came to them."""

import re

# Analytics and click identifiers by their vendors' documentation (Google, Yandex, Meta, Microsoft, Mailchimp, VK).
_TRACKING = re.compile(
    r"(?:utm_\w*|[gdyw]clid|g?braid|wbraid|ysclid|fbclid|msclkid|twclid|igshid|igsh|mc_[ce]id|_openstat|_ga|_gl|yadclid"
    r"|yadordid|rb_clickid|vero_id|mkt_tok|_hs(?:enc|mi))(?:=|$)",
    re.IGNORECASE,
)


def without_tracking(url: str) -> str:
    """`url` without its tracking parameters; the rest, its order included, stays as it is."""
    address, question, rest = url.partition("?")
    if not question:
        return url
    query, hash_sign, fragment = rest.partition("#")
    kept = "&".join(part for part in query.split("&") if part and not _TRACKING.match(part))
    return address + ("?" + kept if kept else "") + hash_sign + fragment
