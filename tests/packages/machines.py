# SPDX-License-Identifier: MIT
"""Empty systems of Debian, made of one bootstrap: each is a layer over it, and a program runs in it.

All of this runs in a mount and a process name space of its own, with which whatever is mounted or
started goes: see .packages/try-debian.
"""

import os
import pathlib
import platform
import queue
import random
import re
import shutil
import subprocess
import threading

PATIENCE_S = 30
PACKAGES = "packages"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
# Not among the addresses of the test suite, whose process numbers mean nothing in here.
HOST = f"127.{random.randint(251, 254)}.{random.randint(1, 250)}.{random.randint(1, 250)}"


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, **options)  # fmt: skip
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def find_mirror(release):
    """Where apt gets this release from, here."""
    wanted = "Created-By: Packages", "Origin: Debian", "Component: main", f"Release: {release}"
    mirrors = run("apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted).split()
    if not mirrors:
        raise SystemExit(f"apt has no mirror of Debian's {release}")
    return mirrors[0]


def read_proxies():
    """How apt gets there, as lines of a configuration and as variables for debootstrap."""
    lines = re.findall(r"^Acquire::(?:https?|ftp)::.*proxy.* \"..*\";$", run("apt-config", "dump"),
                       re.IGNORECASE | re.MULTILINE)  # fmt: skip
    proxies = re.findall(r"^Acquire::(https?)::proxy \"(.*)\";$", "\n".join(lines),
                         re.IGNORECASE | re.MULTILINE)  # fmt: skip
    return "".join(f"{line}\n" for line in lines), {f"{kind}_proxy": url for kind, url in proxies}


def bootstrap(root):
    """Makes the empty system, unless it is there."""
    if (root / "etc" / "apt").exists():
        return
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    lines, proxies = read_proxies()
    run("debootstrap", "--variant=minbase", release, root, find_mirror(release),
        env={**os.environ, **proxies})  # fmt: skip
    (root / "etc/apt/apt.conf.d/80proxy").write_text(lines)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    # A disk that loses power does not matter here.
    (root / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")


class Machine:
    """A copy of the empty system, with the packages in /packages, known to apt."""

    def __init__(self, base, packages, folder):
        self.root = folder / "root"
        layer, work = folder / "layer", folder / "work"
        for path in (self.root, layer, work):
            path.mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={base},upperdir={layer},workdir={work}", self.root)  # fmt: skip
        run("mount", "-t", "proc", "proc", self.root / "proc")
        # What one machine has downloaded, the next one need not.
        archives = folder.parent / "archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", archives, self.root / "var/cache/apt/archives")
        (self.root / "etc/apt/apt.conf.d/80keep").write_text(
            'Binary::apt::APT::Keep-Downloaded-Packages "true";\n'
        )
        self.add_packages(packages)

    def add_packages(self, packages):
        target = self.root / PACKAGES
        shutil.copytree(packages, target, ignore=lambda folder, names: [
            name for name in names if not name.endswith(".deb") or "-dbgsym" in name])  # fmt: skip
        listed = run("dpkg-scanpackages", "--multiversion", ".", cwd=target)
        listed = re.sub(r"\Adpkg-scanpackages: .*\n|^dpkg-scanpackages: .*\n", "", listed,
                        flags=re.MULTILINE)  # fmt: skip
        (target / "Packages").write_text(listed)
        (self.root / "etc/apt/sources.list.d/packages.list").write_text(
            f"deb [trusted=yes] file:/{PACKAGES} ./\n"
        )

    def remove(self):
        # What it still runs ends with the name space.
        for path in ("var/cache/apt/archives", "proc", "."):
            run("umount", "--lazy", self.root / path)

    def command(self, *command):
        script = 'cd "$0" && exec "$@"'
        return ["chroot", self.root, "sh", "-c", script, "/root", *command]

    def run(self, *command, **variables):
        return run(*self.command(*command), env={**ENVIRONMENT, **variables})

    def start(self, *command):
        return Program(self.command(*command))

    def install(self, *names):
        self.run("apt-get", "-qq", "update")
        self.run("apt-get", "-qq", "-y", "--no-install-recommends", "install", *names)

    def write(self, name, text):
        (self.root / "root" / name).write_text(text)

    def files(self):
        """Every file there is, but what apt and dpkg keep for themselves."""
        apart = "proc", "tmp", "root", "run", "dev", "var/cache", "var/lib/apt", "var/log"
        own = re.compile(r"var/lib/dpkg/(status|available|diversions|statoverride)(-old)?$|"
                         r"var/lib/dpkg/(lock|triggers/|info/format)|var/lib/doc-base/info/.*-old|"
                         r"etc/ld.so.cache$")  # fmt: skip
        found = {}
        for folder, folders, names in os.walk(self.root):
            here = pathlib.Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders if str(here / name) not in apart]
            for name in folders + names:
                path = str(here / name)
                if not own.match(path):
                    found[path] = os.lstat(self.root / path).st_size if name in names else 0
        return found


class Program:
    """One that runs until it is told to end, and what it prints."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        text=True, env=ENVIRONMENT)  # fmt: skip
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip())

    def next_line(self):
        try:
            return self.lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"{self.process.args} printed nothing") from None

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
