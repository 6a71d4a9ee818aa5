"""Executes a notebook in place, cell by cell, and ends with an error where a cell does. Called by `make`."""

import pathlib
import re
import sys
import time

import nbclient
import nbformat


def main(path):
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started = time.monotonic()

    def tell(cell, **_):
        first = next(line for line in cell.source.splitlines() if line.strip())
        place = f"cell {cells.index(cell) + 1} of {len(cells)}"
        print(f"notebook: {time.monotonic() - started:6.1f} s  {place}: {first}", file=sys.stderr, flush=True)

    client = nbclient.NotebookClient(
        notebook,
        kernel_name="rust",
        timeout=None,
        resources={"metadata": {"path": str(pathlib.Path(path).parent)}},
        on_cell_execute=lambda cell, cell_index: cell.cell_type == "code" and tell(cell),
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError:
        pass
    except nbclient.exceptions.DeadKernelError:
        sys.exit("notebook: the kernel died")
    # Where `?` meets an error, the kernel says so on standard error and calls it a success.
    wrong = lambda output: output.output_type == "error" or output.get("name") == "stderr"
    for cell in cells:
        if any(map(wrong, cell.outputs)):
            said = [line for output in cell.outputs for line in output.get("traceback", [output.get("text", "")])]
            said = re.sub("\x1b\\[[0-9;]*m", "", "\n".join(said)).strip()
            sys.exit(f"\n{cell.source}\n\n{said}\n\nnotebook: cell {cells.index(cell) + 1} failed")
    nbformat.write(notebook, path)


main(sys.argv[1])
