"""What is proved of each recipe, and by which test: `docs/models.md` prints it."""

_EQUIVALENCES, _LEMMAS = "tests/equivalences/test_", "tests/lemmas/test_"
_HALF = _EQUIVALENCES + (
    "transfers.py::AdversaryActivatedTest::test_a_perfect_discriminator_makes_its_step_half_of_its_bases"
)
_LENGTH = _EQUIVALENCES + (
    "transfers.py::ImportanceWeightedTest::test_its_step_is_the_minimax_ones_times_k_over_the_sum_of_the_weights"
)


def _half(base: str, note: str = "") -> tuple[str, str]:
    return f"with a perfect discriminator its step is half of that of {base}{note}", _HALF


def _length(base: str, note: str = "") -> tuple[str, str]:
    return f"its step is k / sum(w) times that of {base}(contest='minimax'){note}", _LENGTH


def _lemma(statement: str, test: str) -> tuple[str, str]:
    return statement, f"{_LEMMAS}{test}"


def _same(statement: str, test: str) -> tuple[str, str]:
    return statement, f"{_EQUIVALENCES}{test}"


# Statements are of training steps, or of the phases' expected gradients with every draw summed over.
IDENTITIES: dict[str, tuple[tuple[str, str], ...]] = {
    "aacvae": (_half("conditional_vae"),),
    "aae": (
        _same(
            "it is infogan(structured=False) with x and z exchanged",
            "infogan.py::AaeTest::test_its_training_steps_are_those_of_infogan_with_x_and_z_exchanged",
        ),
        _lemma(
            "lemma 1 holds for its codes (equation 10)",
            "infogan.py::Equation10Test::test_it_holds_for_aae_with_x_and_z_exchanged",
        ),
    ),
    "aahvae": (_half("hierarchical_vae"),),
    "aaiwae": (_half("iwae"),),
    "aasvae": (_half("semi_supervised_vae", ", but for alpha's term"),),
    "aavae": (
        _lemma("it ascends equation 17", "equation_17.py::Equation17Test::test_wake_ascends_equation_17"),
        _half("vae"),
        _lemma(
            "with the best discriminator, too, it is half of vae in expectation",
            "equation_17.py::Equation17Test::test_so_does_the_optimal_one",
        ),
        _lemma(
            "and its gradient then has less variance",
            "equation_17_noise.py::NoiseTest"
            "::test_with_the_best_discriminator_generated_examples_lower_the_gradients_variance",
        ),
    ),
    "acgan": (
        _same(
            "with auxiliary=0 it is gan with the class in the code",
            "conditional.py::AcganTest::test_without_its_classifier_it_is_the_gan_whose_code_holds_the_class",
        ),
    ),
    "adversarial_domain_adaptation": (
        _lemma(
            "lemma 1 holds with theta in both domains, and for any p(y)",
            "domain_adaptation.py::DomainAdaptationTest::test_both_domains_descend_the_kl_minus_the_jsd",
        ),
    ),
    "alice": (
        _same(
            "with cycle=0 it is bigan on the decoder's means",
            "hybrids.py::BiganTest::test_alice_without_a_cycle_is_bigan_on_the_decoders_means",
        ),
    ),
    "alpha_gan": (
        _lemma(
            "with the best code discriminator the codes descend KL(q(z) || p(z))",
            "joint_discriminators.py::AlphaGanTest"
            "::test_the_code_discriminators_term_descends_the_kl_from_the_codes_of_data_to_the_prior",
        ),
        _lemma(
            "samples and reconstructions together descend KL(both || data)",
            "joint_discriminators.py::AlphaGanTest"
            "::test_the_image_discriminators_terms_descend_the_kl_from_samples_and_reconstructions_to_the_data",
        ),
    ),
    "as_vae": (
        _lemma(
            "with the best discriminator its log-ratios are the symmetric KL",
            "joint_discriminators.py::SymmetricTest::test_the_log_ratios_of_as_vae_are_the_symmetric_kl",
        ),
        _lemma(
            "with its cycles on fixed draws it descends the whole symmetric KL",
            "joint_discriminators.py::SymmetricTest"
            "::test_with_cycles_on_draws_held_fixed_as_vae_descends_the_whole_symmetric_kl",
        ),
    ),
    "avb": (
        _lemma(
            "with the best discriminator it is vae",
            "joint_discriminators.py::AvbTest::test_with_the_best_discriminator_it_is_the_vae",
        ),
    ),
    "beta_tc_vae": (
        _same("with beta=1 it is vae", "codes.py::OfAVaeTest::test_with_these_weights_its_steps_are_those_of_the_vae"),
        _same(
            "its term is the total correlation of Gaussian codes in closed form",
            "codes.py::TotalCorrelationTest::test_beta_tc_vae_measures_it",
        ),
    ),
    "bigan": (
        _same(
            "for a discriminator that ignores z it is gan",
            "hybrids.py::BiganTest::test_for_a_discriminator_that_does_not_look_at_codes_bigan_is_the_gan",
        ),
        _same(
            "it is adversarial_domain_adaptation of pairs (x, z)",
            "hybrids.py::BiganTest::test_bigan_is_domain_adaptation_of_pairs",
        ),
        _lemma(
            "lemma 1 holds for its pairs, with theta on both sides",
            "bigan.py::BiganTest::test_decoder_and_encoder_descend_the_kl_minus_the_jsd_of_pairs",
        ),
    ),
    "conditional_gan": (
        _same("without a class it is gan", "conditional.py::ConditionalTest::test_the_conditional_gan_is_the_gan"),
    ),
    "conditional_vae": (
        _same("without a class it is vae", "conditional.py::ConditionalTest::test_the_conditional_vae_is_the_vae"),
    ),
    "cyclegan": (
        _same("with cycle=0 it is two gans", "hybrids.py::CycleGanTest::test_without_a_cycle_it_is_two_gans"),
    ),
    "factor_vae": (
        _same(
            "with the best discriminator the encoder pays the total correlation of its codes",
            "codes.py::FactorVaeTest::test_with_it_what_the_encoder_pays_is_the_total_correlation",
        ),
        _same(
            "with gamma=0 it is vae",
            "codes.py::FactorVaeTest::test_without_its_weight_encoder_and_decoder_take_the_steps_of_the_vae",
        ),
    ),
    "gan": (
        _lemma(
            "its decoder descends E KL(p(x | y) || q^r(x | y)) - JSD (lemma 1)",
            "lemma_1.py::Lemma1Test::test_generate_descends_the_kl_minus_the_jsd_whatever_the_discriminator",
        ),
        _lemma(
            "with the best discriminator it descends 2 KL(mixture || data)",
            "optimal_discriminator.py::DivergenceTest::test_generate_descends_the_kl_of_the_mixture_to_the_data",
        ),
        _lemma(
            "with contest='minimax' and the best discriminator it descends 2 JSD",
            "lemma_1.py::OptimalDiscriminatorTest::test_minimax_descends_the_jsd",
        ),
        _lemma(
            "with a contest of an f-divergence it descends that divergence",
            "optimal_discriminator.py::FDivergenceTest::test_against_the_best_discriminator_generate_descends_it",
        ),
    ),
    "hierarchical_vae": (
        _lemma(
            "with k=1 its expected loss is the negative ELBO of two layers",
            "hierarchical.py::HierarchicalVaeTest::test_one_draw_makes_it_the_negative_elbo_of_two_layers",
        ),
    ),
    "iaf_vae": (
        _same(
            "at first, with the flow the identity, it is vae(kl='sampled')",
            "iwae_and_miwae.py::FlowTest::test_at_first_the_flows_vae_is_the_vae_with_the_rate_at_its_draws",
        ),
    ),
    "info_vae": (
        _same(
            "with alpha=0 and scale=1 it is vae",
            "codes.py::OfAVaeTest::test_with_these_weights_its_steps_are_those_of_the_vae",
        ),
    ),
    "infogan": (
        _same(
            "with info=0 it is gan with noise, class and codes in one code",
            "infogan.py::GanTest::test_structured_and_without_recall_it_is_the_gan_of_noise_class_and_codes_in_one",
        ),
        _same(
            "with info=0 and structured=False it is gan, bit for bit",
            "infogan.py::GanTest::test_without_recall_it_is_the_gan_bit_for_bit",
        ),
        _lemma(
            "lemma 1 holds for codes and x drawn jointly (equation 10)",
            "infogan.py::Equation10Test::test_it_holds_for_x_and_z_drawn_jointly_with_the_marginal_in_the_numerator",
        ),
    ),
    "iwaae": (_length("aae", " where reconstruction=0"),),
    "iwacgan": (_length("acgan", " where auxiliary=0"),),
    "iwae": (
        _same(
            "with k=1 it is vae(kl='sampled')",
            "iwae_and_miwae.py::SameStepsTest::test_iwae_of_one_draw_is_the_vae_with_the_rate_at_its_draws",
        ),
        _lemma(
            "more draws are tighter",
            "bounds.py::LinearGaussianTest::test_more_draws_are_tighter_without_sampling_error",
        ),
        _lemma(
            "its doubly reparameterised gradient is unbiased",
            "doubly_reparameterised.py::DoublyReparameterisedTest::test_it_has_the_same_mean",
        ),
    ),
    "iwbigan": (_length("bigan", ", side by side"),),
    "iwcgan": (
        _length("conditional_gan"),
        _same("without a class it is iwgan", "conditional.py::ConditionalTest::test_the_conditional_gan_is_the_gan"),
    ),
    "iwgan": (
        _length("gan"),
        _same(
            "on a batch of one it is gan, bit for bit",
            "gan_and_iwgan.py::GanTest::test_a_batch_of_one_makes_iwgan_the_gan_bit_for_bit",
        ),
        _lemma(
            "with the best discriminator and large batches it descends 2 JSD",
            "equation_15.py::LargeBatchTest::test_the_larger_the_batch_the_nearer_iwgan_is_to_descending_twice_the_jsd",
        ),
    ),
    "iwinfogan": (
        _length("infogan", " where info=0"),
        _same(
            "with info=0 and structured=False it is iwgan, bit for bit",
            "infogan.py::GanTest::test_the_importance_weighted_ones_agree_likewise",
        ),
    ),
    "miwae": (
        _same("with groups=1 it is iwae", "iwae_and_miwae.py::SameStepsTest::test_one_group_makes_miwae_the_iwae"),
        _same(
            "with k=1 it is vae(kl='sampled') with as many draws as groups",
            "iwae_and_miwae.py::SameStepsTest::test_groups_of_one_draw_make_miwae_the_vae_of_several_draws",
        ),
    ),
    "ppo_gan": (
        _lemma(
            "its critic descends log E_p[exp l] - mean l(x), the value of the E-step",
            "reweighted_critic.py::CriticTest::test_it_descends_log_mean_exp_of_the_draws_less_the_mean_of_the_data",
        ),
        _same(
            "with moves=1 the ratio is 1 and nothing is clipped",
            "ppo_gan.py::OneMoveTest::test_the_value_is_minus_the_mean_output_of_the_critic",
        ),
    ),
    "predictability_minimization": (
        _same(
            "with weight=0 it is an autoencoder",
            "hybrids.py::PredictabilityMinimizationTest::test_at_weight_0_it_is_an_autoencoder",
        ),
        _lemma(
            "the best predictor gains nothing if and only if the code is factorial",
            "predictability.py::PredictabilityTest"
            "::test_the_best_predictor_gains_twice_the_information_between_the_units",
        ),
    ),
    "reweighted_wake_sleep": (
        _same(
            "with k=1 and inference='sleep' it is wake_sleep",
            "hybrids.py::WakeSleepTest::test_reweighted_by_one_draw_it_is_wake_sleep",
        ),
        _lemma(
            "with many draws its wake phase descends -log p(x) itself",
            "wake_sleep.py::ReweightedTest::test_many_draws_make_wake_descend_minus_log_p_itself",
        ),
    ),
    "semi_supervised_vae": (
        _same(
            "fed only labels it is conditional_vae and a classifier",
            "semi_supervised.py::LabelledTest::test_fed_only_labels_it_is_the_conditional_vae_and_a_classifier",
        ),
        _lemma(
            "its bound without labels is tight at q(c | x) ~ exp(L(x, c))",
            "semi_supervised.py::BoundTest::test_it_is_tight_where_the_classifier_is_the_bounds_softmax",
        ),
    ),
    "stacked_semi_supervised_vae": (
        _same("its first phase is vae", "semi_supervised.py::StackedTest::test_its_first_phase_is_the_vae"),
        _same(
            "its second phase is semi_supervised_vae of the features",
            "semi_supervised.py::StackedTest::test_its_second_phase_is_the_semi_supervised_vae_of_the_features",
        ),
    ),
    "vae": (
        _lemma(
            "it is the unified objective with a perfect discriminator (lemma 2)",
            "lemma_2.py::Lemma2Test::test_wake_ascends_the_unified_objective_with_a_perfect_discriminator",
        ),
        _same(
            "its loss is the negative ELBO",
            "vae_and_iwae.py::BetaTest::test_beta_1_is_the_negative_elbo",
        ),
    ),
    "vae_gan": (
        _same(
            "with adversary=0 it is vae",
            "hybrids.py::VaeGanTest::test_without_its_adversary_it_is_the_vae_whichever_the_family",
        ),
    ),
    "veegan": (
        _lemma(
            "with the best discriminator it descends KL(generated || inferred), on draws held fixed",
            "joint_discriminators.py::SymmetricTest"
            "::test_with_its_codes_read_back_on_draws_held_fixed_veegan_descends_the_whole_kl_of_generated_pairs",
        ),
    ),
    "wae": (
        _same(
            "it is info_vae with alpha=1",
            "codes.py::OfAVaeTest::test_wae_is_info_vae_that_pays_for_no_information",
        ),
    ),
    "wake_sleep": (
        _lemma(
            "its wake phase has vae's gradient in theta",
            "wake_sleep.py::WakeTest::test_wake_has_the_vaes_gradient_in_theta",
        ),
        _lemma(
            "its sleep phase descends E KL(p(z | x) || q(z | x))",
            "wake_sleep.py::SleepTest::test_sleep_descends_the_kl_from_the_posterior_to_the_encoder",
        ),
    ),
}
