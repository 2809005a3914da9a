/** The canvas under a reader's hands: pan, zoom, click, hover; it paints once a frame, and only if something changed. */

import { select } from "d3-selection";
import "d3-transition";
import { zoom, zoomIdentity } from "d3-zoom";

import { audioAddress } from "./conversation.js";
import { CARD, placeAt } from "./layout.js";
import { Painter, READABLE } from "./painter.js";

const LARGEST = 2.5;
const MARGIN = 28;
const MOVE_MILLISECONDS = 220;
const COLOURS = ["page", "ink", "soft", "link", "edge", "accent", "wash", "mark", "hit", "bad", "user", "agent", "other"];

export class Stage {
  #frame = 0;
  #hover = null;
  #ended = new AbortController();

  /**
   * @param {Store} store
   * @param {HTMLElement} element that takes the reader's input; its first canvas is drawn on.
   */
  constructor(store, element) {
    this.store = store;
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.painter = new Painter(this.canvas);
    this.area = select(this.canvas);
    this.seen = store.snapshot();
    this.zoom = zoom().filter((event) => this.#takes(event)).on("zoom", ({ transform }) => this.#moved(transform));
    this.area.call(this.zoom).on("dblclick.zoom", null);
    this.transform = zoomIdentity;
    this.#listen();
  }

  #listen() {
    const { signal } = this.#ended;
    this.canvas.addEventListener("click", (event) => this.#click(event), { signal });
    this.canvas.addEventListener("pointermove", (event) => this.#point(event), { signal });
    this.resizes = new ResizeObserver(() => this.resize());
    this.resizes.observe(this.canvas.parentElement);
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.themes.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.dress(), { signal });
    document.fonts?.addEventListener("loadingdone", () => this.dress(), { signal });
    this.unsubscribe = this.store.subscribe(() => this.#changed());
    this.dress();
  }

  remove() {
    this.#ended.abort();
    this.resizes.disconnect();
    this.themes.disconnect();
    this.unsubscribe();
    this.area.interrupt().on(".zoom", null);
    cancelAnimationFrame(this.#frame);
  }

  /** Wheels scroll the page, unless the reader works here or holds Ctrl; the rest as d3-zoom has it. */
  #takes(event) {
    if (event.type === "wheel") return event.ctrlKey || event.metaKey || this.element.matches(":focus-within");
    return !event.ctrlKey && !event.button;
  }

  #moved(transform) {
    this.transform = transform;
    this.request();
  }

  /** Colours and faces, as the page has them now. */
  dress() {
    const face = this.element.closest(".face"), { theme } = document.documentElement.dataset;
    const lab = { true: "light", false: "dark" }[document.body.dataset.jpThemeLight];
    face.style.colorScheme = theme === "dark" || theme === "light" ? theme : (lab ?? "light dark");
    const probe = face.querySelector(".probe");
    this.palette = Object.fromEntries(COLOURS.map((name) => {
      probe.style.color = `var(--tree-${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    this.font = getComputedStyle(face).fontFamily;
    this.painter.forget();
    this.request();
  }

  /** The canvas as large as its place; the first time, the drawing is put where reading begins. */
  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!width || !height) return;
    const first = !this.size, ratio = Math.min(devicePixelRatio || 1, 2);
    this.size = { width, height, ratio };
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.zoom.extent([[0, 0], [width, height]]);
    this.bound();
    if (first) this.begin();
    this.paint();
    if (first) requestAnimationFrame(() => this.reveal(this.store.snapshot().selected)); // beside its card
  }

  /** How small and how large it may get: at least all of it can be seen at once. */
  bound() {
    this.zoom.scaleExtent([Math.min(0.5, this.#fitting() * 0.9), LARGEST]);
  }

  #fitting() {
    const { box } = this.store.snapshot().layout;
    return Math.min((this.size.width - 2 * MARGIN) / Math.max(box.x1, 1), (this.size.height - 2 * MARGIN) / Math.max(box.y1, 1), 1.1);
  }

  /** All of it where it can be read so, else the beginning of the chosen way, or what is selected. */
  begin() {
    const { selected, layout } = this.store.snapshot(), place = layout.byId.get(selected);
    if (this.#fitting() >= READABLE && !place) return this.fit(false);
    const k = this.size.width < 500 ? 0.8 : 0.95, narrow = this.size.width / k < 2 * CARD.width;
    const x = place ? this.size.width / 2 - (place.x + CARD.width / 2) * k : narrow ? MARGIN : Math.min(this.size.width / 4, 200);
    const y = place ? this.size.height / 3 - place.y * k : MARGIN;
    return this.#go(zoomIdentity.translate(x, y).scale(k), false);
  }

  fit(smooth = true) {
    const { box } = this.store.snapshot().layout, k = this.#fitting(), { width, height } = this.size;
    const y = Math.max(MARGIN, (height - box.y1 * k) / 2);
    this.#go(zoomIdentity.translate((width - box.x1 * k) / 2, y).scale(k), smooth);
  }

  scale(factor) {
    this.zoom.scaleBy(this.#mover(), factor);
  }

  #mover(smooth = true) {
    const calm = !smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
    return calm ? this.area.interrupt() : this.area.transition().duration(MOVE_MILLISECONDS);
  }

  #go(transform, smooth = true) {
    this.zoom.transform(this.#mover(smooth), transform);
  }

  /** Moves the drawing as little as it takes for a turn to lie in view, clear of the card. */
  reveal(id) {
    const place = this.store.snapshot().layout.byId.get(id);
    if (!place || !this.size) return;
    const { k, x, y } = this.transform, { width, height } = this.#clear();
    if (k < READABLE) {
      const near = zoomIdentity.translate(width / 2 - (place.x + CARD.width / 2) * 0.9, height / 2 - (place.y + CARD.height / 2) * 0.9).scale(0.9);
      this.#go(near);
      return;
    }
    const left = place.x * k + x, top = place.y * k + y, right = left + CARD.width * k, bottom = top + (CARD.height + 20) * k;
    const dx = left < MARGIN ? MARGIN - left : Math.min(0, Math.max(width - MARGIN - right, MARGIN - left));
    const dy = top < MARGIN ? MARGIN - top : Math.min(0, Math.max(height - MARGIN - bottom, MARGIN - top));
    if (dx || dy) this.#go(zoomIdentity.translate(x + dx, y + dy).scale(k));
  }

  /** The part of the stage that the card does not cover. */
  #clear() {
    const card = this.element.parentElement.querySelector(".card"), { width, height } = this.size;
    if (!card || getComputedStyle(card).position !== "absolute") return { width, height };
    const below = card.offsetWidth > 0.9 * width;
    return below ? { width, height: height - card.offsetHeight } : { width: width - card.offsetWidth, height };
  }

  #changed() {
    const before = this.seen, now = this.store.snapshot();
    this.seen = now;
    if (now.index !== before.index) this.painter.forget();
    if (now.layout !== before.layout && this.size) {
      this.bound();
      this.#hold(before, now);
    }
    const opened = now.open && !before.open;
    if (now.selected !== null && (now.selected !== before.selected || opened)) requestAnimationFrame(() => this.reveal(now.selected));
    this.request();
  }

  /** What the reader looks at stays where it is when places change: the selected turn, else the first. */
  #hold(before, now) {
    const id = [now.selected, now.index.nodes[0]?.id].find((one) => before.layout.byId.has(one) && now.layout.byId.has(one));
    const was = before.layout.byId.get(id), is = now.layout.byId.get(id);
    if (!is || (was.x === is.x && was.y === is.y)) return;
    const { k, x, y } = this.transform;
    this.#go(zoomIdentity.translate(x + (was.x - is.x) * k, y + (was.y - is.y) * k).scale(k), false);
  }

  #placeUnder(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    const [x, y] = this.transform.invert([event.clientX - left, event.clientY - top]);
    const place = placeAt(this.store.snapshot().layout, x, y);
    if (!place || y < place.y + CARD.height) return { place, folds: false, sounds: place && onSound(place, x, y) };
    const near = Math.abs(x - place.x - CARD.width / 2) < 30 && this.store.snapshot().index.children.has(place.node.id);
    return near ? { place, folds: true } : { place: undefined, folds: false };
  }

  #click(event) {
    const { place, folds, sounds } = this.#placeUnder(event);
    if (!place) return;
    if (folds) this.store.fold(place.node.id);
    else if (sounds) this.store.play(place.node.id);
    else this.store.select(place.node.id, { open: true });
  }

  #point(event) {
    const hover = this.#placeUnder(event).place?.node.id ?? null;
    if (hover === this.#hover) return;
    this.#hover = hover;
    this.canvas.style.cursor = hover === null ? "grab" : "pointer";
    this.request();
  }

  /** Paint on the next frame. */
  request() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.size) return;
    this.painter.paint(this.store.snapshot(), this.transform, { ...this.size, palette: this.palette, font: this.font, hover: this.#hover });
  }
}

/** Whether a point lies on the corner of a card that has the mark for sound. */
function onSound(place, x, y) {
  return Boolean(audioAddress(place.node)) && x > place.x + CARD.width - 44 && y < place.y + 28;
}
