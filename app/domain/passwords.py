"""What a password must be: long, not well known, not about its owner. No rules of composition, no expiry (NIST SP 800-63B)."""

import itertools
import re
import unicodedata
from collections.abc import Iterable

from app.domain.errors import BadInput
from app.domain.text import Text

LENGTH_MIN_ALONE = 15
LENGTH_MIN_WITH_SECOND_FACTOR = 8
LENGTH_MAX = 128

WELL_KNOWN = frozenset(
    {
        "password", "passw0rd", "qwerty", "qwertyuiop", "asdfghjkl", "zxcvbnm", "letmein", "iloveyou", "welcome",
        "administrator", "admin", "changeme", "default", "secret", "dragon", "monkey", "football", "baseball",
        "sunshine", "princess", "superman", "trustno", "abc", "abcdef", "abcdefg", "abcdefgh", "qazwsx", "qazwsxedc",
        "woaini", "woaini1314", "5201314", "1314520", "mima", "mimamima", "wodemima", "nihao", "zhongguo", "beijing",
        "密码", "我的密码", "默认密码", "管理员", "我爱你", "你好", "中国",
    }
)  # fmt: skip
OF_THIS_PLACE = frozenset(
    {
        "stemma", "lims", "laboratory", "lab", "stemcell", "stemcells", "hospital", "quality", "release", "quarantine",
        "ganxibao", "shiyanshi", "yiyuan", "zhiliang", "干细胞", "实验室", "医院", "质量", "放行",
    }
)  # fmt: skip
_FILLING = re.compile(r"[\W_\d]+")


def normalised(password: str) -> str:
    """The form that is hashed: the same characters, however a keyboard composed them (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def require_good(password: str, *, about: Iterable[str], has_second_factor: bool) -> None:
    """Raises BadInput unless the password may be taken. `about`: names of the owner, which may not be all of it."""
    text = normalised(password)
    shortest = LENGTH_MIN_WITH_SECOND_FACTOR if has_second_factor else LENGTH_MIN_ALONE
    if len(text) < shortest:
        raise _refused(Text("It is shorter than {shortest} characters.", shortest=shortest))
    if len(text) > LENGTH_MAX:
        raise _refused(Text("It is longer than {longest} characters.", longest=LENGTH_MAX))
    if _is_guessable(text.casefold(), {name.casefold() for each in about for name in (each, *each.split())}):
        raise _refused(Text("It is made of a well-known word, a pattern, or your own name."))


def _is_guessable(text: str, names: set[str]) -> bool:
    known = WELL_KNOWN | OF_THIS_PLACE | {name for name in names if name}
    # Taking out every known word, digit and mark must leave something that somebody had to think of.
    left = text
    for word in sorted(known, key=len, reverse=True):
        left = left.replace(word, "")
    left = _FILLING.sub("", left)
    has_letters = _FILLING.sub("", text) != ""
    return (has_letters and len(left) < 4) or _is_pattern(text)


def _is_pattern(text: str) -> bool:
    if len(set(text)) < 5:
        return True
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(text)}
    return len(steps) == 1 or any(text == (text[:n] * len(text))[: len(text)] for n in range(1, len(text) // 2 + 1))


def _refused(why: Text) -> BadInput:
    return BadInput(
        field="password",
        what=Text("This password is not taken."),
        why=why,
        remedy=Text("Choose a longer phrase that nobody would guess; no special characters are demanded."),
    )
