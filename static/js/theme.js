// Light or dark: what the viewer chose, else what the system says. Runs before the page is painted. Who is signed in has
// the choice of their account, which the page comes with; the browser remembers it for the page one signs in on.
(() => {
  "use strict";
  const KEY = "costops-theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage can be forbidden; the system's choice stands
    }
  };
  const store = (theme) => {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {
      // the choice lasts until the page is left
    }
  };
  const announce = () => document.dispatchEvent(new CustomEvent("themechange"));

  const keep = (theme) => {
    store(theme);
    const key = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
    if (root.dataset.themeKept && key)
      fetch(root.dataset.themeKept, {
        method: "POST",
        body: new URLSearchParams({ theme }),
        headers: { "X-CSRFToken": key },
        keepalive: true, // also where the page is left at once
      }).catch(() => {}); // the choice lasts until the page is left
  };

  const chosen = stored();
  if (root.dataset.themeKept) store(root.dataset.theme);
  else if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  system.addEventListener("change", announce);

  // Figures are drawn in the colours of paper while it is printed.
  let before;
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    announce();
  });
  window.addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    announce();
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const toggle of document.querySelectorAll("[data-theme-toggle]")) {
      toggle.hidden = false;
      toggle.addEventListener("click", () => {
        const now = root.dataset.theme || (system.matches ? "dark" : "light");
        root.dataset.theme = now === "dark" ? "light" : "dark";
        keep(root.dataset.theme);
        announce();
      });
    }
  });
})();
