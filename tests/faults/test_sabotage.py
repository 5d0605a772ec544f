"""Each of our own mechanisms, taken away, turns a proof red: what the proofs say is not said of nothing."""

import pytest

from tests.faults.sabotage import SABOTAGES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("home")]
SMALL = [name for name, one in SABOTAGES.items() if one.proof]
PROOFS = dict.fromkeys(SABOTAGES[name].proof for name in SMALL)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.__name__)
def test_it_holds(proof):
    proof()


@pytest.mark.parametrize("name", SMALL)
def test_it_is_noticed(name, monkeypatch):
    sabotage = SABOTAGES[name]
    sabotage.patch(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        sabotage.proof()
