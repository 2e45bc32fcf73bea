"""Learning rates by the text of a flag."""

from absl.testing import absltest, parameterized

from trainers.rates import PhaseRates, Rate, falls, parse_rate, rate_of


class RatesTest(parameterized.TestCase):
    @parameterized.parameters("1e-3", " 0.001 ", "constant(1e-3)", "constant( .001 )")
    def test_a_number_is_constant(self, text):
        self.assertEqual(parse_rate(text), 1e-3)

    @parameterized.parameters(Rate("cosine", 1e-3), Rate("linear", 0.1 + 0.2))
    def test_a_rate_that_falls_is_written_and_read_back(self, rate):
        self.assertEqual(parse_rate(str(rate)), rate)

    @parameterized.parameters(
        "", "fast", "-1", "nan", "inf", "cosine", "cosine()", "cosine(-1)", "step(1e-3)", "cosine(1, 2)"
    )
    def test_refuses_all_else(self, text):
        with self.assertRaisesRegex(ValueError, "is a number from 0 on, or constant, cosine or linear .*cosine.1e-3."):
            parse_rate(text)

    @parameterized.parameters(
        ("cosine", [(0, 8.0), (25, 4.0 * (1 + 0.5**0.5)), (50, 4.0), (100, 0.0), (200, 0.0)]),
        ("linear", [(0, 8.0), (25, 6.0), (50, 4.0), (100, 0.0), (200, 0.0)]),
    )
    def test_falls_to_0_over_the_updates(self, shape, values):
        schedule = Rate(shape, 8.0).schedule(100)
        for step, value in values:
            self.assertAlmostEqual(float(schedule(step)), value, places=5)

    def test_one_for_each_of_some_phases(self):
        rates = parse_rate(" discriminate = 4e-4, generate=cosine(1e-4)")
        self.assertEqual(rates, PhaseRates((("discriminate", 4e-4), ("generate", Rate("cosine", 1e-4)))))
        self.assertEqual(parse_rate(str(rates)), rates)
        self.assertEqual([rate_of(rates, name) for name in ("discriminate", "wake")], [4e-4, None])
        self.assertEqual(rate_of(0.0, "wake"), 0.0)
        self.assertEqual([falls(each) for each in (rates, 1e-3, Rate("linear", 1.0), None)], [True, False, True, False])
        self.assertFalse(falls(parse_rate("generate=1e-3")))

    @parameterized.parameters("wake=", "wake=fast", "wake=1e-3,", "1e-3,wake=1e-3", "wake=1e-3,wake=1e-4")
    def test_refuses_what_is_no_rate_of_a_phase(self, text):
        with self.assertRaisesRegex(ValueError, f"--learning_rate .* Received: '{text}'"):
            parse_rate(text)


if __name__ == "__main__":
    absltest.main()
