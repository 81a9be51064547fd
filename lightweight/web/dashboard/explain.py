"""What would happen to a call: the admin API's answer, on a page."""

from collections.abc import Sequence

from lightweight.records import Answer
from lightweight.web.admin.drafts import Question
from lightweight.web.admin.explain import explain
from lightweight.web.admin.shapes import Explanation, Place, Standing
from lightweight.web.admin.table import Case
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.figures import count
from lightweight.web.dashboard.keys import key_lines
from lightweight.web.dashboard.views import (
    Explained,
    ExplainView,
    LimitLine,
    TargetLine,
)
from lightweight.web.office import told_as_faults


async def show_explain(asked: Asked) -> Answer:
    """Show the question, and its answer where one was asked."""
    lines = await asked.read(lambda c: key_lines(c, asked))
    key, model = asked.query("key"), asked.query("model")
    explained = await _explained(asked, key, model) if key and model else None
    offering = asked.backstage.office.current().offering
    view = ExplainView(
        keys=[line for line in lines if line.live],
        models=[each.id for each in offering.listed()],
        key=key,
        model=model,
        explained=explained,
    )
    return asked.page("explain", view)


async def _explained(asked: Asked, key: str, model: str) -> Explained:
    """Ask; raise NotFound for a key that is not theirs. Cancelling is harmless."""
    case = Case(
        office=asked.backstage.office,
        actor=asked.actor,
        id="",
        request_id=asked.request.id,
        base_url=asked.root,
    )
    with told_as_faults():
        found = await explain(case, asked=Question(key=key, model=model))
    return Explained(
        verdict=_verdict(found),
        good=found.allowed,
        limits=_limits(found.standing),
        targets=_targets(found.places),
    )


def _verdict(found: Explanation) -> str:
    if found.why_not is not None:
        return found.why_not
    first = next(place for place in found.places if place.tried)
    return f"It would pass: {first.provider} is asked first."


def _limits(standing: Standing) -> Sequence[LimitLine]:
    lines = [
        LimitLine(name=name, limit=count(room.limit), left=count(room.remaining))
        for name, room in (
            ("Requests a minute", standing.requests),
            ("Tokens a minute", standing.tokens),
        )
        if room is not None
    ]
    if standing.quota is not None:
        quota = standing.quota
        lines.append(
            LimitLine(
                name="Tokens in all" if quota.resets_at is None else "Tokens a month",
                limit=count(quota.limit),
                left=count(quota.remaining),
            )
        )
    if standing.quota_usd is not None:
        money = standing.quota_usd
        lines.append(
            LimitLine(
                name="Dollars in all" if money.resets_at is None else "Dollars a month",
                limit=f"${money.limit}",
                left=f"${money.remaining}",
            )
        )
    return lines


def _targets(places: Sequence[Place]) -> Sequence[TargetLine]:
    lines: list[TargetLine] = []
    for place in places:
        first = not any(line.tried for line in lines)
        why = "Asked first." if first else "Asked if those before it fail."
        lines.append(
            TargetLine(
                provider=place.provider,
                model=place.model,
                tried=place.tried,
                why=place.why_not or why,
            )
        )
    return lines
