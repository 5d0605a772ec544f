"""Every page: who may see it, and that it shows what the marts answer."""


def test_overview(published, client_of):
    response = client_of("staff").get("/")
    assert response.status_code == 200, response.content
    for path in [
        "/teams/live-class/",
        "/teams/live-class/namespaces/online/classroom/",
        "/teams/unallocated/namespaces/~/~/",
        "/sources/",
        "/reconciliation/",
        "/reconciliation/bill/2026-10/CNY/",
        "/publications/",
        "/figures/overview/team/",
        "/figures/teams/live-class/kind/",
        "/figures/reconciliation/bill/2026-10/CNY/",
        "/sources/progress/",
    ]:
        response = client_of("staff").get(path)
        assert response.status_code == 200, (path, response.content)
