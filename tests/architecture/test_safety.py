"""What no module may do, because it is how applications like this one are broken into or lose money."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, name, templates

OURS = [path for path in files(("apps", "costops"), ".py") if "migrations" not in path.parts]
Finder = Callable[[ast.AST], bool]


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression of names; nothing of others."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def imports(*modules: str) -> Finder:
    """An import of one of these, or of a part of it."""

    def found(node: ast.AST) -> bool:
        names = (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{each.name}" for each in node.names]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        return any(one == module or one.startswith(f"{module}.") for one in names for module in modules)

    return found


def calls(*ends: str, where: Callable[[ast.Call], bool] = lambda _: True) -> Finder:
    """A call of a function whose dotted name ends so."""

    def found(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        called = f".{dotted(node.func)}" if dotted(node.func) else f".{getattr(node.func, 'attr', '')}"
        return any(called.endswith(f".{end}") for end in ends) and where(node)

    return found


def says(word: str, value: object) -> Callable[[ast.Call], bool]:
    """Whether a call gives this keyword this value."""
    return lambda call: any(
        each.arg == word and isinstance(each.value, ast.Constant) and each.value.value == value
        for each in call.keywords
    )


def from_outside(call: ast.Call) -> bool:
    """Whether a request's own words are spread into a method, or name what it sorts by."""
    spread = [each.value for each in call.keywords if each.arg is None]
    return isinstance(call.func, ast.Attribute) and any("request" in ast.dump(each) for each in [*call.args, *spread])


def is_all_fields(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Assign)
        and any(dotted(target) == "fields" for target in node.targets)
        and isinstance(node.value, ast.Constant)
        and node.value.value == "__all__"
    )


@dataclass(frozen=True)
class Rule:
    """What is looked for, why, an example that must be found, and the files that may, each for its reason."""

    why: str
    found: Finder
    example: str
    may: tuple[str, ...] = ()


RULES = {
    "unpickling": Rule(
        "what is read could run",
        imports("pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"),
        "from joblib import load",
    ),
    "evaluating": Rule("text could run", calls("eval", "exec", "__import__"), "eval(rule)"),
    "YAML that makes objects": Rule(
        "a file could run",
        calls("yaml.load", "yaml.unsafe_load", "yaml.full_load"),
        "yaml.load(text, Loader=yaml.Loader)",
        ("apps/ingest/providers/generic/document.py",),  # its loader makes texts, lists and tables only
    ),
    "trusted HTML": Rule(
        "a tag could run as script", calls("mark_safe", "SafeString", "SafeText"), "mark_safe(tag)",
        ("apps/dashboards/templatetags/parts.py",),  # what a template wrote between two tags, escaped by it
    ),
    "formatted HTML": Rule(
        "what is formatted before is not escaped",
        calls("format_html", where=lambda call: bool(call.args) and isinstance(call.args[0], ast.JoinedStr)),
        "format_html(f'<b>{tag}</b>')",
    ),
    "SQL beside the models": Rule(
        "values belong into parameters", calls("extra", "RawSQL", "objects.raw"), "Team.objects.extra(where=[text])"
    ),
    "questions spread from a request": Rule(
        "a caller could name any column",
        calls("filter", "exclude", "annotate", "aggregate", "order_by", "values", "get_or_create", where=from_outside),
        "Team.objects.filter(**request.GET)",
    ),
    "cached pages": Rule(
        "one person could read another's", imports("django.views.decorators.cache.cache_page"),
        "from django.views.decorators.cache import cache_page",
    ),
    "posts without a token of the form": Rule(
        "another site could post",
        calls("csrf_exempt"),
        "csrf_exempt(view)",
        ("apps/assistants/urls.py",),  # takes tokens only, and no cookie
    ),
    "all fields of a model": Rule("a new column would be open to writing", is_all_fields, "fields = '__all__'"),
    "requests of our own making": Rule(
        "addresses are checked and pinned in one place each",
        imports("urllib.request", "http.client", "requests", "httpx", "aiohttp", "urllib3"),
        "import httpx",
        (
            "apps/signin/outbound.py",
            "apps/channels/chat.py",  # for its words; what is sent goes through outbound.py
            "apps/channels/outbound.py",
            "apps/ingest/places/google.py",
            "apps/ingest/prometheus/client.py",
            "apps/warehouse/exchange.py",
            "apps/warehouse/objects.py",  # for its faults; whom botocore asks is a setting of the installation
        ),
    ),
    "unchecked certificates": Rule(
        "anybody could answer", calls("Client", "get", "post", "request", where=says("verify", False)),
        "client = Client(verify=False)",
    ),
    "a shell": Rule(
        "a name could be a command", calls("run", "Popen", "call", "check_output", where=says("shell", True)),
        "subprocess.run(line, shell=True)",
    ),
    "another shell": Rule("a name could be a command", calls("os.system", "os.popen"), "os.system(line)"),
    "names of temporary files": Rule("somebody else may make it first", calls("mktemp"), "tempfile.mktemp()"),
    "secrets by chance that can be told": Rule(
        "the next one can be computed",
        calls("random.choice", "random.choices", "random.randbytes", "random.getrandbits"),
        "token = random.choices(letters, k=20)",
    ),
    "archives unpacked by name": Rule(
        "a name could lead outside", calls("extractall", "unpack_archive"), "archive.extractall(folder)"
    ),
}  # fmt: skip


def places(rule: Rule, tree: ast.AST) -> Iterator[int]:
    yield from (getattr(node, "lineno", 0) for node in ast.walk(tree) if rule.found(node))


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.AST]:
    return {path: ast.parse(path.read_text()) for path in OURS}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_module_does_it(rule: Rule, trees):
    assert list(places(rule, ast.parse(rule.example))), "the rule does not find its own example"
    found = {path: list(places(rule, tree)) for path, tree in trees.items()}
    told = {name(path): lines for path, lines in found.items() if lines}
    assert set(rule.may) <= set(told), "a file that may no longer does: take it from the list"
    assert not {where: lines for where, lines in told.items() if where not in rule.may}, rule.why


UNESCAPED = re.compile(r"\|\s*safe\b|\|\s*safeseq\b|autoescape\s+off")


@pytest.mark.parametrize("text", ["{{ tag|safe }}", "{% autoescape off %}", "{{ tags | safeseq }}"])
def test_the_search_for_unescaped_text(text):
    assert UNESCAPED.search(text)


def test_templates_escape_what_they_show():
    letters = {path for path in templates() if path.suffix == ".txt"}  # plain text has nothing to escape
    assert [name(path) for path in templates() if path not in letters and UNESCAPED.search(path.read_text())] == []


UNSAFE_SCRIPT = re.compile(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b")


@pytest.mark.parametrize("text", ["plot.innerHTML = tag", "eval(text)", "document.write(tag)", "new Function(text)"])
def test_the_search_for_script_that_makes_script(text):
    assert UNSAFE_SCRIPT.search(text)


def test_scripts_write_text_and_no_markup():
    found = [
        path.name for path in sorted((ROOT / "static" / "js").glob("*.js")) if UNSAFE_SCRIPT.search(path.read_text())
    ]
    assert found == ["search.js"], "it shows a part of a page that our own template escaped; others have no reason to"
