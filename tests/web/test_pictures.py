"""Layouts of growth, timeline and lineage: nothing lies on anything else, and the same facts give the same picture."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.web.charts import APART_PX, Axis, Counted, bars, growth_curve
from app.web.lineages import Group, lineage
from app.web.pictures import fitting, text_width
from app.web.timelines import APART_PX as MARKS_APART
from app.web.timelines import Lane, Moment, Span, timeline

DAY = timedelta(days=1)
BEGAN = datetime(2026, 9, 1, 8, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def counted(*levels, every=7 * DAY):
    return [Counted(f"P{index}", BEGAN + index * every, level, 95.0, None) for index, level in enumerate(levels)]


# -- growth ------------------------------------------------------------------------------------------------------------


def test_age_grows_along_the_days_and_stays_inside_its_frame():
    curve = growth_curve(counted(0.0, 3.07, 6.14), limit=20.0)
    assert curve.axis is Axis.DAYS
    assert [point.name for point in curve.points] == ["P0", "P1", "P2"]
    assert [point.y for point in curve.points] == sorted((point.y for point in curve.points), reverse=True)
    assert all(curve.left < point.x < curve.right and curve.top < point.y <= curve.bottom for point in curve.points)
    assert curve.top < curve.limit_y < min(point.y for point in curve.points)
    first, second, third = (point.x for point in curve.points)
    assert abs((second - first) - (third - second)) < 0.2, "a week is as wide as the next"
    assert [tick.value for tick in curve.x_ticks] == [0, 2, 4, 6, 8, 10, 12, 14]


def test_a_longer_wait_is_drawn_longer():
    counts = [
        Counted("P0", BEGAN, 0.0, None, None),
        Counted("P1", BEGAN + 2 * DAY, 1.0, None, None),
        Counted("P2", BEGAN + 10 * DAY, 2.0, None, None),
    ]
    first, second, third = (point.x for point in growth_curve(counts, limit=None).points)
    assert abs((third - second) / (second - first) - 4) < 0.02


def test_counts_of_the_same_hour_are_spaced_evenly_and_say_so():
    curve = growth_curve(counted(0.0, 2.07, 4.3, 6.59, every=timedelta(minutes=1)), limit=18.0)
    assert curve.axis is Axis.PASSAGES
    assert curve.x_ticks == ()
    gaps = {round(b.x - a.x) for a, b in zip(curve.points, curve.points[1:], strict=False)}
    assert len(gaps) == 1


def test_a_single_count_above_its_limit_is_still_drawn():
    curve = growth_curve(counted(25.0), limit=20.0)
    assert curve.points[0].y < curve.limit_y
    assert growth_curve([], limit=20.0) is None
    assert growth_curve(counted(None), limit=20.0) is None


def test_what_is_not_known_parts_the_line():
    curve = growth_curve(counted(0.0, 2.0, None, 5.0, 6.0), limit=None)
    assert len(curve.lines) == 2
    assert len(curve.points) == 4


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 90)), min_size=1, max_size=40))
def test_no_two_names_on_the_curve_lie_on_each_other(found):
    counts = [Counted("P", BEGAN + timedelta(days=days), level, None, None) for days, level in sorted(found)]
    curve = growth_curve(counts, limit=20.0)
    named = [point.x for point in curve.points if point.is_named]
    assert named
    assert all(b - a >= APART_PX for a, b in itertools.pairwise(named))
    assert all(curve.left <= point.x <= curve.right and curve.top <= point.y <= curve.bottom for point in curve.points)


def test_bars_stand_on_their_ground_side_by_side():
    picture = bars([("P0", 94.3), ("P1", None), ("P2", 101.0)], top_value=100.0)
    assert all(round(bar.y + bar.height, 1) == picture.bottom for bar in picture.bars)
    assert picture.bars[1].height == 0
    assert picture.bars[2].y >= picture.top, "more than the scale is drawn to its top, never beyond it"
    assert all(a.x + a.width <= b.x for a, b in zip(picture.bars, picture.bars[1:], strict=False))
    assert bars([("P0", None)]) is None
    assert bars([("P0", 0.0)]).bars[0].height == 0


# -- timeline ----------------------------------------------------------------------------------------------------------


def overlaps(a, b):
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


moments_in_time = st.floats(0, 60).map(lambda days: BEGAN + timedelta(days=days))
spans = st.builds(
    lambda lane, since, days: Span(lane, "na", "x", since, None if days is None else since + timedelta(days=days)),
    st.sampled_from(list(Lane)),
    moments_in_time,
    st.none() | st.floats(0, 30),
)
points = st.builds(lambda lane, at: Moment(lane, "go", "y", at), st.sampled_from(list(Lane)), moments_in_time)


@given(st.lists(spans, max_size=25), st.lists(points, max_size=25))
def test_nothing_in_a_timeline_lies_on_anything_else(lasted, happened):
    picture = timeline(lasted, happened, now=BEGAN + 61 * DAY, zone=SHANGHAI)
    if not lasted and not happened:
        assert picture is None
        return
    blocks = picture.blocks
    assert not any(overlaps(a, b) for index, a in enumerate(blocks) for b in blocks[index + 1 :])
    for lane in Lane:
        at = [mark.x for mark in picture.marks if mark.lane is lane]
        assert all(b - a >= MARKS_APART for a, b in itertools.pairwise(at))
    assert sum(len(mark.names) for mark in picture.marks) == len(happened)
    assert len(blocks) + picture.hidden == len(lasted)
    assert all(a.y + a.height <= b.y for a, b in zip(picture.rows, picture.rows[1:], strict=False))
    rows = {row.lane: row for row in picture.rows}
    for block in blocks:
        assert rows[block.lane].y <= block.y
        assert block.y + block.height <= rows[block.lane].y + rows[block.lane].height
        assert picture.left <= block.x <= block.x + block.width <= picture.right + 8
    assert picture == timeline(lasted[::-1], happened[::-1], now=BEGAN + 61 * DAY, zone=SHANGHAI)


def test_what_still_lasts_does_not_squeeze_what_was():
    lasted = [
        Span(Lane.STATE, "info", "in process", BEGAN, BEGAN + DAY),
        Span(Lane.STATE, "go", "x", BEGAN + DAY, None),
    ]
    picture = timeline(lasted, [], now=BEGAN + 4000 * DAY, zone=SHANGHAI)
    first, last = picture.blocks
    assert first.width > 5 * last.width
    assert last.is_open
    assert not first.is_open


def test_the_clock_of_a_timeline_is_the_facilitys():
    lasted = [Span(Lane.STATE, "info", "x", BEGAN, BEGAN + 5 * DAY)]
    says = [tick.says for tick in timeline(lasted, [], now=BEGAN + 5 * DAY, zone=SHANGHAI).ticks]
    assert says == ["2026-09-02", "2026-09-03", "2026-09-04", "2026-09-05", "2026-09-06"]
    minutes = [Span(Lane.STATE, "info", "x", BEGAN, BEGAN + timedelta(minutes=4))]
    assert "16:01:00" in [tick.says for tick in timeline(minutes, [], now=BEGAN, zone=SHANGHAI).ticks]


# -- lineage -----------------------------------------------------------------------------------------------------------


def group(key, *, codes=0, is_input=False):
    return Group(key, "flask", key, "", max(1, codes), tuple(f"F{n:010}" for n in range(codes)), is_input=is_input)


@given(st.data())
def test_no_box_of_a_lineage_lies_on_another_and_arrows_go_forward(data):
    count = data.draw(st.integers(1, 14))
    groups = [group(f"g{n:02}", codes=data.draw(st.integers(0, 6))) for n in range(count)]
    groups += [group(f"m{n:02}", is_input=True) for n in range(data.draw(st.integers(0, 5)))]
    keys = [each.key for each in groups]
    edges = data.draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=40))
    ordered = [(a, b) for a, b in edges if a < b or a.startswith("m")]
    picture = lineage(groups, ordered)
    boxes = [*picture.boxes, *picture.inputs]
    assert len(boxes) == len(groups)
    assert not any(overlaps(a, b) for index, a in enumerate(boxes) for b in boxes[index + 1 :])
    assert all(box.x >= 0 and box.y >= 0 and box.x + box.width <= picture.width for box in boxes)
    assert all(box.y + box.height <= picture.height for box in boxes)
    layer = {box.group.key: box.layer for box in picture.boxes}
    assert all(layer[arrow.parent] < layer[arrow.child] for arrow in picture.arrows)
    again = lineage(groups[::-1], ordered[::-1])
    assert {box.group.key: (box.x, box.y) for box in again.boxes} == {
        box.group.key: (box.x, box.y) for box in picture.boxes
    }
    assert again.arrows == picture.arrows


def test_a_circle_in_a_lineage_ends():
    picture = lineage([group("a"), group("b")], [("a", "b"), ("b", "a")])
    assert len(picture.boxes) == 2


def test_a_material_feeds_every_step_that_took_it():
    groups = [group("d"), group("f1"), group("f2"), group("medium", is_input=True), group("trypsin", is_input=True)]
    picture = lineage(groups, [("d", "f1"), ("f1", "f2"), ("medium", "f1"), ("medium", "f2"), ("trypsin", "f2")])
    assert {(tap.parent, tap.child) for tap in picture.taps} == {("medium", "f1"), ("medium", "f2"), ("trypsin", "f2")}
    places = [(tap.x, tap.child) for tap in picture.taps]
    assert len({x for x, _ in places}) == len(places), "each input goes up at a place of its own"
    boxes = {box.group.key: box for box in picture.boxes}
    assert all(tap.y2 == boxes[tap.child].y + boxes[tap.child].height for tap in picture.taps)
    assert {arrow.parent for arrow in picture.arrows} == {"d", "f1"}


def test_nothing_to_draw():
    assert lineage([], []) is None
    assert lineage([group("m", is_input=True)], []) is None


# -- words -------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=60), st.floats(20, 300))
def test_words_are_cut_to_what_fits(text, width):
    shown = fitting(text, width, 12)
    assert text_width(shown, 12) <= width or shown == "…"
    assert shown == text or shown.endswith("…")
