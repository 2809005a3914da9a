/** The conversation tree: `mountTree` puts it into an element of any page. */

import { createElement } from "react";
import { createRoot } from "react-dom/client";

import { Store } from "./store.js";
import css from "./tree.css?raw"; // raw: a build for older browsers would rewrite light-dark()
import { Tree } from "./Tree.jsx";

/**
 * A conversation with its alternatives as a tree that can be panned, zoomed, searched and walked.
 *
 * Everything lives in a shadow root of its own, so that a page can hold several and their styles do not meet. Colours
 * come from the page's variables (--page, --ink, --soft, --line, --edge, --accent, --warm, --mark, --bad, where it has
 * them) and from `data-theme` of its root; nothing is fetched but audio, from this site, when a reader plays it.
 *
 * @param {HTMLElement} element to put it into.
 * @param {object} conversation JSON version 1, as the portal's `GET /api/conversations/<id>/` has it.
 * @param {{selected?: string, onSelect?: function, height?: string}} options `selected`, a turn to begin at;
 *   `onSelect`, called with the id of each turn that is gone to, or null; `height`, a CSS length.
 * @returns {{update: function, destroy: function}} `update({ conversation, selected })`, both optional, keeps what is
 *   folded, looked for and in view; `destroy()` takes everything away.
 * @throws {RangeError} the conversation is not one, in a sentence.
 */
export function mountTree(element, conversation, options = {}) {
  const store = new Store(conversation, options);
  const host = element.appendChild(document.createElement("div"));
  host.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys would take the arrows
  const shadow = host.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
  sheet.replaceSync(css); // a sheet, not a <style>, which a page's policy may refuse
  shadow.adoptedStyleSheets = [sheet];
  const face = shadow.appendChild(document.createElement("div"));
  face.className = "face";
  if (options.height) face.style.setProperty("--tree-height", options.height);
  const root = createRoot(face);
  root.render(createElement(Tree, { store }));
  return {
    update({ conversation: other, selected } = {}) {
      if (other !== undefined) store.update(other);
      if (selected !== undefined && selected !== store.snapshot().selected) store.select(selected, { open: selected !== null });
    },
    destroy() {
      root.unmount();
      host.remove();
    },
  };
}
