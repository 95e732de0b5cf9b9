"""Every registered loss holds its hand-worked example and the contract."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import mse_loss, softplus

from ganplay.contracts import Critique
from ganplay.losses import losses

SMOOTHED = ("least-squares", "minimax", "non-saturating")
EXTREME = (-1e4, -30.0, 0.0, 30.0, 1e4)


def critique(*values, requires_grad=False, dtype=torch.float64):
    return Critique(torch.tensor(values, dtype=dtype, requires_grad=requires_grad))


def random_logits(count=16, dtype=torch.float64):
    return 3 * torch.randn(2, count, dtype=dtype, generator=torch.Generator().manual_seed(3))


def means(loss, real, fake):
    """L_D and L_G as numbers."""
    on_real, on_fake = Critique(real), Critique(fake)
    return loss.discriminator(on_real, on_fake).mean().item(), loss.generator(on_fake, on_real).mean().item()


@pytest.mark.parametrize("name", losses.names())
def test_worked_example(name):
    loss = losses[name]()
    real, fake = critique(*loss.example.real), critique(*loss.example.fake)
    assert loss.discriminator(real, fake).mean().item() == pytest.approx(loss.example.discriminator, abs=1e-6)
    assert loss.generator(fake, real).mean().item() == pytest.approx(loss.example.generator, abs=1e-6)
    assert loss.formula
    assert loss.example.working


@pytest.mark.parametrize("name", losses.names())
def test_losses_are_per_sample_and_finite_with_finite_gradients_at_extreme_logits(name):
    loss = losses[name]()
    for others in (EXTREME, EXTREME[::-1]):
        real = critique(*EXTREME, requires_grad=True, dtype=torch.float32)
        fake = critique(*others, requires_grad=True, dtype=torch.float32)
        for value in (loss.discriminator(real, fake), loss.generator(fake, real)):
            assert value.shape == (5,)
            assert torch.isfinite(value).all()
            gradients = torch.autograd.grad(value.sum(), (real.logits, fake.logits), allow_unused=True)
            assert all(gradient is None or torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", losses.names())
def test_generator_is_pulled_towards_higher_logits(name):
    fake = critique(0.3, -0.2, requires_grad=True)
    losses[name]().generator(fake, critique(0.1, 0.4)).sum().backward()
    assert (fake.logits.grad < 0).all()


@pytest.mark.parametrize("name", losses.names())
def test_discriminator_is_pulled_to_higher_real_and_lower_fake_logits(name):
    real, fake = critique(0.3, -0.2, requires_grad=True), critique(0.1, 0.4, requires_grad=True)
    losses[name]().discriminator(real, fake).sum().backward()
    assert (real.logits.grad < 0).all()
    assert (fake.logits.grad > 0).all()


@pytest.mark.parametrize("name", losses.names())
def test_only_relative_losses_need_real_samples_for_the_generator(name):
    loss, (real, fake) = losses[name](), random_logits()
    if loss.relative:
        assert not torch.equal(loss.generator(Critique(fake), Critique(real)), loss.generator(*[Critique(fake)] * 2))
        with pytest.raises(ValueError, match=f"The loss '{name}' compares fakes with real samples"):
            loss.generator(Critique(fake))
    else:
        assert torch.equal(loss.generator(Critique(fake), Critique(real)), loss.generator(Critique(fake)))


@pytest.mark.parametrize("name", losses.names())
def test_undecided_logits_settle_at_the_boundary_unless_they_are_scores(name):
    loss = losses[name]()
    undecided = critique(loss.boundary, requires_grad=True)
    loss.discriminator(undecided, undecided).sum().backward()
    settles = undecided.logits.grad.item() == 0
    shifted = [torch.tensor([loss.boundary + shift]) for shift in (-2.0, 0.0, 2.0)]
    apart = [means(loss, logits, logits)[0] for logits in shifted]
    assert loss.scores == (not (settles and apart[1] < min(apart[0], apart[2])))


def test_trap_7_logits_of_a_wrong_shape_are_refused_before_they_broadcast():
    with pytest.raises(ValueError, match=r"shape \(4, 1\); a critique needs \(N,\)"):
        Critique(torch.zeros(4, 1))


@pytest.mark.parametrize("name", losses.names())
def test_trap_7_the_loss_of_a_pair_does_not_depend_on_the_rest_of_the_batch(name):
    loss, (real, fake) = losses[name](), random_logits(5)
    alone = [means(loss, real[index : index + 1], fake[index : index + 1]) for index in range(5)]
    together = loss.discriminator(Critique(real), Critique(fake)), loss.generator(Critique(fake), Critique(real))
    torch.testing.assert_close(torch.stack(together, 1), torch.tensor(alone, dtype=torch.float64))


def test_trap_8_wasserstein_signs():
    loss = losses["wasserstein"]()
    assert loss.discriminator(critique(5.0), critique(1.0)).item() == -4.0
    assert loss.generator(critique(1.0)).item() == -1.0


def test_rejected_fakes_keep_their_gradient_in_the_non_saturating_loss_and_lose_it_in_the_minimax():
    for name, expected in (("non-saturating", -1.0), ("minimax", -math.exp(-30)), ("least-squares", -31.0)):
        fake = critique(-30.0, requires_grad=True)
        losses[name]().generator(fake).sum().backward()
        assert fake.logits.grad.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_equals_pytorchs_own_with_the_smoothed_target(smoothing):
    real, fake = random_logits()
    on_real, on_fake = bce(real, torch.full_like(real, 1 - smoothing)), bce(fake, torch.zeros_like(fake))
    expected = (on_real + on_fake).item()
    fooled, spotted = bce(fake, torch.ones_like(fake)).item(), on_fake.item()
    assert means(losses["non-saturating"](smoothing=smoothing), real, fake) == pytest.approx((expected, fooled))
    assert means(losses["minimax"](smoothing=smoothing), real, fake) == pytest.approx((expected, -spotted))
    halved = losses["non-saturating"](smoothing=smoothing, average=True)
    assert means(halved, real, fake) == pytest.approx((expected / 2, fooled))


def test_smoothed_cross_entropy_by_hand():
    """D says 3/4 to the real sample and 1/2 to the fake one; the real target is 0.9."""
    by_hand = -0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4) - math.log(1 / 2)
    real, fake = torch.tensor([math.log(3)], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    assert by_hand == pytest.approx(1.090690, abs=1e-6)
    assert means(losses["non-saturating"](smoothing=0.1), real, fake) == pytest.approx((by_hand, math.log(2)))
    assert means(losses["minimax"](smoothing=0.1), real, fake) == pytest.approx((by_hand, -math.log(2)))


def test_smoothed_least_squares_by_hand():
    """Real target 0.9: a real score of 0.5 misses it by 0.4; the fake score 0 is right and misses G's target by 1."""
    assert means(losses["least-squares"](smoothing=0.1), torch.tensor([0.5]), torch.tensor([0.0])) == pytest.approx(
        (0.08, 0.5)
    )
    mirrored = losses["least-squares"](fake_target=-1.0, generator_target=0.0, smoothing=0.25)  # real target 0.5
    assert means(mirrored, torch.tensor([0.0]), torch.tensor([1.0])) == pytest.approx((0.125 + 2.0, 0.5))


@pytest.mark.parametrize("name", SMOOTHED)
def test_smoothing_moves_the_best_real_logit_off_certainty_and_leaves_fakes_and_the_generator_alone(name):
    share = 0.1
    best = 1 - share if name == "least-squares" else math.log((1 - share) / share)
    real, fake = critique(best, requires_grad=True), critique(0.7, requires_grad=True)
    smoothed, plain = losses[name](smoothing=share), losses[name]()
    smoothed.discriminator(real, fake).sum().backward()
    assert real.logits.grad.item() == pytest.approx(0, abs=1e-12)
    (of_fake,) = torch.autograd.grad(plain.discriminator(real, fake).sum(), fake.logits)
    assert torch.equal(fake.logits.grad, of_fake)
    assert torch.equal(smoothed.generator(fake), plain.generator(fake))


def test_without_smoothing_the_cross_entropy_is_that_of_before_to_the_bit():
    real, fake = random_logits(1_000, torch.float32)
    real[:5] = torch.tensor(EXTREME)
    real.requires_grad_(True)
    for name in ("minimax", "non-saturating"):
        value, before = losses[name]().discriminator(Critique(real), Critique(fake)), softplus(-real) + softplus(fake)
        assert torch.equal(value, before)
        assert torch.equal(*(torch.autograd.grad(one.mean(), real)[0] for one in (value, before)))


@pytest.mark.parametrize("name", SMOOTHED)
def test_smoothing_past_one_half_is_refused(name):
    with pytest.raises(ValueError, match=r"smoothing is 0\.9; allowed is 0 to 0\.5"):
        losses[name](smoothing=0.9)


@pytest.mark.parametrize(("a", "b", "c"), [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0), (-2.0, 0.3, 4.0)])
def test_least_squares_is_half_the_mean_squared_distance_to_each_target(a, b, c):
    real, fake = random_logits()
    loss = losses["least-squares"](fake_target=a, real_target=b, generator_target=c)
    to_a, to_b, to_c = (mse_loss(x, torch.full_like(x, t)).item() for x, t in ((fake, a), (real, b), (fake, c)))
    assert means(loss, real, fake) == pytest.approx(((to_a + to_b) / 2, to_c / 2))


@pytest.mark.parametrize("target", [1.0, 2.0])
def test_least_squares_refuses_a_real_target_that_is_not_the_higher_one(target):
    with pytest.raises(ValueError, match=r"real_target is 1 and fake_target [12]; the target of real samples must be"):
        losses["least-squares"](fake_target=target)


def test_the_boundary_of_least_squares_is_half_way_between_its_targets():
    assert losses["least-squares"]().boundary == 0.5
    assert losses["least-squares"](fake_target=-1.0).boundary == 0.0


def test_hinge_is_equation_12_of_document_004():
    real, fake = random_logits()
    by_hand = [max(0.0, 1 - r) + max(0.0, 1 + f) for r, f in zip(real.tolist(), fake.tolist(), strict=True)]
    assert losses["hinge"]().discriminator(Critique(real), Critique(fake)).tolist() == pytest.approx(by_hand)
    assert losses["hinge"]().generator(Critique(fake)).tolist() == pytest.approx((-fake).tolist())


def test_hinge_learns_nothing_from_samples_beyond_the_margin_and_all_from_those_inside():
    real, fake = critique(0.9, 1.1, -5.0, requires_grad=True), critique(-0.9, -1.1, 5.0, requires_grad=True)
    losses["hinge"]().discriminator(real, fake).sum().backward()
    assert real.logits.grad.tolist() == [-1, 0, -1]
    assert fake.logits.grad.tolist() == [1, 0, 1]


@pytest.mark.parametrize("against", ["pair", "mean"])
def test_relativistic_losses_see_only_differences_and_swap_roles(against):
    loss, (real, fake) = losses["relativistic"](against=against), random_logits()
    assert means(loss, real + 7, fake + 7) == pytest.approx(means(loss, real, fake))
    assert means(loss, real, fake) == pytest.approx(means(loss, fake, real)[::-1])
    assert means(loss, real, real - 40)[0] < 1e-3 < 20 < means(loss, real, real - 40)[1]


def test_pairing_loss_is_the_cross_entropy_of_each_pairs_lead():
    real, fake = random_logits()
    one, zero = torch.ones_like(real), torch.zeros_like(real)
    expected = bce(real - fake, one).item(), bce(real - fake, zero).item()
    assert means(losses["relativistic"](), real, fake) == pytest.approx(expected)


def test_relativistic_average_loss_compares_each_sample_with_the_mean_of_the_other_kind():
    real, fake = random_logits()
    one, zero = torch.ones_like(real), torch.zeros_like(real)
    discriminator = bce(real - fake.mean(), one) + bce(fake - real.mean(), zero)
    generator = bce(fake - real.mean(), one) + bce(real - fake.mean(), zero)
    loss = losses["relativistic"](against="mean")
    assert means(loss, real, fake) == pytest.approx((discriminator.item(), generator.item()))
