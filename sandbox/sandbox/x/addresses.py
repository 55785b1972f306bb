"""Addresses in the text of a post, as X finds them to replace them with https://t.co/….

A simplification of https://github.com/twitter/twitter-text: behind `http(s)://` any top-level domain of letters will
do, without it only the well-known ones below. Neither IP addresses nor `localhost` are addresses to X.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COUNTRIES = _words("""
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg
ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh
gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr
kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf
ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm
sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf
ws ye yt za zm zw рф бел укр срб мкд қаз мон
""")
OTHERS = _words("""
com net org edu gov int mil info biz name pro aero coop museum jobs mobi travel tel cat asia xxx app dev page blog news
online site website web store shop tech cloud space live life world today media press agency digital design studio art
work works team email link click wiki zone city club group company academy school university science software systems
network social video film music radio game games bank money finance market trade expert guide help support center
foundation charity global international events tickets photo photos pictures москва рус дети онлайн сайт орг ком tatar
moscow london berlin paris nyc tokyo google amazon apple youtube xyz top icu fun run chat bar cafe restaurant travel
""")

LETTER = r"[^\W_]"
LABEL = rf"{LETTER}(?:(?:{LETTER}|-)*{LETTER})?"
SUBDOMAIN = rf"{LETTER}(?:(?:{LETTER}|[-_])*{LETTER})?"
END = r"(?![A-Za-z0-9@+-])"
KNOWN = "|".join(sorted(COUNTRIES | OTHERS, key=len, reverse=True))
TRAIL = r"[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff!*';:=+,.$/%#\[\]\-\u2013_~@|&()]"
QUERY = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*"
ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9@＠$#＃])"
    rf"(?:https?://(?:{SUBDOMAIN}\.)*{LABEL}\.(?:xn--[A-Za-z0-9-]+|[^\W\d_]{{2,}}){END}"
    rf"|(?<![-_./])(?:{SUBDOMAIN}\.)*{LABEL}\.(?:{KNOWN}){END})"
    rf"(?P<port>:\d+)?(?P<path>/{TRAIL}*)?(?P<query>{QUERY})?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Address:
    """An address at `text[start:end]`; `target` is it with a protocol."""

    start: int
    end: int
    target: str


def addresses(text: str) -> Iterator[Address]:
    """Yield the addresses in a text, in order."""
    for found in ADDRESS.finditer(text):
        said = _trimmed(found[0]) if found["path"] or found["query"] else found[0]
        target = said if said.lower().startswith("http") and "://" in said else f"http://{said}"
        yield Address(found.start(), found.start() + len(said), target)


def _trimmed(said: str) -> str:
    """Leave out what ends the sentence rather than the address: punctuation, and brackets that it did not open."""
    while True:
        last = said[-1]
        unbalanced = last == ")" and said.count("(") < said.count(")")
        if last.isalnum() or last in "=_#/+-&" or (last == ")" and not unbalanced):
            return said
        said = said[:-1]
