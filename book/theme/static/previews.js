// Hover or focus on a citation, a footnote or a reference to a figure, table or equation shows what it points at.

const SHOWN = "li, figure, .equation, .box, .code";
let box;

function place(link) {
  const at = link.getBoundingClientRect();
  const width = Math.min(box.offsetWidth, innerWidth - 32);
  const left = Math.max(16, Math.min(at.left, innerWidth - width - 16));
  const below = at.bottom + box.offsetHeight + 12 < innerHeight;
  box.style.left = `${left + scrollX}px`;
  box.style.top = `${(below ? at.bottom + 6 : at.top - box.offsetHeight - 6) + scrollY}px`;
}

function hide() {
  box?.remove();
  box = undefined;
}

/** Arm one link. */
export function start(link) {
  if (link.pathname !== location.pathname) return;
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!target?.matches(SHOWN)) return;
  const show = () => {
    hide();
    box = document.createElement("div");
    box.className = "preview";
    box.setAttribute("aria-hidden", "true");
    const copy = target.cloneNode(true);
    copy.querySelectorAll(".back, .copy, audio, .anchor").forEach((part) => part.remove());
    copy.querySelectorAll("[id]").forEach((part) => part.removeAttribute("id"));
    copy.querySelectorAll("[tabindex]").forEach((part) => part.removeAttribute("tabindex"));
    copy.querySelectorAll("a, button, input, summary").forEach((part) => (part.tabIndex = -1));
    if (target.matches("li")) box.innerHTML = copy.innerHTML;
    else {
      copy.removeAttribute("id");
      copy.removeAttribute("tabindex");
      box.append(copy);
    }
    document.body.append(box);
    place(link);
  };
  let waiting;
  link.addEventListener("mouseenter", () => (waiting = setTimeout(show, 250)));
  link.addEventListener("mouseleave", () => {
    clearTimeout(waiting);
    hide();
  });
  link.addEventListener("focus", () => link.matches(":focus-visible") && show());
  link.addEventListener("blur", hide);
  link.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  link.addEventListener("click", hide);
}
