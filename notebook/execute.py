"""Executes a notebook in place, cell by cell, and ends with an error where a cell does. Called by `make`."""

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
        resources={"metadata": {"path": path.rpartition("/")[0]}},
        on_cell_execute=lambda cell, cell_index: cell.cell_type == "code" and tell(cell),
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError:
        cell = next(cell for cell in cells if any(output.output_type == "error" for output in cell.outputs))
        said = "\n".join("\n".join(output.get("traceback", [output.get("text", "")])) for output in cell.outputs)
        sys.exit(f"{cell.source}\n\n{said}\nnotebook: this cell failed")
    except nbclient.exceptions.DeadKernelError:
        sys.exit("notebook: the kernel died")
    nbformat.write(notebook, path)


main(sys.argv[1])
