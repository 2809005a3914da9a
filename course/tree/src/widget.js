/** The tree as an anywidget module: for JupyterLab, where clicks reach Python, and for the book, which has no kernel. */

import { mountTree } from "./index.js";

/** Model: `conversation`, JSON version 1; `selected`, an id or null; `height`, a CSS length; the last two optional. */
function render({ model, el }) {
  const view = mountTree(el, model.get("conversation"), {
    selected: model.get("selected") ?? null,
    height: model.get("height") ?? undefined,
    onSelect(id) {
      model.set("selected", id);
      model.save_changes();
    },
  });
  const told = () => view.update({ conversation: model.get("conversation") });
  const moved = () => view.update({ selected: model.get("selected") ?? null });
  model.on("change:conversation", told);
  model.on("change:selected", moved);
  return () => {
    model.off("change:conversation", told);
    model.off("change:selected", moved);
    view.destroy();
  };
}

export { mountTree };
export default { render };
