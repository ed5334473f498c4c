# SPDX-License-Identifier: MIT
"""Shows three programs, in C, Python and JavaScript, that share one value. See examples/run."""

import asyncio
import json
import os
import pathlib
import socket
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(sys.argv[1]) / "examples"
PATIENCE_S = 20


def paint(text, colour):
    return f"\033[{colour}m{text}\033[0m" if sys.stdout.isatty() else text


def say(text):
    print("\n" + paint(text, "1"), flush=True)


class Failed(Exception):
    pass


class Member:
    """One of the programs: prints what it prints, and waits until it has."""

    def __init__(self, name, colour, *command):
        self.name = name
        self.colour = colour
        self.command = command
        self.process = None

    async def start(self, conf):
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            *self.command, conf, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )

    async def waits_for(self, what):
        while True:
            line = (await self.process.stdout.readline()).decode()
            if not line:
                raise Failed(f"{self.name} ended before it printed: {what}")
            print(paint(f"{self.name:>10}  ", self.colour) + line, end="", flush=True)
            if what in line:
                return

    def sets(self, value):
        say(f"{self.name} sets {json.dumps(value)}")
        self.process.stdin.write(json.dumps(value).encode() + b"\n")

    async def kill(self):
        say(f"{self.name} is killed")
        self.process.kill()
        await self.process.wait()

    async def end(self):
        self.process.stdin.close()
        await self.waits_for("* closed")
        if await self.process.wait() != 0:
            raise Failed(f"{self.name} ended with an error")


def all_see(members, value):
    text = json.dumps(value, separators=(",", ":"))
    return asyncio.gather(*(member.waits_for(f"-> {text}\n") for member in members))


async def play(members, conf):
    c, python, javascript = members

    say("Three programs start, with the same configuration")
    await asyncio.gather(*(member.start(conf) for member in members))
    await asyncio.gather(*(member.waits_for("* synced as") for member in members))

    for member, value in (
        (c, {"hello": "from C"}),
        (python, ["hello", "from", "Python"]),
        (javascript, {"hello": {"from": "JavaScript", "answer": 42}}),
    ):
        member.sets(value)
        await all_see(members, value)

    await python.kill()
    c.sets("while Python was away")
    await all_see([c, javascript], "while Python was away")
    say("Python starts again")
    await python.start(conf)
    await all_see([python], "while Python was away")

    say("All leave")
    await asyncio.gather(*(member.end() for member in members))


async def play_in_time(steps, members):
    try:
        await asyncio.wait_for(steps, PATIENCE_S)
    except asyncio.TimeoutError:
        raise Failed(f"This was to end within {PATIENCE_S} s, and did not.")
    finally:
        for member in members:
            if member.process is not None and member.process.returncode is None:
                member.process.kill()
                await member.process.wait()


def is_free(entry):
    with socket.socket() as probe:
        # As the members do it: what a closed connection has left behind does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((entry["host"], entry["port"]))
            probe.listen()
        except OSError:
            return False
    return True


def find_free(entries):
    probes = [socket.create_server((entry["host"], 0)) for entry in entries]
    free = [{"host": host, "port": port} for host, port in (p.getsockname() for p in probes)]
    for probe in probes:
        probe.close()
    return free


def main():
    members = (
        Member("C", "36", BUILD / "member-c"),
        Member("Python", "33", sys.executable, HERE / "member.py"),
        Member("JavaScript", "35", "gjs", "-m", HERE / "member.js"),
    )
    conf = HERE / "conf.json"
    entries = json.loads(conf.read_text())

    with tempfile.TemporaryDirectory() as folder:
        if not all(map(is_free, entries)):
            conf = pathlib.Path(folder, "conf.json")
            conf.write_text(json.dumps(find_free(entries)))
            print("The ports of conf.json are in use: free ones are taken.")
        try:
            asyncio.run(play_in_time(play(members, os.fspath(conf)), members))
        except Failed as error:
            sys.exit(f"\n{error}")
    say("Every step was seen.")


if __name__ == "__main__":
    main()
