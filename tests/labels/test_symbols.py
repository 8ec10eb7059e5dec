"""A symbol leaves only when it reads as what was meant."""

import pytest
from PIL import Image

from labels.codes import CodeKind, new_code
from labels.symbols import Matrix, ReadBackError, _picture, require_datamatrix, verified_datamatrix


@pytest.mark.parametrize(
    "text", ["V3K7PX2M9AT", "=G12349865432177", "=W1234", "A=B", "LOT-2026/11", "hello", "a\x1db", "骨髓"]
)
def test_a_symbol_says_what_was_meant(text: str) -> None:
    """Texts that other encoders were seen to get wrong are among these."""
    matrix = verified_datamatrix(text)
    assert matrix.text == text
    assert all(len(row) == matrix.side for row in matrix.rows)
    assert all(row[0] for row in matrix.rows), "the left border of a DataMatrix is solid"
    assert all(matrix.rows[-1]), "and so is its foot"


def test_our_codes_need_at_most_sixteen_modules() -> None:
    assert {verified_datamatrix(new_code(kind)).side for kind in CodeKind for _ in range(20)} <= {14, 16}


@pytest.mark.parametrize("text", ["", "x" * 4000])
def test_what_cannot_be_encoded_is_refused(text: str) -> None:
    with pytest.raises(ReadBackError) as caught:
        verified_datamatrix(text)
    assert caught.value.remedy


def test_a_symbol_of_another_text_is_refused() -> None:
    with pytest.raises(ReadBackError) as caught:
        require_datamatrix(_picture(verified_datamatrix("V3K7PX2M9AT")), text="V3K7PX2M9AV")
    assert caught.value.details["wanted"] == "V3K7PX2M9AV"
    assert "V3K7PX2M9AT" in caught.value.why


def test_a_destroyed_symbol_is_refused() -> None:
    rows = verified_datamatrix("V3K7PX2M9AT").rows
    destroyed = Matrix(text="V3K7PX2M9AT", rows=(*rows[:4], *((True,) * 16,) * 8, *rows[12:]))
    with pytest.raises(ReadBackError):
        require_datamatrix(_picture(destroyed), text="V3K7PX2M9AT")


def test_two_symbols_in_one_picture_are_refused() -> None:
    one = _picture(verified_datamatrix("V3K7PX2M9AT"))
    both = Image.new("L", (one.width * 2 + 40, one.height), color=255)
    both.paste(one, (0, 0))
    both.paste(one, (one.width + 40, 0))
    with pytest.raises(ReadBackError):
        require_datamatrix(both, text="V3K7PX2M9AT")
