// The view Open: a picture file of the reader's own, chosen or dragged in.
import { PictureError, readPictureFile } from "../picture_file.js";
import { opaquePicture } from "../pixels.js";
import { isInverted } from "../prepare.js";
import { button, element } from "../widgets/element.js";
import { imageCanvas, showPicture } from "../widgets/image.js";

/** The panel to open a picture; `whole` is the element onto which files can be dragged. */
export function openPanel(lab, source, whole) {
  const chooser = element("input", { type: "file", accept: "image/*", className: "chooser", tabIndex: -1, aria: { label: "Picture file" } });
  const told = element("p", { className: "note", textContent: "PNG, JPEG, GIF, BMP or WebP, of any size; it stays on this computer. You can also drag it here." });
  const fault = element("p", { className: "fault", hidden: true, aria: { role: "alert" } });
  const shown = imageCanvas("The picture that you opened", "opened-picture");
  shown.hidden = true;

  const open = async (file) => {
    fault.hidden = true;
    try {
      const { height, width, rgba } = await readPictureFile(file);
      // What is transparent takes the background of its set: white under dark ink, else black.
      const onWhite = opaquePicture(height, width, rgba, 255);
      const picture = isInverted(onWhite, lab.set) ? onWhite : opaquePicture(height, width, rgba, 0);
      showPicture(shown, picture);
      shown.hidden = false;
      told.textContent = `${file.name}, ${width} × ${height} pixels`;
      lab.say(`The picture ${file.name} is open.`);
      source.open(picture, file.name);
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      fault.textContent = error.message;
      fault.hidden = false;
    }
  };
  chooser.addEventListener("change", () => {
    const [file] = chooser.files;
    chooser.value = "";
    if (file) open(file);
  });
  const choose = button("Choose a picture file…", () => chooser.click());
  for (const name of ["dragenter", "dragover"]) {
    whole.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      whole.classList.add("dropping");
    });
  }
  for (const name of ["dragleave", "drop"]) whole.addEventListener(name, () => whole.classList.remove("dropping"));
  const panel = element("div", { className: "open" }, choose, chooser, fault, told, shown);
  whole.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    panel.dispatchEvent(new CustomEvent("opened", { bubbles: true }));
    if (lab.set) open(file);
  });
  return panel;
}
