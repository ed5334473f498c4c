# SPDX-License-Identifier: MIT
"""From results to rows, and from rows to a table."""

import statistics


def make_rows(case, results):
    """@results: a list for each contestant that took part, one result for each repeat."""
    rows = []
    for metric in case.metrics:
        first = results.get(case.contestants[0], []) if metric.only is None else []
        reference = [metric.read(run) for run in first]
        for contestant, runs in results.items():
            figures = [metric.read(run) for run in runs] if metric.applies_to(contestant) else []
            if figures:
                rows.append(_make_row(case, metric, contestant, figures, reference))
    return rows


def _make_row(case, metric, contestant, figures, reference):
    """The ratio is the median of those of each repeat, in which the two ran one after the other."""
    ratios = [mine / other for mine, other in zip(figures, reference) if other > 0]
    row = {
        "workload": case.workload,
        "case": case.name,
        "pinned": case.pinned,
        "metric": metric.name,
        "unit": metric.unit,
        "contestant": contestant.name,
        "way": contestant.way,
        "language": contestant.language,
        "figures": figures,
        "median": statistics.median(figures),
        "min": min(figures),
        "max": max(figures),
        "ratio": statistics.median(ratios) if ratios else None,
        "ratio_min": min(ratios, default=None),
        "ratio_max": max(ratios, default=None),
        "metric_is_ratio": not metric.is_absolute,
        "goal": None,
    }
    if contestant.language == "c" and contestant.way in metric.goals:
        _judge(row, metric, metric.goals[contestant.way])
    return row


def _judge(row, metric, goal):
    figure = row["median"] if metric.is_absolute else row["ratio"]
    if figure is None:
        return
    row["goal"] = goal
    row["met"] = figure >= goal if metric.is_more_better else round(figure, 2) <= goal


# --- text ---


def number(figure):
    if figure == int(figure) and figure < 1e4:
        return f"{figure:.0f}"
    if abs(figure) >= 1e6:
        return f"{figure / 1e6:.1f}M"
    if abs(figure) >= 1e5:
        return f"{figure / 1e3:.0f}k"
    if abs(figure) >= 100:
        return f"{figure:.0f}"
    return f"{figure:.3g}"


def _ratio(ratio):
    if ratio is None:
        return ""
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.1g}"


def _cells(row):
    goal = ""
    if row["goal"] is not None:
        goal = number(row["goal"]) + (": met" if row["met"] else ": MISSED")
    return [
        row["contestant"],
        number(row["median"]),
        f"{number(row['min'])} to {number(row['max'])}",
        _ratio(row["ratio"]),
        goal,
    ]


def _title(row):
    return "{workload} {case}{core}: {metric}, {unit}".format(
        core=", one core" if row["pinned"] else "", **row
    )


def _groups(rows):
    groups = {}
    for row in rows:
        groups.setdefault(_title(row), []).append(row)
    return groups.items()


HEADS = ["", "median", "min to max", "ratio", "goal"]


def make_text(rows):
    widths = [30, 9, 19, 8, 14]
    lines = []

    def add(cells):
        first = f"{cells[0]:<{widths[0]}}"
        lines.append((first + "".join(f"{c:>{w}}" for c, w in zip(cells[1:], widths[1:]))).rstrip())

    add(HEADS)
    for title, group in _groups(rows):
        lines.append("")
        lines.append(title)
        for row in group:
            cells = _cells(row)
            add(["  " + cells[0], *cells[1:]])
    return "\n".join(lines)


# --- Markdown: a line for each figure, a column for each who takes part ---

COLUMNS = {
    "plain TCP": "plain TCP",
    "plain TCP, newest only": "plain TCP",
    "plain Unix socket": "plain Unix",
    "plain Unix, one send each": "plain Unix",
    "libamnesia, TCP": "TCP",
    "libamnesia, local": "local",
    "libamnesia, TLS": "TLS",
    "libamnesia, TCP, mesh": "TCP, mesh",
    "libamnesia, local, mesh": "local, mesh",
    "libamnesia, TCP, Python": "TCP, Python",
    "libamnesia, TCP, JavaScript": "TCP, JavaScript",
}


def _markdown_cell(row, is_first):
    is_ratio = row["ratio"] is not None and row["metric_is_ratio"]
    if is_first or not is_ratio:
        text = f"{number(row['median'])} {row['unit']}".replace(" /s", "/s")
    else:
        text = f"{_ratio(row['ratio'])} ({_ratio(row['ratio_min'])} to {_ratio(row['ratio_max'])})"
    if row["goal"] is not None:
        text += f", goal {number(row['goal'])} {'met' if row['met'] else 'missed'}"
    return text


def make_markdown(rows):
    columns = list(dict.fromkeys(COLUMNS.values()))
    lines = ["| | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    for title, group in _groups(rows):
        cells = dict.fromkeys(columns, "")
        for row in group:
            if row["contestant"] in COLUMNS:
                column = COLUMNS[row["contestant"]]
                cells[column] = _markdown_cell(row, column == columns[0])
        title = title.rpartition(",")[0]
        lines.append("| " + " | ".join([title, *cells.values()]) + " |")
    return "\n".join(lines)
