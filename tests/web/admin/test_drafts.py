"""Whatever stands in a body: an answer of the API, never a bug."""

import pytest
from support.offices import BODIES, Desk

from lightweight.web.admin.app import ROUTES
from lightweight.web.admin.table import Route

ODD: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    10**40,
    "",
    " ",
    "\0",
    "\n",
    "é" * 300,
    "9" * 5000,
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+12:00",
    [],
    ["\0"],
    [[]],
    {},
    {"rpm": 10**40},
    {"quota_usd": "1e400"},
    {"quota_usd": "nan"},
)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.asked], ids=lambda route: route.name
)
async def test_odd_values_are_no_bugs(desk: Desk, route: Route) -> None:
    ids = await desk.stocked("theirs")
    token = await desk.token()
    path = "/admin/v1" + route.path.replace(
        "{id}", ids.get(route.path.split("/")[1], "")
    )
    assert route.asked is not None
    fields: tuple[str, ...] = route.asked.__struct_fields__  # type: ignore[attr-defined]  # a Struct
    for field in fields:
        for odd in ODD:
            body = {**BODIES.get(route.name, {}), field: odd}
            answer = await desk.ask(route.method, path, body, token=token)
            assert answer.status in (200, 201, 400, 403, 404, 409), (body, answer.body)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.query], ids=lambda route: route.name
)
async def test_odd_parameters_are_no_bugs(desk: Desk, route: Route) -> None:
    ids = await desk.stocked("theirs")
    token = await desk.token()
    path = "/admin/v1" + route.path.replace("{id}", ids["accounts"])
    assert route.query is not None
    fields: tuple[str, ...] = route.query.__struct_fields__  # type: ignore[attr-defined]  # a Struct
    for field in fields:
        for odd in (
            "",
            "%00",
            "%ff",
            "1~%00",
            "nan~x",
            "inf~",
            "9" * 400,
            "2026-13-01",
        ):
            answer = await desk.ask("GET", f"{path}?{field}={odd}", token=token)
            assert answer.status in (200, 400, 404), (field, odd, answer.body)
