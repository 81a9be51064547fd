"""Tiers: read here, defined in the configuration."""

from lightweight.errors import BadRequest
from lightweight.web.admin import shapes, shown
from lightweight.web.admin.table import Case, Table

TABLE = Table()


@TABLE.route("GET", "/tiers")
async def list_tiers(case: Case) -> shapes.Page[shapes.Tier]:
    """List the tiers of the configuration."""
    tiers = case.office.current().tiers
    data = [shown.tier(name, tiers[name]) for name in sorted(tiers)]
    return shapes.Page(data=data, next=None)


def require_tier(case: Case, tier: str) -> None:
    """Raise BadRequest where the configuration has no such tier."""
    tiers = case.office.current().tiers
    if tier not in tiers:
        raise BadRequest(
            f"There is no such tier: the configuration has {', '.join(sorted(tiers))}.",
            param="tier",
            code="invalid_value",
        )
