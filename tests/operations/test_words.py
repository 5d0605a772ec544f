"""What the machine says of recommendations is said in both languages."""

import importlib
import pkgutil

import pytest
from django.utils import translation

from apps.dashboards.recommendations import BUTTONS, STATE_WORDS, TOLD, WHOSE_WORDS
from apps.operations import kinds, services, sources
from apps.operations.states import ACTIONS, MOVES

MODULES = [kinds, services, *(importlib.import_module(f"{sources.__name__}.{one.name}")
                              for one in pkgutil.iter_modules(sources.__path__))]  # fmt: skip
SENTENCES = sorted(
    {
        value
        for module in MODULES
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and " " in value
    }
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_translated_and_keeps_its_names(sentence):
    with translation.override("zh-hans"):
        told = translation.gettext(sentence)
    assert told != sentence
    assert set(_names(told)) == set(_names(sentence))


def _names(text: str) -> list[str]:
    return [part.split(")")[0] for part in text.split("%(")[1:]]


def test_there_are_sentences():
    assert len(SENTENCES) > 15


def test_every_state_step_and_button_has_its_words_in_both_languages():
    assert set(BUTTONS) == set(ACTIONS)
    assert set(TOLD) == {*MOVES, "find"}
    words = [*STATE_WORDS.values(), *BUTTONS.values(), *TOLD.values(), *WHOSE_WORDS.values()]
    words += [kind.title for kind in kinds.KINDS]
    english = [str(word) for word in words]
    with translation.override("zh-hans"):
        assert [word for word, said in zip(english, map(str, words), strict=True) if word == said] == []
