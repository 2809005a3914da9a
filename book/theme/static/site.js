// What every page does in the reader's browser. Nothing is stored but the chosen theme, nothing is sent anywhere.

const root = document.documentElement;
const here = new URL(".", import.meta.url);

// ---------------------------------------------------------------- theme

const darkPreferred = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : darkPreferred.matches);

function themeButton(button) {
  const show = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // A browser that stores nothing keeps the theme until the next page.
    }
    show();
  });
  darkPreferred.addEventListener("change", show);
  show();
}

// ---------------------------------------------------------------- course menu on narrow screens

function menu(link, nav) {
  link.setAttribute("role", "button");
  const set = (open) => {
    nav.classList.toggle("open", open);
    link.setAttribute("aria-expanded", String(open));
  };
  set(false);
  const toggle = (event) => {
    event.preventDefault();
    set(!nav.classList.contains("open"));
    if (nav.classList.contains("open")) (nav.querySelector("[aria-current]") ?? nav.querySelector("a")).focus();
  };
  link.addEventListener("click", toggle);
  link.addEventListener("keydown", (event) => event.key === " " && toggle(event));
  nav.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !nav.classList.contains("open")) return;
    set(false);
    link.focus();
  });
}

// ---------------------------------------------------------------- contents of the page

function scrollSpy(links) {
  const byId = new Map(links.map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const headings = [...byId.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  let waiting = false;
  const mark = () => {
    waiting = false;
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top < innerHeight * 0.3);
    const current = passed.at(-1)?.id;
    for (const [id, link] of byId) {
      if (id === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  const later = () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  };
  addEventListener("scroll", later, { passive: true });
  later();
}

// ---------------------------------------------------------------- tabs

function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const pick = (chosen) => {
    for (const tab of all) {
      const selected = tab === chosen;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !selected;
    }
  };
  all.forEach((tab, index) => {
    tab.addEventListener("click", () => pick(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -index, End: all.length - 1 - index }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = all[(index + step + all.length) % all.length];
      pick(next);
      next.focus();
    });
  });
}

// ---------------------------------------------------------------- copy buttons

function copyButton(box) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the code");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(box.querySelector("pre").innerText);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy by hand";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  box.append(button);
}

// ---------------------------------------------------------------- search: loaded when somebody wants it

function searchForm(form) {
  const input = form.querySelector("input");
  let loading;
  const load = () => (loading ??= import("./search.js").then((module) => module.start(form, here)));
  input.addEventListener("focus", load, { once: true });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
}

// ---------------------------------------------------------------- start

themeButton(document.querySelector(".theme"));
menu(document.querySelector(".menu"), document.getElementById("nav"));
const outline = [...document.querySelectorAll(".contents.wide a")];
if (outline.length) scrollSpy(outline);
document.querySelectorAll("[role=tablist]").forEach(tabs);
document.querySelectorAll("div.code").forEach(copyButton);
searchForm(document.querySelector(".search"));

const parts = { ".predict": "./questions.js", ".player": "./players.js", "a.cite, a.ref, .footnote a": "./previews.js" };
for (const [selector, module] of Object.entries(parts)) {
  const found = document.querySelectorAll(selector);
  if (found.length) import(module).then(({ start }) => found.forEach(start));
}

const widgets = document.querySelectorAll(".widget");
if (widgets.length) {
  // A widget's module is fetched when the reader comes near it.
  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((entry) => entry.isIntersecting)) {
        near.unobserve(entry.target);
        import("./widgets.js").then(({ start }) => start(entry.target));
      }
    },
    { rootMargin: "400px" },
  );
  widgets.forEach((widget) => near.observe(widget));
}
