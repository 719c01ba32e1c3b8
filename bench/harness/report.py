"""Turns measured rounds into medians and ratios, as JSON and as a Markdown page."""
import datetime
import os
import pathlib
import platform
import statistics
import subprocess

# Row, what the page calls it, unit.
ROWS = [
    ("create_write", "create + write 4 KiB + close", "/s"),
    ("first_stat", "first stat after the write", "/s"),
    ("ls_l", "ls -l", "/s"),
    ("open_read", "open + read + close", "/s"),
    ("rename", "rename", "/s"),
    ("unlink", "unlink", "/s"),
    ("read_large", "large read", "MiB/s"),
    ("write_large", "large write, new file", "MiB/s"),
    ("random_write", "random 4 KiB overwrite", "/s"),
    ("random_read", "random 4 KiB read", "/s"),
    ("mkdir", "mkdir", "/s"),
    ("rmdir", "rmdir", "/s"),
    ("symlink", "symlink", "/s"),
    ("readlink", "readlink", "/s"),
    ("link", "link", "/s"),
    ("stat", "stat again (kernel's cache)", "/s"),
    ("negative_stat", "stat of a missing name again", "/s"),
    ("ls_l_dropped", "ls -l, names forgotten", "/s"),
    ("open_read_dropped", "open + read, pages forgotten", "/s"),
    ("create_fsync", "create + write + fsync + close", "/s"),
]


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except OSError:
        return None
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else None


def machine(root):
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "cpu": cpu, "cpus": os.cpu_count(), "memory_gib": round(memory / 1048576, 1),
        "kernel": platform.release(),
        "commit": first_line(["git", "-C", str(root), "describe", "--always", "--dirty"]),
        "mkfs_xfs": first_line(["mkfs.xfs", "-V"]), "nginx": first_line(["nginx", "-v"]),
        "wrk": first_line(["wrk", "-v"]), "compiler": first_line(["c++", "--version"]),
    }


def linked(binary, library):
    """The file name of a shared library that a binary uses, with its version, or how it is linked else."""
    done = subprocess.run(["ldd", str(binary)], capture_output=True, text=True)
    for line in done.stdout.splitlines():
        words = line.split()
        if words and words[0].startswith(library) and len(words) > 2:
            return pathlib.Path(os.path.realpath(words[2])).name
    return f"{library} (static)"


def median_of(rounds, row):
    values = [done[row]["per_second"] for done in rounds if row in done]
    return statistics.median(values) if values else None


def median_ratio(ours, others, row):
    """The median of the rounds' own ratios: both sides of a ratio ran next to each other."""
    ratios = [mine[row]["per_second"] / other[row]["per_second"]
              for mine, other in zip(ours, others) if row in mine and row in other]
    return statistics.median(ratios) if ratios else None


def summarize(rounds):
    """{row: {side: median, 'ours/floor': …, 'ours/native': …}} of {side: [round, …]}."""
    summary = {}
    for row, _, unit in ROWS:
        line = {"unit": unit}
        for side, done in rounds.items():
            line[side] = median_of(done, row)
        for other in ("floor", "native"):
            if "ours" in rounds and other in rounds:
                line[f"ours/{other}"] = median_ratio(rounds["ours"], rounds[other], row)
        if "floor" in rounds and "native" in rounds:
            line["floor/native"] = median_ratio(rounds["floor"], rounds["native"], row)
        summary[row] = line
    return summary


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def ratio(value):
    return "–" if value is None else f"{value:.2f}"


def on_off(value):
    return {True: "on", False: "off", None: "unknown"}[value]


def markdown(result):
    about = result["machine"]
    lines = [
        f"# bench/run{' --quick' if result['quick'] else ''}, {result['date']}", "",
        f"{about['cpu']}, {about['cpus']} CPUs, {about['memory_gib']} GiB; kernel {about['kernel']}; "
        f"commit {about['commit']}; {result['libraries']['fuse']}, {result['libraries']['rocksdb']}; "
        f"{about['compiler']}.",
        f"XFS in a loop-mounted image; {result['files']} files of 4 KiB, one file of "
        f"{result['large_mib']} MiB; median of {result['rounds']} rounds; load average at the start "
        f"{result['load_average']:.2f}.", ""]
    for side, modes in result["negotiated"].items():
        lines.append(f"- {side}: io_uring: {on_off(modes['io_uring'])}, "
                     f"passthrough: {on_off(modes['passthrough'])}")
    sides = [side for side in ("native", "floor", "ours") if side in result["sides"]]
    lines += ["", "| | " + " | ".join(sides) + " | ours/floor | ours/native |",
              "|---" * (len(sides) + 3) + "|"]
    for row, title, unit in ROWS:
        line = result["summary"][row]
        lines.append(f"| {title}, {unit} | " + " | ".join(number(line.get(side)) for side in sides) +
                     f" | {ratio(line.get('ours/floor'))} | {ratio(line.get('ours/native'))} |")
    lines.append("| processor time of the daemon, s | " + " | ".join(
        ratio(result["daemon_cpu_seconds"].get(side)) for side in sides) + " | | |")
    if result.get("web"):
        lines += ["", "| wrk -t1 -c16, 4 KiB | ours | nginx | ours/nginx | ours p50, p99 us |",
                  "|---|---|---|---|---|"]
        for row, title in (("get_4k", "GET, presigned (nginx: sendfile)"),
                           ("put_4k", "PUT, presigned, durable (nginx: DAV, not durable)")):
            mine = (result["web"].get("ours") or {}).get(row)
            other = (result["web"].get("nginx") or {}).get(row)
            quotient = mine["per_second"] / other["per_second"] if mine and other else None
            lines.append(f"| {title}, /s | {number(mine and mine['per_second'])} | "
                         f"{number(other and other['per_second'])} | {ratio(quotient)} | "
                         f"{mine['p50_us'] if mine else '–'}, {mine['p99_us'] if mine else '–'} |")
    return "\n".join(lines) + "\n"


def slow_rows(result, least):
    """Rows where ours is below `least` of the floor."""
    return [(title, result["summary"][row]["ours/floor"]) for row, title, _ in ROWS
            if result["summary"][row].get("ours/floor") is not None
            and result["summary"][row]["ours/floor"] < least]


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
