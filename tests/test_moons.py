"""Two moons: the picture that shows the student what round groups miss."""

from cxkit.moons import describe_moons, plot_moons, two_moons


def test_two_round_groups_cut_both_moons():
    assert describe_moons(k=2, seed=1) == (
        "Two moons cut into 2 by k-means: 25% of the points are grouped with the other moon."
    )


def test_many_round_pieces_follow_them():
    told = describe_moons(k=10, seed=1)
    assert int(told.split(": ")[1].split("%")[0]) <= 3


def test_the_points_are_the_same_for_a_seed_and_all_are_drawn():
    points, moon = two_moons(seed=1)
    assert (points == two_moons(seed=1)[0]).all()
    assert set(moon) == {0, 1}
    drawn = sum(len(line.get_xdata()) for line in plot_moons(k=3, seed=1).lines)
    assert drawn == len(points)
