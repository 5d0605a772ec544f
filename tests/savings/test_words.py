"""What the ledger says is said in both languages, with every name kept."""

import re

import pytest
from django.utils import translation

from apps.dashboards import savings as pages
from apps.learning.effects.grading import B_REASONS, C_REASONS
from apps.learning.effects.methods import DIFFERENCES, REGRESSION, STRUCTURAL, SYNTHETIC
from apps.savings import measuring, services
from apps.savings.models import Initiative, Measurement
from apps.savings.selectors import STEPS
from apps.savings.states import MOVES, OF_PEOPLE

NAMES = re.compile(r"%\((\w+)\)s")
SENTENCES = sorted(
    {
        value
        for module in (measuring, services)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and " " in value and name != "LATER"
    }
    | {*B_REASONS.values(), *C_REASONS.values()}
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_translated_and_keeps_its_names(sentence):
    with translation.override("zh-hans"):
        told = translation.gettext(sentence)
    assert told != sentence
    assert set(NAMES.findall(told)) == set(NAMES.findall(sentence))


def test_every_state_step_verdict_method_and_button_has_its_words_in_both_languages():
    assert set(pages.STATE_WORDS) == set(Initiative.State.values)
    assert set(pages.VERDICT_WORDS) == set(Measurement.Verdict.values)
    assert set(pages.STEP_WORDS) == set(STEPS)
    assert set(pages.BUTTONS) == set(OF_PEOPLE)
    assert set(pages.TOLD) == {*MOVES, "write"}
    assert set(pages.METHOD_WORDS) == {REGRESSION, DIFFERENCES, SYNTHETIC, STRUCTURAL}
    every = (pages.STATE_WORDS, pages.VERDICT_WORDS, pages.STEP_WORDS, pages.BUTTONS, pages.TOLD, pages.METHOD_WORDS)
    words = [word for each in every for word in each.values()]
    english = [str(word) for word in words]
    with translation.override("zh-hans"):
        assert [word for word, said in zip(english, map(str, words), strict=True) if word == said] == []
