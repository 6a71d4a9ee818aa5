// The view Watch: every layer answers while the pen moves.
import { element } from "../widgets/element.js";

/** The tab that shows all layers. */
export function layersView(lab) {
  const told = element("p");
  lab.listenShown("layers", ["network", "pass"], () => {
    told.textContent = `${lab.entry.title} has ${lab.network.layers.length} layers.`;
  });
  return element("div", {}, told);
}
