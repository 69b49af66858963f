"""The tables on faults, from what `python -m benchmarks.faults` has written."""

from typing import Any

from docs.tables import markdown


def fault_table(found: dict[str, Any]) -> str:
    """Return every fault, how often it was tried, what the user sees, and what was lost."""
    rows = [
        [f["fault"], f"{f['times']:,}", f["sees"], f"{f['lost']:,}", f"{len(f['defects'])}"]
        for f in found["faults"]
    ]
    head = ["fault", "times tried", "what the user sees", "networks lost or changed"]
    return markdown([*head, "times otherwise"], rows)


def memory_table(found: dict[str, Any]) -> str:
    """Return what it takes to train, keep and count ever more networks."""
    rows = [
        [
            f"{m['members']:,}",
            f"{m['peak_mib']:,.0f}",
            f"{m['seconds']:,.1f}",
            f"{m['members_per_second']:,.0f}",
        ]
        for m in found["memory"]
    ]
    return markdown(["networks", "peak memory, MiB", "seconds", "networks per second"], rows)


def kills(found: dict[str, Any]) -> str:
    """Return how the runs that were killed at random moments fared, in a sentence each."""
    sentences = []
    for f in found["faults"]:
        if "kills_after_new_blocks" in f["facts"]:
            told = f["facts"]
            sentences.append(
                f"`{told['command']}` ({told['seconds_unbroken']:.0f} s unbroken) was killed "
                f"{f['times']} times before it was finished, {told['kills_after_new_blocks']} "
                "times having kept new networks since the last."
            )
    return " ".join(sentences)
