# SPDX-License-Identifier: MIT
"""What members wrote down, and what must be true of it.

The rules are the invariants of the simulator that can be seen from outside. Each takes the lives
of all members (a process that is started again has another life, with another label) and yields
what is wrong. A value is `LABEL:NUMBER`, its writer and its number there, or `-` for unset.
"""

from collections import defaultdict, namedtuple

Event = namedtuple("Event", "time kind args")  # time: monotonic, in seconds
Changed = namedtuple("Changed", "time old new remote updated held")

UNSET = "-"


def read_event(line):
    """An event from a line of member.c."""
    time, kind, *args = line.split()
    return Event(int(time) / 1e6, kind, args)


class Life:
    """The history of one process, from its start to its end."""

    def __init__(self, label, events=()):
        self.label = label
        self.events = []
        self.changes = []
        self._of_kind = defaultdict(list)
        for event in events:
            self.add(event)

    def add(self, event):
        self.events.append(event)
        self._of_kind[event.kind].append(event)
        if event.kind == "changed":
            old, new, way, updated, held = event.args
            change = Changed(event.time, old, new, way == "remote", int(updated), held)
            self.changes.append(change)

    def of_kind(self, kind):
        return self._of_kind[kind]

    def writes(self):
        return [event.args[0] for event in self.of_kind("set")]

    def final(self):
        """The value that its `changed` end with."""
        return self.changes[-1].new if self.changes else UNSET


def read_life(label, text):
    """A life from the lines of member.c."""
    return Life(label, [read_event(line) for line in text.splitlines() if line.strip()])


def writer_of(value):
    return value.rpartition(":")[0]


def number_of(value):
    return int(value.rpartition(":")[2])


# --- of every history, at any moment ---


def monotonic(lives):
    """1: of one writer nobody sees an older value after a newer one; time does not go back."""
    for life in lives:
        newest, updated = {}, 0
        for change in life.changes:
            if change.new == UNSET:
                continue
            writer, number = writer_of(change.new), number_of(change.new)
            if number <= newest.get(writer, 0):
                yield f"{life.label} saw {change.new} after {writer}:{newest[writer]}"
            if change.updated < updated:
                yield f"{life.label}: {change.new} is older by its stamp than what was before it"
            newest[writer] = number
            updated = change.updated


def own_writes(lives):
    """2: who writes sees it at once: the next event is that `changed`, unless he was killed."""
    for life in lives:
        events = [event for event in life.events if event.kind in ("set", "changed")]
        for event, following in zip(events, events[1:]):
            if event.kind == "set" and (following.kind, following.args[1:3]) != (
                "changed",
                [event.args[0], "local"],
            ):
                yield f"{life.label} wrote {event.args[0]}, then came {' '.join(following.args)}"


def one_value_one_stamp(lives):
    """3: a write has the same stamp everywhere."""
    seen = {}
    for life in lives:
        for change in life.changes:
            updated = seen.setdefault(change.new, change.updated)
            if change.new != UNSET and updated != change.updated:
                yield f"{change.new} is of {updated}, for {life.label} of {change.updated}"


def once(lives):
    """4: `changed` once for each transition: the old is the new before it, and another one."""
    for life in lives:
        value = UNSET
        for change in life.changes:
            if change.old != value:
                yield f"{life.label}: {change.old} -> {change.new} came when it had {value}"
            if change.old == change.new:
                yield f"{life.label}: {change.old} -> {change.new} is no change"
            if change.held != change.new:
                yield f"{life.label}: told of {change.new} while it had {change.held}"
            value = change.new


def remote_flag(lives):
    """5: remote if and only if another life wrote it."""
    for life in lives:
        for change in life.changes:
            if change.new != UNSET and change.remote == (writer_of(change.new) == life.label):
                yield f"{life.label}: {change.new} came as {'remote' if change.remote else 'local'}"


def invented(lives):
    """What is seen was written, by the one whose name it bears."""
    written = {value for life in lives for value in life.writes()} | {UNSET}
    for life in lives:
        for change in life.changes:
            if change.new not in written:
                yield f"{life.label} saw {change.new}, which nobody wrote"


def no_resurrection(lives):
    """6: what was replaced does not come back."""
    for life in lives:
        gone = set()
        for change in life.changes:
            if change.new != UNSET and change.new in gone:
                yield f"{life.label}: {change.new} came back"
            gone.add(change.old)


def one_order(lives):
    """15: what each sees is a part of one order, the same for all: there is no circle in it."""
    after, waiting = {}, {}
    for life in lives:
        for change in life.changes:
            if UNSET in (change.old, change.new) or change.new in after.get(change.old, ()):
                continue
            after.setdefault(change.old, set()).add(change.new)
            waiting[change.new] = waiting.get(change.new, 0) + 1
    ready = [value for value in after if value not in waiting]
    while ready:
        for value in after.pop(ready.pop(), ()):
            waiting[value] -= 1
            if waiting[value] == 0:
                del waiting[value]
                ready.append(value)
    if waiting:
        yield f"these came in different orders to different members: {sorted(waiting)[:6]}"


def replayed(lives):
    """15: who follows `changed` has what the store has."""
    for life in lives:
        value = UNSET
        for event in life.events:
            if event.kind == "changed":
                value = event.args[1]
            elif event.kind == "report" and event.args[0] != value:
                yield f"{life.label} has {event.args[0]}, its `changed` end with {value}"


ALWAYS = (
    monotonic,
    own_writes,
    one_value_one_stamp,
    once,
    remote_flag,
    invented,
    no_resurrection,
    one_order,
    replayed,
)


# --- at the end, of those who are alive and can reach each other ---


def settled_at(lives):
    """When the last of them had its final value."""
    return max((life.changes[-1].time for life in lives if life.changes), default=0)


def stirred_at(lives):
    """When the last of them wrote or was started."""
    times = [e.time for life in lives for e in life.of_kind("set") + life.events[:1]]
    return max(times, default=0)


def converged(alive, healed, bound):
    """11: after the heal, the last write and the last start, all have the same within the bound."""
    finals = {life.label: life.final() for life in alive}
    if len(set(finals.values())) > 1:
        yield f"the final values differ: {finals}"
    since = max(healed, stirred_at(alive))
    late = settled_at(alive) - since
    if late > bound:
        yield f"the final value came {late:.2f} s after the heal, not within {bound} s"


def nothing_lost(alive):
    """12: the final value is the greatest that any of them held, and follows all they wrote."""
    newest = max((c.updated for life in alive for c in life.changes), default=-1)
    for life in alive:
        if life.changes and life.changes[-1].updated < newest:
            yield f"{life.label} ends with {life.final()}, older than what one of them had"
        writes = life.writes()
        if writes and writes[-1] not in {change.new for change in life.changes}:
            yield f"{life.label} never had {writes[-1]}, which it wrote"


def find_wrongs(lives, alive=(), healed=0, bound=None):
    """All that is wrong with these histories. `alive`: those who ended linked with each other."""
    for rule in ALWAYS:
        yield from (f"{rule.__name__}: {wrong}" for wrong in rule(lives))
    if alive and bound is not None:
        yield from (f"converged: {wrong}" for wrong in converged(alive, healed, bound))
    yield from (f"nothing_lost: {wrong}" for wrong in nothing_lost(alive))
