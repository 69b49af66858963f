"""Call a tool by name; without one, list the tools.

python -m jaxlab
python -m jaxlab forensics --help
"""

if __name__ == "__main__":
    import signal

    # Importing JAX takes seconds; until there is something to end cleanly, Ctrl-C just ends it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse

from jaxlab import commandline, tools


def parser() -> commandline.Parser:
    """Return the command line as far as the tool's name; the rest is the tool's own."""
    made = commandline.described("python -m jaxlab", __doc__)
    made.add_argument("tool", nargs="?", help="the tool; without it, all are listed")
    made.add_argument("arguments", nargs=argparse.REMAINDER, help="what the tool takes")
    return made


def call() -> None:
    """List the tools or call one."""
    options = parser().parse_args()
    if options.tool is not None:
        commandline.script(tools, options.tool).main(options.arguments)
        return
    for name in commandline.scripts(tools):
        print(f"{name:<16} {(commandline.script(tools, name).__doc__ or '').splitlines()[0]}")


def main() -> None:
    """Call a tool cleanly: this is also the installed command."""
    commandline.run_cleanly(call)


if __name__ == "__main__":
    main()
