# SPDX-License-Identifier: MIT
"""Lists the lines that gcovr's report in JSON calls not covered, as compilers list errors."""

import json
import pathlib
import sys


def main():
    top, report = map(pathlib.Path, sys.argv[1:])
    for file in sorted(json.loads(report.read_text())["files"], key=lambda file: file["file"]):
        source = (top / file["file"]).read_text().splitlines()
        for line in file["lines"]:
            if line["count"] == 0 and not line.get("gcovr/noncode"):
                number = line["line_number"]
                print(f"{file['file']}:{number}: {source[number - 1].strip()}")


main()
