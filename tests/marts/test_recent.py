"""What a process keeps of what it gave last has an end."""

from apps.marts.recent import Recent


def test_what_is_kept_has_an_end():
    held: Recent[str] = Recent(12)
    for key, text in (("a", "1234"), ("b", "5678"), ("a", "12345")):
        held.put(key, text)
    assert held.get("b") == "5678", "written again it counts once"
    held.put("c", "12")
    assert [held.get(key) for key in "abc"] == [None, "5678", "12"], "the least recently used went"
    held.put("d", "x" * 12)
    assert [held.get(key) for key in "bcd"] == [None, None, None], "what is too large by itself is not kept"


def test_of_another_publication_nothing_stays():
    held: Recent[str] = Recent(12)
    assert held.keep_only_of(7)
    held.put("a", "1")
    assert not held.keep_only_of(7)
    assert held.get("a") == "1"
    assert held.keep_only_of(8)
    assert held.get("a") is None
