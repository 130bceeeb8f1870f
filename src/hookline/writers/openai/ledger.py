"""The cost cap: what was spent, what is held for requests under way, and when to stop."""

from threading import Lock

from hookline.errors import BadInput, BudgetSpent


class Ledger:
    """Money spent on one writer's requests; safe to use from several threads.

    Args:
        budget_usd: Most that may be spent in all, None for no cap.
        usd_per_million_in: Price of a million prompt tokens.
        usd_per_million_out: Price of a million completion tokens.

    Raises:
        BadInput: Where an argument is negative, or there is a cap but no price to count with.
    """

    def __init__(
        self, budget_usd: float | None, usd_per_million_in: float, usd_per_million_out: float
    ) -> None:
        if min(usd_per_million_in, usd_per_million_out, budget_usd or 0.0) < 0:
            raise BadInput("prices and the budget of the openai writer can't be negative")
        self._budget_usd = budget_usd
        self._usd_in = usd_per_million_in / 1e6
        self._usd_out = usd_per_million_out / 1e6
        self._spent = 0.0
        self._held = 0.0
        self._dearest = 0.0
        self._lock = Lock()

    @property
    def spent_usd(self) -> float:
        """What the answered requests have cost."""
        return self._spent

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """The price of so many tokens, in US dollars."""
        return tokens_in * self._usd_in + tokens_out * self._usd_out

    def hold(self, usd: float) -> float:
        """Sets the price of a request aside until `settle`, and gives back what was set aside.

        Args:
            usd: What it is expected to cost; the dearest request so far counts if it was more.

        Raises:
            BudgetSpent: Where it does not fit under the cap any more.
        """
        with self._lock:
            usd = max(usd, self._dearest)
            if self._budget_usd is not None and self._spent + self._held + usd > self._budget_usd:
                raise BudgetSpent(
                    f"the next request may pass the budget of {self._budget_usd:.2f} USD,"
                    f" of which {self._spent:.4f} is spent; raise openai_budget_usd to go on"
                )
            self._held += usd
        return usd

    def settle(self, held: float, spent: float) -> None:
        """Lets go of what was held and books what the request cost, 0 if it was not answered."""
        with self._lock:
            self._held -= held
            self._dearest = max(self._dearest, spent)
            self._spent += spent
