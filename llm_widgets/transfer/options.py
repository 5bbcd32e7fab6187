"""How the engine behaves: measured defaults, changed by tests and benchmarks only."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20

MAX_PARTS = 9000
"""Parts of the largest file; Cloud Storage takes 10,000, the rest is reserve."""

MIN_PART = 5 * MIB
"""Cloud Storage refuses smaller parts, except for the last one."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine behaves.

    Attributes
    ----------
    fewest_lanes
        Parts under way at once at the least, and in the beginning.
    look_every
        Seconds after which another number of them may be tried.
    lanes
        Most parts under way at once. Hugging Face throttles a client with many more connections.
    memory
        Bytes that the buffers of all lanes may take together.
    part_size
        Bytes of a part, unless a file is so large that it would take too many.
    ask_ahead
        Share of a part that is still to come when a lane asks for its next part, by another
        connection.
    shared_from
        Bytes of the smallest file whose parts several tasks of a job move together.
    open_files
        Files among which the lanes spread, so that more than one digest is computed at a time.
    connect_timeout, stall_timeout
        Seconds until a connection that can't be made, or that gives and takes nothing, is left.
    patience
        Seconds without any progress of a part after which the import fails.
    first_wait, longest_wait
        Seconds to wait before the first and the last retry; the time between doubles.
    save_every
        Seconds between two writes of one small object; Cloud Storage allows one a second.
    """

    fewest_lanes: int = 2
    look_every: float = 0.2
    lanes: int = 16
    memory: int = 160 * MIB
    part_size: int = 16 * MIB
    ask_ahead: float = 0.5
    shared_from: int = 1024 * MIB
    open_files: int = 4
    connect_timeout: float = 20.0
    stall_timeout: float = 30.0
    patience: float = 300.0
    first_wait: float = 0.2
    longest_wait: float = 20.0
    save_every: float = 1.0


def most_lanes(part_size: int, options: Options) -> int:
    """Tell how many parts of so many bytes may be under way at once."""
    return max(1, min(options.lanes, options.memory // part_size))


def part_size_for(size: int, options: Options) -> int:
    """Choose the size of a file's parts, in bytes: a multiple of 1 MiB, few enough parts."""
    least = -(-size // MAX_PARTS)
    return max(options.part_size, -(-least // MIB) * MIB)
