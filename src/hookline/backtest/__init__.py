"""Past A/B tests → what each policy would have earned on them.

PastTests → `truth` → what clicks are drawn from ┐
          → other tests' `prior.calibrate` → hints ┴→ `players` → `measure` → `result`
          → `words`, `charts` → `render` (text, JSON), `page` (HTML)
"""

from hookline.backtest.measure import measure_prior
from hookline.backtest.page import to_html
from hookline.backtest.render import to_json, to_text
from hookline.backtest.result import BacktestResult
from hookline.backtest.run import backtest, check

__all__ = ["BacktestResult", "backtest", "check", "measure_prior", "to_html", "to_json", "to_text"]
