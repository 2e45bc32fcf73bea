"""How estimates are compared with what is known."""


def assert_within(test, estimate, truth, errors=3.0, least=0.0):
    """The truth lies within so many standard errors of the estimate, or within `least` of its value."""
    test.assertIsNotNone(estimate.error)
    test.assertLess(abs(estimate.value - truth), max(errors * estimate.error, least), f"{estimate}, not {truth}")
