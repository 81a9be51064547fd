"""One call's bill, from what it asks of its limits to what it took of them.

In this order, each once at most: ``ask`` and, where it gives something, ``admit``;
``dispatch`` before a provider is asked, ``finish`` before the client hears the end.
"""

from operator import attrgetter

from lightweight.errors import Overloaded
from lightweight.policy.estimate import estimate
from lightweight.policy.pace import Ask, Settlement
from lightweight.policy.price import cost_of, highest_cost
from lightweight.records import (
    Call,
    Dispatch,
    Identity,
    Model,
    Outcome,
    Target,
    Usage,
    Use,
)
from lightweight.store.problems import StoreProblem
from lightweight.web.journal import Journal
from lightweight.web.rates import Rates

FULL = "The use of this request cannot be recorded. Try again in a moment."

_NOTHING = Usage()
_price_of = attrgetter("price")


class Metered:
    """What one call owes, and to whom it was said."""

    def __init__(
        self, call: Call, identity: Identity, at: float, rates: Rates, books: Journal
    ) -> None:
        """``at`` is when the request arrived, by the wall clock."""
        self.estimate = estimate(call)
        self._call = call
        self._identity = identity
        self._at = at
        self._rates = rates
        self._books = books
        self._model = call.model
        self._micro_usd: int | None = None
        self._ask: Ask | None = None
        self._dispatched = False

    def ask(self, model: Model) -> Ask | None:
        """Give what is to be reserved for the call; None where nothing limits it."""
        self._model = model.id
        self._micro_usd = highest_cost(
            map(_price_of, model.targets),
            Usage(fresh=self.estimate.prompt, answer=self.estimate.answer),
        )
        subjects = self._rates.subjects(self._identity)
        if not subjects:
            return None
        return Ask(
            id=self._call.id,
            account=self._identity.account.id,
            subjects=subjects,
            tokens=self.estimate.total,
            micro_usd=self._micro_usd or 0,
        )

    async def admit(self, ask: Ask) -> None:
        """Reserve what the call may take; raise the Fault that refuses it.

        Raises Overloaded where nobody can say. Cancelling takes nothing.
        """
        await self._rates.admit(ask)
        self._ask = ask

    def dispatch(self) -> None:
        """Write that a provider is about to be asked; raise Overloaded if that fails.

        Asking the next provider is no new use.
        """
        if self._dispatched:
            return
        call = self._call
        dispatch = Dispatch(
            id=call.id,
            account_id=self._identity.account.id,
            key_id=self._identity.key.id,
            model=self._model,
            dialect=call.dialect,
            stream=call.stream,
            at=self._at,
            tokens=self.estimate.total,
            micro_usd=self._micro_usd,
        )
        try:
            self._books.start(dispatch)
        except StoreProblem:
            raise Overloaded(FULL) from None
        self._dispatched = True

    def finish(self, outcome: Outcome, target: Target | None) -> None:
        """Write how it ended, at ``target``'s price, and settle what was reserved."""
        usage = outcome.usage
        price = None if target is None else target.price
        cost = 0 if usage is None else cost_of(price, usage)
        try:
            if self._dispatched:
                self._books.finish(Use(outcome=outcome, at=self._at, micro_usd=cost))
        finally:
            ask, self._ask = self._ask, None
            if ask is not None:
                self._settle(ask, usage or _NOTHING, cost or 0)

    def _settle(self, ask: Ask, usage: Usage, cost: int) -> None:
        self._rates.settle(
            Settlement(
                id=ask.id,
                account=ask.account,
                subjects=tuple([subject.name for subject in ask.subjects]),
                tokens=usage.total,
                micro_usd=cost,
                refund=not self._dispatched,
            )
        )
