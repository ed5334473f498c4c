# SPDX-License-Identifier: MIT
"""Shows three programs that share one value by TLS, and one that does not belong. See examples/tls/run.

Each has a folder of its own, which stands for its machine: the same conf.json everywhere, and beside it
the authority and its own certificate.
"""

import asyncio
import json
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from demo import BUILD, Failed, Member, all_see, find_free, is_free, play_in_time, say

SCRIPT = HERE / "make-certificates"
HOSTS = ["127.0.0.11", "127.0.0.12", "127.0.0.13"]


class Machine(Member):
    """A program whose configuration lies in a folder of its own."""

    def __init__(self, folder, name, colour, *command):
        super().__init__(name, colour, *command)
        self.folder = folder / name
        self.folder.mkdir()

    def give(self, authority, certificate):
        """What scp would do on a network: under another name first, so that each file is whole."""
        for file, name in (authority, "authority.pem"), (certificate, "member.pem"):
            new = self.folder / f"{name}.new"
            shutil.copy(file, new)
            new.rename(self.folder / name)

    async def begin(self):
        await self.start(self.folder / "conf.json")


def make_certificates(folder, *names):
    say(f"make-certificates {folder.name} {' '.join(names)}")
    made = subprocess.run([SCRIPT, folder, *names], check=True, capture_output=True, text=True)
    print(made.stdout.replace(f"{folder}/", f"{folder.name}/"), end="", flush=True)


def show_certificate(entry):
    say(f"What {entry['host']} shows to everybody who asks")
    shown = ssl.get_server_certificate((entry["host"], entry["port"]))
    command = ["openssl", "x509", "-noout", "-subject", "-issuer", "-enddate"]
    print(subprocess.run(command, input=shown, check=True, capture_output=True, text=True).stdout, end="")


async def play(machines, pki, entries):
    c, python, javascript, stranger = machines
    members = c, python, javascript

    make_certificates(pki, *HOSTS)
    for machine, host in zip(members, HOSTS):
        machine.give(pki / "authority.pem", pki / f"{host}.pem")

    say("Three programs start, each with its own certificate")
    for machine in members:
        await machine.begin()
        await machine.waits_for(" as ")
    await asyncio.gather(*(machine.waits_for("* synced as") for machine in members[1:]))
    c.sets({"hello": "from C"})
    await all_see(members, {"hello": "from C"})
    python.sets(["hello", "from", "Python"])
    await all_see(members, ["hello", "from", "Python"])
    await asyncio.to_thread(show_certificate, entries[0])

    say("A stranger comes, with the same conf.json and a certificate of another authority")
    other = pki.parent / "stranger-pki"
    make_certificates(other, HOSTS[0])
    stranger.give(pki / "authority.pem", other / f"{HOSTS[0]}.pem")
    await stranger.begin()
    await stranger.waits_for("* alone")
    stranger.sets("by the stranger")
    await stranger.waits_for("-> \"by the stranger\"")
    javascript.sets({"hello": {"from": "JavaScript", "to": "those who belong"}})
    await all_see(members, {"hello": {"from": "JavaScript", "to": "those who belong"}})
    say("The stranger has seen nothing but what he wrote himself, and goes")
    await stranger.end()

    make_certificates(pki, *HOSTS)
    say("Everybody has a new certificate, and nobody is restarted, but that Python is killed")
    for machine, host in zip(members, HOSTS):
        machine.give(pki / "authority.pem", pki / f"{host}.pem")
    await python.kill()
    c.sets("while Python was away")
    await all_see([c, javascript], "while Python was away")
    await python.begin()
    await all_see([python], "while Python was away")

    say("All leave")
    await asyncio.gather(*(machine.end() for machine in members))


def write_conf(machine, entries):
    conf = {
        "peers": entries,
        "tls": {"certificate": "member.pem", "authorities": "authority.pem"},
        "require-tls": True,
        # They are on one machine here, and are to be linked as if they were not.
        "local": False,
    }
    (machine.folder / "conf.json").write_text(json.dumps(conf, indent=2))


def main():
    entries = [{"host": host, "port": 7777} for host in HOSTS]
    if not all(map(is_free, entries)):
        entries = find_free(entries)
        print("The ports are in use: free ones are taken.")

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        python = sys.executable, HERE.parent / "member.py"
        machines = (
            Machine(folder, "C", "36", BUILD / "member-c"),
            Machine(folder, "Python", "33", *python),
            Machine(folder, "JavaScript", "35", "gjs", "-m", HERE.parent / "member.js"),
            Machine(folder, "Stranger", "31", *python),
        )
        for machine in machines:
            write_conf(machine, entries)
        try:
            asyncio.run(play_in_time(play(machines, folder / "pki", entries), machines))
        except (Failed, subprocess.CalledProcessError) as error:
            sys.exit(f"\n{error}")
    say("Every step was seen.")


if __name__ == "__main__":
    main()
