# SPDX-License-Identifier: MIT
"""The workloads: each function measures one of them once, for one contestant.

Times in what they return are in ns, memory is in kB.
"""

import time

from runs import Run, read_cpu, read_memory


def _others(run, program, role, **values):
    """One process for each peer."""
    return [run.start(run.command(program, role, **values)) for _ in range(run.peers)]


def _satellites(run, program):
    """Receivers that know of the writer and of themselves only."""
    for index in range(1, run.peers + 1):
        values = {"conf": run.conf([index, 0])} if program == run.programs.member else {}
        run.start(run.command(program, "receiver", **{**values, "peers": 1}))


def measure(programs, contestant, role, other, **values):
    """One process measures, and there are others; who compares listens before they connect."""
    program = contestant.program(programs)
    with Run(programs, contestant.way, mode=contestant.mode, **values) as run:
        run.expect(0)
        measuring = run.start(run.command(program, role))
        if program == programs.baseline:
            run.wait_word(measuring, "ready")
        _others(run, program, other)
        return run.result(measuring)


def round_trip(programs, contestant, **values):
    """W1: there and back, and the processors' time of both."""
    if contestant.is_script:
        return _script_round_trip(programs, contestant, **values)
    return measure(programs, contestant, "ping", "echo", **values)


def write(programs, contestant, **values):
    """W2, W3, W4: until the last one has it, or it never ends."""
    if contestant.is_script:
        return _script_loop(programs, contestant, **values)
    result = measure(programs, contestant, "writer", "receiver", **values)
    return {**result, "sets": values.get("sets", 1)}


def write_to_many(programs, contestant, **values):
    """W4, where only the writer is linked with all; unless it is a mesh."""
    if contestant.is_mesh:
        return measure(programs, contestant, "writer", "receiver", **values)
    program = contestant.program(programs)
    with Run(programs, contestant.way, **values) as run:
        run.expect(0)
        measuring = run.start(run.command(program, "writer"))
        if program == programs.baseline:
            run.wait_word(measuring, "ready")
        _satellites(run, program)
        return run.result(measuring)


def join(programs, contestant, **values):
    """W5: from exec until it has the value."""
    program = contestant.program(programs)
    with Run(programs, contestant.way, **values) as run:
        holder = run.start(run.command(program, "holder"))
        run.wait_word(holder, "ready")
        joiner = run.command(program, "joiner")
        return run.result(run.start([*run.command(program, "spawn"), "--", *joiner]))


def idle(programs, contestant, settle=3.0, **values):
    """W6: what an idle member needs, which is the middle one of all that are linked so."""
    program = contestant.program(programs)
    with Run(programs, contestant.way, **values) as run:
        first = run.start(run.command(program, "idle"))
        if program == programs.baseline:
            run.wait_word(first, "ready")
            _others(run, program, "receiver")
            run.wait_word(first, "linked")
            members = [first]
        else:
            members = [first, *_others(run, program, "idle")]
            for member in members:
                run.wait_word(member, "linked")
        # being idle is what is measured
        time.sleep(settle)
        found = [read_memory(member.pid) for member in members]
        rss, anonymous = (sorted(kind)[len(found) // 2] for kind in zip(*found))
        return {"rss": rss, "anonymous": anonymous}


# --- members in other languages ---


def _script_round_trip(programs, contestant, count, warm, **values):
    script = programs.script(contestant.language)
    with Run(programs, contestant.way, **values) as run:
        other = run.start([*script, "echo", run.conf()])
        measuring = run.start([*script, "ping", run.conf(), str(count), str(warm)])
        run.wait_word(measuring, "began")
        cpu = read_cpu(measuring.pid) + read_cpu(other.pid)
        run.wait_word(measuring, "ended")
        cpu = read_cpu(measuring.pid) + read_cpu(other.pid) - cpu
        laps = sorted(lap * 1000 for lap in run.result(measuring))
        quantiles = [laps[(len(laps) - 1) * i // 100] for i in range(101)]
        return {"laps": len(laps), "cpu_both": cpu / len(laps), "quantiles": quantiles}


def _script_loop(programs, contestant, sets, count, warm, **values):
    """The other side is in C: what is measured is how the language sets."""
    script = programs.script(contestant.language)
    sets //= 10  # they are slower, and what counts is how many in a second
    with Run(programs, contestant.way, **values) as run:
        run.expect(sets)
        run.start(run.command(programs.member, "receiver"))
        measuring = run.start([*script, "writer", run.conf(), str(sets)])
        began = run.result(measuring) * 1000
        lap = run.wait_end() - began
        grown = run.result(measuring)
        return {"laps": 1, "sets": sets, "grown": grown, "quantiles": [lap] * 101}
