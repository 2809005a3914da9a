import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

export const VERSION = 1;

/**
 * Draw a view over the plain part of the page that names it; the plain part stays where the view cannot be drawn.
 *
 * @param name of the view: the element's `data-view`, whose `data-source` is the id of the page's JSON.
 * @param View a component with `data`, the JSON, and `place`, the element.
 */
export function drawOver(name, View) {
  const place = document.querySelector(`[data-view="${name}"]`);
  const source = place && document.getElementById(place.dataset.source);
  const data = source && JSON.parse(source.textContent);
  if (data?.version !== VERSION) return;
  const plain = [...place.childNodes];
  const drawn = document.createElement("div");
  let failed = false;
  const giveUp = (error) => {
    failed = true;
    console.error(error);
    place.replaceChildren(...plain);
  };
  place.append(drawn);
  flushSync(() => createRoot(drawn, { onUncaughtError: giveUp }).render(<View data={data} place={place} />));
  if (!failed) place.replaceChildren(drawn);
}
