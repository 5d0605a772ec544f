"""The menu: which pages there are, in which group, and who is offered them."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.teams.access import Somebody, access_of
from apps.teams.roles import Can


@dataclass(frozen=True)
class Page:
    """A page of the menu: the name of its address, `under` it the names of pages that are reached from it.

    `for_everything`: it is offered to those only who see the cost of all teams; `can`: who may do this; `by_account`:
    to those as well who see the cost of accounts only.
    """

    name: str
    title: Promise
    under: tuple[str, ...] = ()
    for_everything: bool = True
    can: Can | None = None
    by_account: bool = False


ACCESS = ("mfa_index", "mfa_list_webauthn", "account_change_password", "usersessions_list")
"""Pages of one's own sign-in."""
MENU: tuple[tuple[Promise, tuple[Page, ...]], ...] = (
    (
        _("Costs"),
        (
            Page("overview", _("Overview"), under=("unit", "team", "namespace", "explain"), for_everything=False),
            Page(
                "explorer",
                _("Explorer"),
                under=("explorer-views", "annotations"),
                for_everything=False,
                by_account=True,
            ),
            Page("forecasts", _("Forecast"), for_everything=False),
            Page("budgets", _("Budgets"), under=("budget",), for_everything=False),
            Page("why", _("Why"), for_everything=False),
            Page("efficiency", _("Efficiency"), for_everything=False),
            Page("units", _("Units"), for_everything=False),
            Page("changes", _("Changes"), for_everything=False, by_account=True),
            Page("estimates", _("Estimates"), for_everything=False),
            Page("disputes", _("Disputes"), under=("dispute",), for_everything=False),
            Page("reports", _("Reports"), under=("report-letter", "report-subscriptions"), for_everything=False),
        ),
    ),
    (
        _("Findings"),
        (
            Page("alerts", _("Alerts"), under=("alert",), for_everything=False),
            Page("recommendations", _("Recommendations"), under=("recommendation",), for_everything=False),
            Page("anomalies", _("Anomalies"), under=("anomaly",), for_everything=False),
            Page("idle", _("Idle"), under=("idle-one",), for_everything=False),
            Page("plans", _("Plans"), under=("plan", "offers"), for_everything=False),
            Page("savings", _("Savings"), under=("saving", "saving-new", "saving-edit"), for_everything=False),
        ),
    ),
    (
        _("Books"),
        (
            Page("reconciliation", _("Reconciliation"), under=("reconciliation-days",)),
            Page("invoices", _("Invoices"), under=("invoice", "explain-invoice")),
            Page("bases", _("Bases"), by_account=True),
            Page("closing", _("Closing")),
        ),
    ),
    (
        _("Rules"),
        (
            Page("rules", _("Rules"), under=("rule-draft",), for_everything=False),
            Page("worklist", _("Worklist")),
            Page("calendar", _("Calendar"), for_everything=False),
        ),
    ),
    (
        _("Data"),
        (
            Page("sources", _("Sources"), under=("sources-upload", "sources-upload-results", "first-steps")),
            Page("runs", _("Runs")),
            Page("quality", _("Quality")),
            Page("restatements", _("Restatements")),
            Page("prices", _("Prices")),
            Page("publications", _("Publications")),
            Page("installation", _("Installation")),
            Page("audit", _("Audit"), for_everything=False, can=Can.SEE_AUDIT),
        ),
    ),
    (
        _("Settings"),
        (
            Page("settings", _("My settings"), under=("api-tokens", *ACCESS), for_everything=False, by_account=True),
            Page("channels", _("Channels"), under=("channel", "channel-new"), for_everything=False),
            Page("deliveries", _("Deliveries"), for_everything=False),
            Page("alert-rules", _("Thresholds"), for_everything=False),
        ),
    ),
)
"""Groups of pages in their order; a group leads to the first of its pages that somebody is offered."""


@dataclass(frozen=True)
class Link:
    """A link of the menu; `is_here`: it leads to where one is, `is_around`: to a group of `pages` one is within."""

    title: Promise
    address: str
    is_here: bool
    is_around: bool = False
    pages: "tuple[Link, ...]" = ()


@dataclass(frozen=True)
class Menu:
    """The `groups`, and the `pages` of the one that somebody is within: none where it has but one."""

    groups: tuple[Link, ...]
    pages: tuple[Link, ...]

    @property
    def here(self) -> Link | None:
        """The page one is on, or under."""
        return next((page for group in self.groups for page in group.pages if page.is_here), None)


@dataclass(frozen=True)
class Offered:
    """To whom a menu is offered: what they may do of the whole company, and whether all they see is accounts."""

    may: frozenset[Can] = frozenset()
    only_accounts: bool = False


def offered_to(user: Somebody) -> Offered:
    access = access_of(user)
    return Offered(access.company, bool(access.accounts()) and access.teams(Can.SEE_COST) == frozenset())


def menu(here: str, to: Offered) -> Menu:
    """The menu as one sees it from the page whose address is named `here`."""
    groups: list[Link] = []
    within: tuple[Link, ...] = ()
    for title, offered in _offered(to):
        links = tuple(Link(page.title, reverse(page.name), here in (page.name, *page.under)) for page in offered)
        is_around = any(link.is_here for link in links)
        is_here = links[0].is_here and len(links) == 1
        groups.append(Link(title, links[0].address, is_here=is_here, is_around=is_around, pages=links))
        if is_around and len(links) > 1:
            within = links
    return Menu(tuple(groups), within)


def offered_pages(to: Offered) -> Iterator[tuple[Promise, Page]]:
    """Every page somebody is offered, with the title of its group."""
    for title, pages in _offered(to):
        yield from ((title, page) for page in pages)


def _offered(to: Offered) -> Iterator[tuple[Promise, list[Page]]]:
    for title, pages in MENU:
        offered = [page for page in pages if _is_offered(page, to)]
        if offered:
            yield title, offered


def _is_offered(page: Page, to: Offered) -> bool:
    if page.can is not None:
        return page.can in to.may
    if to.only_accounts:
        return page.by_account
    return Can.SEE_COST in to.may or not page.for_everything
