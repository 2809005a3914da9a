// The lecture's slides: reveal.js with its speaker view, and the questions, players and widgets that the page has too.

import Notes from "./reveal/notes.mjs";
import Reveal from "./reveal/reveal.mjs";

const SMALLEST = 0.5; // a slide that needs smaller type than this scrolls instead
const PARTS = { ".predict": "./questions.js", ".player": "./players.js" };

const deck = new Reveal(document.querySelector(".reveal"), {
  width: 1280,
  height: 720,
  margin: 0.05,
  center: false,
  hash: true,
  navigationMode: "linear",
  pdfMaxPagesPerSlide: 1,
  pdfSeparateFragments: false,
  plugins: [Notes],
  scrollActivationWidth: null,
  slideNumber: "c/t",
  transition: "none",
  backgroundTransition: "none",
});

/** Shrink what stands on a slide until the slide holds it. */
function fit(section) {
  const sheet = section?.querySelector(":scope > .sheet");
  if (!sheet) return;
  const { style } = sheet.firstElementChild;
  let zoom = 1;
  for (style.zoom = 1; sheet.scrollHeight > sheet.clientHeight + 1 && zoom > SMALLEST; style.zoom = zoom) zoom -= 0.05;
}

// An unfolded answer, a figure that has loaded, a widget that has drawn itself: the slide is fitted again.
const grown = new ResizeObserver(() => fit(deck.getCurrentSlide()));

/** Start the widgets of a slide when the class gets there. */
function startWidgets(section) {
  for (const widget of section?.querySelectorAll(".widget:not([data-started])") ?? []) {
    widget.dataset.started = "";
    import("./widgets.js").then(({ start }) => start(widget));
  }
}

function arrive({ currentSlide }) {
  grown.disconnect();
  for (const scaled of currentSlide?.querySelectorAll(":scope > .sheet > .scaled") ?? []) grown.observe(scaled);
  startWidgets(currentSlide);
}

deck.on("ready", arrive);
deck.on("slidechanged", arrive);
deck.on("pdf-ready", () => deck.getSlides().forEach(fit));
await deck.initialize();

for (const [selector, module] of Object.entries(PARTS)) {
  const found = document.querySelectorAll(selector);
  if (found.length) import(module).then(({ start }) => found.forEach(start));
}
