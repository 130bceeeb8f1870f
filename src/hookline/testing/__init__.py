"""Public contract checks: what every member of a family promises, as one call.

A check raises AssertionError and names the promise that was broken. Hookline's own tests run them
over every registered member; run them over yours:

    from hookline.testing import check_policy

    def test_my_policy_keeps_the_contract():
        check_policy(lambda: MyPolicy(...))
"""

from hookline.testing.guards import check_guard
from hookline.testing.policies import check_policy
from hookline.testing.stores import check_store
from hookline.testing.writers import check_writer

__all__ = ["check_guard", "check_policy", "check_store", "check_writer"]
