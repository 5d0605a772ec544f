"""A query that is written once answers as the ORM does, whoever is asked about, on both databases."""

from datetime import date

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Q

from apps.teams.access import access_of
from apps.teams.compiled import Compiled
from apps.teams.models import Team
from apps.teams.roles import Can

pytestmark = pytest.mark.django_db


def test_it_answers_each_asker_by_their_own_values(django_assert_num_queries):
    people = [User.objects.create(username=name, email=f"{name}@x.example") for name in ("lin", "wei")]
    of_one = Compiled(
        lambda pk, name: User.objects.filter(Q(pk=pk) | Q(username=name)).values_list("username"), pk=-5, name="mark"
    )
    with django_assert_num_queries(3):
        assert [of_one.rows(pk=one.pk, name="") for one in people] == [[("lin",)], [("wei",)]]
        assert of_one.rows(pk=0, name="wei") == [("wei",)]


def test_a_mark_that_stands_nowhere_is_told():
    of_one = Compiled(lambda pk, day: User.objects.filter(pk=pk).values_list("pk"), pk=-5, day=date(1, 2, 3))
    with pytest.raises(ValueError, match="no place for day"):
        of_one.rows(pk=1, day=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("own", "of_team", "decides"),
    [
        pytest.param("lin@x.example", "LIN@x.example", True, id="whatever case it is in"),
        pytest.param("lin@x.example", "wei@x.example", False, id="somebody else"),
        pytest.param("", "", False, id="nobody has no address"),
        pytest.param("l%@x.example", "lin@x.example", False, id="a percent sign is one"),
        pytest.param("l_n@x.example", "lin@x.example", False, id="an underscore is one"),
        pytest.param("email of somebody", "x@x.example", False, id="what stands there while it is written"),
    ],
)
def test_who_is_the_address_of_a_team_decides_for_it(own, of_team, decides):
    Team.objects.create(name="web", title="Web", lead_email=of_team)
    user = User.objects.create(username="lin", email=own)
    assert access_of(user).teams(Can.DECIDE) == (frozenset({"web"}) if decides else frozenset())


def test_a_role_over_everything_is_the_same_by_a_group():
    user = User.objects.create(username="lin")
    user.groups.add(Group.objects.get_or_create(name="finance")[0])
    assert access_of(user).teams(Can.SEE_COST) is None
