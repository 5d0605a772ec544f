"""Files that tell again what others told: what is asked, what is answered, and what counts by then."""

from decimal import Decimal

import pytest

from apps.ingest import books, services
from apps.ingest.models import LandedFile
from tests.ingest.bills import asked, bill, costs, days, deliver, errors, ingest, row, source, states, total

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

State = LandedFile.State


class TestBesideARewrittenFile:
    """What comes new while another file is rewritten in place may be a part of it, or tell again what others told."""

    def test_files_of_another_account_are_judged_by_themselves(self, tmp_path):
        one = source(tmp_path / "in")
        (a, more), (b, new) = (
            [days(*range(1, last), cost=cost, BillingAccountId=account) for last in (3, 4)]
            for account, cost in (("A", "10"), ("B", "7"))
        )
        deliver(tmp_path / "in", one, {"a.csv": a}, {"b1.csv": b}, {"a.csv": more, "b2.csv": new})
        assert total() == 30 + 21

    def test_a_whole_month_is_asked_about(self, tmp_path):
        one = source(tmp_path / "in")
        first = ({f"{day}.csv": days(day)} for day in (1, 2, 3))
        deliver(tmp_path / "in", one, *first, {"3.csv": days(3, cost="12"), "whole.csv": days(1, 2, 3, cost="12")})
        assert asked(one, "whole.csv").startswith("2026-10-01 … 2026-10-02: told anew")
        assert total() == 32
        services.decide(one, "accept")
        assert errors(ingest(one)) == []
        assert total() == 36

    def test_a_file_that_is_rewritten_with_another_month_too_is_new_in_that(self, tmp_path):
        one = source(tmp_path / "in")
        october, november = ([row("10", f"2026-{month}-{day:02}") for day in (1, 2, 3)] for month in (10, 11))
        first, later = {"all.csv": bill(*october)}, {"all.csv": bill(*october, *november)}
        deliver(tmp_path / "in", one, first, {"november.csv": bill(*november[:2])}, later)
        assert total() == 60


class TestDaysToldInPart:
    FIRST = ({"1.csv": days(1)}, {"2.csv": days(2)}, {"3.csv": days(3)})
    LATE = bill(row("1", "2026-10-03"), row("10", "2026-10-04"))

    def test_a_file_with_late_charges_is_asked_about(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"4.csv": self.LATE})
        said = "2026-10-03: told anew, and other days of 2026-10 are not. Say whether it replaces 3.csv"
        assert asked(one, "4.csv").startswith(said)
        assert total() == 30
        assert errors(ingest(one)) == []
        assert total() == 30, "and stays so"

    def test_accepted_it_replaces_the_file_whose_days_it_tells(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"4.csv": self.LATE})
        services.decide(one, "accept")
        assert errors(ingest(one)) == []
        assert costs() == ["1", "10", "10", "10"]

    def test_accepted_with_files_parts_it_adds(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"4.csv": self.LATE})
        one.options["files"] = "parts"
        one.save()
        services.decide(one, "accept")
        ingest(one)
        assert total() == 41

    def test_rejected_it_changes_nothing(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"4.csv": self.LATE})
        services.decide(one, "reject")
        deliver(tmp_path / "in", one, {"5.csv": days(4)})
        assert total() == 40

    def test_a_file_that_tells_less_than_another_adds_when_it_is_accepted(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, {"a.csv": days(1, 2, 3)}, {"b.csv": days(3, 4)})
        assert asked(one, "b.csv").startswith("2026-10-03: told by a.csv as well, of which this leaves something out.")
        assert total() == 30
        services.decide(one, "accept")
        ingest(one)
        assert total() == 50

    @pytest.mark.parametrize(
        ("decision", "cost"),
        [("accept", "31"), ("replace", "31"), ("add", "41"), ("reject", "30")],
    )
    def test_a_question_is_answered_for_its_file_alone(self, tmp_path, decision, cost):
        one = source(tmp_path / "in")
        september = [{f"s{last}.csv": bill(*(row("100", f"2026-09-0{day}") for day in range(1, last + 1)))}
                     for last in (1, 2, 3)]  # fmt: skip
        deliver(tmp_path / "in", one, *september, *self.FIRST, {"4.csv": self.LATE})
        services.decide(one, decision)
        assert errors(ingest(one)) == []
        assert total() == 300 + Decimal(cost)

    @pytest.mark.parametrize("moment", ["_settle", "_commit", "_record"])
    @pytest.mark.parametrize(("decision", "cost"), [("accept", "31"), ("add", "41"), ("reject", "30")])
    def test_an_answer_that_is_given_while_others_are_read_is_not_lost(
        self, tmp_path, monkeypatch, decision, cost, moment
    ):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"4.csv": self.LATE})
        of_its_own = getattr(books, moment)

        def meanwhile(*given, **named):
            assert services.decide(one, decision) <= 1
            return of_its_own(*given, **named)

        monkeypatch.setattr(books, moment, meanwhile)
        deliver(tmp_path / "in", one, {"9.csv": days(9)})
        monkeypatch.undo()
        assert errors(ingest(one)) == []
        assert total() == Decimal(cost) + 10
        assert errors(ingest(one)) == []
        assert total() == Decimal(cost) + 10

    def test_a_day_that_was_withdrawn_is_left_out_by_who_replaces(self, tmp_path):
        one = source(tmp_path / "in", hold_below="0.8")
        deliver(tmp_path / "in", one, {"a.csv": days(1, 2, 3)}, {"b.csv": days(1, 3)}, {"c.csv": days(1, 3, 4)})
        services.decide(one, "replace", shown=[one.files.get(path="c.csv").pk])
        assert errors(ingest(one)) == []
        assert (total(), states(one)["b.csv"]) == (30, State.HELD), "of what was shown it was said, of no other"

    def test_an_account_that_was_withdrawn_is_left_out_as_well(self, tmp_path):
        one = source(tmp_path / "in", hold_below="0.8")
        both = bill(row("100", BillingAccountId="A"), row("1", BillingAccountId="B"))
        deliver(tmp_path / "in", one, {"a.csv": both}, {"b.csv": days(1, 2, cost="100", BillingAccountId="A")})
        services.decide(one, "replace")
        assert errors(ingest(one)) == []
        assert total() == 200

    def test_of_two_that_tell_the_same_again_the_second_is_asked_about_anew(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"h1.csv": days(3, 4, 5)}, {"h2.csv": days(3, 4, cost="11")})
        services.decide(one, "replace")
        assert errors(ingest(one)) == []
        assert total() == 50
        assert asked(one, "h2.csv").startswith("2026-10-03 … 2026-10-04: told by h1.csv as well, of which this leaves")

    def test_what_counts_is_not_held_for_what_is_accepted_after_it(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"4.csv": days(3, 4)}, {"5.csv": days(4, cost="50")})
        assert total() == 80
        for _ in range(2):
            services.decide(one, "replace")
            assert errors(ingest(one)) == []
            told = states(one)
            assert (total(), told["4.csv"], told["5.csv"]) in [(80, State.HELD, State.CURRENT),
                                                               (40, State.CURRENT, State.SUPERSEDED)]  # fmt: skip
        assert total() == 40

    def test_what_was_accepted_before_answers_were_kept_counts_on(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"4.csv": self.LATE})
        services.decide(one, "accept")
        one.files.update(answers=None)
        assert errors(ingest(one)) == []
        assert total() == 31

    def test_other_files_of_the_delivery_go_on(self, tmp_path):
        one = source(tmp_path / "in")
        november = bill(row("100", "2026-11-01"))
        deliver(tmp_path / "in", one, {"a.csv": days(1, 2, 3)}, {"b.csv": days(3, 4), "c.csv": november})
        assert (total(), states(one)["b.csv"]) == (130, State.HELD)

    def test_a_cumulative_snapshot_replaces_every_file(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, *self.FIRST, {"whole.csv": days(1, 2, 3, 4, cost="11")})
        assert costs() == ["11"] * 4
