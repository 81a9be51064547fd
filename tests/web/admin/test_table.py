from lightweight.web.admin.app import ROUTES
from lightweight.web.admin.drafts import PageQuery, TopUp
from lightweight.web.admin.shapes import Account
from lightweight.web.admin.table import Case, Table


def test_the_types_of_an_operation_are_its_shapes() -> None:
    table = Table()

    @table.route("POST", "/x/{id}", least="owner", status=201)
    async def do(case: Case, *, asked: TopUp, query: PageQuery) -> Account:
        """Do it.

        Really.
        """
        raise NotImplementedError

    [route] = table.routes
    assert (route.method, route.path, route.least) == ("POST", "/x/{id}", "owner")
    assert (route.asked, route.query, route.given) == (TopUp, PageQuery, Account)
    assert (route.name, route.summary, route.status) == ("do", "Do it.", 201)


def test_no_two_routes_are_one() -> None:
    places = {(route.method, route.path) for route in ROUTES}
    assert len(places) == len(ROUTES)


def test_what_changes_something_is_no_get() -> None:
    assert {route.method for route in ROUTES} <= {"GET", "POST", "PATCH"}
    for route in ROUTES:
        reads = route.name.startswith(("list_", "show_"))
        assert (route.method == "GET") is reads, route.name
