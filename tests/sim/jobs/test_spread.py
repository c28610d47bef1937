"""Tasks in this process: made when asked for, once, in order; campaigns test the cluster."""

from mnv2.sim.jobs.spread import ThisProcess, choose_place


def recorded(calls, name):
    """A function that adds its arguments, and notes that it was called."""

    def function(*arguments):
        calls.append(name)
        return sum(sum(one) if isinstance(one, list) else one for one in arguments)

    return function


def test_tasks_are_made_when_asked_for_and_once():
    place, calls = ThisProcess(), []
    shared = place.submit(recorded(calls, "shared"), 1, name="shared", priority=1)
    first = place.submit(recorded(calls, "first"), shared, 10)
    second = place.submit(recorded(calls, "second"), [shared, first], 100)
    assert calls == []
    assert second.result() == 112
    assert calls == ["shared", "first", "second"]
    assert (first.result(), second.result()) == (11, 112)
    assert len(calls) == 3


def test_one_item_after_another():
    place, calls = ThisProcess(), []
    items = place.spread([1, 2, 3], lambda item: place.submit(recorded(calls, item), item), tasks=4)
    for number, (item, pending) in enumerate(items, 1):
        assert (item, pending.result(), len(calls)) == (number, number, number)


def test_nothing_is_sent_in_parcels():
    """Each result is kept before the next is made."""
    assert ThisProcess().parcels([1, 2, 3], 2) == [[1], [2], [3]]


def test_no_workers_is_this_process():
    with choose_place(0, None, code=()) as place:
        assert isinstance(place, ThisProcess)
