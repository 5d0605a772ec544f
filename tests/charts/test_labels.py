"""Labels: hostile text comes out as plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.charts.labels import MAX_LENGTH, label, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("live-class", "live-class", id="a plain name stays as it is"),
        pytest.param("直播课堂", "直播课堂", id="so does a Chinese one"),
        pytest.param("<b>x</b> & y", "&lt;b&gt;x&lt;/b&gt; &amp; y", id="markup is shown, not obeyed"),
        pytest.param('<a href="https://e.vil">', '&lt;a href="https://e.vil"&gt;', id="a link is no link"),
        pytest.param("%{customdata}", "%\u200b{customdata}", id="a hover template is broken up"),
        pytest.param("a\x00b\x1b[31m\nc\u2028d", "ab[31mcd", id="controls and line ends are dropped"),
        pytest.param("1\u202e001", "1\ufffd001", id="a mark that reorders text becomes visible"),
        pytest.param("e\u0301", "é", id="composed"),
        pytest.param("x" * 500, "x" * (MAX_LENGTH - 1) + "…", id="cut to length"),
        pytest.param("a" + "\u0336" * 1_000 + "b", "a" + "\u0336" * 4 + "b", id="a heap of accents is taken down"),
        pytest.param("pay\u200broll\ufeff\u00ad", "payroll", id="what nobody sees is dropped"),
        pytest.param("می\u200cخواهم", "می\u200cخواهم", id="but not what Persian needs"),
        pytest.param("x" * 118 + "n\u0303\u0332" + "y" * 9, "x" * 118 + "…", id="no letter loses an accent"),
        pytest.param("x" * 115 + "👩\u200d👩\u200d👧\u200d👦" + "y" * 9, "x" * 115 + "…", id="no family is torn apart"),
        pytest.param("x" * 118 + "👍🏽" + "y" * 9, "x" * 118 + "…", id="no thumb loses its colour"),
        pytest.param("\ud800", "", id="half a surrogate is dropped"),
    ],
)
def test_label(text, expected):
    assert label(text) == expected


@given(st.text())
def test_no_label_holds_markup_or_a_hover_template(text):
    made = label(text)
    assert not set("<>") & set(made)
    assert "%{" not in made
    assert len(plain(text)) <= MAX_LENGTH
