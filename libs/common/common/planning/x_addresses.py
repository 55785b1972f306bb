"""Addresses in the text of a post on X, which counts each as 23 characters: https://docs.x.com/fundamentals/counting-characters

A simplification of https://github.com/twitter/twitter-text: behind `http(s)://` any top-level domain of letters will
do, without it only these.
"""

import re

COUNTRIES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg
ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh
gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr
kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf
ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm
sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf
ws ye yt za zm zw рф бел укр срб мкд қаз мон
"""
OTHERS = """
com net org edu gov int mil info biz name pro aero coop museum jobs mobi travel tel cat asia xxx app dev page blog news
online site website web store shop tech cloud space live life world today media press agency digital design studio art
work works team email link click wiki zone city club group company academy school university science software systems
network social video film music radio game games bank money finance market trade expert guide help support center
foundation charity global international events tickets photo photos pictures москва рус дети онлайн сайт орг ком tatar
moscow london berlin paris nyc tokyo google amazon apple youtube xyz top icu fun run chat bar cafe restaurant travel
"""

_LETTER = r"[^\W_]"
# No longer than a name may be (https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4): else long words take seconds.
_LABEL = rf"{_LETTER}(?:(?:{_LETTER}|-){{0,61}}{_LETTER})?"
_SUBDOMAIN = rf"{_LETTER}(?:(?:{_LETTER}|[-_]){{0,61}}{_LETTER})?"
_END = r"(?![A-Za-z0-9@+-])"
_KNOWN = "|".join(sorted((COUNTRIES + OTHERS).split(), key=len, reverse=True))
_TRAIL = r"[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff!*';:=+,.$/%#\[\]\-\u2013_~@|&()]"
_QUERY = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*"
_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9@＠$#＃])"
    rf"(?:https?://(?:{_SUBDOMAIN}\.)*{_LABEL}\.(?:xn--[A-Za-z0-9-]+|[^\W\d_]{{2,}}){_END}"
    rf"|(?<![-_./])(?:{_SUBDOMAIN}\.)*{_LABEL}\.(?:{_KNOWN}){_END})"
    rf"(?P<path>(?::\d+)?(?:/{_TRAIL}*)?(?:{_QUERY})?)",
    re.IGNORECASE,
)


def addresses(text: str) -> list[tuple[int, int]]:
    """Return start and end of each address, in order, without the punctuation of the sentence."""
    found = []
    for match in _ADDRESS.finditer(text):
        said = _trimmed(match[0]) if match["path"] else match[0]
        found.append((match.start(), match.start() + len(said)))
    return found


def _trimmed(said: str) -> str:
    """Leave out what ends the sentence rather than the address: punctuation, and brackets that it did not open."""
    while True:
        last = said[-1]
        unbalanced = last == ")" and said.count("(") < said.count(")")
        if last.isalnum() or last in "=_#/+-&" or (last == ")" and not unbalanced):
            return said
        said = said[:-1]
